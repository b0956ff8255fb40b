"""From two files of reports to scores: which text is compared, what was counted, and all that made the numbers."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from lingshu.core.errors import UserError
from lingshu.core.params import Strict
from lingshu.evalkit.reports.files import Pairs, pair, read_reports, read_sub_scores
from lingshu.evalkit.reports.green import AskGreen
from lingshu.evalkit.reports.model_metrics import MODEL_METRICS
from lingshu.evalkit.reports.model_texts import ModelSettings, ModelTexts
from lingshu.evalkit.reports.radcliq import RADCLIQ, SUB_SCORES, reciprocal_warning
from lingshu.evalkit.reports.radgraph import CANDIDATES, REFERENCES
from lingshu.evalkit.reports.sections import (
    Form,
    Section,
    Sections,
    Tokens,
    official_reference,
    split_sections,
    wanted_text,
    without_thinking,
)
from lingshu.evalkit.reports.text_metrics import TEXT_METRICS, Texts, Values, text_warnings

FORMAT = 1  # of the output; a change of its keys raises it
METRICS = (*TEXT_METRICS, *MODEL_METRICS)


class ReportSettings(Strict):
    """What is computed, on which text."""

    metrics: tuple[str, ...] = tuple(TEXT_METRICS)
    form: Form = "plain"
    section: Section = "both"
    tokens: Tokens = "rouge-score"
    models: ModelSettings = ModelSettings()


def check(settings: ReportSettings) -> None:
    """Check what the types don't say.

    Raises:
        UserError: a metric is unknown or named twice, or two settings do not go together.
    """
    for name in settings.metrics:
        if name not in METRICS:
            close = difflib.get_close_matches(name, METRICS, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise UserError(f"--metrics: unknown metric {name!r}{meant}", f"name some of: {', '.join(METRICS)}")
    if not settings.metrics or len(set(settings.metrics)) < len(settings.metrics):
        raise UserError("--metrics: no metric, or one of them twice", "name one or more, each once")
    if settings.form != "plain" and settings.section != "both":
        what = f"--form {settings.form} is of Findings and Impression, not of --section {settings.section}"
        raise UserError(what, "use --form plain for one section")
    if settings.models.radgraph is not None and settings.models.radgraph_annotations is not None:
        raise UserError("--radgraph makes the annotations that --radgraph-annotations gives", "leave one of them out")


@dataclass(frozen=True, slots=True)
class SideCounts:
    """What was found in the reports of one side; `empty` ones have no text left to compare and score 0."""

    reports: int
    empty: int
    without_heads: int
    without_findings: int
    without_impression: int
    with_other_text_left_out: int
    with_thinking_left_out: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """The texts that are compared, by the ids' order, and the counts of each side."""

    ids: list[str]
    references: list[str]
    candidates: list[str]
    counts: dict[str, SideCounts]


def prepare(pairs: Pairs, form: Form, section: Section) -> Prepared:
    """Return the texts to compare.

    Plain form: both sides are cut into sections and lose their heads. The official forms rewrite the references, and
    leave the candidates as they are, as those projects do. Think blocks leave the candidates in every form.
    """
    answers = [without_thinking(text) for text in pairs.candidates]
    wanted, given = ([split_sections(text) for text in side] for side in (pairs.references, answers))
    references = [wanted_text(sections, section) for sections in wanted]
    candidates = [wanted_text(sections, section) for sections in given] if form == "plain" else answers
    thinking = sum(text.strip() != answer for text, answer in zip(pairs.candidates, answers, strict=True))
    counts = {"references": _counts(wanted, references, 0), "candidates": _counts(given, candidates, thinking)}
    if form != "plain":
        # A reference without any text stays empty, so that it can be counted: its form would be heads only.
        references = [official_reference(s, form) if t else "" for s, t in zip(wanted, references, strict=True)]
    return Prepared(pairs.ids, references, candidates, counts)


