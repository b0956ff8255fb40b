"""Instruction strings, byte for byte as MedEvalKit sends them (`utils/question_formats.py`, snapshot 9b12e3b).

The same strings format training prompts, so that a model is asked in evaluation as it was in training.
`THINK` is ours: the paper rewards a strict think/answer format in its fourth stage (section 3.1.4) without printing it.
"""

from __future__ import annotations

MCQ = "\nQuestion: {question}\nOptions: \n{options}\nAnswer with the option's letter from the given choices directly."
YESNO = "{question}\nPlease output 'yes' or 'no'(no extra output)."
CLOSED = "{question}\nAnswer the question using a single word or phrase."
OPEN = "{question}\nPlease answer the question concisely."
REPORT = (
    "You are a helpful assistant. Please generate a report for the given images, including both findings and "
    "impressions. Return the report in the following format: Findings: {} Impression: {}."
)
THINK = "{question}\nThink first, then answer: <think>...</think><answer>...</answer>"


def option_lines(choices: tuple[str, ...]) -> str:
    """Return `A. text` lines for the option texts."""
    return "\n".join(f"{chr(ord('A') + i)}. {text}" for i, text in enumerate(choices))


def vqa_prompt(kind: str, question: str, choices: tuple[str, ...] = ()) -> str:
    """Return the prompt of one question of kind `mcq`, `yesno`, `closed` or `open`."""
    if kind == "mcq":
        return MCQ.format(question=question, options=option_lines(choices))
    return {"yesno": YESNO, "closed": CLOSED, "open": OPEN}[kind].format(question=question)


def think_prompt(question: str) -> str:
    """Return the prompt that asks for a reasoning trace and an answer in tags."""
    return THINK.format(question=question)
