"""Text-only samples: a question from a vocabulary into a `Sample` of its group and split."""

from __future__ import annotations

from dataclasses import dataclass

from lingshu.core.ids import stable_fraction
from lingshu.core.sample import Answer, Sample, Split, turn
from lingshu.facts.asking import Question


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What every sample of one vocabulary shares; `revision` is its release."""

    source: str
    licence: str
    revision: str
    seed: int
    held_out_share: float

    def split(self, group: str) -> Split:
        """Return `test` for the held-out share of groups, `train` for the others; a group is never cut."""
        return "test" if stable_fraction(self.seed, "held-out", group) < self.held_out_share else "train"

    def ask(self, group: str, origin: str, question: Question) -> Sample:
        """Return the question as a sample; `origin` names the term or pair it was written from."""
        answer = Answer(question.kind, question.answer, question.choices, question.label)
        reply = question.label if question.kind == "mcq" else question.answer
        return Sample(
            source=self.source,
            split=self.split(group),
            revision=self.revision,
            origin_id=f"{origin}/{question.topic}",
            group_id=group,
            task="mcq" if question.kind == "mcq" else "text_qa",
            topic=question.topic,
            messages=turn(question.question, reply),
            licence=self.licence,
            answer=answer,
        ).with_id()

    def state(self, group: str, origin: str, request: str, statement: str) -> Sample:
        """Return a declarative sentence as the reply to `request` (topic `statement`)."""
        return Sample(
            source=self.source,
            split=self.split(group),
            revision=self.revision,
            origin_id=f"{origin}/statement",
            group_id=group,
            task="dialogue",
            topic="statement",
            messages=turn(request, statement),
            licence=self.licence,
        ).with_id()