def _counts(sections: Sequence[Sections], texts: Sequence[str], thinking: int) -> SideCounts:
    headed = [s for s in sections if s.whole is None]
    headless = sum(bool(s.whole) for s in sections)
    return SideCounts(
        reports=len(texts),
        empty=sum(not text for text in texts),
        without_heads=headless,
        without_findings=sum(not s.findings for s in headed),
        without_impression=sum(not s.impression for s in headed),
        with_other_text_left_out=sum(bool(s.rest) for s in sections),
        with_thinking_left_out=thinking,
    )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`result` is what the command prints; `samples` has one JSON object for each id; `prepared` what was compared.

    `problems` says which model has failed more often than allowed; `models` has what else was made.
    """

    prepared: Prepared
    result: dict[str, Any]
    samples: list[dict[str, Any]]
    problems: list[str]
    models: ModelTexts


def evaluate(
    references: Path,
    candidates: Path,
    settings: ReportSettings,
    sub_scores: Path | None = None,
    ask_green: AskGreen | None = None,
    *,
    green_max_failed: float = 0.0,
) -> Evaluation:
    """Score the candidates of one file against the references of another; every metric divides by all samples.

    GREEN's model may fail: a sample without a reply is unscored, and GREEN is then null, not the mean of a part.

    Raises:
        UserError: a setting is wrong, a file is broken, ids do not pair, or a metric lacks its model or sub-score.
    """
    check(settings)
    wanted, given = read_reports(references), read_reports(candidates)
    prepared = prepare(pair(wanted, given), settings.form, settings.section)
    extra = read_sub_scores(sub_scores, SUB_SCORES, prepared.ids) if sub_scores else {}
    values, models, warnings = compute(prepared, settings, extra, ask_green)
    result = {
        "format": FORMAT,
        "metrics": _corpus(values),
        "samples": len(prepared.ids),
        "unscored": models.unscored(),
        "texts": {side: asdict(counts) for side, counts in prepared.counts.items()},
        "warnings": [*warnings, *_empty(prepared)],
        "settings": settings.model_dump(mode="json")
        | {
            "files": {name: _file(path) for name, path in _inputs(references, candidates, settings, sub_scores)},
            "keys_not_used": {"references": list(wanted.ignored), "candidates": list(given.ignored)},
            "sub_scores": sorted(extra),
            "version": version("lingshu"),
        }
        | models.records(),
    }
    return Evaluation(prepared, result, _samples(prepared, values), models.problems(green_max_failed), models)


def _inputs(
    references: Path, candidates: Path, settings: ReportSettings, sub_scores: Path | None
) -> Iterator[tuple[str, Path]]:
    yield from (("references", references), ("candidates", candidates))
    if sub_scores:
        yield "sub_scores", sub_scores
    if folder := settings.models.radgraph_annotations:
        yield from (("annotated_references", folder / REFERENCES), ("annotated_candidates", folder / CANDIDATES))


def compute(
    prepared: Prepared,
    settings: ReportSettings,
    sub_scores: Mapping[str, Sequence[float]],
    ask_green: AskGreen | None = None,
) -> tuple[dict[str, Values], ModelTexts, list[str]]:
    """Return the values of the settings' metrics, the models that made some of them, and what to beware of."""
    texts = Texts(prepared.references, prepared.candidates, settings.tokens)
    models = ModelTexts(prepared.ids, texts, settings.models, sub_scores, ask_green)
    values = {
        name: TEXT_METRICS[name](texts) if name in TEXT_METRICS else MODEL_METRICS[name](models)
        for name in settings.metrics
    }
    warnings = [*text_warnings(texts, settings.metrics), *models.warnings()]
    composites = [reciprocal_warning(name, values[name].corpus) for name in RADCLIQ if name in values]
    return values, models, [*warnings, *filter(None, composites)]


def _corpus(values: Mapping[str, Values]) -> dict[str, float | None]:
    """Return the corpus values, null where a sample is unscored, with the mean of the others under a key of its own.

    RadCliQ's reciprocal stands beside its mean (null at 0).
    """
    corpus: dict[str, float | None] = {}
    for name, value in values.items():
        corpus[name] = None if math.isnan(value.corpus) else value.corpus
        if value.each is not None and (lacking := np.isnan(value.each)).any():
            corpus[f"{name}_of_scored"] = None if lacking.all() else float(value.each[~lacking].mean())
        if name in RADCLIQ:
            corpus[f"{name}_reciprocal"] = 1 / value.corpus if value.corpus else None
    return corpus


def _empty(prepared: Prepared) -> list[str]:
    return [
        f"{counts.empty} of {counts.reports} {side} have no text to compare; they count in every metric, with score 0"
        for side, counts in prepared.counts.items()
        if counts.empty
    ]


def _file(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise UserError(f"{path}: no such file", "see docs/report-metrics.md for the files that each metric needs")
    return {"path": path.as_posix(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _samples(prepared: Prepared, values: Mapping[str, Values]) -> list[dict[str, Any]]:
    each = {name: value.each.tolist() for name, value in values.items() if value.each is not None}
    return [
        {
            "id": identity,
            "empty_reference": not prepared.references[row],
            "empty_candidate": not prepared.candidates[row],
            "metrics": {name: None if math.isnan(column[row]) else column[row] for name, column in each.items()},
        }
        for row, identity in enumerate(prepared.ids)
    ]
