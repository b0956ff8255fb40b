"""Which values of a fact exclude each other: only those may stand as wrong answers beside a true one.

A CT of the abdomen also shows the liver, a FLAIR picture is T2-weighted, immunohistochemistry is histopathology: such
values are no alternatives, though they are other values of the same fact.
"""

from __future__ import annotations

from collections.abc import Iterable

from lingshu.facts.vocabulary import NONE

# Values that may hold together, in clusters; a fact that is not here has only values that exclude each other.
TOGETHER: dict[str, tuple[frozenset[str], ...]] = {
    "modality": (frozenset({"histopathology", "immunohistochemistry"}),),
    "view": (frozenset({"frontal", "anterior"}), frozenset({"frontal", "posterior"})),
    "body_part": (
        frozenset({"head", "brain", "eye"}),
        frozenset({"neck", "thyroid"}),
        frozenset({"chest", "chest wall", "heart", "lung", "breast"}),
        frozenset({"abdomen", "bladder", "colon", "kidney", "liver", "pancreas", "pelvis", "prostate", "uterus"}),
        frozenset({"leg", "knee", "foot"}),
    ),
}
# Found all over the body, or part of several regions: never an alternative, and nothing is one to them.
EVERYWHERE: dict[str, frozenset[str]] = {
    "body_part": frozenset({"blood", "bone", "lymph node", "skin", "spine", "whole body", "shoulder"}),
}
WITHOUT_ALTERNATIVES = frozenset({"sequence", "structure"})


def alternatives(key: str, value: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return those of `candidates`, sorted, that can't be true of a picture whose fact `key` is `value`."""
    everywhere = EVERYWHERE.get(key, frozenset())
    if key in WITHOUT_ALTERNATIVES or value in everywhere:
        return ()
    together = (
        {value, NONE} | everywhere | {v for cluster in TOGETHER.get(key, ()) if value in cluster for v in cluster}
    )
    return tuple(sorted(set(candidates) - together))
