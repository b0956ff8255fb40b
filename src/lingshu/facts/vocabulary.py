"""The facts a picture may carry: keys, allowed values, and the rules that tie keys together.

Sides are the patient's, as in radiology: in a frontal chest film the patient's left is on the right of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lingshu.core.errors import UserError

NONE = "none"
MODALITIES: tuple[str, ...] = (
    "x-ray",
    "ct",
    "mri",
    "ultrasound",
    "nuclear medicine",
    "fundus photograph",
    "histopathology",
    "immunohistochemistry",
    "phase contrast microscopy",
    "fluorescence microscopy",
)
# Kinds that may be stated, but are not offered as wrong answers to pictures of other kinds.
MORE_MODALITIES: tuple[str, ...] = (
    "dermoscopy",
    "photograph",
    "endoscopy",
    "oct",
    "pet",
    "microscopy",
)
# Values that may be true of the same picture: one is never offered as a wrong answer where the other is right.
COMPATIBLE: dict[str, tuple[str, ...]] = {
    "histopathology": ("immunohistochemistry",),
    "immunohistochemistry": ("histopathology",),
}
PLANES: tuple[str, ...] = ("axial", "coronal", "sagittal")
VIEWS: tuple[str, ...] = ("frontal", "lateral", "anterior", "posterior")
SEQUENCES: tuple[str, ...] = ("T1-weighted", "T2-weighted", "proton-density-weighted", "FLAIR", "gradient echo")
BODY_PARTS: tuple[str, ...] = (
    "abdomen",
    "bladder",
    "blood",
    "bone",
    "brain",
    "breast",
    "chest",
    "chest wall",
    "colon",
    "eye",
    "foot",
    "hand",
    "head",
    "heart",
    "kidney",
    "knee",
    "leg",
    "liver",
    "lung",
    "lymph node",
    "neck",
    "pancreas",
    "pelvis",
    "prostate",
    "shoulder",
    "skin",
    "spine",
    "thyroid",
    "uterus",
    "whole body",
)
STAINS: tuple[str, ...] = ("hematoxylin and eosin", "diaminobenzidine and hematoxylin")
STRUCTURES: tuple[str, ...] = (
    "cell",
    "cerebellum",
    "grey matter",
    "lesion",
    "microaneurysm",
    "nucleus",
    "optic disc",
    "retinal vessel",
    "tissue",
    "ventricle",
    "white matter",
)
BRAIN_TISSUES: tuple[str, ...] = ("grey matter", "white matter")
SIDES: tuple[str, ...] = (NONE, "left", "right")
HEART: tuple[str, ...] = ("normal", "enlarged")
EFFUSION_LEVELS: tuple[str, ...] = (NONE, "small", "large")
MAX_NODULES = 9
MAX_NUCLEI = 9999


@dataclass(frozen=True, slots=True)
class FactSpec:
    """What a key may hold: one of `values` or `more` (choice), a truth value (flag), or a whole number 0..`maximum`.

    Wrong answers are drawn from `values` alone.
    """

    kind: Literal["choice", "flag", "count"]
    values: tuple[str, ...] = ()
    maximum: int = 0
    more: tuple[str, ...] = ()

    def complaint(self, value: Any) -> str:
        """Return what is wrong with `value`, or "" if it is allowed."""
        if self.kind == "flag":
            return "" if isinstance(value, bool) else "must be true or false"
        if self.kind == "count":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return "" if whole and 0 <= value <= self.maximum else f"must be a whole number from 0 to {self.maximum}"
        allowed = (*self.values, *self.more)
        return "" if value in allowed else f"must be one of {', '.join(allowed)}"


FACTS: dict[str, FactSpec] = {
    "modality": FactSpec("choice", MODALITIES, more=MORE_MODALITIES),
    "plane": FactSpec("choice", PLANES),
    "view": FactSpec("choice", VIEWS),
    "sequence": FactSpec("choice", SEQUENCES),
    "body_part": FactSpec("choice", BODY_PARTS),
    "stain": FactSpec("choice", STAINS),
    "structure": FactSpec("choice", STRUCTURES),
    "dominant_tissue": FactSpec("choice", BRAIN_TISSUES),
    "contrast": FactSpec("flag"),
    "doppler": FactSpec("flag"),
    "nuclei_count": FactSpec("count", maximum=MAX_NUCLEI),
    "heart": FactSpec("choice", HEART),
    "effusion_side": FactSpec("choice", SIDES),
    "effusion_level": FactSpec("choice", EFFUSION_LEVELS),
    "nodule_count": FactSpec("count", maximum=MAX_NODULES),
    "nodule_side": FactSpec("choice", SIDES),
    "opacity": FactSpec("choice", SIDES),
    "generated": FactSpec("flag"),
    "medical": FactSpec("flag"),  # false: a photograph or drawing of something else; all other pictures leave it out
}
FINDINGS: tuple[str, ...] = (
    "heart",
    "effusion_side",
    "effusion_level",
    "nodule_count",
    "nodule_side",
    "opacity",
)
PAIRS: tuple[tuple[str, str], ...] = (("effusion_side", "effusion_level"), ("nodule_count", "nodule_side"))
# What a source's own annotations say, in its words. `labels`: name to texts (`{"diagnosis": ["melanoma"]}`). `boxes`: a
# list of `{"label": text, "box": [left, top, right, bottom]}` in pixels of the stored picture; right and bottom are not
# in the box.
ANNOTATIONS: tuple[str, ...] = ("labels", "boxes")
UNSPOKEN: tuple[str, ...] = ("generated", "medical", *ANNOTATIONS)


def parsable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that captions state, so that `reading.facts_from_text` can give them back."""
    return {key: value for key, value in facts.items() if key not in UNSPOKEN}


