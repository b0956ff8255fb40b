"""From benchmark items to requests, and from responses to the lines that the evaluation reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lingshu.core.benchmark import BuiltBenchmark
from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.sample import Sample
from lingshu.inference.engine import Request, Response
from lingshu.inference.params import TokenLimits
from lingshu.modeling.template import prompt_messages

THINK = "think"


@dataclass(frozen=True, slots=True)
class Question:
    """One benchmark item and the request made of it."""

    sample: Sample
    request: Request


@dataclass(slots=True)  # not frozen: the protocol of a picture file has a plain attribute
class StoredPicture:
    """A picture of the project's image folders; its name is its id (the SHA-256 of its bytes)."""

    name: str
    store: ImageStore

    def read(self) -> bytes:
        """Return the stored bytes.

        Raises:
            UserError: the picture is in no image folder.
        """
        if self.name not in self.store:
            raise UserError(f"picture {self.name} is in no image folder", "run `dvc repro` to restore it")
        return self.store.data(self.name)


@dataclass(slots=True)
class HeldPicture:
    """A picture whose bytes are held, so that a worker needs no image folder."""

    name: str
    data: bytes = field(repr=False)

    def read(self) -> bytes:
        """Return the bytes."""
        return self.data


def carrying_pictures(requests: Sequence[Request]) -> list[Request]:
    """Return the requests with the bytes of their pictures in them.

    Raises:
        UserError: a picture is in no image folder.
    """
    return [
        replace(request, pictures=tuple(HeldPicture(picture.name, picture.read()) for picture in request.pictures))
        for request in requests
    ]


def ask(benchmark: BuiltBenchmark, samples: Iterable[Sample], limits: TokenLimits, store: ImageStore) -> list[Question]:
    """Return the benchmark's items as requests, sorted by id, worded exactly as in training."""
    found: list[Question] = []
    for sample in sorted(samples, key=lambda s: s.sample_id):
        # The reasoning task is the one that asks for a trace and an answer in tags.
        asked = replace(sample, task="reasoning") if benchmark.prompt == THINK else sample
        kind = item_kind(sample)
        limit = limits.think if benchmark.prompt == THINK else getattr(limits, kind)
        pictures = tuple(StoredPicture(image.image_id, store) for image in sample.images)
        found.append(Question(sample, Request(sample.sample_id, kind, tuple(prompt_messages(asked)), pictures, limit)))
    return found


def item_kind(sample: Sample) -> str:
    """Return how a sample is scored: by its answer's kind, or as a caption or report."""
    if sample.answer is not None:
        return sample.answer.kind
    return "report" if sample.task == "report" else "caption"


def response_line(question: Question, response: Response, benchmark: str, checkpoint: str) -> dict[str, Any]:
    """Return one line of a response file (`evalkit.items.ResponseLine`, and how the response came to be)."""
    sample, answer = question.sample, question.sample.answer
    gold = sample.target_text() if answer is None else answer.label if answer.kind == "mcq" else answer.text
    return {
        "id": sample.sample_id,
        "kind": question.request.kind,
        "question": next(m for m in reversed(sample.messages) if m.role == "user").content[-1].text,
        "choices": list(answer.choices) if answer and answer.choices else None,
        "answer": gold,
        "response": response.text,
        "cluster": sample.group_id,
        "meta": {
            "benchmark": benchmark,
            "checkpoint": checkpoint,
            "topic": sample.topic,
            "modality": list(sample.modality),
            "language": sample.language,
            "source": sample.source,
        },
        "prompt": question.request.prompt(),
        "finish_reason": response.finish_reason,
        "tokens": response.tokens,
    }
