"""The seam to models: an engine turns requests into responses; everything else is the same for all engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lingshu.modeling.template import ChatMessage


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt.

    Args:
        messages: turns before the answer; each `{"type": "image"}` part takes the next of `image_ids`.
        kind: of the item (mcq, yesno, closed, open, caption, report).
        max_new_tokens: where a response is cut.
    """

    id: str
    kind: str
    messages: tuple[ChatMessage, ...]
    image_ids: tuple[str, ...]
    max_new_tokens: int

    def prompt(self) -> str:
        """Return the text of all turns, without picture slots."""
        return "\n".join(part["text"] for m in self.messages for part in m["content"] if part["type"] == "text")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: `finish_reason` tells whether the model ended it or the limit cut it; `tokens` without end marks."""

    id: str
    text: str
    finish_reason: Literal["stop", "length"]
    tokens: int


class Engine(Protocol):
    """Anything that answers."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Response]:
        """Yield one response a request, in their order; equal `requests` give equal responses."""
        ...


def plan_batches(requests: Sequence[Request], size: int) -> list[list[Request]]:
    """Return batches of at most `size` requests with one token limit and similar prompt lengths.

    The plan depends on the requests alone, so an interrupted run meets the same batches again.
    """
    by_limit: dict[int, list[Request]] = {}
    for request in sorted(requests, key=lambda r: (r.max_new_tokens, len(r.image_ids), len(r.prompt()), r.id)):
        by_limit.setdefault(request.max_new_tokens, []).append(request)
    return [group[start : start + size] for group in by_limit.values() for start in range(0, len(group), size)]
