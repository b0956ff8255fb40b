"""The model's own turn of a response that echoes its prompt, or runs on into a next question of its own making."""

from __future__ import annotations

import re

_ASKED = re.compile(
    r"^(?:#{2,} *(?:instruction|input|question|user|human|system)\b *:?|(?:user|human|用户) *[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWERED = re.compile(
    r"^(?:#{2,} *(?:response|output|assistant)\b *:?|(?:assistant|助手) *[:：])[ \t]*", re.IGNORECASE | re.MULTILINE
)
_LABELS = re.compile(r"(?:\A|\n)\s*Q\s*[:：][^\n]*?(?:[?？]\s*|\n\s*)A\s*[:：]\s*")
"""“Q: … A: …”, where the A is no option."""


def own_turn(text: str) -> str:
    """Return the part of `text` that the model says as its first answer; `text` where no turns are marked."""
    if ":" in text or "：" in text or "##" in text:
        text = _LABELS.sub("\n", text)
        asked = _ASKED.search(text)
        if asked and not text[: asked.start()].strip():
            answered = _ANSWERED.search(text, asked.end())
            if answered is None:
                return text
            text = text[answered.end() :]
            asked = _ASKED.search(text)
        if asked:
            text = text[: asked.start()]
        lead = _ANSWERED.search(text)
        if lead and ("?" in text[: lead.start()] or not text[: lead.start()].strip()):
            text = text[lead.end() :]  # what stands before repeats the question
    return text
