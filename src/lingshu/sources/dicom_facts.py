"""What DICOM tags say about a picture, in the words of the facts vocabulary. An unclear tag says nothing.

Tags are claims: the catalogue's notes, written by somebody who looked, override them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

MODALITIES: dict[str, str] = {
    "CR": "x-ray",
    "DX": "x-ray",
    "CT": "ct",
    "MR": "mri",
    "US": "ultrasound",
    "NM": "nuclear medicine",
}
BODY_PARTS: dict[str, str] = {
    "ABDOMEN": "abdomen",
    "BRAIN": "brain",
    "CHEST": "chest",
    "HEAD": "head",
    "NECK": "neck",
    "PELVIS": "pelvis",
    "SHOULDER": "shoulder",
    "SPINE": "spine",
    "WHOLE BODY": "whole body",
    "WHOLEBODY": "whole body",
}
VIEWS: dict[str, str] = {"AP": "frontal", "PA": "frontal", "LL": "lateral", "RL": "lateral", "LAT": "lateral"}
PLANES: tuple[str, ...] = ("sagittal", "coronal", "axial")  # by the patient axis (x, y, z) along the slice's normal
NO_AGENT = ("", "NONE", "NO", "N")
# A slice is named after a plane when its normal is within 26 degrees of that axis: a tilted gantry is, an oblique not.
MIN_COSINE = 0.9
# Spin echo: short repetition and echo times weight by T1, long ones by T2 (times in ms).
T1_MAX_REPETITION, T1_MAX_ECHO, T2_MIN_REPETITION, T2_MIN_ECHO = 800.0, 30.0, 2000.0, 80.0


def tagged_facts(tags: Dataset) -> dict[str, Any]:
    """Return the facts that the tags of one frame state."""
    modality = MODALITIES.get(_text(tags, "Modality"))
    if modality is None:
        return {}
    facts: dict[str, Any] = {"modality": modality}
    facts["body_part"] = BODY_PARTS.get(_text(tags, "BodyPartExamined"))
    if modality == "x-ray":
        facts["view"] = VIEWS.get(_text(tags, "ViewPosition"))
    if modality in ("ct", "mri"):
        facts["plane"] = plane(tags)
        facts["contrast"] = True if _text(tags, "ContrastBolusAgent") not in NO_AGENT else None
    if modality == "mri":
        facts["sequence"] = sequence(tags)
    return {key: value for key, value in facts.items() if value is not None}


def plane(tags: Dataset) -> str | None:
    """Return the plane of a slice from ImageOrientationPatient; None for projections, localizers and obliques."""
    cosines = tags.get("ImageOrientationPatient")
    if (
        not cosines
        or len(cosines) != 6
        or {"LOCALIZER", "PROJECTION IMAGE"} & {str(v) for v in tags.get("ImageType", [])}
    ):
        return None
    row, column = np.asarray(cosines[:3], dtype=float), np.asarray(cosines[3:], dtype=float)
    normal = np.abs(np.cross(row, column))
    axis = int(normal.argmax())
    return PLANES[axis] if normal[axis] >= MIN_COSINE else None


def sequence(tags: Dataset) -> str | None:
    """Return the kind of MRI sequence from ScanningSequence and its times; None where they leave a doubt."""
    kinds = tags.get("ScanningSequence", "")
    kind = kinds if isinstance(kinds, str) else "/".join(str(k) for k in kinds)
    if kind == "GR":
        return "gradient echo"
    repetition, echo = tags.get("RepetitionTime"), tags.get("EchoTime")
    if kind != "SE" or repetition is None or echo is None:
        return None
    if float(repetition) <= T1_MAX_REPETITION and float(echo) <= T1_MAX_ECHO:
        return "T1-weighted"
    return "T2-weighted" if float(repetition) >= T2_MIN_REPETITION and float(echo) >= T2_MIN_ECHO else None


def _text(tags: Dataset, keyword: str) -> str:
    return str(tags.get(keyword, "") or "").strip().upper()
