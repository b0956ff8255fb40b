"""`lingshu report-metrics`: scores of generated reports against references, from two files (docs/report-metrics.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lingshu.core.errors import UserError
from lingshu.core.files import check_files, write_text
from lingshu.evalkit.reports.sections import Form, Section, Tokens

if TYPE_CHECKING:
    from lingshu.evalkit.reports.evaluate import Evaluation
    from lingshu.evalkit.reports.green import AskGreen

Matrix = Literal["long", "short"]
RadGraphType = Literal["radgraph", "radgraph-xl", "modern-radgraph-xl"]


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


EXIT_INCOMPLETE = 1
ALL_TEXT = "text"  # names every metric that needs no model


def report_metrics(
    references: Annotated[Path, typer.Option(help="JSON lines {id, report}, or a CSV with these columns.")],
    candidates: Annotated[Path, typer.Option(help="The generated reports, with the same ids.")],
    *,
    metrics: Annotated[str, typer.Option(help="Keys, apart by commas; text: all that need no model.")] = ALL_TEXT,
    form: Annotated[
        Form, typer.Option(help="How references are written: without heads, or as a project does.")
    ] = "plain",
    section: Annotated[Section, typer.Option(help="What is compared.")] = "both",
    tokens: Annotated[
        Tokens, typer.Option(help="unicode: letters of every script, Han characters apart.")
    ] = "rouge-score",
    out: Annotated[Path | None, typer.Option(help="Write the result here instead of to stdout.")] = None,
    per_sample: Annotated[
        Path | None, typer.Option(help="Write the values of each sample here, as JSON lines.")
    ] = None,
    texts_out: Annotated[
        Path | None,
        typer.Option(help="Write the compared texts to references.json and candidates.json in this folder."),
    ] = None,
    sub_scores: Annotated[Path | None, typer.Option(help="RadCliQ's sub-scores: id, radgraph, … a row.")] = None,
    bertscore_model: Annotated[str | None, typer.Option(help="Folder or hub id, e.g. distilroberta-base.")] = None,
    bertscore_layer: Annotated[int, typer.Option(help="Layer whose embeddings are compared.")] = 5,
    bertscore_idf: Annotated[bool, typer.Option("--bertscore-idf", help="Weigh tokens by rarity.")] = False,
    bertscore_baseline: Annotated[float | None, typer.Option(help="To rescale F1 of another model with.")] = None,
    chexbert: Annotated[str | None, typer.Option(help="chexbert.pth, its folder or hub id.")] = None,
    chexbert_base: Annotated[str | None, typer.Option(help="Folder or hub id of bert-base-uncased.")] = None,
    radgraph: Annotated[
        str | None, typer.Option(help="RadGraph's archive, its folder, or a folder or hub id that has it.")
    ] = None,
    radgraph_type: Annotated[
        RadGraphType, typer.Option(help="Which RadGraph; RadCliQ was fitted on radgraph.")
    ] = "radgraph",
    radgraph_base: Annotated[
        str | None, typer.Option(help="Folder or hub id of its base model, if not the one it names.")
    ] = None,
    radgraph_out: Annotated[
        Path | None, typer.Option(help="Write its annotations to references.json and candidates.json in this folder.")
    ] = None,
    radgraph_annotations: Annotated[
        Path | None, typer.Option(help="Folder with references.json and candidates.json, as RadGraph writes them.")
    ] = None,
    ratescore_tagger: Annotated[str | None, typer.Option(help="Folder or hub id of RaTE-NER-Deberta.")] = None,
    ratescore_encoder: Annotated[str | None, typer.Option(help="Folder or hub id of BioLORD-2023-C.")] = None,
    ratescore_matrix: Annotated[Matrix, typer.Option(help="Weights for reports, or for single sentences.")] = "long",
    wordnet: Annotated[Path | None, typer.Option(help="Folder with the files of WordNet, for meteor_wordnet.")] = None,
    green_judge: Annotated[str | None, typer.Option(help="GREEN's model, as --model of lingshu eval.")] = None,
    green_options: Annotated[str, typer.Option(help="JSON of options of lingshu eval, by name.")] = "{}",
    green_store: Annotated[
        Path | None, typer.Option(help="Folder of its replies; default: CANDIDATES.green-store.")
    ] = None,
    green_max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of its calls that may fail; beyond, the exit code is 1.")
    ] = 0.01,
) -> None:
    """Score generated reports against references: BLEU, ROUGE, METEOR, CIDEr, and with weights BERTScore, CheXbert."""
    models = {
        "bertscore_model": bertscore_model,
        "bertscore_layer": bertscore_layer,
        "bertscore_idf": bertscore_idf,
        "bertscore_baseline": bertscore_baseline,
        "chexbert": chexbert,
        "chexbert_base": chexbert_base,
        "radgraph": radgraph,
        "radgraph_type": radgraph_type,
        "radgraph_base": radgraph_base,
        "radgraph_annotations": radgraph_annotations,
        "ratescore_tagger": ratescore_tagger,
        "ratescore_encoder": ratescore_encoder,
        "ratescore_matrix": ratescore_matrix,
        "wordnet": wordnet,
    }
    settings = {"metrics": metrics, "form": form, "section": section, "tokens": tokens, "models": models}
    if radgraph_out is not None and radgraph is None:
        raise UserError("--radgraph-out without --radgraph: no annotations are made", "name the model with --radgraph")
    written = Written(out, per_sample, texts_out, radgraph_out)
    given = (green_judge, green_options, green_store, green_max_failed) if green_judge is not None else None
    green = GreenRequest(*given) if given else None
    told = score_files(references, candidates, settings, sub_scores=sub_scores, written=written, green=green)
    typer.echo(told.text, nl=False)
    if told.problems:
        problems = "".join(f"error: {problem}\n" for problem in told.problems)
        typer.echo(f"{problems}run the same command again to ask what is missing", err=True)
        raise typer.Exit(EXIT_INCOMPLETE)


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
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