def check_facts(facts: Mapping[str, Any], where: str) -> None:
    """Check keys, values, and that paired keys come together and agree (no nodule has no side).

    Args:
        facts: what is stated about one picture.
        where: source and picture, for the message.

    Raises:
        UserError: names the key, the value and what is allowed.
    """
    for key, value in facts.items():
        if key in ANNOTATIONS:
            if complaint := _annotation_complaint(key, value):
                raise UserError(f"{where}: fact {key!r}: {complaint}", "correct the annotation")
            continue
        if key not in FACTS:
            raise UserError(f"{where}: unknown fact {key!r}", f"use one of {', '.join((*FACTS, *ANNOTATIONS))}")
        if complaint := FACTS[key].complaint(value):
            raise UserError(f"{where}: fact {key!r} is {value!r}: {complaint}", "correct the fact, or extend FACTS")
    for first, second in PAIRS:
        if (first in facts) != (second in facts):
            raise UserError(f"{where}: facts {first!r} and {second!r} belong together", "give both or neither")
        if first in facts and (facts[first] in (0, NONE)) != (facts[second] == NONE):
            pair = f"{first}={facts[first]!r} and {second}={facts[second]!r}"
            raise UserError(f"{where}: {pair} contradict each other", "make both absent or both present")


def _annotation_complaint(key: str, value: Any) -> str:
    if key == "labels":
        fits = isinstance(value, dict) and all(isinstance(texts, list) and texts for texts in value.values())
        return "" if fits and all(_is_text(t) for texts in value.values() for t in texts) else "must be name to texts"
    fits = isinstance(value, list) and all(isinstance(item, dict) and item.keys() == {"label", "box"} for item in value)
    if not fits or not all(_is_text(item["label"]) for item in value):
        return "must be a list of {label, box}"
    wrong = [item["box"] for item in value if not _is_box(item["box"])]
    return f"{wrong[0]} is no box [left, top, right, bottom] in pixels" if wrong else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_box(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 4 or not all(type(side) is int for side in value):
        return False
    left, top, right, bottom = value
    return bool(0 <= left < right and 0 <= top < bottom)
