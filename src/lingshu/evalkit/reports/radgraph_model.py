"""RadGraph's model: the entities and relations that it reads in reports, in the JSON that its tools write.

DyGIE++ (Wadden et al. 2019) as the package radgraph 0.1.18 runs it, a report being one sentence. A span is its first
and its last word's vectors and a vector for its width. A span's best label makes it an entity, if its score is above 0,
which stands for none. A second scorer picks the spans that may have relations, so many per word; a pair of them is
scored from both spans and their product, and gets both spans' scores of the second scorer on top. Coreference and
events are not computed: they are not part of an annotation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.evalkit.reports.radgraph_archive import Archive
from lingshu.evalkit.reports.radgraph_encoder import WordEncoder, load_encoder
from lingshu.evalkit.reports.radgraph_words import words_of

PAIRS = 8192  # scored at once
TOGETHER = 256  # reports that are encoded together
Found = dict[str, Any]  # an annotation
Relations = dict[int, list[tuple[str, int]]]  # by entity: label and number of the other one, counted from 0


@dataclass(frozen=True, slots=True)
class Span:
    """An entity: its first and last word, counted from 0, and its label."""

    first: int
    last: int
    label: str


@dataclass(frozen=True, slots=True)
class Scorers:
    """The layers on top of words: a vector for each width, entity labels, the pick of spans, labels of pairs."""

    widths: Tensor
    entity: Any
    pick: Any
    relation: Any


@dataclass(frozen=True, slots=True)
class RadGraph:
    """Encoder and scorers of an archive; made by `load_radgraph`."""

    archive: Archive
    encoder: WordEncoder
    scorers: Scorers

    def annotate(self, texts: Sequence[str]) -> list[Found]:
        """Return the annotation of each text as the package's `RadGraph` gives it; one without words has no entity."""
        words = [words_of(text, self.archive.kind) for text in texts]
        found = [_annotation(mine, [], {}) for mine in words]
        filled = [number for number, mine in enumerate(words) if mine]
        with torch.inference_mode():
            for number, vectors in track(self._vectors(words, filled), "RadGraph, by report", len(filled)):
                found[number] = _annotation(words[number], *self._read(vectors))
        return found

    def _vectors(self, words: Sequence[list[str]], filled: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        """Yield each report's number and the vectors of its words; few reports' vectors are held at once."""
        for start in range(0, len(filled), TOGETHER):
            some = filled[start : start + TOGETHER]
            yield from zip(some, self.encoder.vectors([words[number] for number in some]), strict=True)

    def _read(self, words: Tensor) -> tuple[list[Span], Relations]:
        """Return the entities of a report, in the order of their spans, and their relations."""
        spans = _spans(len(words), len(self.scorers.widths)).to(words.device)
        first, last = spans.T
        vectors = torch.cat([words[first], words[last], self.scorers.widths[last - first]], dim=1)
        labels = _best(self.scorers.entity(vectors))
        rows = labels.nonzero()[:, 0]
        names = self.archive.entities
        entities = [
            Span(one, other, names[label])
            for (one, other), label in zip(spans[rows].tolist(), labels[rows].tolist(), strict=True)
        ]
        scores = self.scorers.pick(vectors)
        # A relation is kept if both its ends are entities, so no other pairs are scored.
        ends = torch.isin(rows, self._picked(scores, len(words))).nonzero()[:, 0]
        return entities, self._relations(vectors[rows[ends]], scores[rows[ends]], ends.tolist())

    def _picked(self, scores: Tensor, words: int) -> Tensor:
        """Return the rows of the spans with the best scores."""
        share = self.archive.config.model.modules.relation.spans_per_word
        # In single precision, as upstream: that may be one more than by exact arithmetic.
        kept = int(torch.ceil(torch.tensor(float(words)) * share))
        return scores[:, 0].topk(min(kept, len(scores))).indices

    def _relations(self, vectors: Tensor, scores: Tensor, ends: Sequence[int]) -> Relations:
        """Return the relations between entities, given their vectors, scores and numbers; one may be with itself."""
        found: Relations = {}
        step = max(PAIRS // max(len(ends), 1), 1)
        for start in range(0, len(ends), step):
            ones = vectors[start : start + step].unsqueeze(1)
            others = vectors.unsqueeze(0)
            shape = (len(ones), len(ends), -1)
            pairs = torch.cat([ones.expand(shape), others.expand(shape), ones * others], dim=2)
            both = scores[start : start + step].unsqueeze(1) + scores.unsqueeze(0)
            labels = _best(self.scorers.relation(pairs) + both)
            for one, other in labels.nonzero().tolist():
                label = self.archive.relations[int(labels[one, other]) - 1]
                found.setdefault(ends[start + one], []).append((label, ends[other]))
        return found


def _spans(words: int, widest: int) -> Tensor:
    """Return first and last word of every span that is not too wide, shape (spans, 2), by first, then by last word."""
    pairs = [(first, last) for first in range(words) for last in range(first, min(first + widest, words))]
    return torch.tensor(pairs)


def _best(scores: Tensor) -> Tensor:
    """Return the number of the best label, from 1; 0 where none scores above 0."""
    return torch.cat([torch.zeros_like(scores[..., :1]), scores], dim=-1).argmax(-1)


def _annotation(words: Sequence[str], entities: Sequence[Span], relations: Relations) -> Found:
    """Return the annotation in the form of the package radgraph 0.1.18; entities are numbered from 1."""
    numbered = {
        str(number + 1): {
            "tokens": " ".join(words[one.first : one.last + 1]),
            "label": one.label,
            "start_ix": one.first,
            "end_ix": one.last,
            "relations": [[label, str(other + 1)] for label, other in relations.get(number, [])],
        }
        for number, one in enumerate(entities)
    }
    return {"text": " ".join(words), "entities": numbered, "data_source": None, "data_split": "inference"}


def load_radgraph(archive: Archive, base: Path) -> RadGraph:
    """Return the model of an archive, on the GPU if there is one; `base` is the folder of its base model.

    Raises:
        UserError: the base model does not fit, or weights are missing or have other shapes than the configuration says.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = load_encoder(archive, base)
    scorers = _scorers(archive, 2 * encoder.model.config.hidden_size + archive.config.model.feature_size, device)
    encoder.model.to(device)
    return RadGraph(archive, encoder, scorers)


def _scorers(archive: Archive, span: int, device: str) -> Scorers:
    """Return the layers on top of words; `span` is the width of a span's vector."""
    model = archive.config.model
    entity = f"_ner._ner_scorers.{archive.kind}__ner_labels"
    relations = f"{archive.kind}__relation_labels"
    pick, pair = f"_relation._mention_pruners.{relations}._scorer", f"_relation._relation_feedforwards.{relations}"
    widths = nn.Embedding(model.max_span_width, model.feature_size)
    _load(archive, widths, {"": "_endpoint_span_extractor._span_width_embedding"})
    return Scorers(
        widths.weight.data.to(device),
        _scorer(archive, f"{entity}.0._module", f"{entity}.1._module", span, len(archive.entities) - 1).to(device),
        _scorer(archive, f"{pick}.0._module", f"{pick}.1._module", span, 1).to(device),
        _scorer(archive, pair, f"_relation._relation_scorers.{relations}", 3 * span, len(archive.relations)).to(device),
    )


def _scorer(archive: Archive, hidden: str, last: str, given: int, labels: int) -> Any:
    """Return a scorer, from a vector of width `given` to `labels` scores: layers with ReLU, then one without."""
    sizes = [given, *archive.config.model.feedforward_params.widths()]
    layers: list[nn.Module] = []
    names: dict[str, str] = {}
    for number, (before, after) in enumerate(pairwise(sizes)):
        names[f"{len(layers)}."] = f"{hidden}._linear_layers.{number}"
        layers += [nn.Linear(before, after), nn.ReLU()]
    names[f"{len(layers)}."] = last
    scorer = nn.Sequential(*layers, nn.Linear(sizes[-1], labels))
    _load(archive, scorer, names)
    return scorer


def _load(archive: Archive, module: nn.Module, names: Mapping[str, str]) -> None:
    """Fill a module from the archive; `names` has the archive's name of each of its parts."""
    state = {}
    for part, name in names.items():
        for kind in ("weight", "bias"):
            if (key := f"{part}{kind}") not in module.state_dict():
                continue
            if (value := archive.weights.get(f"{name}.{kind}")) is None:
                raise UserError(f"--radgraph: {archive.path} lacks the weights {name}.{kind}", "name a whole archive")
            if value.shape != (wanted := module.state_dict()[key].shape):
                what = f"{name}.{kind} has the shape {tuple(value.shape)}, and its configuration says {tuple(wanted)}"
                raise UserError(f"--radgraph: {archive.path}: {what}", "name a whole archive, unchanged")
            state[key] = value
    module.load_state_dict(state)
