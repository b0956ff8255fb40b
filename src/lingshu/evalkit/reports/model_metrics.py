"""The metrics that need a model's weights, other files or given sub-scores, by key."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.model_texts import ModelTexts
from lingshu.evalkit.reports.radcliq import RADCLIQ, radcliq, radcliq_bleu_2
from lingshu.evalkit.reports.radgraph import RadGraphF1
from lingshu.evalkit.reports.text_metrics import Values


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
    """Return the sub-score from the file, else from its model; BLEU-2 needs none."""
    if name in texts.sub_scores:
        return texts.sub_scores[name]
    if name == "bertscore" and texts.settings.bertscore_model is not None:
        return texts.rescaled
    if name == "semb" and texts.settings.chexbert is not None:
        return texts.semb
    if name == "radgraph" and (texts.settings.radgraph or texts.settings.radgraph_annotations) is not None:
        return texts.radgraph.combined
    if name == "bleu_2":
        return radcliq_bleu_2(texts.references, texts.candidates)
    models = {
        "bertscore": ", or --bertscore-model",
        "semb": ", or --chexbert",
        "radgraph": ", or --radgraph",
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
    "meteor_wordnet": lambda texts: Values(float(texts.meteor.mean()), texts.meteor),
    "ratescore_own_split": lambda texts: Values(float(texts.ratescore.mean()), texts.ratescore),
    "green": lambda texts: Values(texts.green.mean(), texts.green.each),
    **{f"radgraph_f1_{name}": _radgraph(name) for name in RadGraphF1._fields},
    **{version: _radcliq(version) for version in RADCLIQ},
}
