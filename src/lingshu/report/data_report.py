"""The data report: for each source and step counts, reasons, and samples drawn by a seed, as pages that open from disk.

What is quarantined is counted and listed by id and reason; neither its text nor its pictures are written: whether a
name is burned in is known only where an engine read, and then not surely. That holds in report-only mode too, and for
every later step of such a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from markupsafe import Markup

from lingshu.core.files import fresh_dir, write_text
from lingshu.core.images import ImageStore
from lingshu.core.layout import IMAGES, SAMPLES, verdict_file
from lingshu.core.sample import sample_parts
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import NOTED, QUARANTINED, kept, quarantined, read_verdicts
from lingshu.report.funnel import SAMPLE_STEPS
from lingshu.report.mixtures import TRAINING_STAGES
from lingshu.report.notices import held_out
from lingshu.report.page import PICTURES, environment
from lingshu.report.pictures import Text, write_thumbnails

SHOWN_COLUMNS = ("sample_id", "task", "image_ids", "prompt", "choices", "target")


@dataclass(frozen=True, slots=True)
class DataReportSettings:
    """How many kept and dropped samples of each source and step are shown, drawn by which seed, how large (pixels)."""

    number: int
    seed: int
    picture_px: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample on a page; `text` is None and `pictures` empty where they may name a person."""

    sample_id: str
    task: str
    reason: str
    detail: str
    text: Text | None
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepPart:
    """What a step did with a source's samples.

    Attributes:
        name: of the step.
        rows: that came in.
        kept: of them.
        reasons: dropped rows by reason, most first.
        noted: kept rows by the reason that report-only mode passed over, most first.
        kept_shown: drawn kept samples, without those noted.
        noted_shown: drawn kept samples that report-only mode passed over.
        dropped_shown: drawn dropped samples.
    """

    name: str
    rows: int
    kept: int
    reasons: list[tuple[str, int]]
    noted: list[tuple[str, int]]
    kept_shown: list[Shown]
    noted_shown: list[Shown]
    dropped_shown: list[Shown]

    @property
    def quarantined(self) -> int:
        """Rows put aside."""
        return sum(number for reason, number in self.reasons if reason.startswith(QUARANTINED))


@dataclass(frozen=True, slots=True)
class LetIn:
    """A held-out split that a parameter lets into training.

    Attributes:
        name: `source/split`.
        rows: of the split.
        kept: of them, by step.
        mixed: of them, by training stage, repeated ones counted each time; only of mixtures that were drawn.
    """

    name: str
    rows: int
    kept: dict[str, int]
    mixed: dict[str, int]


@dataclass(frozen=True, slots=True)
class Built:
    """What was written."""

    page: Path
    sources: int
    shown: int
    pictures: int


def build_data_report(
    sources: Sequence[str], settings: DataReportSettings, out: Path, root: Path = Path(), listed: Sequence[str] = ()
) -> Built:
    """Write `out/index.html`, a page a source, and their pictures; equal inputs give equal bytes.

    Args:
        sources: that are shown.
        settings: how much of them.
        out: folder, emptied before.
        root: the repository.
        listed: `source/split` of held-out rows that may be trained on: the pages say so, and how many.

    Raises:
        KeyError: a picture that a sample names and the gate let pass is in no store.
    """
    fresh_dir(out)
    let_in = [_let_in(name, root) for name in sorted(listed)]
    parts: dict[str, list[StepPart]] = {}
    pictures: set[str] = set()
    for source in sources:
        store = ImageStore([root / IMAGES / source])
        parts[source] = _source(source, settings, store, root)
        own = {i for part in parts[source] for one in _all_shown(part) for i in one.pictures}
        write_thumbnails(store, own, out / PICTURES, settings.picture_px)
        pictures |= own
        steps, own_let_in = parts[source], [one for one in let_in if one.name.startswith(f"{source}/")]
        _render(out / f"{source}.html", "source.html", source=source, steps=steps, sources=sources, let_in=own_let_in)
    _render(out / "index.html", "index.html", parts=parts, sources=sources, settings=settings, let_in=let_in)
    shown = sum(len(_all_shown(part)) for steps in parts.values() for part in steps)
    return Built(out / "index.html", len(parts), shown, len(pictures))


def _all_shown(part: StepPart) -> list[Shown]:
    return [*part.kept_shown, *part.noted_shown, *part.dropped_shown]


