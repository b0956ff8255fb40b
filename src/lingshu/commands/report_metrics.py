"""`lingshu report-metrics`: scores of generated reports against references, from two files (docs/report-metrics.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lingshu.core.files import check_files, write_text
from lingshu.evalkit.items import escaped

if TYPE_CHECKING:
    from lingshu.evalkit.reports.evaluate import Evaluation
    from lingshu.evalkit.reports.green import AskGreen


@dataclass(frozen=True, slots=True)
class Written:
    """The files that are asked for: the result, the values of each sample, and folders for texts and annotations."""

    out: Path | None = None
    per_sample: Path | None = None
    texts_out: Path | None = None
    radgraph_out: Path | None = None

    def texts(self) -> list[Path]:
        """Return where the texts of references and candidates go, if they are asked for."""
        return _both_sides(self.texts_out)

    def annotations(self) -> list[Path]:
        """Return where the annotations of references and candidates go, if they are asked for."""
        return _both_sides(self.radgraph_out)

    def files(self) -> list[Path]:
        """Return all files."""
        return [path for path in (self.out, self.per_sample) if path is not None] + self.texts() + self.annotations()


def _both_sides(folder: Path | None) -> list[Path]:
    return [folder / name for name in ("references.json", "candidates.json")] if folder else []


@dataclass(frozen=True, slots=True)
class GreenRequest:
    """GREEN's model, its options as JSON, the folder of its replies, and the share of its calls that may fail.

    A store of None lies beside the candidates.
    """

    model: str
    options: str
    store: Path | None
    most: float


ALL_TEXT = "text"  # names every metric that needs no model


@dataclass(frozen=True, slots=True)
class Told:
    """What goes to standard output, and which model has failed too often (all is written nevertheless)."""

    text: str
    problems: list[str]


def score_files(
    references: Path,
    candidates: Path,
    settings: Mapping[str, Any],
    *,
    sub_scores: Path | None = None,
    written: Written,
    green: GreenRequest | None = None,
) -> Told:
    """Write the files that are asked for and return what goes to standard output; warnings go to standard error.

    Raises:
        UserError: see `evalkit.reports.evaluate.evaluate`; or a file can't be written.
    """
    # Here, because they take a second that no other command should wait for.
    from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate  # noqa: PLC0415
    from lingshu.evalkit.reports.model_texts import ModelSettings  # noqa: PLC0415
    from lingshu.evalkit.reports.text_metrics import TEXT_METRICS  # noqa: PLC0415

    names = [name.strip() for name in settings["metrics"].split(",") if name.strip()]
    metrics = [key for name in names for key in (TEXT_METRICS if name == ALL_TEXT else (name,))]
    models = {key: value for key, value in settings["models"].items() if value is not None}
    model_settings = ModelSettings(**models)
    chosen = ReportSettings(**{**settings, "metrics": tuple(metrics), "models": model_settings})
    check_files(written.files(), [path for path in (references, candidates, sub_scores) if path is not None])
    ask_green = _ask_green(green, candidates) if green is not None else None
    most = green.most if green is not None else 0.0
    evaluation = evaluate(references, candidates, chosen, sub_scores, ask_green, green_max_failed=most)
    for warning in evaluation.result["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    if written.per_sample is not None:
        write_text(written.per_sample, "".join(_json(sample) + "\n" for sample in evaluation.samples))
    _write_both_sides(evaluation, written)
    text = _json(evaluation.result, indent=2) + "\n"
    if written.out is None:
        return Told(text, evaluation.problems)
    write_text(written.out, text)
    return Told(f"wrote {written.out}\n", evaluation.problems)


def _write_both_sides(evaluation: Evaluation, written: Written) -> None:
    prepared = evaluation.prepared
    for path, texts in zip(written.texts(), (prepared.references, prepared.candidates), strict=False):
        write_text(path, _json(dict(zip(prepared.ids, texts, strict=True)), indent=1) + "\n")
    for path in written.annotations():
        write_text(path, _json(evaluation.models.annotations[path.name], indent=1) + "\n")


def _ask_green(green: GreenRequest, candidates: Path) -> AskGreen:
    from lingshu.commands.evaluate import parse_json  # noqa: PLC0415 - as above
    from lingshu.commands.green_judge import green_asker  # noqa: PLC0415 - as above

    options = parse_json(green.options, "--green-options") or {}
    return green_asker(green.model, options, green.store or candidates.with_name(f"{candidates.name}.green-store"))


def _json(value: Any, indent: int | None = None) -> str:
    return escaped(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False))
