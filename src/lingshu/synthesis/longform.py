"""Facts into a long description: the whole, each organ or part, how findings relate, and background knowledge.

Every statement can be read back by `facts.reading`, so that what a caption claims can be checked against the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lingshu.facts.vocabulary import BRAIN_TISSUES, FINDINGS, NONE
from lingshu.facts.wording import caption
from lingshu.synthesis.replies import Description, Region

Facts = Mapping[str, Any]
OPENING_KEYS = ("modality", "plane", "view", "sequence", "body_part")
SIDED = {"effusion_side": "effusion", "nodule_side": "nodules", "opacity": "opacity"}
# General knowledge about how such pictures come about (the paper adds retrieved knowledge, section 2.2.1, stage 1).
KNOWLEDGE: dict[str, dict[str, str]] = {
    "modality": {
        "x-ray": "Dense tissue absorbs the rays and appears bright.",
        "ct": "Brightness shows how strongly tissue absorbs the rays.",
        "mri": "Brightness comes from the magnetic signal of water and fat.",
        "ultrasound": "Brightness comes from echoes of sound.",
        "nuclear medicine": "The tracer gathers where the signal is strong.",
        "fundus photograph": "The retina is seen through the pupil.",
        "histopathology": "A thin section of tissue is seen through a microscope.",
        "immunohistochemistry": "An antibody marks the cells that carry its protein.",
        "phase contrast microscopy": "Differences of the optical path become brightness.",
        "fluorescence microscopy": "Molecules that glow are bright.",
        "dermoscopy": "A lens and light that does not glare show the skin below its surface.",
        "photograph": "An ordinary camera shows what an eye sees.",
        "endoscopy": "A camera within the body shows the lining of an organ.",
        "oct": "Brightness comes from echoes of light.",
        "pet": "The tracer gathers where tissue takes it up.",
        "microscopy": "Light passes through the specimen, which absorbs part of it.",
    },
    "plane": {
        "axial": "Such a plane parts upper from lower.",
        "coronal": "Such a plane parts front from back.",
        "sagittal": "Such a plane parts the two sides.",
    },
    "stain": {
        "hematoxylin and eosin": "Hematoxylin makes cell cores blue, eosin makes the rest pink.",
        "diaminobenzidine and hematoxylin": "Diaminobenzidine is brown, hematoxylin is blue.",
    },
}


def describe(facts: Facts, variant: int) -> Description:
    """Return the description of a picture: organ by organ for radiology, from the whole to its parts for microscopy.

    Args:
        facts: checked facts (`vocabulary.check_facts`).
        variant: which wording of the opening sentence (`facts.wording.caption`).
    """
    return Description(
        overall=caption({key: facts[key] for key in OPENING_KEYS if key in facts}, variant),
        regions=[
            Region(name=name, text=" ".join(write(facts) for key, write in parts if key in facts))
            for name, parts in _REGIONS
            if any(key in facts for key, _ in parts)
        ],
        relation=_relation(facts),
        knowledge=" ".join(known[facts[key]] for key, known in KNOWLEDGE.items() if key in facts),
    )


def summarise(description: Description) -> str:
    """Return the description as one caption (paper, section 2.2.1, stage 5: organ by organ)."""
    regions = [f"{region.name}: {region.text}" for region in description.regions]
    return " ".join(
        part for part in (description.overall, *regions, description.relation, description.knowledge) if part
    )


def _contrast(facts: Facts) -> str:
    return f"made {'with' if facts['contrast'] else 'without'} contrast agent."


def _doppler(facts: Facts) -> str:
    return "with Doppler colour." if facts["doppler"] else "without Doppler colour."


def _dominant_tissue(facts: Facts) -> str:
    less = next(tissue for tissue in BRAIN_TISSUES if tissue != facts["dominant_tissue"])
    return f"more {facts['dominant_tissue']} than {less}."


def _nuclei(facts: Facts) -> str:
    count = facts["nuclei_count"]
    return "there is 1 nucleus." if count == 1 else f"there are {count} nuclei."


def _nodules(facts: Facts) -> str:
    count, side = facts["nodule_count"], facts["nodule_side"]
    if count == 0:
        return "no nodule on either side."
    return f"{count} {'nodule' if count == 1 else 'nodules'} in the {side} lung, none in the {_other(side)} one."


def _opacity(facts: Facts) -> str:
    side = facts["opacity"]
    return (
        "No opacity on either side." if side == NONE else f"Opacity in the {side} lung, none in the {_other(side)} one."
    )


def _effusion(facts: Facts) -> str:
    side = facts["effusion_side"]
    if side == NONE:
        return "no pleural effusion on either side."
    return f"{facts['effusion_level']} {side} pleural effusion, the {_other(side)} side is free."


def _other(side: str) -> str:
    return {"left": "right", "right": "left"}[side]


def _relation(facts: Facts) -> str:
    """Return how many findings are abnormal and whether those with a side share it; "" without chest findings."""
    if not any(key in facts for key in FINDINGS):
        return ""
    sides = [facts[key] for key in SIDED if facts.get(key, NONE) != NONE]
    abnormal = len(sides) + (facts.get("heart") == "enlarged")
    text = f"Abnormal findings in all: {abnormal}."
    if len(sides) < 2:
        return text
    return f"{text} Those with a side {'share it' if len(set(sides)) == 1 else 'are on both sides'}."


_Writer = Callable[[Facts], str]
_REGIONS: tuple[tuple[str, tuple[tuple[str, _Writer], ...]], ...] = (
    ("Technique", (("contrast", _contrast), ("doppler", _doppler))),
    ("Stain", (("stain", lambda facts: f"{facts['stain']}."),)),
    ("Structure", (("structure", lambda facts: f"{facts['structure']}."),)),
    ("Tissue", (("dominant_tissue", _dominant_tissue),)),
    ("Cells", (("nuclei_count", _nuclei),)),
    ("Heart", (("heart", lambda facts: f"the heart is {facts['heart']}."),)),
    ("Lungs", (("nodule_count", _nodules), ("opacity", _opacity))),
    ("Pleura", (("effusion_side", _effusion),)),
)
