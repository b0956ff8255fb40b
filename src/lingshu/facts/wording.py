"""Facts into plain medical English: captions, reports and questions. Only what the facts hold is ever said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lingshu.facts.asking import Question, questions
from lingshu.facts.vocabulary import BRAIN_TISSUES, FINDINGS, NONE

__all__ = ["CAPTION_PROMPTS", "NUM_VARIANTS", "Question", "caption", "questions", "report"]

Facts = Mapping[str, Any]
NUM_VARIANTS = 6
FRAMES = 3
CAPTION_PROMPTS: tuple[str, ...] = ("Describe this image.", "What does this image show?", "Caption this image.")
MODALITY_NOUNS: dict[str, tuple[str, str]] = {
    "x-ray": ("x-ray", "radiograph"),
    "ct": ("CT slice", "CT image"),
    "mri": ("MRI slice", "MRI image"),
    "ultrasound": ("ultrasound image", "sonogram"),
    "nuclear medicine": ("nuclear medicine image", "scintigram"),
    "fundus photograph": ("fundus photograph", "fundus image"),
    "histopathology": ("histopathology image", "histopathology tile"),
    "immunohistochemistry": ("immunohistochemistry image", "immunohistochemistry tile"),
    "phase contrast microscopy": ("phase contrast microscopy image", "phase contrast micrograph"),
    "fluorescence microscopy": ("fluorescence microscopy image", "fluorescence micrograph"),
    "dermoscopy": ("dermoscopy image", "dermatoscopic image"),
    "photograph": ("clinical photograph", "clinical photo"),
    "endoscopy": ("endoscopy image", "endoscopic image"),
    "oct": ("OCT scan", "OCT image"),
    "pet": ("PET slice", "PET image"),
    "microscopy": ("light microscopy image", "light micrograph"),
}
SPOKEN_VOWELS: tuple[str, ...] = ("a", "e", "i", "o", "u", "x-ray", "MRI")
NORMAL_IMPRESSION = "No acute finding."


def caption(facts: Facts, variant: int = 0) -> str:
    """Return one or more sentences that state every spoken fact.

    Args:
        facts: checked facts (`vocabulary.check_facts`); may be empty.
        variant: any number; equal modulo `NUM_VARIANTS` gives equal wording.
    """
    variant %= NUM_VARIANTS
    sentences = [_opening(facts, variant), *_details(facts, variant), *_findings(facts, variant)]
    return " ".join(sentences)


def report(facts: Facts, variant: int = 0) -> str:
    """Return `Findings: … Impression: …` for the chest findings among the facts (heart, effusion, nodules, opacity).

    Raises:
        ValueError: the facts hold no chest finding, so there is nothing to report.
    """
    findings = _findings(facts, variant % NUM_VARIANTS)
    if not findings:
        raise ValueError(f"a report needs at least one of {', '.join(FINDINGS)}")
    return f"Findings: {' '.join(findings)} Impression: {_impression(facts)}"


def _article(phrase: str) -> str:
    return f"an {phrase}" if phrase.startswith(SPOKEN_VOWELS) else f"a {phrase}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _opening(facts: Facts, variant: int) -> str:
    frame, synonym = variant % FRAMES, variant // FRAMES
    noun = MODALITY_NOUNS[facts["modality"]][synonym] if "modality" in facts else "image"
    adjectives = [str(facts[key]) for key in ("plane", "view", "sequence") if key in facts]
    full = " ".join([*adjectives, noun])
    body = f" of the {facts['body_part']}" if "body_part" in facts else ""
    if frame == 0:
        return f"{_capital(_article(full))}{body}."
    if frame == 1:
        plane = f" in the {facts['plane']} plane" if "plane" in facts else ""
        view = f" in {facts['view']} view" if "view" in facts else ""
        short = f"{facts['sequence']} {noun}" if "sequence" in facts else noun
        return f"{_capital(short)}{body}{plane}{view}."
    return f"This {full} shows the {facts['body_part']}." if body else f"This is {_article(full)}."


def _details(facts: Facts, variant: int) -> list[str]:
    frame = variant % FRAMES
    return [_DETAILS[key](facts[key])[frame] for key in _DETAILS if key in facts]


def _findings(facts: Facts, variant: int) -> list[str]:
    frame = variant % FRAMES
    return [worded(facts)[frame] for key, worded in _FINDINGS.items() if key in facts]


def _stain(value: str) -> tuple[str, str, str]:
    return f"The stain is {value}.", f"Stain: {value}.", f"It is stained with {value}."


def _structure(value: str) -> tuple[str, str, str]:
    return f"Visible structure: {value}.", f"Structure: {value}.", f"Structure shown: {value}."


def _dominant_tissue(value: str) -> tuple[str, str, str]:
    less = next(tissue for tissue in BRAIN_TISSUES if tissue != value)
    phrase = f"more {value} than {less}"
    return f"There is {phrase}.", f"{_capital(phrase)}.", f"It shows {phrase}."


def _contrast(value: bool) -> tuple[str, str, str]:
    if value:
        return "Contrast agent was given.", "With contrast agent.", "It is made with contrast agent."
    return "No contrast agent was given.", "Without contrast agent.", "It is made without contrast agent."


def _doppler(value: bool) -> tuple[str, str, str]:
    if value:
        return "Doppler colour is shown.", "With Doppler colour.", "It has Doppler colour."
    return "No Doppler colour is shown.", "Without Doppler colour.", "It has no Doppler colour."


def _nuclei(value: int) -> tuple[str, str, str]:
    count = f"{value} {'nucleus' if value == 1 else 'nuclei'}"
    return f"There {'is' if value == 1 else 'are'} {count}.", f"{count}.", f"It shows {count}."


def _heart(facts: Facts) -> tuple[str, str, str]:
    value = facts["heart"]
    return f"The heart is {value}.", f"{_capital(value)} heart.", f"Heart size is {value}."


def _effusion(facts: Facts) -> tuple[str, str, str]:
    if facts["effusion_side"] == NONE:
        return "There is no pleural effusion.", "No pleural effusion.", "A pleural effusion is not seen."
    phrase = f"{facts['effusion_level']} {facts['effusion_side']} pleural effusion"
    return f"There is a {phrase}.", f"{_capital(phrase)}.", f"A {phrase} is seen."


def _nodules(facts: Facts) -> tuple[str, str, str]:
    count, side = facts["nodule_count"], facts["nodule_side"]
    if count == 0:
        return "There is no nodule.", "No nodule.", "A nodule is not seen."
    phrase = f"{count} {'nodule' if count == 1 else 'nodules'} in the {side} lung"
    be = "is" if count == 1 else "are"
    return f"There {be} {phrase}.", f"{phrase}.", f"{phrase} {be} seen."


def _opacity(facts: Facts) -> tuple[str, str, str]:
    side = facts["opacity"]
    if side == NONE:
        return "There is no opacity.", "No opacity.", "An opacity is not seen."
    return (
        f"There is an opacity in the {side} lung.",
        f"Opacity in the {side} lung.",
        f"The {side} lung has an opacity.",
    )


def _impression(facts: Facts) -> str:
    parts: list[str] = []
    if facts.get("heart") == "enlarged":
        parts.append("enlarged heart")
    if facts.get("effusion_side", NONE) != NONE:
        parts.append(f"{facts['effusion_level']} {facts['effusion_side']} pleural effusion")
    if count := facts.get("nodule_count", 0):
        parts.append(f"{count} {'nodule' if count == 1 else 'nodules'} in the {facts['nodule_side']} lung")
    if facts.get("opacity", NONE) != NONE:
        parts.append(f"opacity in the {facts['opacity']} lung")
    return f"{_capital(', '.join(parts))}." if parts else NORMAL_IMPRESSION


_DETAILS: dict[str, Callable[[Any], tuple[str, str, str]]] = {
    "contrast": _contrast,
    "doppler": _doppler,
    "stain": _stain,
    "structure": _structure,
    "dominant_tissue": _dominant_tissue,
    "nuclei_count": _nuclei,
}
_FINDINGS: dict[str, Callable[[Facts], tuple[str, str, str]]] = {
    "heart": _heart,
    "effusion_side": _effusion,
    "nodule_count": _nodules,
    "opacity": _opacity,
}
