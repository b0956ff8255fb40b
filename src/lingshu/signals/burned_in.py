"""Text burned into pictures: where an OCR engine reads some, and how many of its lines may name a person.

What was read is judged here and forgotten: no table, verdict, log or metric ever holds it. The engine is PP-OCRv4
(detection, direction, recognition) as the package `rapidocr-onnxruntime` ships it, English and Chinese; it reads on one
thread, so that a picture gives the same lines whatever else runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError

Line = tuple[NDArray[np.float64], str]  # corners (4, 2) in pixels, x before y, and the text read
Reader = Callable[[NDArray[np.uint8]], list[Line]]
NONE = "none"
MIN_SIDE = 8  # pixels; nothing is legible in less, and the detector's scaling fails on slivers

# Lines of scanner screens, in which OCR often swallows the spaces: looser than the patterns of running text, since a
# false hit costs a look and a miss shows a patient.
IDENTIFYING = re.compile(
    "|".join(
        [
            r"\d{1,2}[/.-]\d{1,2}[/.-](?:(?:19|20)\d{2}|\d{2}(?!\d))",  # dates by numbers, also glued to a time
            r"(?<!\d)(?:19|20)\d{2}[/.-](?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|[12]\d|3[01])",
            r"(?i:\d{1,2}[\s.-]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s.,-]*(?:19|20)?\d{2})",
            r"(?:19|20)\d{2}\s*年\s*\d{1,2}\s*月",
            r"\d{7,}",  # record and accession numbers
            r"(?i:\b(?:MRN|DOB|accession|acc\s*no|patient|pat\.?\s*(?:id|name)|pt\.?\s*(?:id|name)|surname|name)\b)",
            r"(?i:\b(?:ID|acc|SSN)\s*[:#.]\s*[A-Z]{0,3}\d{3,})",
            r"\b[A-Z][A-Za-z'-]+[\^,~]\s*[A-Z][A-Za-z]+",  # SURNAME^GIVEN, which is read as ~ too, and Surname, Given
            r"(?i:\b(?:uploader|operator|sonographer|technologist|physician)\s*[:;.]\s*[A-Z]{2})",
            r"\b(?:Mr|Mrs|Ms|MR|MRS|MS|Dr|DR|Prof)\.\s*[A-Z][A-Za-z]+",
            r"(?i:hospital|clinic\b|infirmary|medical\s*cent|health\s*cent|\bctr\b|\bmed\.?\s*c)",
            r"(?:姓名|患者|病人|住院号|门诊号|病历号|检查号|影像号|医院|卫生院|出生)",
        ]
    )
)


def reader(engine: str) -> Reader | None:
    """Return what reads a picture, uint8 of shape (height, width, 3), or None for the engine "none".

    Raises:
        UserError: the engine's package is not installed.
    """
    return None if engine == NONE else _rapidocr()


@cache
def _rapidocr() -> Reader:
    try:
        from rapidocr_onnxruntime import RapidOCR  # noqa: PLC0415 (loads 15 MB of weights; off in most runs)
    except ImportError as error:
        raise UserError(
            f"signals.burned_in: rapidocr: {error}", "run `make setup-ocr`, or set signals.burned_in to none"
        ) from None
    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(pixels: NDArray[np.uint8]) -> list[Line]:
        if min(pixels.shape[:2]) < MIN_SIDE:
            return []
        found, _ = engine(np.ascontiguousarray(pixels[..., ::-1]))  # it takes BGR, as OpenCV does
        return [(np.asarray(corners, dtype=np.float64), str(text)) for corners, text, _ in found or []]

    return read


def burned_in(read: Reader | None, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """Return burned_in_lines, burned_in_share (of the area, 0..1) and burned_in_identifiers (lines that may identify).

    All are None where no engine reads.
    """
    if read is None:
        return {"burned_in_lines": None, "burned_in_share": None, "burned_in_identifiers": None}
    lines = read(pixels)
    height, width = pixels.shape[:2]
    return {
        "burned_in_lines": len(lines),
        "burned_in_share": min(1.0, sum(map(_area, (corners for corners, _ in lines))) / (height * width)),
        "burned_in_identifiers": identifying(text for _, text in lines),
    }


def identifying(lines: Iterable[str]) -> int:
    """Return how many of the lines hold a date, a name, a long number, a label of one of them, or a hospital."""
    return sum(IDENTIFYING.search(line) is not None for line in lines)


def _area(corners: NDArray[np.float64] | Sequence[Sequence[float]]) -> float:
    """Return the area of a quadrilateral in square pixels (shoelace formula)."""
    x, y = np.asarray(corners, dtype=np.float64).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2.0)
