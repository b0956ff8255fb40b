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
    """What a key may hold: one of `values` (choice), a truth value (flag), or a whole number 0..`maximum` (count)."""

    kind: Literal["choice", "flag", "count"]
    values: tuple[str, ...] = ()
    maximum: int = 0

    def complaint(self, value: Any) -> str:
        """Return what is wrong with `value`, or "" if it is allowed."""
        if self.kind == "flag":
            return "" if isinstance(value, bool) else "must be true or false"
        if self.kind == "count":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return "" if whole and 0 <= value <= self.maximum else f"must be a whole number from 0 to {self.maximum}"
        return "" if value in self.values else f"must be one of {', '.join(self.values)}"


FACTS: dict[str, FactSpec] = {
    "modality": FactSpec("choice", MODALITIES),
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
UNSPOKEN: tuple[str, ...] = ("generated", "medical")


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
        if key not in FACTS:
            raise UserError(f"{where}: unknown fact {key!r}", f"use one of {', '.join(FACTS)}")
        if complaint := FACTS[key].complaint(value):
            raise UserError(f"{where}: fact {key!r} is {value!r}: {complaint}", "correct the fact, or extend FACTS")
    for first, second in PAIRS:
        if (first in facts) != (second in facts):
            raise UserError(f"{where}: facts {first!r} and {second!r} belong together", "give both or neither")
        if first in facts and (facts[first] in (0, NONE)) != (facts[second] == NONE):
            pair = f"{first}={facts[first]!r} and {second}={facts[second]!r}"
            raise UserError(f"{where}: {pair} contradict each other", "make both absent or both present")
