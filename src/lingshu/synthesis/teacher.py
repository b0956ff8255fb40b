"""The seam to whoever writes: requests in, replies out, and every reply checked against the schema it was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.sample import Message
from lingshu.synthesis.replies import Refusal

R = TypeVar("R", bound=BaseModel)
REFUSED = "REFUSED"
INVALID_REPLY = "INVALID_REPLY"
NO_REPLY = "NO_REPLY"


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """One job for a teacher.

    Args:
        request_id: unique among the requests of a run.
        messages: what a model is sent: the instruction first, the material (a caption, a question) last.
        images: ids of the pictures that go with the messages.
        schema: the reply as JSON must fit this model (or be a `Refusal`).
        facts: what is known to be true of the picture.
        known: further given values, by name (topic, question, answer).
    """

    request_id: str
    messages: tuple[Message, ...]
    images: tuple[str, ...]
    schema: type[R]
    facts: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def prompt_digest(self) -> str:
        """SHA-256 of the messages, 64 hex digits."""
        return sha256_bytes(canonical_json([asdict(m) for m in self.messages]).encode())


@dataclass(frozen=True, slots=True)
class Reply:
    """A teacher's answer as it came: JSON text, not yet checked."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a request led to nothing: REFUSED, INVALID_REPLY or NO_REPLY, and the evidence."""

    reason: str
    detail: str


class Teacher(Protocol):
    """Writes replies; may answer in any order and may leave requests unanswered."""

    @property
    def name(self) -> str:
        """Kind and version, as recorded in `Sample.synthetic.teacher`."""

    def complete(self, requests: Iterable[Request[Any]]) -> Iterator[Reply]:
        """Yield a reply for each request."""


def ask(teacher: Teacher, requests: Sequence[Request[R]]) -> Iterator[tuple[Request[R], R | Unusable]]:
    """Yield every request with its checked reply, or with the reason why there is none, in the order of `requests`."""
    replies = {reply.request_id: reply for reply in teacher.complete(requests)}
    for request in requests:
        yield request, _checked(request, replies.get(request.request_id))


def _checked(request: Request[R], reply: Reply | None) -> R | Unusable:
    if reply is None:
        return Unusable(NO_REPLY, "")
    try:
        return request.schema.model_validate_json(reply.text)
    except ValidationError as error:
        complaint = str(error.errors()[0]["msg"])
    try:
        return Unusable(REFUSED, Refusal.model_validate_json(reply.text).refusal)
    except ValidationError:
        return Unusable(INVALID_REPLY, complaint)
