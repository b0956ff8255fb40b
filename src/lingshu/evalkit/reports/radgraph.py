"""RadGraph-F1 of reports from their annotations: entities and relations in the JSON that the RadGraph tools write.

An annotation file is one object: `{id: {"text": …, "entities": {number: {"tokens", "label", "relations": [[label,
number], …]}}}}`. Two families of scores, both over sets, so that what is said twice counts once:

- simple, partial, complete: `radgraph.rewards.compute_reward` of the package radgraph 0.1.18 (Delbrouck et al. 2022).
- entity, relation, combined: `compute_f1` and `parse_entity_relation` of CXR-Report-Metric (Yu et al. 2023). Combined
  is the mean of the two, and the sub-score of RadCliQ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.params import validate

# What the package radgraph calls its models, and their archives and labels.
RadGraphType = Literal["radgraph", "radgraph-xl", "modern-radgraph-xl"]
REFERENCES, CANDIDATES = "references.json", "candidates.json"
_FIX = "make the annotations as the section RadGraph of docs/report-metrics.md says"
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


class Entity(BaseModel):
    """An entity as the tools write it; each relation is (label, number of the other entity). Places are not used."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tokens: str
    label: str
    relations: tuple[tuple[str, str], ...]


class Annotation(BaseModel):
    """The entities of a report by number, and its text in tokens apart by spaces."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    entities: dict[str, Entity]


class RadGraphF1(NamedTuple):
    """The six scores of each sample, shape (samples,)."""

    simple: NDArray[np.float64]
    partial: NDArray[np.float64]
    complete: NDArray[np.float64]
    entity: NDArray[np.float64]
    relation: NDArray[np.float64]
    combined: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Graphs:
    """Annotations of both sides in the samples' order, None for an empty text.

    `other_text` has by file the ids whose annotation is of another text than ours.
    """

    references: list[Annotation | None]
    candidates: list[Annotation | None]
    other_text: dict[str, list[str]]


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Return the annotations of a file by id.

    Raises:
        UserError: the file is missing, is not of this form, or a relation names an entity that is not there.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", _FIX) from None
    except ValueError as error:  # not UTF-8, not JSON
        raise UserError(f"{path}: not JSON: {error}", _FIX) from None
    if not isinstance(given, dict):
        raise UserError(f"{path}: not an object of annotations by id", _FIX)
    found = {identity: validate(Annotation, one, f"{path}: {identity}: ") for identity, one in given.items()}
    for identity, annotation in found.items():
        for number, entity in annotation.entities.items():
            for _, other in entity.relations:
                if other not in annotation.entities:
                    raise UserError(f"{path}: {identity}: entity {number} has a relation to {other}, not there", _FIX)
    return found


def graphs_of(folder: Path, ids: Sequence[str], references: Sequence[str], candidates: Sequence[str]) -> Graphs:
    """Return the annotations of a folder's two files for the texts of `ids`.

    Raises:
        UserError: a file is wrong, or a report that has text is not annotated.
    """
    sides: list[list[Annotation | None]] = []
    other: dict[str, list[str]] = {}
    for name, texts in ((REFERENCES, references), (CANDIDATES, candidates)):
        found = read_annotations(folder / name)
        filled = [(identity, text) for identity, text in zip(ids, texts, strict=True) if text.strip()]
        if missing := [identity for identity, _ in filled if identity not in found]:
            raise UserError(
                f"{folder / name}: {len(missing)} reports are not annotated, the first: {missing[0]}",
                "annotate exactly the texts that --texts-out writes (docs/report-metrics.md, RadGraph)",
            )
        other[name] = [identity for identity, text in filled if not is_of(found[identity], text)]
        sides.append([found[i] if text.strip() else None for i, text in zip(ids, texts, strict=True)])
    return Graphs(sides[0], sides[1], other)


def graphs_made(made: Mapping[str, Mapping[str, Any]], ids: Sequence[str]) -> Graphs:
    """Return annotations that were made here, by file and id; what has none is an empty text."""

    def side(name: str) -> list[Annotation | None]:
        return [Annotation.model_validate(made[name][i]) if i in made[name] else None for i in ids]

    return Graphs(side(REFERENCES), side(CANDIDATES), {})


def is_of(annotation: Annotation, text: str) -> bool:
    """Tell whether an annotation is of this text, going by its letters and digits: tokenisers move the rest about."""
    return _NOT_ALPHANUMERIC.sub("", annotation.text) == _NOT_ALPHANUMERIC.sub("", text)


def annotation_warnings(graphs: Graphs) -> list[str]:
    """Return that annotations are of other texts than those compared, if they are."""
    return [
        f"{name}: {len(ids)} annotations are of another text than the one compared, the first: {ids[0]}"
        for name, ids in graphs.other_text.items()
        if ids
    ]


def radgraph_f1(graphs: Graphs) -> RadGraphF1:
    """Return the scores; a sample with an empty text scores 0."""
    none = (0.0,) * len(RadGraphF1._fields)
    rows = [
        _scores(wanted.entities, given.entities) if wanted and given else none
        for wanted, given in zip(graphs.references, graphs.candidates, strict=True)
    ]
    return RadGraphF1(*np.array(rows, dtype=np.float64).reshape(-1, len(none)).T)


Entities = Mapping[str, Entity]


def _scores(wanted: Entities, given: Entities) -> tuple[float, ...]:
    parts = (_simple, _partial, _complete, _simple, _relations)
    *first, entity, relation = (_f1(part(wanted), part(given)) for part in parts)
    return (*first, entity, relation, (entity + relation) / 2)


def _f1(wanted: set[Hashable], given: set[Hashable]) -> float:
    """Return F1 by precision and recall in the upstreams' order of operations; 0 where one is empty."""
    hits = len(wanted & given)
    if not hits:
        return 0.0
    precision, recall = hits / len(given), hits / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _simple(entities: Entities) -> set[Hashable]:
    return {(one.tokens, one.label) for one in entities.values()}


def _partial(entities: Entities) -> set[Hashable]:
    """Entities with whether they have any relation."""
    return {(one.tokens, one.label, bool(one.relations)) for one in entities.values()}


def _complete(entities: Entities) -> set[Hashable]:
    """Entities without relations, and relations without the other's label; only the latter are in lower case."""
    found: set[Hashable] = {(one.tokens, one.label) for one in entities.values() if not one.relations}
    for one in entities.values():
        for label, other in one.relations:
            found.add((one.tokens.lower(), one.label, label, entities[other].tokens.lower()))
    return found


def _relations(entities: Entities) -> set[Hashable]:
    return {
        (one.tokens, one.label, entities[other].tokens, entities[other].label, label)
        for one in entities.values()
        for label, other in one.relations
    }
