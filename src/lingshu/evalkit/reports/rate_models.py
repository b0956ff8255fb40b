"""The two models of RaTEScore: a tagger of entities (a token classifier) and an encoder of their names.

Published: Angelakeke/RaTE-NER-Deberta and FremyCompany/BioLORD-2023-C. Texts are tagged sentence by sentence, at most
512 tokens each; a name's vector is the encoder's last hidden state of its first token, of at most 30 tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoModelForTokenClassification, AutoTokenizer

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.core.whole_model import check_whole
from lingshu.evalkit.reports.ratescore import TYPES, Affinity, Entities, entity_spans, rate_score, sentences

SENTENCE_TOKENS, NAME_TOKENS = 512, 30
BATCH = 32
_LABEL = re.compile(rf"O|[BI]-({'|'.join(TYPES)})")
Named = list[tuple[str, str]]  # names and types of a report's entities


@dataclass(frozen=True, slots=True)
class RateModels:
    """Tagger and encoder with their tokenizers; made by `load_rate_models`."""

    tagger: Any
    tagger_tokenizer: Any
    encoder: Any
    encoder_tokenizer: Any

    def scores(self, references: Sequence[str], candidates: Sequence[str], affinity: Affinity) -> NDArray[np.float64]:
        """Return RaTEScore of each pair, shape (samples,); 0 where a text is empty."""
        filled = [bool(r.strip() and c.strip()) for r, c in zip(references, candidates, strict=True)]
        named = self.named([*references, *candidates])
        reports = [self._entities(report) for report in track(named, "RaTEScore names, by report", len(named))]
        pairs = zip(reports[: len(references)], reports[len(references) :], filled, strict=True)
        return np.array([rate_score(r, c, affinity) if known else 0.0 for r, c, known in pairs], dtype=np.float64)

    def named(self, texts: Sequence[str]) -> list[Named]:
        """Return the entities that the tagger finds in each text."""
        found: list[Named] = [[] for _ in texts]
        parts = [(row, part) for row, text in enumerate(texts) for part in sentences(text)]
        tokens = [
            self.tagger_tokenizer(part, max_length=SENTENCE_TOKENS, truncation=True)["input_ids"] for _, part in parts
        ]
        labels = self._labels(tokens)
        for (row, _), ids, mine in zip(parts, tokens, labels, strict=True):
            words = self.tagger_tokenizer.convert_ids_to_tokens(ids)
            for first, last, kind in entity_spans(words, mine):
                found[row].append((self.tagger_tokenizer.convert_tokens_to_string(words[first : last + 1]), kind))
        return found

    def _labels(self, tokens: Sequence[list[int]]) -> list[list[str]]:
        names = self.tagger.config.id2label
        found: list[list[str]] = [[] for _ in tokens]
        for batch in _batches(tokens, "RaTEScore entities, batches of sentences"):
            padded = self.tagger_tokenizer.pad({"input_ids": [tokens[n] for n in batch]}, return_tensors="pt")
            with torch.inference_mode():
                best = self.tagger(**padded.to(self.tagger.device)).logits.argmax(dim=2).cpu().tolist()
            for number, row in zip(batch, best, strict=True):
                found[number] = [names[label] for label in row[: len(tokens[number])]]
        return found

    def _entities(self, report: Named) -> Entities:
        """Return types and vectors; the names of a report make one batch, as upstream.

        A name that has two types on the other side is closest to both: rounding decides, and follows the batch.
        """
        if not report:
            return Entities((), torch.empty(0, 0))
        names = [name for name, _ in report]
        padded = self.encoder_tokenizer(
            names, max_length=NAME_TOKENS, truncation=True, padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            first = self.encoder(**padded.to(self.encoder.device)).last_hidden_state[:, 0].cpu()
        return Entities(tuple(kind for _, kind in report), first)


def _batches(tokens: Sequence[list[int]], title: str) -> Any:
    order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    return track(batches, title, len(batches))


def load_rate_models(tagger: Path, encoder: Path) -> RateModels:
    """Return both models from their folders, on the GPU if there is one.

    Raises:
        UserError: a folder holds no such model, or not the whole of it, or the tagger has other labels (names the
            option).
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tagger_model, tagger_tokenizer = _load(AutoModelForTokenClassification, tagger, "--ratescore-tagger")
    for label in tagger_model.config.id2label.values():
        if not _LABEL.fullmatch(label):
            raise UserError(
                f"--ratescore-tagger: {tagger} has the label {label!r}, which RaTEScore's taggers don't have",
                "name the folder or hub id of Angelakeke/RaTE-NER-Deberta",
            )
    encoder_model, encoder_tokenizer = _load(AutoModel, encoder, "--ratescore-encoder")
    return RateModels(tagger_model.to(device), tagger_tokenizer, encoder_model.to(device), encoder_tokenizer)


def _load(kind: Any, folder: Path, option: str) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, told = kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32, output_loading_info=True)
    except (OSError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise UserError(
            f"{option}: {folder}: {what}", "name a folder with config.json, weights and tokenizer"
        ) from None
    check_whole(model, told, f"{option}: {folder}")
    return model.eval(), tokenizer
