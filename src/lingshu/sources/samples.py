"""From a row and its pictures to a sample: id, split, group, imaging kind and licence around what an adapter says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from lingshu.core.images import Picture
from lingshu.core.sample import ImageRef, Sample, Split
from lingshu.facts.vocabulary import FACTS
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import FoundPicture
from lingshu.intake.values import Row, text_at, value_at
from lingshu.sources.adapters import ADAPTERS
from lingshu.sources.adapters.spoken import said_or_empty
from lingshu.sources.catalog import IMAGING_KINDS, SourceRecord
from lingshu.sources.forms import SourceForm
from lingshu.sources.stills import Still

SPLIT_NAMES: dict[str, Split] = {
    "train": "train", "training": "train",
    "validation": "validation", "validate": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "development": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2}")


def revision_of(record: SourceRecord) -> str:
    """Return the pinned revisions of a record's places or packages, joined; `unpinned` where there are none."""
    found = [place.revision or place.physionet or place.sha256[:12] for place in record.places]
    found += [package.label for package in record.packages]
    return ", ".join(filter(None, found)) or "unpinned"


class SampleMaker:
    """Makes the samples of one form of a source; counts the imaging kinds that it has no word for."""

    def __init__(self, name: str, record: SourceRecord, form: SourceForm, revision: str) -> None:
        self._name = name
        self._record = record
        self._form = form
        self._revision = revision
        self.unknown_kinds: Counter[str] = Counter()

    def split(self, row: Row) -> Split:
        """Return the row's split.

        Raises:
            RowError: the field is missing, or has a word that is none of ours.
        """
        if self._form.one_split:
            return cast("Split", self._form.one_split)
        given = text_at(row, self._form.split)
        names, known = self._form.split_names, SPLIT_NAMES.get(given.strip().lower())
        found = names.get(given) or (known and names.get(known, known))
        if found is None:
            raise RowError(Reason.UNKNOWN_SPLIT, f"{self._form.split!r} is {given!r:.40}")
        return found

    def group(self, identity: str, row: Row) -> str:
        """Return what no split may cut, `source/unit/value`; the row, where the form names nothing.

        Raises:
            RowError: its field is missing, or has nothing of the form's pattern.
        """
        form = self._form
        if not form.group:
            return f"{self._name}/{form.unit or 'row'}/{identity}"
        value = text_at(row, form.group)
        if form.group_pattern:
            found = re.search(form.group_pattern, value)
            if found is None:
                raise RowError(Reason.MISSING_FIELD, f"{form.group!r} is {value!r:.60}, without {form.group_pattern}")
            value = found[1] if found.re.groups else found[0]
        return f"{self._name}/{form.unit or 'group'}/{value}"

    def kinds(self, row: Row) -> tuple[str, ...]:
        """Return the imaging kinds of the row's pictures; one that no word is known for is counted and left out."""
        if not self._form.modality:
            return tuple(self._record.modalities) if len(self._record.modalities) == 1 else ()
        value = value_at(row, self._form.modality, None)
        if isinstance(value, dict):
            value = [name for name, yes in value.items() if yes is True]
        found: list[str] = []
        for given in value if isinstance(value, list) else [value]:
            word = str(given or "").strip().lower()
            kind = self._form.modality_names.get(word, word)
            if kind in IMAGING_KINDS:
                found.append(kind)
            elif word:
                self.unknown_kinds[word[:40]] += 1
        return tuple(dict.fromkeys(found))

    def language(self, row: Row) -> str:
        """Return the row's language as two letters.

        Raises:
            RowError: its field is missing, or has a word that the form does not translate.
        """
        form = self._form
        if _LANGUAGE.fullmatch(form.language):
            return form.language
        given = text_at(row, form.language)
        if form.language_names and given not in form.language_names:
            raise RowError(Reason.MISSING_FIELD, f"{form.language!r} is {given!r:.40}")
        return form.language_names.get(given, given)

    def draft(self, identity: str, row: Row, pictures: Sequence[FoundPicture]) -> Sample:
        """Return the row as a sample that still lacks its pictures and its id.

        Raises:
            RowError: the row says nothing that its form's adapter can use (the reason says why).
        """
        form = self._form
        spoken = ADAPTERS[form.adapter](form, row, identity, len(pictures))
        return Sample(
            source=self._name,
            split=self.split(row),
            revision=self._revision,
            origin_id=identity,
            group_id=self.group(identity, row),
            task=spoken.task,
            topic=said_or_empty(row, form.topic).lower() or spoken.topic,
            messages=spoken.messages,
            licence=said_or_empty(row, form.licence) or self._record.licence,
            access=self._record.access,
            modality=self.kinds(row) if pictures else (),
            body_part=said_or_empty(row, form.body_part).lower(),
            language=self.language(row),
            answer=spoken.answer,
            rationale=spoken.rationale,
        )

    def finished(self, draft: Sample, images: Sequence[ImageRef]) -> Sample:
        """Return the sample with its pictures and id; without a group of its own it is of its first picture's."""
        group = draft.group_id
        if images and not self._form.group:
            group = f"{self._name}/{self._form.unit or 'picture'}/{images[0].image_id[:20]}"
        return replace(draft, images=tuple(images), group_id=group).with_id()

    def picture(self, still: Still, file: FoundPicture, sample: Sample) -> Picture:
        """Return a picture of the sample as it is stored; its kind is a fact where the sample shows nothing else."""
        known = [kind for kind in sample.modality if not FACTS["modality"].complaint(kind)]
        return Picture(
            data=still.data,
            format=still.format,
            width=still.width,
            height=still.height,
            source=self._name,
            origin_id=file.name,
            group_id=sample.group_id,
            split=sample.split,
            licence=sample.licence,
            facts={"modality": known[0]} if len(known) == len(sample.modality) == 1 and len(sample.images) == 1 else {},
        )
