"""`lingshu trace SAMPLE_ID`: a sample's whole life, from the source it was pulled from to the mixtures it is in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rapidfuzz import process

from lingshu.core.errors import UserError
from lingshu.core.layout import (
    BENCHMARKS,
    CATALOG,
    IMAGES,
    MIXTURES,
    MODALITY,
    PROPOSALS,
    SAMPLES,
    SCORES,
    SIGNALS,
    aside_file,
    verdict_file,
)
from lingshu.core.params import read_yaml
from lingshu.core.sample import Sample, from_row, sample_parts
from lingshu.core.verdicts import IDENTITY_LEFT, QUARANTINED

ASIDE = " (put aside)"  # of steps that judge a text which the gate put aside, for what may be made from it
STEPS = (
    "normalize", "gate", "deduplicate", f"deduplicate{ASIDE}", "decontaminate", f"decontaminate{ASIDE}",
    "classify_modality", "propose", "verify",
)  # fmt: skip
LISTED = 8
TEXT_CHARS = 160


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a life: a heading and its lines."""

    title: str
    lines: tuple[str, ...]


def trace(root: Path, wanted: str, *, show_quarantined: bool = False) -> list[Section]:
    """Return the life of the one sample whose id is, or starts with, `wanted` (the part after the colon will do).

    Of a sample that the gate put aside because it may name a person, or that `verify` rejected for that, what it says
    and where it came from are withheld.

    Args:
        root: of the project.
        wanted: see above.
        show_quarantined: withhold nothing.

    Raises:
        UserError: nothing was pulled yet, no id or more than one id matches.
    """
    folders = _sample_folders(root)
    dropped = _step_tables(root, "normalize")
    sample_id = _resolve(wanted, [*_ids(folders), *(i for table in dropped for i in table["sample_id"].to_list())])
    sample = _read(folders, sample_id)
    if sample is None:
        return [Section(sample_id, ("never became a sample",)), _verdicts(root, sample_id)]
    held = "" if show_quarantined else _quarantined(root, sample_id)
    withheld = (f"withheld: {held}; lingshu trace --show-quarantined shows it",)
    return [
        Section(sample_id, (f"source {sample.source}, split {sample.split}, task {sample.task}", *withheld))
        if held
        else _origin(root, sample),
        Section("content", withheld if held else tuple(_content(sample))),
        Section("pictures", withheld if held else tuple(_pictures(root, sample))),
        Section("signals", tuple(_signals(root, sample))),
        _verdicts(root, sample_id),
        Section("proposals made from it", tuple(_children(root, sample))),
        Section("mixtures", tuple(_mixtures(root, sample_id))),
        Section("benchmarks and scores", tuple(_benchmarks(root, sample_id))),
    ]


def _sample_folders(root: Path) -> list[Path]:
    folders = [*(root / SAMPLES).glob("*"), *(root / PROPOSALS).glob("*/samples"), *(root / BENCHMARKS).glob("*")]
    found = sorted(folder for folder in folders if folder.is_dir())
    if not found:
        raise UserError(f"{root / SAMPLES}: no samples yet", "run `make repro` first")
    return found


def _ids(folders: list[Path]) -> list[str]:
    parts = sample_parts(folders)
    return pl.concat([pl.read_parquet(part, columns=["sample_id"]) for part in parts])["sample_id"].to_list()


