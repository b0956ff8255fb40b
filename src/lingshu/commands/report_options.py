"""The options of `lingshu report-metrics`, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lingshu.commands.report_metrics import ALL_TEXT, GreenRequest, Written
from lingshu.core.errors import UserError
from lingshu.evalkit.reports.sections import Form, Section, Tokens

Matrix = Literal["long", "short"]
RadGraphType = Literal["radgraph", "radgraph-xl", "modern-radgraph-xl"]
_MODELS = (
    "bertscore_model", "bertscore_layer", "bertscore_idf", "bertscore_baseline", "chexbert", "chexbert_base",
    "radgraph", "radgraph_type", "radgraph_base", "radgraph_annotations", "ratescore_tagger", "ratescore_encoder",
    "ratescore_matrix", "wordnet",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """One field an option, in the order of the help."""

    references: Annotated[Path, typer.Option(help="JSON lines {id, report}, or a CSV with these columns.")]
    candidates: Annotated[Path, typer.Option(help="The generated reports, with the same ids.")]
    metrics: Annotated[str, typer.Option(help="Keys, apart by commas; text: all that need no model.")] = ALL_TEXT
    form: Annotated[Form, typer.Option(help="How references are written: without heads, or as a project does.")] = (
        "plain"
    )
    section: Annotated[Section, typer.Option(help="What is compared.")] = "both"
    tokens: Annotated[Tokens, typer.Option(help="unicode: letters of every script, Han characters apart.")] = (
        "rouge-score"
    )
    out: Annotated[Path | None, typer.Option(help="Write the result here instead of to stdout.")] = None
    per_sample: Annotated[Path | None, typer.Option(help="Write the values of each sample here, as JSON lines.")] = None
    texts_out: Annotated[
        Path | None,
        typer.Option(help="Write the compared texts to references.json and candidates.json in this folder."),
    ] = None
    sub_scores: Annotated[Path | None, typer.Option(help="RadCliQ's sub-scores: id, radgraph, … a row.")] = None
    bertscore_model: Annotated[str | None, typer.Option(help="Folder or hub id, e.g. distilroberta-base.")] = None
    bertscore_layer: Annotated[int, typer.Option(help="Layer whose embeddings are compared.")] = 5
    bertscore_idf: Annotated[bool, typer.Option("--bertscore-idf", help="Weigh tokens by rarity.")] = False
    bertscore_baseline: Annotated[float | None, typer.Option(help="To rescale F1 of another model with.")] = None
    chexbert: Annotated[str | None, typer.Option(help="chexbert.pth, its folder or hub id.")] = None
    chexbert_base: Annotated[str | None, typer.Option(help="Folder or hub id of bert-base-uncased.")] = None
    radgraph: Annotated[
        str | None, typer.Option(help="RadGraph's archive, its folder, or a folder or hub id that has it.")
    ] = None
    radgraph_type: Annotated[RadGraphType, typer.Option(help="Which RadGraph; RadCliQ was fitted on radgraph.")] = (
        "radgraph"
    )
    radgraph_base: Annotated[
        str | None, typer.Option(help="Folder or hub id of its base model, if not the one it names.")
    ] = None
    radgraph_out: Annotated[
        Path | None, typer.Option(help="Write its annotations to references.json and candidates.json in this folder.")
    ] = None
    radgraph_annotations: Annotated[
        Path | None, typer.Option(help="Folder with references.json and candidates.json, as RadGraph writes them.")
    ] = None
    ratescore_tagger: Annotated[str | None, typer.Option(help="Folder or hub id of RaTE-NER-Deberta.")] = None
    ratescore_encoder: Annotated[str | None, typer.Option(help="Folder or hub id of BioLORD-2023-C.")] = None
    ratescore_matrix: Annotated[Matrix, typer.Option(help="Weights for reports, or for single sentences.")] = "long"
    wordnet: Annotated[Path | None, typer.Option(help="Folder with the files of WordNet, for meteor_wordnet.")] = None
    green_judge: Annotated[str | None, typer.Option(help="GREEN's model, as --model of lingshu eval.")] = None
    green_options: Annotated[str, typer.Option(help="JSON of options of lingshu eval, by name.")] = "{}"
    green_store: Annotated[
        Path | None, typer.Option(help="Folder of its replies; default: CANDIDATES.green-store.")
    ] = None
    green_max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of its calls that may fail; beyond, the exit code is 1.")
    ] = 0.01

    def settings(self) -> dict[str, Any]:
        """Return what is measured, and of which texts.

        Raises:
            UserError: annotations are asked for, but not the model that makes them.
        """
        if self.radgraph_out is not None and self.radgraph is None:
            raise UserError(
                "--radgraph-out without --radgraph: no annotations are made", "name the model with --radgraph"
            )
        models = {name: getattr(self, name) for name in _MODELS}
        return {
            "metrics": self.metrics,
            "form": self.form,
            "section": self.section,
            "tokens": self.tokens,
            "models": models,
        }

    def written(self) -> Written:
        """Return the files that are asked for."""
        return Written(self.out, self.per_sample, self.texts_out, self.radgraph_out)

    def green(self) -> GreenRequest | None:
        """Return how GREEN's model is asked, if it is."""
        if self.green_judge is None:
            return None
        return GreenRequest(self.green_judge, self.green_options, self.green_store, self.green_max_failed)
