"""The seam to models: an engine turns requests into outcomes; everything else is the same for all engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from lingshu.core.question import PictureFile
from lingshu.modeling.template import ChatMessage

FinishReason = Literal["stop", "length"]
FailureReason = Literal[
    "timeout", "rate_limit", "server_error", "connection", "malformed",  # the server or the way to it
    "content_filter", "bad_request", "context_length",  # this request
    "picture", "out_of_memory", "budget", "lost",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt.

    Args:
        messages: turns before the answer; each `{"type": "image"}` part takes the next of `pictures`.
        kind: of the item (mcq, yesno, closed, open, caption, report, …).
        pictures: encoded, read when they are needed.
        max_new_tokens: where a response is cut.
    """

    id: str
    kind: str
    messages: tuple[ChatMessage, ...]
    pictures: tuple[PictureFile, ...]
    max_new_tokens: int

    def prompt(self) -> str:
        """Return the text of all turns, without picture slots."""
        return "\n".join(part["text"] for m in self.messages for part in m["content"] if part["type"] == "text")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer.

    Args:
        finish_reason: whether the model ended it (`stop`) or the limit cut it (`length`).
        tokens: of the answer, without end marks; None where the engine does not tell.
        prompt_tokens: of the prompt with its pictures; None where the engine does not tell.
        seconds: wall time of the call; answers that came of one call share it equally.
        served_by: what a server says it ran ("" for engines on this machine).
    """

    id: str
    text: str
    finish_reason: FinishReason
    tokens: int | None
    prompt_tokens: int | None = None
    seconds: float | None = None
    served_by: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that led to no answer: it is unscored, never wrong, and asked again by the next run."""

    id: str
    reason: FailureReason
    detail: str


Outcome: TypeAlias = Response | Failure


class Engine(Protocol):
    """Anything that answers."""

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request, in any order, pulling `requests` no faster than they can be worked on.

        Raises:
            UserError: nothing can be answered (no such model, wrong key, missing picture folder).
        """
        ...


def plan_batches(requests: Sequence[Request], size: int) -> list[list[Request]]:
    """Return batches of at most `size` requests with one token limit and similar prompt lengths.

    The plan depends on the requests alone, so an interrupted run meets the same batches again.
    """
    by_limit: dict[int, list[Request]] = {}
    for request in sorted(requests, key=lambda r: (r.max_new_tokens, len(r.pictures), len(r.prompt()), r.id)):
        by_limit.setdefault(request.max_new_tokens, []).append(request)
    return [group[start : start + size] for group in by_limit.values() for start in range(0, len(group), size)]
