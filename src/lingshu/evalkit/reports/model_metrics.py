"""The metrics that need a model's weights or given sub-scores, by key; a model is loaded when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingshu.core.errors import UserError
from lingshu.core.params import Strict
from lingshu.evalkit.reports.radcliq import RADCLIQ, radcliq
from lingshu.evalkit.reports.radgraph import Graphs, RadGraphF1, annotation_warnings, graphs_of, radgraph_f1
from lingshu.evalkit.reports.text_metrics import Values
from lingshu.evalkit.reports.weights import weights_file, weights_folder

if TYPE_CHECKING:
    from lingshu.evalkit.reports.bertscore import BertScorer
    from lingshu.evalkit.reports.chexbert import Read

CHEXBERT_FILE = "chexbert.pth"
CHEXBERT_BASE = "google-bert/bert-base-uncased"


class ModelSettings(Strict):
    """Where the models are, and how they are applied; every model is a folder (CheXbert's: or a file) or a hub id."""

    bertscore_model: str | None = None
    bertscore_layer: int = 5  # of distilroberta-base
    bertscore_idf: bool = False
    bertscore_baseline: float | None = None
    chexbert: str | None = None
    chexbert_base: str = CHEXBERT_BASE
    radgraph_annotations: Path | None = None  # a folder with references.json and candidates.json


class ModelTexts:
    """References and candidates as models take them, by ids, and sub-scores that came from a file."""

    def __init__(
        self,
        ids: Sequence[str],
        references: Sequence[str],
        candidates: Sequence[str],
        settings: ModelSettings,
        sub_scores: Mapping[str, Sequence[float]],
    ) -> None:
        self.ids = ids
        self.references = references
        self.candidates = candidates
        self.settings = settings
        self.sub_scores = sub_scores

    @cached_property
    def scorer(self) -> BertScorer:
        """The model of BERTScore."""
        from lingshu.evalkit.reports.bertscore import load_scorer  # noqa: PLC0415 - imports torch

        if self.settings.bertscore_model is None:
            raise _not_given("BERTScore", "--bertscore-model", "distilroberta-base, the model of RadCliQ")
        folder = weights_folder(self.settings.bertscore_model, "--bertscore-model")
        return load_scorer(folder, self.settings.bertscore_layer)

    @cached_property
    def bertscore(self) -> NDArray[np.float64]:
        """F1 of each sample, not rescaled."""
        if self.settings.bertscore_idf and len(self.references) == 1:
            raise UserError("--bertscore-idf: with one sample every token weighs log 1 = 0", "leave it out")
        return self.scorer.f1(self.references, self.candidates, idf=self.settings.bertscore_idf)

    @cached_property
    def rescaled(self) -> NDArray[np.float64]:
        """F1 of each sample over the baseline; 0 for an empty text."""
        from lingshu.evalkit.reports.bertscore import baseline_of  # noqa: PLC0415 - imports torch

        baseline = baseline_of(self.scorer, self.settings.bertscore_baseline)
        filled = [bool(r.strip() and c.strip()) for r, c in zip(self.references, self.candidates, strict=True)]
        return np.where(filled, (self.bertscore - baseline) / (1 - baseline), 0.0)

    @cached_property
    def read(self) -> tuple[Read, Read]:
        """What CheXbert reads in the references and in the candidates."""
        from lingshu.evalkit.reports.chexbert import load_chexbert  # noqa: PLC0415 - imports torch

        if self.settings.chexbert is None:
            raise _not_given("CheXbert", "--chexbert", f"{CHEXBERT_FILE}, or StanfordAIMI/RRG_scorers on the hub")
        checkpoint = weights_file(self.settings.chexbert, CHEXBERT_FILE, "--chexbert")
        model = load_chexbert(checkpoint, weights_folder(self.settings.chexbert_base, "--chexbert-base"))
        return model.read(self.references), model.read(self.candidates)

    @cached_property
    def semb(self) -> NDArray[np.float64]:
        """SembScore of each sample."""
        from lingshu.evalkit.reports.chexbert import semb_scores  # noqa: PLC0415 - imports torch

        return semb_scores(*self.read)

    @cached_property
    def graphs(self) -> Graphs:
        """The RadGraph annotations of both sides."""
        folder = self.settings.radgraph_annotations
        if folder is None:
            raise UserError(
                "RadGraph-F1 needs annotations, and --radgraph-annotations is not given",
                "make them with the package radgraph as docs/report-metrics.md says, and name their folder",
            )
        return graphs_of(folder, self.ids, self.references, self.candidates)

    @cached_property
    def radgraph(self) -> RadGraphF1:
        """The RadGraph-F1 scores of each sample."""
        return radgraph_f1(self.graphs)

    def warnings(self) -> list[str]:
        """Return what to beware of in what was used so far."""
        return annotation_warnings(self.graphs) if "graphs" in self.__dict__ else []


def _not_given(metric: str, option: str, what: str) -> UserError:
    return UserError(f"{metric} needs a model, and {option} is not given", f"name its folder or hub id: {what}")


def _label_f1(place: int, *, five: bool) -> Callable[[ModelTexts], Values]:
    def score(texts: ModelTexts) -> Values:
        from lingshu.evalkit.reports.chexbert import FIVE, LABELS, label_f1  # noqa: PLC0415 - imports torch

        return Values(label_f1(*texts.read, FIVE if five else LABELS)[place], None)

    return score


def _radgraph(name: str) -> Callable[[ModelTexts], Values]:
    def score(texts: ModelTexts) -> Values:
        each: NDArray[np.float64] = texts.radgraph._asdict()[name]
        return Values(float(each.mean()), each)

    return score


def _radcliq(version: str) -> Callable[[ModelTexts], Values]:
    def score(texts: ModelTexts) -> Values:
        parts = {name: _sub_score(name, version, texts) for name in RADCLIQ[version].terms}
        each = radcliq(version, parts)
        return Values(float(each.mean()), each)

    return score


def _sub_score(name: str, version: str, texts: ModelTexts) -> ArrayLike:
    """Return the sub-score from the file, else from its model."""
    if name in texts.sub_scores:
        return texts.sub_scores[name]
    if name == "bertscore" and texts.settings.bertscore_model is not None:
        return texts.rescaled
    if name == "semb" and texts.settings.chexbert is not None:
        return texts.semb
    if name == "radgraph" and texts.settings.radgraph_annotations is not None:
        return texts.radgraph.combined
    models = {
        "bertscore": ", or --bertscore-model",
        "semb": ", or --chexbert",
        "radgraph": ", or --radgraph-annotations",
        "bleu_2": "",
    }
    raise UserError(
        f"{version} needs the sub-score {name!r}",
        f"give --sub-scores FILE with an id and {', '.join(RADCLIQ[version].terms)} a row{models[name]}",
    )


MODEL_METRICS: dict[str, Callable[[ModelTexts], Values]] = {
    "bertscore_f1": lambda texts: Values(float(texts.bertscore.mean()), texts.bertscore),
    "bertscore_f1_rescaled": lambda texts: Values(float(texts.rescaled.mean()), texts.rescaled),
    "semb_score": lambda texts: Values(float(texts.semb.mean()), texts.semb),
    "chexbert_f1_micro_14": _label_f1(0, five=False),
    "chexbert_f1_macro_14": _label_f1(1, five=False),
    "chexbert_f1_micro_5": _label_f1(0, five=True),
    "chexbert_f1_macro_5": _label_f1(1, five=True),
    **{f"radgraph_f1_{name}": _radgraph(name) for name in RadGraphF1._fields},
    **{version: _radcliq(version) for version in RADCLIQ},
}
