"""What a question is and how it is sent: the request made of it, and the key under which its answer is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.question import Question, Turn
from lingshu.inference.engine import Request
from lingshu.inference.store import KEY_DIGITS, Asked
from lingshu.modeling.template import ChatMessage

PROMPT_VERSION = 1
"""How turns and pictures become messages: pictures first in the last user turn, each turn's text as it stands."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question on its way: its request, and what its row in the store says of it."""

    question: Question
    request: Request
    asked: Asked


def messages(turns: Sequence[Turn], pictures: int) -> tuple[ChatMessage, ...]:
    """Return the turns as chat templates take them, with `pictures` picture slots before the last user turn's text."""
    last = max(number for number, turn in enumerate(turns) if turn.role == "user")
    return tuple(
        ChatMessage(
            role=turn.role,
            content=[{"type": "image"}] * (pictures if number == last else 0) + [{"type": "text", "text": turn.text}],
        )
        for number, turn in enumerate(turns)
    )


def question_digest(question: Question, *, blind: bool = False) -> str:
    """Return the SHA-256 of what is asked: turns, the bytes of the pictures in order, and options, 64 hex digits.

    Gold answer, id and break-downs are no part of it: mending them must not ask the model again.

    Raises:
        UserError: a picture can't be read.
    """
    pictures = [] if blind else [sha256_bytes(picture.read()) for picture in question.pictures]
    turns = [[turn.role, turn.text] for turn in question.turns]
    return sha256_bytes(canonical_json([turns, pictures, question.choices]).encode("utf-8", "surrogatepass"))


def answer_key(model: str, question: str, settings: dict[str, Any], prompt_version: int = PROMPT_VERSION) -> str:
    """Return 128 bits over all that decides an answer: the digests of model and question, prompt and settings."""
    return sha256_bytes(canonical_json([model, question, prompt_version, settings]).encode())[:KEY_DIGITS]


def inquire(question: Question, model: str, settings: dict[str, Any], limit: int, *, blind: bool = False) -> Inquiry:
    """Return the question as request and key; `settings` are those that decide an answer, `limit` is in tokens.

    Raises:
        UserError: a picture can't be read.
    """
    pictures = () if blind else question.pictures
    digest = question_digest(question, blind=blind)
    sent = messages(question.turns, len(pictures))
    request = Request(f"{question.benchmark}/{question.id}", question.kind, sent, pictures, limit)
    asked = Asked(
        key=answer_key(model, digest, settings),
        id=question.id,
        benchmark=question.benchmark,
        model=model,
        question=digest,
        prompt_version=PROMPT_VERSION,
        settings=settings,
        prompt=[{"role": turn.role, "text": turn.text} for turn in question.turns],
    )
    return Inquiry(question, request, asked)
