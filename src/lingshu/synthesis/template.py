"""The teacher of the mini recipe: writes from the known facts alone, without a model, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from lingshu.core.ids import stable_hash
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import parsable
from lingshu.synthesis.longform import describe
from lingshu.synthesis.phrasing import write
from lingshu.synthesis.reasoning import finding_in, trace
from lingshu.synthesis.replies import Description, Refusal, Region, Trace, Transcript, WrittenQuestion
from lingshu.synthesis.teacher import Reply, Request

NAME = "template-1"


class TemplateTeacher:
    """Fills templates; refuses a picture whose caption (the last message) states what its facts do not."""

    name = NAME

    def complete(self, requests: Iterable[Request[Any]]) -> Iterator[Reply]:
        """Yield one reply a request, in order."""
        for request in requests:
            yield Reply(request.request_id, WRITERS[request.schema](request).model_dump_json())


def _description(request: Request[Any]) -> BaseModel:
    written = describe(request.facts, stable_hash("describe", request.request_id))
    annotated = [Region(name=name, text=text) for name, text in request.known.items()]
    return _mismatch(request) or written.model_copy(update={"regions": [*written.regions, *annotated]})


def _question(request: Request[Any]) -> BaseModel:
    return _mismatch(request) or write(request.known["topic"], request.facts, request.request_id)


def _transcript(request: Request[Any]) -> BaseModel:
    text, answer = request.known["text"], request.known["answer"]
    return Transcript(reasoning="" if answer == text else f"The picture shows {text}.", answer=answer)


def _trace(request: Request[Any]) -> BaseModel:
    finding = finding_in(request.known["question"])
    if finding is None:
        return Refusal(refusal="the question names no finding")
    return Trace(reasoning=trace(request.known["topic"], finding, request.facts), answer=request.known["answer"])


def _mismatch(request: Request[Any]) -> Refusal | None:
    caption = "".join(part.text or "" for part in request.messages[-1].content)
    stated, known = facts_from_text(caption), parsable(request.facts)
    wrong = sorted(key for key, value in stated.items() if known.get(key) != value)
    return Refusal(refusal=f"caption and facts disagree about {', '.join(wrong)}") if wrong else None


WRITERS: dict[type[BaseModel], Callable[[Request[Any]], BaseModel]] = {
    Description: _description,
    WrittenQuestion: _question,
    Transcript: _transcript,
    Trace: _trace,
}
