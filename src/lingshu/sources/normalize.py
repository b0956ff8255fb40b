"""Normalizing a source: pulled files into pictures with facts and samples, once; what is refused becomes a verdict.

Every file that a record takes is decoded or refused by reason, and the counts are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.core.images import Picture, write_images
from lingshu.core.layout import IMAGES, RAW, SAMPLES
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.parallel import in_order
from lingshu.core.progress import track
from lingshu.core.sample import Sample, write_samples
from lingshu.core.verdicts import KEPT, Verdict, account, write_verdicts
from lingshu.facts.asking import questions
from lingshu.facts.vocabulary import check_facts, parsable
from lingshu.intake.places import walk
from lingshu.sources import hpo, icd10cm
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.dicom import read_dicom
from lingshu.sources.dicom_profile import Identifying
from lingshu.sources.frames import Facts, LeftOut, RawFile, Readings, Refused, png, shrunk
from lingshu.sources.identifying import write_identifying
from lingshu.sources.nifti import read_nifti
from lingshu.sources.notes import NO_NOTES, PackageNotes, read_notes
from lingshu.sources.nrrd import read_nrrd
from lingshu.sources.params import NormalizeParams, SourcesParams
from lingshu.sources.picture_rows import PictureRows
from lingshu.sources.raster import read_raster
from lingshu.sources.slide import read_slide
from lingshu.sources.splits import gather, held_out
from lingshu.sources.summary import summarise
from lingshu.sources.terminology_params import TerminologyParams

STEP = "normalize"
PICTURE_READERS: dict[str, Callable[[RawFile, NormalizeParams], Readings]] = {
    "dicom": read_dicom,
    "nifti": read_nifti,
    "nrrd": read_nrrd,
    "raster": read_raster,
    "slide": read_slide,
}
TEXT_READERS: dict[str, Callable[[Path, TerminologyParams, str], Iterator[Sample]]] = {
    "hpo": hpo.rows,
    "icd10cm": icd10cm.rows,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture as it will be stored, encoded and small; its split is still open."""

    data: bytes
    width: int
    height: int
    origin: str
    group: str
    facts: Facts
    file: RawFile
    identifying: Identifying | None = None


@dataclass(slots=True)
class Found:
    """What a file gave, or a source's files together."""

    stored: list[Stored] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        """Take in what another file gave."""
        self.stored.extend(other.stored)
        self.samples.extend(other.samples)
        self.verdicts.extend(other.verdicts)
        self.left_out.update(other.left_out)


def normalize(name: str, record: SourceRecord, params: SourcesParams, root: Path = Path()) -> dict[str, Any]:
    """Write pictures, samples and verdicts of a pulled source under `root`, and return its metrics.

    Raises:
        UserError: the source is not pulled completely, it has not the files that its record expects, or its notes are
            wrong or state an unknown fact.
    """
    read_manifest(root / RAW / name)
    files = list(raw_files(name, record, read_notes(name, record, root), root))
    if len(files) != record.expected.files:
        raise UserError(
            f"{root / RAW / name}: {len(files)} files to read, catalog/sources/{name}.yaml: expected.files says "
            f"{record.expected.files}",
            f"run `dvc repro pull@{name}`; if the record's paths were changed, correct the number",
        )
    found = Found()
    for given in track(in_order(partial(_read, params), files, params.workers), f"{STEP} {name}", len(files)):
        found.add(given)
    account(STEP, [file.origin for file in files], found.verdicts)
    pictures = _split(found.stored, params.normalize)
    for picture, item in zip(pictures, found.stored, strict=True):
        found.samples.extend(_samples(picture, item.file.package.label))
    _write(name, pictures, found, root, noted=params.normalize.identifying_tags)
    return summarise(pictures, found.samples, found.verdicts, found.left_out)


