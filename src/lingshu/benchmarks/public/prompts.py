r"""The official prompts, byte for byte as MedEvalKit sends them (`utils/question_formats.py` and the benchmarks' own
files, snapshot 9b12e3b), by prompt id, language and mode (direct or reasoning). No system prompt, no examples.

The reasoning mode of the official kit only changes the instruction: it asks for the answer in `\boxed{}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROMPTS = ("mcq", "mcq_context", "yesno", "closed", "open", "mmmu", "report", "report_mimic", "conversation")
LANGUAGES = ("en", "zh")

_INDENT = " " * 8
_REPORT = (
    "You are a helpful assistant. Please generate a report for the given images, including both findings and "
    "impressions. Return the report in the following format: Findings: {} Impression: {}."
)
# Instruction by (prompt id, language, reasoning).
_INSTRUCTION = {
    ("mcq", "en", False): "Answer with the option's letter from the given choices directly.",
    ("mcq", "en", True): (
        'Answer with the option\'s letter from the given choices and put the letter in one "\\boxed{}".'
    ),
    ("mcq", "zh", False): "请直接使用给定选项中的选项字母来回答该问题。",
    ("mcq", "zh", True): '请直接使用给定选项中的选项字母来回答该问题,并将答案包裹在"\\boxed{}"里',
    ("yesno", "en", False): "Please output 'yes' or 'no'(no extra output).",
    ("yesno", "en", True): 'Please output "yes" or "no" and put the answer in one "\\boxed{}".',
    ("yesno", "zh", False): "请输出'是'或'否'(不要有任何其它输出)。",
    ("yesno", "zh", True): "请输出'是'或'否'，并将答案放在一个'\\boxed{}'中。",
    ("closed", "en", False): "Answer the question using a single word or phrase.",
    ("closed", "en", True): (
        'Answer the question using a single word or phrase and put the answer in one "\\boxed{}".'
    ),
    ("closed", "zh", False): "请用一个单词或者短语回答该问题。",
    ("closed", "zh", True): "请用一个单词或者短语回答该问题，并将答案放在一个'\\boxed{}'中。",
    ("open", "en", False): "Please answer the question concisely.",
    ("open", "en", True): 'Please answer the question concisely and put the answer in one "\\boxed{}".',
    ("open", "zh", False): "请简要回答该问题。",
    ("open", "zh", True): "请简要回答该问题，并将答案放在一个'\\boxed{}'中。",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt is made of: the bare question, its options as shown (None for none), and a text put first."""

    question: str
    choices: Sequence[str] | None = None
    context: str = ""


def official_prompt(prompt: str, asked: Asked, language: str = "en", *, reasoning: bool = False) -> str:
    """Return the text that is sent.

    Args:
        prompt: one of `PROMPTS` but `conversation`, which has no words of its own.
        asked: the question.
        language: `en` or `zh`; `mmmu` and the reports exist in English only.
        reasoning: ask for the answer in `\\boxed{}`; a report has no such form and stays as it is.

    Raises:
        ValueError: the prompt or the language is unknown.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    if prompt in ("mcq", "mcq_context"):
        text = _multiple_choice(asked, language, reasoning=reasoning)
        return f"Context: {asked.context}\n{text}" if prompt == "mcq_context" else text
    if prompt in ("yesno", "closed", "open"):
        return f"{asked.question}\n{_INSTRUCTION[prompt, language, reasoning]}"
    if prompt == "mmmu":
        return _mmmu(asked, reasoning=reasoning)
    if prompt == "report":
        return _REPORT
    if prompt == "report_mimic":
        return f"\n{_INDENT}{_REPORT}\n{_INDENT}"
    raise ValueError(f"prompt {prompt!r} has no text")


def _multiple_choice(asked: Asked, language: str, *, reasoning: bool) -> str:
    options = "\n".join(asked.choices or ())
    head = {
        "en": f"\nQuestion: {asked.question}\nOptions: \n{options}\n",
        "zh": f"\n问题： {asked.question}\n选项： \n{options}\n",
    }[language]
    return head + _INSTRUCTION["mcq", language, reasoning]


def _mmmu(asked: Asked, *, reasoning: bool) -> str:
    if asked.choices is None:
        return f"\n{asked.question}\n\n{_INDENT}{_INSTRUCTION['closed', 'en', reasoning]}"
    options = "".join(f"{choice}\n" for choice in asked.choices)
    return f"\n{asked.question}\n\n{options}\n\n{_INDENT}{_INSTRUCTION['mcq', 'en', reasoning]}"