def _source(source: str, settings: DataReportSettings, store: ImageStore, root: Path) -> list[StepPart]:
    texts = sample_table([root / SAMPLES / source], SHOWN_COLUMNS)
    gate = read_verdicts(root / verdict_file("gate"))
    held = gate.filter(pl.col("source") == source, quarantined()).select(
        "sample_id", held=pl.col("reason") + pl.col("detail")
    )
    found = []
    for name, path in SAMPLE_STEPS.items():
        if not (root / path).exists():
            continue
        verdicts = read_verdicts(root / path).filter(pl.col("source") == source).sort("sample_id")
        noted = pl.col("keep") & pl.col("detail").fill_null("").str.contains(NOTED, literal=True)
        sides = pl.col("keep") & ~noted, noted, ~pl.col("keep")
        drawn = [_shown(_drawn(verdicts.filter(side), settings), texts, held, store) for side in sides]
        found.append(
            StepPart(
                name=name,
                rows=len(verdicts),
                kept=int(verdicts["keep"].sum()),
                reasons=_counted(verdicts.filter(~pl.col("keep"))["reason"]),
                noted=_counted(_noted_reasons(verdicts)),
                kept_shown=drawn[0],
                noted_shown=drawn[1],
                dropped_shown=drawn[2],
            )
        )
    return found


def _let_in(name: str, root: Path) -> LetIn:
    source, _, split = name.partition("/")
    parts = sample_parts([root / SAMPLES / source])
    ids = [pl.scan_parquet(p).filter(pl.col("split") == split).select("sample_id").collect() for p in parts]
    own = pl.concat(ids) if ids else pl.DataFrame(schema={"sample_id": pl.String})
    steps = {step: root / path for step, path in SAMPLE_STEPS.items() if (root / path).exists()}
    return LetIn(
        name=name,
        rows=len(own),
        kept={step: len(own.join(kept(path), on="sample_id", how="semi")) for step, path in steps.items()},
        mixed={stage: rows[name] for stage, rows in held_out(root, TRAINING_STAGES).items() if name in rows},
    )


def _drawn(verdicts: pl.DataFrame, settings: DataReportSettings) -> pl.DataFrame:
    """Return up to `number` of the rows, the same ones for the same rows and seed, in their order."""
    if len(verdicts) <= settings.number:
        return verdicts
    places = np.random.default_rng(settings.seed).choice(len(verdicts), settings.number, replace=False)
    drawn: pl.DataFrame = verdicts[np.sort(places).tolist()]
    return drawn


def _counted(reasons: pl.Series) -> list[tuple[str, int]]:
    counted = reasons.value_counts(name="rows").sort(["rows", reasons.name], descending=[True, False])
    return [(str(reason), int(rows)) for reason, rows in counted.iter_rows()]


def _noted_reasons(verdicts: pl.DataFrame) -> pl.Series:
    """Return the reasons that kept rows were passed over for, one entry a row and reason."""
    findings = verdicts.filter(pl.col("keep"))["detail"].str.split("; ").explode().drop_nulls()
    return findings.filter(findings.str.ends_with(NOTED)).str.extract(r"^([A-Z_]+)").alias("reason")


def _shown(rows: pl.DataFrame, texts: pl.DataFrame, held: pl.DataFrame, store: ImageStore) -> list[Shown]:
    told = rows.join(texts, on="sample_id", how="left", maintain_order="left")
    told = told.join(held, on="sample_id", how="left", maintain_order="left")
    return [_one(row, store) for row in told.iter_rows(named=True)]


def _one(row: dict[str, object], store: ImageStore) -> Shown:
    why = str(row["held"] or "")
    pictures = [] if why else [i for i in _list(row["image_ids"]) if i in store]
    text = Text(str(row["prompt"]), tuple(str(row["choices"]).splitlines()), str(row["target"]))
    return Shown(
        sample_id=str(row["sample_id"]),
        task=str(row["task"]),
        reason=str(row["reason"]),
        detail=str(row["detail"]),
        text=None if why else text,
        pictures=tuple(pictures),
    )


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _render(path: Path, template: str, **context: object) -> None:
    made = environment()
    assert made.loader is not None
    style = made.loader.get_source(made, "style.css")[0]
    write_text(path, made.get_template(f"data_report/{template}").render(style=Markup(style), **context))
