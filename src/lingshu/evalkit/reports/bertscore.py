"""BERTScore as the package bert-score 0.3.13 computes it: greedy matching of contextual embeddings by cosine.

Embeddings are those after layer `layer` (for distilroberta-base: 5). The start and end tokens can be matched and have
no weight. With idf, a token weighs log((n + 1) / (df + 1)) over the n references, else 1. Rescaling subtracts the score
of unrelated sentences: (f1 - b) / (1 - b).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.core.whole_model import check_whole

LAYER = 5  # of distilroberta-base (bert_score/utils.py, model2layers)
BASELINE = 0.8473319  # F1, distilroberta-base, English, layer 5 (bert_score/rescale_baseline/en/distilroberta-base.tsv)
_BASELINE_OF = ("roberta", 6, 768, LAYER)  # type, layers, width and layer that BASELINE was measured with
_BLANK_FIRST = ("roberta", "gpt2")  # bert-score puts a blank before the text for these tokenizers
BATCH = 32


@dataclass(frozen=True, slots=True)
class BertScorer:
    """A model, its tokenizer and the layer; made by `load_scorer`."""

    model: Any
    tokenizer: Any
    layer: int
    longest: int

    def f1(self, references: Sequence[str], candidates: Sequence[str], *, idf: bool = False) -> NDArray[np.float64]:
        """Return F1 of each candidate against its reference, shape (samples,), not rescaled; 0 if a text is empty."""
        wanted, given = ([self._tokens(text) for text in side] for side in (references, candidates))
        weights = _idf(wanted) if idf else {self.tokenizer.cls_token_id: 0.0, self.tokenizer.sep_token_id: 0.0}
        usual = math.log(len(references) + 1) if idf else 1.0
        rows = [row for row, texts in enumerate(zip(references, candidates, strict=True)) if all(map(str.strip, texts))]
        rows.sort(key=lambda row: len(wanted[row]) + len(given[row]))
        chunks = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        scores = np.zeros(len(references))
        for chunk in track(chunks, f"BERTScore, batches of {BATCH} pairs", len(chunks)):
            sides = [self._embed([side[row] for row in chunk]) for side in (wanted, given)]
            for place, row in enumerate(chunk):
                each = [np.array([weights.get(t, usual) for t in side[row]]) for side in (wanted, given)]
                scores[row] = _f1(sides[0][place], sides[1][place], *each)
        return scores

    def _tokens(self, text: str) -> list[int]:
        blank = " " if self.model.config.model_type in _BLANK_FIRST else ""
        ids: list[int] = self.tokenizer(blank + text.strip(), truncation=True, max_length=self.longest)["input_ids"]
        return ids

    def _embed(self, texts: Sequence[list[int]]) -> list[NDArray[np.float64]]:
        """Return unit vectors of each text's tokens, shape (tokens, width)."""
        padded = self.tokenizer.pad({"input_ids": texts}, return_tensors="pt").to(self.model.device)
        with torch.inference_mode():
            output = self.model(**padded, output_hidden_states=True)
        hidden = torch.nn.functional.normalize(output.hidden_states[self.layer].double(), dim=-1).cpu().numpy()
        return [hidden[row, : len(tokens)] for row, tokens in enumerate(texts)]


def load_scorer(folder: Path, layer: int) -> BertScorer:
    """Return the scorer of a model folder, on the GPU if there is one.

    Raises:
        UserError: the folder holds no such model, or not the whole of it, or the model has fewer layers.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, told = AutoModel.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise UserError(
            f"--bertscore-model: {folder}: {what}", "name a folder with config.json, weights and tokenizer"
        ) from None
    check_whole(model, told, f"--bertscore-model: {folder}")
    layers = model.config.num_hidden_layers
    if not 0 < layer <= layers:
        raise UserError(f"--bertscore-layer: {layer}, but {folder} has {layers} layers", "name one of its layers")
    # RoBERTa counts positions from its padding id + 1, so two fewer tokens fit.
    reserved = 2 if model.config.model_type == "roberta" else 0
    longest = min(tokenizer.model_max_length, model.config.max_position_embeddings - reserved)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return BertScorer(model.eval().to(device), tokenizer, layer, longest)


def baseline_of(scorer: BertScorer, given: float | None) -> float:
    """Return the baseline to rescale with: the given one, or that of distilroberta-base at layer 5.

    Raises:
        UserError: none is given and the model is another one.
    """
    if given is not None:
        return given
    config = scorer.model.config
    if (config.model_type, config.num_hidden_layers, config.hidden_size, scorer.layer) != _BASELINE_OF:
        raise UserError(
            "bertscore_f1_rescaled: only the baseline of distilroberta-base at layer 5 is known",
            "give --bertscore-baseline (column F of bert-score's table for your model), or use bertscore_f1",
        )
    return BASELINE


def _idf(references: Sequence[Sequence[int]]) -> dict[int, float]:
    """Return each token's inverse document frequency; the start and end tokens, which all have, weigh 0."""
    documents = Counter(token for reference in references for token in set(reference))
    return {token: math.log((len(references) + 1) / (count + 1)) for token, count in documents.items()}


def _f1(
    reference: NDArray[np.float64],
    candidate: NDArray[np.float64],
    reference_weight: NDArray[np.float64],
    candidate_weight: NDArray[np.float64],
) -> float:
    if not reference_weight.sum() or not candidate_weight.sum():
        return 0.0
    cosine = candidate @ reference.T
    precision = float(cosine.max(axis=1) @ candidate_weight / candidate_weight.sum())
    recall = float(cosine.max(axis=0) @ reference_weight / reference_weight.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
