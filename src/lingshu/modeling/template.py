"""From a sample to the text a model reads: training, reinforcement and prediction all ask through this module.

Samples store the bare question; what is added to it (option lines, the answer-format sentence) follows from the task.
"""

from __future__ import annotations

from typing import Any, TypedDict

from lingshu.core.prompts import REPORT, option_lines, think_prompt, vqa_prompt
from lingshu.core.sample import Message, Sample

ASKED_BY_ANSWER_KIND = ("vqa_open", "vqa_closed", "mcq", "text_qa")


class ChatMessage(TypedDict):
    """One turn as chat templates take it: parts are `{"type": "text", "text": …}` or `{"type": "image"}`."""

    role: str
    content: list[dict[str, str]]


def user_text(sample: Sample) -> str:
    """Return the text of the last user turn as the model is asked it.

    Question tasks get MedEvalKit's prompt of their answer kind, `report` its report prompt, `reasoning` the prompt
    for a trace and an answer in tags (option lines included); the other tasks are asked as stored.
    """
    question = _text(_last_user(sample))
    if sample.task == "report":
        return REPORT
    if sample.answer is None:
        return question
    if sample.task == "reasoning":
        options = f"\nOptions: \n{option_lines(sample.answer.choices)}" if sample.answer.kind == "mcq" else ""
        return think_prompt(question + options)
    if sample.task in ASKED_BY_ANSWER_KIND:
        return vqa_prompt(sample.answer.kind, question, sample.answer.choices)
    return question


def prompt_messages(sample: Sample) -> list[ChatMessage]:
    """Return the turns before the answer, the last user turn worded by `user_text`, pictures before its text."""
    asked = _last_user(sample)
    return [
        _chat(message, user_text(sample) if message is asked else _text(message)) for message in sample.messages[:-1]
    ]


def training_messages(sample: Sample) -> list[ChatMessage]:
    """Return `prompt_messages` and the assistant's answer."""
    return [*prompt_messages(sample), _chat(sample.messages[-1], sample.target_text())]


def render_prompt(processor: Any, messages: list[ChatMessage]) -> str:
    """Return the prompt text of `messages` by the checkpoint's own chat template, ready for the assistant's turn.

    Each picture is one `<|vision_start|><|image_pad|><|vision_end|>`; the processor widens the pad to the picture's
    tokens when it is called with `text=[…], images=[…]`.
    """
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert isinstance(text, str)
    return text


def render_conversation(processor: Any, messages: list[ChatMessage]) -> str:
    """Return the text of whole turns, as training sees them: the last turn ends with the end-of-turn token."""
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=False)
    assert isinstance(text, str)
    return text


def _last_user(sample: Sample) -> Message:
    return next(message for message in reversed(sample.messages) if message.role == "user")


def _text(message: Message) -> str:
    return "\n".join(part.text for part in message.content if part.text is not None)


def _chat(message: Message, text: str) -> ChatMessage:
    pictures = [{"type": "image"} for part in message.content if part.type == "image"]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": text}]}
