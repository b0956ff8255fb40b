"""RaTEScore (Zhao et al. 2024): the arithmetic between entities, and how they are read off a tagger's labels.

Constants and rules are those of the package RaTEScore 0.6.0: `post_process`, `compute` and the affinity matrices. Each
entity of one side is held against the one of the other side that is closest by cosine; the pair weighs by both types,
and loses a part (`negated`) where one is a finding and the other its absence. Sentences are split here by a plain rule;
the package splits with medspaCy, which can't be installed beside the numpy and spaCy of today.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

TYPES = ("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")
FINDINGS, ABSENCES = {"ABNORMALITY", "DISEASE"}, {"NON-ABNORMALITY", "NON-DISEASE"}
SHORTEST = 3  # characters of a sentence
WITHOUT_ENTITIES = 0.5  # the score where a side that has text names no entity
SPECIAL = ("[CLS]", "[SEP]")
_ABBREVIATION = r"(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bNo\.)"
_BREAK = re.compile(rf"\n+|(?<=[.!?]){_ABBREVIATION}(?<!^\d\.)(?<!\s\d\.)(?<!\s\d\d\.)\s+")


@dataclass(frozen=True, slots=True)
class Affinity:
    """Weights of a pair of types, one row a type of the own entity, and what is left where the two negate."""

    rows: tuple[tuple[float, ...], ...]
    negated: float

    def weight(self, own: str, other: str) -> float:
        """Return the weight of an entity of type `own` whose closest is of type `other`."""
        return self.rows[TYPES.index(own)][TYPES.index(other)]


AFFINITY = {
    "long": Affinity(
        (
            (0.4276119164393705, 0.6240929990607657, 0.0034478181112993847, 0.5431049700217344, 0.27005425386213877),
            (0.7487824274337533, 0.2856134859160784, 0.4592143222158069, 0.02097055139911715, 0.00013736314126696204),
            (0.8396510075734789, 0.9950209388542061, 0.8460555030578727, 0.9820689020512646, 0.3789136708096537),
            (0.16546764653692908, 0.018670610691852826, 0.719397354576018, 0.0009357166071730684, 0.0927333564267591),
            (0.7759420231214385, 0.1839139293714062, 0.10073046076318157, 0.03860183811876373, 0.34065681486566446),
        ),
        0.8716553966489615,
    ),
    "short": Affinity(
        (
            (0.4070293318365468, 0.6952639610605605, 0.28342529466226446, 0.9479148658006686, 0.23875064111146294),
            (0.5829759950441763, 0.7709590751917746, 0.0006059634829551632, 0.794672584951181, 0.27982942400798977),
            (0.8840397619834857, 0.9637659445696822, 0.19018958438059513, 0.6962283914800402, 0.943727057946997),
            (0.1712744286898638, 0.4485149671497294, 0.00045065329822896076, 0.0007887930317199857, 0.8555432840895761),
            (0.9555801066212176, 0.13122106162635216, 0.6072996585919443, 0.05650711141169969, 0.3214769399791204),
        ),
        0.3611577852354489,
    ),
}


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of a report: their types, and their vectors, shape (entities, width)."""

    types: tuple[str, ...]
    vectors: torch.Tensor


def sentences(text: str) -> list[str]:
    """Return the sentences of three characters and more; they end at . ! ? before a blank, and at a line's end.

    A full stop ends none after an abbreviation or the number of a list.
    """
    return [part.strip() for part in _BREAK.split(text) if len(part.strip()) >= SHORTEST]


def entity_spans(tokens: Sequence[str], labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return (first token, last token, type) of each entity, from one label (O, B-type, I-type) a token.

    As upstream: an entity is closed by what follows its last token, also by the label of the end token; the type is
    that of its first token; and one that nothing closes reaches to the last token but one, unless an entity was closed
    since the last token outside of any.
    """
    found: list[tuple[int, int, str]] = []
    start: int | None = None
    kind, closed = "", False
    for place, (token, label, following) in enumerate(zip(tokens, labels, labels[1:], strict=False)):
        if token in SPECIAL or label == "O":
            continue
        if label.startswith("B-"):
            start, kind = place, label[2:]
        if following.startswith("I-"):
            continue
        if start is not None:
            found.append((start, place, kind))
        goes_on = following.startswith("B-")
        start, kind, closed = (place if goes_on else None), label[2:], goes_on
    if start is not None and not closed:
        found.append((start, len(tokens) - 2, kind))
    return found


def rate_score(reference: Entities, candidate: Entities, affinity: Affinity) -> float:
    """Return RaTEScore of one report, from the entities of both sides."""
    if not reference.types or not candidate.types:
        return WITHOUT_ENTITIES
    precision, recall = _towards(reference, candidate, affinity), _towards(candidate, reference, affinity)
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def _towards(own: Entities, other: Entities, affinity: Affinity) -> float:
    """Return the weighted mean of what each own entity finds on the other side."""
    mine, theirs = (torch.nn.functional.normalize(side.vectors, p=2, dim=1) for side in (own, other))
    total = weights = 0.0
    for kind, vector in zip(own.types, mine, strict=True):
        # The same operations as upstream, since equal cosines (one word, two types) have no rule of their own.
        value, place = torch.topk(torch.matmul(theirs, vector), 1, largest=True)
        closest = other.types[int(place[0])]
        weight = affinity.weight(kind, closest)
        negates = {kind, closest} & FINDINGS and {kind, closest} & ABSENCES
        total += float(value[0]) * weight * (affinity.negated if negates else 1.0)
        weights += weight
    return total / weights if weights else 0.0
