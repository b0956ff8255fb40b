"""What a recipe works with and what it hands back: samples, pictures, and what came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lingshu.core.ids import stable_hash
from lingshu.core.images import Picture
from lingshu.core.sample import Answer, AnswerKind, ImageRef, Message, Sample, Synthetic, Task, text_part
from lingshu.core.verdicts import Verdict
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.teacher import Request, Teacher, Unusable, ask

R = TypeVar("R", bound=BaseModel)
TASK_OF_KIND: dict[AnswerKind, Task] = {"mcq": "mcq", "yesno": "vqa_closed", "closed": "vqa_closed", "open": "vqa_open"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Params, enabled sources, teacher and repository of one `propose` run."""

    params: SynthesisParams
    sources: tuple[str, ...]
    teacher: Teacher
    root: Path = Path()


@dataclass(slots=True)
class Proposals:
    """Samples and pictures proposed; and for every request that led to none a verdict (its parent's id, the reason)."""

    recipe: str
    samples: list[Sample] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    dropped: list[Verdict] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Name of the recipe's samples and pictures as a source."""
        return f"synthetic_{self.recipe}"

    def drop(self, parent: Sample, reason: str, detail: str) -> None:
        """Note that a request made from `parent` led to nothing."""
        self.dropped.append(
            Verdict(parent.sample_id, parent.source, f"propose_{self.recipe}", False, reason, None, detail)
        )

    def ask(self, teacher: Teacher, asked: Sequence[tuple[Sample, Request[R]]]) -> list[tuple[Sample, Request[R], R]]:
        """Return parent, request and reply for every request that the teacher answered well; note the others."""
        answered: list[tuple[Sample, Request[R], R]] = []
        replies = ask(teacher, [request for _, request in asked])
        for (parent, _), (request, reply) in zip(asked, replies, strict=True):
            if isinstance(reply, Unusable):
                self.drop(parent, reply.reason, f"{request.request_id}: {reply.detail}")
            else:
                answered.append((parent, request, reply))
        return answered


def instruction(system: str, material: str) -> tuple[Message, Message]:
    """Return the messages of a request: the instruction, then the material as the last turn."""
    return Message("system", (text_part(system),)), Message("user", (text_part(material),))


def child(
    parent: Sample,
    made: Synthetic,
    *,
    task: Task,
    topic: str,
    messages: tuple[Message, ...],
    images: tuple[ImageRef, ...],
    modality: tuple[str, ...],
    answer: Answer | None = None,
    rationale: str = "",
) -> Sample:
    """Return a sample made from `parent`: it inherits group, split, licence, access, language and body part."""
    return Sample(
        source=f"synthetic_{made.recipe}",
        split=parent.split,
        revision=made.teacher,
        origin_id=f"{parent.sample_id}/{topic}",
        group_id=parent.group_id,
        task=task,
        topic=topic,
        messages=messages,
        licence=parent.licence,
        access=parent.access,
        modality=modality,
        body_part=parent.body_part,
        language=parent.language,
        images=images,
        answer=answer,
        rationale=rationale,
        synthetic=made,
    ).with_id()


def made_by(recipe: str, request: Request[Any], teacher: Teacher, parent: Sample) -> Synthetic:
    """Return how a sample came to be: recipe, teacher, digest of what was asked, parent."""
    return Synthetic(recipe, teacher.name, request.prompt_digest, (parent.sample_id,))


def pick(phrases: tuple[str, ...], key: str) -> str:
    """Return one of the phrases, chosen by `key`."""
    return phrases[stable_hash("phrase", key) % len(phrases)]
