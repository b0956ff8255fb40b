"""The vectors of words that a RadGraph model scores: word pieces through a BERT, the mean of each word's pieces.

The arithmetic of AllenNLP's mismatched embedder as the package radgraph 0.1.18 carries it: words are cut into pieces
one by one; a text too long for the model is cut anywhere between pieces, and its segments don't see each other; a word
without pieces (a control character) has a vector of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.radgraph_archive import Archive
from lingshu.evalkit.reports.radgraph_words import read_as

PREFIX = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
BATCH = 32
# By the architecture of the base model: whether its tokenizer class of transformers 4 puts special tokens around a
# segment. ModernBERT's does not, though room is left for them and places are counted with them, so that a word has the
# pieces one further on. Its RadGraph was trained like that, and is read like that.
SPECIAL = {"bert": True, "modernbert": False}
AROUND = 2  # special tokens: one before, one after
# Not used, or made anew by this version of transformers.
_OPTIONAL = ("pooler.", "embeddings.position_ids")


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text as the encoder takes it: token ids, and each word's first and last place; (-1, -1) without pieces.

    Places count one special token at the start of the text and one at its end, wherever the text is cut.
    """

    ids: list[int]
    places: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class WordEncoder:
    """The base model and its tokenizer; made by `load_encoder`."""

    model: Any
    tokenizer: Any
    longest: int | None

    def vectors(self, texts: Sequence[Sequence[str]]) -> list[Tensor]:
        """Return the vectors of each text's words, shape (words, width) each."""
        cut = self._cut(texts)
        rows = [(number, row) for number, pieces in enumerate(cut) for row in self._rows(pieces.ids)]
        found: list[list[Tensor]] = [[] for _ in texts]
        encoded = self._encoded([row for _, row in rows])
        for (number, _), states in zip(rows, encoded, strict=True):
            found[number].append(states)
        return [
            self._of_words(self._joined(states, len(pieces.ids)), pieces.places)
            for states, pieces in zip(found, cut, strict=True)
        ]

    def _cut(self, texts: Sequence[Sequence[str]]) -> list[Pieces]:
        words = sorted({word for text in texts for word in text})
        ids = self.tokenizer([read_as(word) for word in words], add_special_tokens=False)["input_ids"] if words else []
        known = dict(zip(words, ids, strict=True))
        return [self._pieces([known[word] for word in text]) for text in texts]

    def _pieces(self, words: Sequence[list[int]]) -> Pieces:
        flat: list[int] = []
        places = []
        for ids in words:
            first = len(flat) + 1
            flat += ids
            places.append((first, len(flat)) if ids else (-1, -1))
        step = (self.longest or max(len(flat), 1) + AROUND) - AROUND
        segments = [flat[start : start + step] for start in range(0, len(flat), step)]
        if SPECIAL[self.model.config.model_type]:
            start, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
            segments = [[start, *segment, end] for segment in segments]
        return Pieces([piece for segment in segments for piece in segment], places)

    def _rows(self, ids: list[int]) -> list[list[int]]:
        step = self.longest or max(len(ids), 1)
        return [ids[start : start + step] for start in range(0, len(ids), step)]

    def _encoded(self, rows: Sequence[list[int]]) -> list[Tensor]:
        """Return the last hidden state of each row, shape (its length, width)."""
        found: list[Tensor] = [torch.empty(0)] * len(rows)
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        for batch in batches:
            length = max(len(rows[number]) for number in batch)
            ids = torch.zeros(len(batch), length, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for place, number in enumerate(batch):
                ids[place, : len(rows[number])] = torch.tensor(rows[number])
                mask[place, : len(rows[number])] = 1
            device = self.model.device
            states = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state
            for place, number in enumerate(batch):
                found[number] = states[place, : len(rows[number])]
        return found

    def _joined(self, rows: Sequence[Tensor], length: int) -> Tensor:
        """Return one sequence from a text's rows: each row but for its ends, between the ends of the whole.

        With special tokens the ends are these. Without them they are pieces of the text, and are lost where it was cut.
        """
        if not rows:
            return torch.zeros(0, self.model.config.hidden_size, device=self.model.device)
        if len(rows) == 1:
            return rows[0]
        whole = len(rows) * (self.longest or 0)
        states = torch.nn.functional.pad(torch.cat(list(rows)), (0, 0, 0, whole - length))
        inner = states.reshape(len(rows), -1, states.shape[1])[:, 1:-1].reshape(-1, states.shape[1])
        inner = torch.cat([inner, torch.zeros_like(states[:1])])
        inner[length - AROUND * len(rows)] = states[length - 1]
        return torch.cat([states[:1], inner])[: length - AROUND * (len(rows) - 1)]

    def _of_words(self, states: Tensor, places: Sequence[tuple[int, int]]) -> Tensor:
        """Return the mean of each word's pieces; a place beyond the text does not count."""
        firsts, lasts = torch.tensor(places, device=states.device).T.unsqueeze(2)
        pieces = firsts + torch.arange(int((lasts - firsts).max()) + 1, device=states.device)
        counted = ((pieces <= lasts) & (pieces >= 0) & (pieces < len(states))).unsqueeze(2)
        if not len(states):
            return states.new_zeros(len(places), states.shape[1])
        means: Tensor = (states[pieces.clamp(0, len(states) - 1)] * counted).sum(1) / counted.sum(1).clamp(min=1)
        return means


def load_encoder(archive: Archive, base: Path) -> WordEncoder:
    """Return the encoder of an archive, with configuration and vocabulary from the folder of its base model.

    Raises:
        UserError: the folder is no such model, or the weights do not fit it.
    """
    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True)
        tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError) as error:
        raise _no_base(base, str(error).partition("\n")[0], archive) from None
    if config.model_type not in SPECIAL:
        raise _no_base(base, f"the architecture {config.model_type} is none of {', '.join(SPECIAL)}", archive)
    model: Any = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    mine = {key.removeprefix(PREFIX): value for key, value in archive.weights.items() if key.startswith(PREFIX)}
    try:
        report = model.load_state_dict(mine, strict=False)
    except RuntimeError as error:  # shapes
        raise _no_base(base, str(error).splitlines()[-1].strip(), archive) from None
    for what, keys in (("lacks", report.missing_keys), ("has no place for", report.unexpected_keys)):
        if wrong := [key for key in keys if not key.startswith(_OPTIONAL)]:
            found = f"{archive.path} lacks {PREFIX}{wrong[0]}" if what == "lacks" else f"it {what} {PREFIX}{wrong[0]}"
            raise _no_base(base, found, archive)
    return WordEncoder(model.eval(), tokenizer, archive.config.encoder.max_length)


def _no_base(base: Path, what: str, archive: Archive) -> UserError:
    return UserError(
        f"--radgraph-base: {base}: {what}",
        f"name a folder with configuration and vocabulary of {archive.config.encoder.model_name}",
    )