def raw_files(
    name: str, record: SourceRecord, notes: dict[str, PackageNotes], root: Path = Path()
) -> Iterator[RawFile]:
    """Yield the pulled files of a source that a reader reads, by package and path: all but masks and atlases.

    Raises:
        UserError: a folder can't be listed or entered.
    """
    for package in record.packages:
        noted = notes.get(package.name, NO_NOTES)
        folder = root / RAW / name / package.name
        for path in sorted(folder / inner for inner in walk(folder)):
            inner = path.relative_to(folder).as_posix()
            if package.reader(inner) != "companion":
                yield RawFile(name, package, folder, inner, noted.on(inner))


def _read(params: SourcesParams, file: RawFile) -> Found:
    """Return what a file gives, with the verdict on it."""
    reader = file.package.reader(file.inner)
    if reader in TEXT_READERS:
        rows = list(TEXT_READERS[reader](file.path, params.terminology, file.package.licence))
        return Found(samples=rows, verdicts=[_kept(file, f"{len(rows)} rows")])
    try:
        taken, skipped = _pictures(file, reader, params.normalize)
    except Refused as refused:
        return Found(verdicts=[Verdict(file.origin, file.source, STEP, False, refused.reason, detail=refused.detail)])
    return Found(stored=taken, verdicts=[_kept(file, f"{len(taken)} pictures")], left_out=skipped)


def _kept(file: RawFile, detail: str) -> Verdict:
    return Verdict(file.origin, file.source, STEP, True, KEPT, detail=detail)


def _pictures(file: RawFile, reader: str, params: NormalizeParams) -> tuple[list[Stored], Counter[str]]:
    """Return a file's pictures, and how many parts of it were left out by which reason.

    Raises:
        Refused: by the catalogue, by the reader, or NO_TISSUE when every part was left out.
    """
    if file.note and file.note.refuse:
        raise Refused(file.note.refuse, file.note.seen)
    taken: list[Stored] = []
    skipped: Counter[str] = Counter()
    for item in PICTURE_READERS[reader](file, params):
        if isinstance(item, LeftOut):
            skipped[item.reason] += item.number
            continue
        check_facts(item.facts, item.origin)
        pixels = shrunk(item.pixels, params.max_side_px)
        height, width = pixels.shape[:2]
        taken.append(Stored(png(pixels), width, height, item.origin, item.group, item.facts, file, item.identifying))
    if not taken:
        raise Refused("NO_TISSUE", f"nothing to see in all {skipped.total()} parts")
    return taken, skipped


def _split(stored: list[Stored], params: NormalizeParams) -> list[Picture]:
    """Return the pictures in order, each with the split of its group."""
    made = [
        Picture(
            data=item.data,
            format="PNG",
            width=item.width,
            height=item.height,
            source=item.file.source,
            origin_id=item.origin,
            group_id=item.group,
            split="train",
            licence=item.file.package.licence,
            facts=item.facts,
        )
        for item in stored
    ]
    rows = (
        (p.image_id, p.group_id, p.facts.get("modality", ""), p.facts.get("plane", ""), item.file.train_only)
        for p, item in zip(made, stored, strict=True)
    )
    test = held_out(gather(rows), params.held_out_share, params.seed)
    return [replace(p, split="test" if p.group_id in test else "train") for p in made]


def _samples(picture: Picture, revision: str) -> Iterator[Sample]:
    """Yield caption and questions; a picture that nothing is known of has none, one that is not medical has a caption.

    A picture that does not belong here needs a row, or no later step could be seen to reject it.
    """
    rows = PictureRows.of(picture, revision)
    if parsable(picture.facts) or not picture.facts.get("medical", True):
        yield rows.caption()
    yield from rows.ask(questions(picture.facts, picture.origin_id))


def _write(name: str, pictures: list[Picture], found: Found, root: Path, *, noted: bool) -> None:
    images, rows = fresh_dir(root / IMAGES / name), fresh_dir(root / SAMPLES / name)
    number = write_images(images, pictures)
    if noted:
        said = [item.identifying for item in found.stored]
        write_identifying(images, zip(pictures, said, strict=True))
    write_samples(rows, found.samples)
    write_verdicts(rows / "verdicts.parquet", found.verdicts)
    write_manifest(images, STEP, number, dict(Counter(p.split for p in pictures)))
    write_manifest(rows, STEP, len(found.samples), dict(Counter(s.split for s in found.samples)))
