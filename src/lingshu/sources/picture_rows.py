"""Picture samples: a stored picture and its facts into caption, report and question samples of its group and split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lingshu.core.ids import stable_hash
from lingshu.core.images import Picture
from lingshu.core.prompts import REPORT
from lingshu.core.sample import Answer, AnswerKind, ImageRef, Sample, Split, Task, turn
from lingshu.facts.wording import CAPTION_PROMPTS, NUM_VARIANTS, Question, caption, report

TASK_OF_KIND: dict[AnswerKind, Task] = {"mcq": "mcq", "yesno": "vqa_closed", "closed": "vqa_closed", "open": "vqa_open"}


@dataclass(frozen=True, slots=True)
class PictureRows:
    """Writes the samples of one picture; `key` (its origin) varies the wording.

    Attributes:
        picture: source, origin, group, split, licence and facts are taken from it.
        image: how the samples point to the stored picture.
        revision: of the source.
    """

    picture: Picture
    image: ImageRef
    revision: str

    @classmethod
    def of(cls, picture: Picture, revision: str) -> PictureRows:
        """Return the writer for `picture`, whose bytes are digested once."""
        return cls(picture, ImageRef(picture.image_id, picture.width, picture.height), revision)

    def caption(self) -> Sample:
        """Return the caption sample; its answer to score is the facts that the text states."""
        variant = stable_hash("caption", self.picture.origin_id)
        prompt = CAPTION_PROMPTS[variant // NUM_VARIANTS % len(CAPTION_PROMPTS)]
        return self._sample("caption", "caption", prompt, caption(self.picture.facts, variant))

    def report(self) -> Sample:
        """Return the report sample, asked as MedEvalKit asks.

        Raises:
            ValueError: the facts hold no chest finding.
        """
        variant = stable_hash("report", self.picture.origin_id)
        return self._sample("report", "report", REPORT, report(self.picture.facts, variant))

    def ask(self, asked: Iterable[Question]) -> Iterator[Sample]:
        """Yield one sample a question; a multiple-choice one is answered by its letter."""
        for question in asked:
            answer = Answer(question.kind, question.answer, question.choices, question.label)
            reply = question.label if question.kind == "mcq" else question.answer
            yield self._sample(TASK_OF_KIND[question.kind], question.topic, question.question, reply, answer)

    def _sample(self, task: Task, topic: str, request: str, reply: str, answer: Answer | None = None) -> Sample:
        picture = self.picture
        facts: dict[str, Any] = picture.facts
        split: Split = "test" if picture.split == "test" else "train"
        return Sample(
            source=picture.source,
            split=split,
            revision=self.revision,
            origin_id=picture.origin_id,
            group_id=picture.group_id,
            task=task,
            topic=topic,
            messages=turn(request, reply, num_images=1),
            licence=picture.licence,
            modality=(facts["modality"],) if "modality" in facts else (),
            body_part=facts.get("body_part", ""),
            images=(self.image,),
            answer=answer,
        ).with_id()
