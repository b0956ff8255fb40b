"""Knobs of `propose` and `verify`: which recipes run, who writes, and how many samples each may propose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lingshu.core.parallel import ALONE, Workers
from lingshu.core.params import Strict

RecipeName = Literal["caption", "vqa", "ocr", "cot", "dialogue"]


class ServerParams(Strict):
    """A model behind an OpenAI-compatible server.

    Attributes:
        url: base address, usually ending in `/v1`.
        model: its name on the server.
        key_variable: environment variable that holds the key; empty where the server asks for none.
        temperature: of the replies.
        max_tokens: of a reply.
        concurrency: requests at a time, of each worker.
        tries: of a request, before it is given up.
        timeout_s: seconds of a try.
    """

    url: str = Field(pattern=r"^https?://")
    model: str = Field(min_length=1)
    key_variable: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1)
    concurrency: int = Field(ge=1, le=512)
    tries: int = Field(ge=1, le=20)
    timeout_s: float = Field(gt=0)


class TeacherParams(Strict):
    """Who writes: `template` words known facts, without a model; `server` is a model that is asked."""

    kind: Literal["template", "server"]
    server: ServerParams | None = None

    @model_validator(mode="after")
    def _complete(self) -> TeacherParams:
        if (self.kind == "server") != (self.server is not None):
            raise ValueError("kind server needs the section server, and no other kind has it")
        return self


class DialogueParams(Strict):
    """Talks that are written anew.

    Attributes:
        sources: whose talks.
        max_samples: at most.
        masked: talks that the gate put aside for their text alone are taken too, and in every talk each name, date,
            number and address that patterns find is a placeholder (`[name]`) before a teacher is asked, so that none
            leaves this machine. False: only talks that the gate kept, as they are.
    """

    sources: list[str] = Field(min_length=1)
    max_samples: int = Field(ge=1)
    masked: bool = True


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
    """Limits of `verify`; the checks themselves have no knobs.

    Attributes:
        max_trace_words: of a reasoning trace.
        min_kept_words: share of the longer words of a patient's question that must be left after rewriting.
    """

    max_trace_words: int = Field(ge=1)
    min_kept_words: float = Field(default=0.3, ge=0, le=1)


class SynthesisParams(Strict):
    """Section `synthesis`.

    Attributes:
        workers: who asks a server; the template teacher writes alone.
    """

    enabled: list[RecipeName]
    seed: int = Field(ge=0)
    teacher: TeacherParams
    workers: Workers = ALONE
    caption: CaptionParams
    vqa: VqaParams
    ocr: OcrParams
    cot: CotParams
    dialogue: DialogueParams | None = None
    verify: VerifyParams

    @model_validator(mode="after")
    def _sections(self) -> SynthesisParams:
        if "dialogue" in self.enabled and self.dialogue is None:
            raise ValueError("recipe 'dialogue' is enabled and has no section `dialogue`")
        return self