def _resolve(wanted: str, ids: list[str]) -> str:
    """Return the one id that is meant.

    Raises:
        UserError: none or several match; the message names the closest.
    """
    distinct = sorted(set(ids))
    if wanted in distinct:
        return wanted
    found = [i for i in distinct if i.startswith(wanted) or i.partition(":")[2].startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{wanted}: {len(found)} samples start so", f"give more digits: {', '.join(found[:LISTED])}")
    close = [match[0] for match in process.extract(wanted, distinct, limit=3)]
    raise UserError(f"{wanted}: no such sample", f"the closest ids are {', '.join(close)}" if close else "")


def _read(folders: list[Path], sample_id: str) -> Sample | None:
    for part in sample_parts(folders):
        rows = pl.scan_parquet(part).filter(pl.col("sample_id") == sample_id).collect().to_dicts()
        if rows:
            return from_row(rows[0])
    return None


def _origin(root: Path, sample: Sample) -> Section:
    path = root / CATALOG / f"sources/{sample.source}.yaml"
    record = read_yaml(path) if path.exists() else {}
    lines = [
        f"source {sample.source} ({record.get('kind', 'not in the catalogue')}), revision {sample.revision}",
        f"origin {sample.origin_id}, group {sample.group_id}, split {sample.split}",
        f"task {sample.task}, topic {sample.topic}, language {sample.language}",
        f"licence {sample.licence}, access {sample.access}",
    ]
    if sample.synthetic:
        made = sample.synthetic
        lines.append(
            f"synthetic: recipe {made.recipe}, teacher {made.teacher}, from {', '.join(made.parents) or 'nothing'}"
        )
    return Section(sample.sample_id, tuple(lines))


def _content(sample: Sample) -> Iterator[str]:
    for message in sample.messages:
        parts = [f"[image {part.image_index}]" if part.type == "image" else part.text or "" for part in message.content]
        yield f"{message.role}: {_short(' '.join(parts))}"
    if sample.answer:
        choices = f", one of {' | '.join(sample.answer.choices)}" if sample.answer.choices else ""
        label = f" ({sample.answer.label})" if sample.answer.label else ""
        yield f"answer ({sample.answer.kind}): {_short(sample.answer.text)}{label}{choices}"


def _pictures(root: Path, sample: Sample) -> Iterator[str]:
    indexes = [*(root / IMAGES).glob("*/index.parquet"), *(root / PROPOSALS).glob("*/images/index.parquet")]
    for picture in sample.images:
        yield f"{picture.image_id[:16]} {picture.width} x {picture.height} px"
        for row in _rows(indexes, "image_id", picture.image_id):
            facts = ", ".join(f"{key}={value}" for key, value in json.loads(row["facts"]).items())
            yield f"  from {row['source']} {row['origin_id']}: {facts or 'no facts'}"
        for row in _rows((root / MODALITY).glob("predictions.parquet"), "image_id", picture.image_id):
            yield "  " + _fields(row, without=("image_id",))


def _signals(root: Path, sample: Sample) -> Iterator[str]:
    folder = root / SIGNALS
    for row in _rows(folder.glob("*/texts.parquet"), "sample_id", sample.sample_id):
        yield "text: " + _fields(row, without=("sample_id",))
    for picture in sample.images:
        for row in _rows(folder.glob("*/images.parquet"), "image_id", picture.image_id):
            yield f"image {picture.image_id[:16]}: " + _fields(row, without=("image_id",))


def _step_tables(root: Path, step: str) -> list[pl.DataFrame]:
    """Return the verdict tables of a step; some lie beside other outputs of their stage."""
    elsewhere = {
        "normalize": (root / SAMPLES).glob("*/verdicts.parquet"),
        "classify_modality": [root / MODALITY / "verdicts.parquet"],
        "propose": (root / PROPOSALS).glob("*/verdicts.parquet"),
        **{f"{name}{ASIDE}": [root / aside_file(name)] for name in ("deduplicate", "decontaminate")},
    }
    paths = elsewhere.get(step, [root / verdict_file(step)])
    return [pl.read_parquet(path) for path in sorted(paths) if path.exists()]


def _verdicts(root: Path, sample_id: str) -> Section:
    lines = []
    for step in STEPS:
        for table in _step_tables(root, step):
            for row in table.filter(pl.col("sample_id") == sample_id).to_dicts():
                score = "" if row["score"] is None else f", score {row['score']:.4g}"
                outcome = "kept" if row["keep"] else f"dropped: {row['reason']}"
                named = row["step"] if step == "propose" else step
                lines.append(f"{named}: {outcome}{score}{', ' + row['detail'] if row['detail'] else ''}")
    return Section("verdicts", tuple(lines) or ("no step decided on it",))


def _quarantined(root: Path, sample_id: str) -> str:
    """Return for what the gate put a sample aside, or would have, or what `verify` found left; empty if nothing."""
    for table in _step_tables(root, "gate"):
        for row in table.filter(pl.col("sample_id") == sample_id).to_dicts():
            said = (row["reason"], row["detail"] or "")
            if any(QUARANTINED in text for text in said):
                return next(text for text in said if QUARANTINED in text)
    for table in _step_tables(root, "verify"):
        if len(table.filter((pl.col("sample_id") == sample_id) & (pl.col("reason") == IDENTITY_LEFT))):
            return IDENTITY_LEFT
    return ""


def _children(root: Path, sample: Sample) -> Iterator[str]:
    parents = [sample.sample_id, *(picture.image_id for picture in sample.images)]
    for part in sample_parts((root / PROPOSALS).glob("*/samples")):
        made = pl.scan_parquet(part).filter(
            pl.col("synthetic").struct.field("parents").list.eval(pl.element().is_in(parents)).list.any()
        )
        for row in made.select("sample_id", "task", "topic").head(LISTED).collect().to_dicts():
            if row["sample_id"] != sample.sample_id:
                yield f"{part.parent.parent.name}: {row['sample_id']} ({row['task']}, {row['topic']})"


def _mixtures(root: Path, sample_id: str) -> Iterator[str]:
    for path in sorted((root / MIXTURES).glob("*/mixture.parquet")):
        found = pl.scan_parquet(path).filter(pl.col("sample_id") == sample_id).collect()
        if len(found):
            groups = ", ".join(sorted(set(found["group"])))
            first = min(found["position"].to_list())
            yield f"{path.parent.name}: group {groups}, {len(found)} times, first at position {first}"


def _benchmarks(root: Path, sample_id: str) -> Iterator[str]:
    for part in sample_parts((root / BENCHMARKS).glob("*")):
        if len(pl.scan_parquet(part).filter(pl.col("sample_id") == sample_id).select("sample_id").collect()):
            yield f"benchmark {part.parent.name}"
    for row in _rows((root / SCORES).glob("scores.parquet"), "sample_id", sample_id):
        yield "score: " + _fields(row, without=("sample_id",))


def _rows(paths: Iterable[Path], column: str, value: str) -> Iterator[dict[str, Any]]:
    for path in sorted(paths):
        yield from pl.scan_parquet(path).filter(pl.col(column) == value).collect().to_dicts()


def _fields(row: dict[str, Any], without: tuple[str, ...]) -> str:
    shown = {key: value for key, value in row.items() if key not in without and value is not None}
    return ", ".join(f"{key}={_value(value)}" for key, value in shown.items())


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _short(str(value), 60)


def _short(text: str, limit: int = TEXT_CHARS) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
