"""CheXbert: the labels it reads in a report (F1), and its embedding (SembScore).

A BERT encoder with 14 linear heads on the first token (Smit et al. 2020). The checkpoint is the released file, in which
`model_state_dict` has the keys `module.bert.…` and `module.linear_heads.N.…`; configuration and vocabulary are those of
bert-base-uncased. SembScore is the cosine of two reports' first-token embeddings (CXR-Report-Metric). F1 takes a label
as present if it is positive or uncertain (package f1chexbert 0.0.2), over all 14 labels or the five of CheXpert.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, BertConfig, BertModel

from lingshu.core.errors import UserError
from lingshu.core.progress import track

LABELS = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
    "No Finding",
)
FIVE = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
PRESENT = (1, 3)  # classes: 0 not mentioned, 1 positive, 2 negative, 3 uncertain; No Finding has the first two
BATCH = 32


@dataclass(frozen=True, slots=True)
class Read:
    """What CheXbert makes of texts: `vectors` (texts, width) and `labels` (texts, 14), True where present.

    An empty text has a vector of zeros and no label.
    """

    vectors: NDArray[np.float64]
    labels: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chexbert:
    """Encoder, heads and tokenizer; made by `load_chexbert`."""

    encoder: Any
    heads: Any
    tokenizer: Any

    def read(self, texts: Sequence[str]) -> Read:
        """Return vectors and labels of texts."""
        rows = [row for row, text in enumerate(texts) if text.strip()]
        tokens = {row: self._tokens(texts[row]) for row in rows}
        vectors = np.zeros((len(texts), self.encoder.config.hidden_size))
        labels = np.zeros((len(texts), len(LABELS)), dtype=np.bool_)
        ordered = sorted(rows, key=lambda row: len(tokens[row]))
        batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
        for batch in track(batches, f"CheXbert, batches of {BATCH} reports", len(batches)):
            padded = self.tokenizer.pad({"input_ids": [tokens[row] for row in batch]}, return_tensors="pt")
            padded = padded.to(self.encoder.device)
            with torch.inference_mode():
                first = self.encoder(padded["input_ids"], attention_mask=padded["attention_mask"])[0][:, 0]
                classes = torch.stack([head(first).argmax(dim=1) for head in self.heads], dim=1)
            vectors[batch] = first.double().cpu().numpy()
            labels[batch] = np.isin(classes.cpu().numpy(), PRESENT)
        return Read(vectors, labels)

    def _tokens(self, text: str) -> list[int]:
        """Return token ids; a text that is too long loses its end, but not the end token."""
        ids: list[int] = self.tokenizer(" ".join(text.split()))["input_ids"]
        longest = self.encoder.config.max_position_embeddings
        return ids if len(ids) <= longest else [*ids[: longest - 1], self.tokenizer.sep_token_id]


def load_chexbert(checkpoint: Path, base: Path) -> Chexbert:
    """Return CheXbert from its checkpoint and a folder with BERT's configuration and vocabulary.

    Raises:
        UserError: a file is missing, is no such checkpoint, or the two do not fit together.
    """
    weights = _weights(checkpoint)
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
        config = BertConfig.from_pretrained(base, local_files_only=True)
        encoder: Any = BertModel(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise UserError(
            f"--chexbert-base: {base}: {what}", "name a folder with config.json and vocabulary of bert-base-uncased"
        ) from None
    heads: Any = torch.nn.ModuleList([torch.nn.Linear(encoder.config.hidden_size, 4) for _ in LABELS[:-1]])
    heads.append(torch.nn.Linear(encoder.config.hidden_size, 2))
    for part, prefix in ((encoder, "bert."), (heads, "linear_heads.")):
        mine = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        try:
            lacking = part.load_state_dict(mine, strict=False).missing_keys
        except RuntimeError as error:  # shapes
            what = str(error).splitlines()[-1].strip()
            raise UserError(
                f"--chexbert: {checkpoint} does not fit {base}: {what}", "name its own base model"
            ) from None
        if lacking:
            raise UserError(f"--chexbert: {checkpoint} lacks {prefix}{lacking[0]}", "name the released chexbert.pth")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Chexbert(encoder.eval().to(device), heads.eval().to(device), tokenizer)


def _weights(checkpoint: Path) -> dict[str, Any]:

    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["model_state_dict"]
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        what = str(error).partition("\n")[0]
        raise UserError(
            f"--chexbert: {checkpoint} can't be read ({type(error).__name__}: {what})",
            "name the released chexbert.pth",
        ) from None
    return {key.removeprefix("module."): value for key, value in state.items()}


def semb_scores(reference: Read, candidate: Read) -> NDArray[np.float64]:
    """Return the cosine of each pair of vectors, shape (samples,); 0 where a text is empty."""
    dot = np.einsum("ij,ij->i", reference.vectors, candidate.vectors)
    norm = np.linalg.norm(reference.vectors, axis=1) * np.linalg.norm(candidate.vectors, axis=1)
    scores = np.zeros(len(dot))
    np.divide(dot, norm, out=scores, where=norm > 0)
    return scores


def label_f1(reference: Read, candidate: Read, labels: Sequence[str]) -> tuple[float, float]:
    """Return micro and macro F1 over the named labels, as scikit-learn's report; a label never seen counts as 0."""
    columns = [LABELS.index(label) for label in labels]
    wanted, given = reference.labels[:, columns], candidate.labels[:, columns]
    hits = (wanted & given).sum(axis=0)
    total = wanted.sum(axis=0) + given.sum(axis=0)
    each = 2 * hits / np.maximum(total, 1)
    return float(2 * hits.sum() / max(int(total.sum()), 1)), float(each.mean())
