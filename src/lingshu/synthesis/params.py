"""Knobs of `propose` and `verify`: which recipes run, who writes, and how many samples each may propose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lingshu.core.params import Strict

RecipeName = Literal["caption", "vqa", "ocr", "cot"]


class TeacherParams(Strict):
    """Who writes: `template` words known facts, without a model."""

    kind: Literal["template"]


class CaptionParams(Strict):
    """Long-form captions, balanced over modalities (paper, section 2.2.1); drawn pictures count as one of their own."""

    max_per_modality: int = Field(ge=1)


class VqaParams(Strict):
    """Questions on pictures: from templates (multiple choice) and written by the teacher (self-instruct)."""

    max_templates_per_topic: int = Field(ge=0)
    max_written_per_topic: int = Field(ge=0)


class OcrParams(Strict):
    """Pictures of text: side of the square picture in pixels, and how many there are at most of each question."""

    max_per_question: int = Field(ge=1)
    side: int = Field(ge=64, le=512)


class CotParams(Strict):
    """Reasoning traces for questions on drawn pictures."""

    topics: list[Literal["presence", "side", "count", "count_hard"]] = Field(min_length=1)
    max_per_topic: int = Field(ge=1)


class VerifyParams(Strict):
    """Limits of `verify`; the checks themselves have no knobs."""

    max_trace_words: int = Field(ge=1)


class SynthesisParams(Strict):
    """Section `synthesis`."""

    enabled: list[RecipeName]
    seed: int = Field(ge=0)
    teacher: TeacherParams
    caption: CaptionParams
    vqa: VqaParams
    ocr: OcrParams
    cot: CotParams
    verify: VerifyParams
