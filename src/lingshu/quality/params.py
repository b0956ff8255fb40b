"""The `quality` section of params.yaml. Defaults are the paper's rules where it states one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lingshu.core.params import Strict

IdentifierKind = Literal["name", "date", "phone", "email", "record_number", "national_id", "address"]
IDENTIFIER_KINDS: tuple[IdentifierKind, ...] = (
    "name", "date", "phone", "email", "record_number", "national_id", "address",
)  # fmt: skip
# Attributes that name the patient by themselves; dates, devices and UIDs of the profile are in any research file.
PATIENT_TAGS = (
    "PatientName", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers", "OtherPatientNames",
    "OtherPatientIDs", "OtherPatientIDsSequence", "PatientBirthName", "PatientMotherBirthName",
    "ResponsiblePerson",
)  # fmt: skip


# Reasons of the gate, in the order of its rules.
REASONS = (
    "QUARANTINED_TEXT", "QUARANTINED_BURNED_IN", "QUARANTINED_DICOM_TAG", "IMAGE_ABSENT", "TOO_SMALL", "BLANK",
    "LOW_ENTROPY", "BLURRED", "MOSTLY_BORDER", "CAPTION_TOO_SHORT", "CAPTION_TOO_LONG", "LANGUAGE", "REPETITIVE",
    "MARKUP", "ASSISTANT_PHRASE", "REFUSAL", "NOT_FINDINGS_ONLY", "IMAGE_MENTIONED_NOT_GIVEN",
)  # fmt: skip


def _known(reasons: Literal["all"] | tuple[str, ...]) -> Literal["all"] | tuple[str, ...]:
    if reasons != "all" and (unknown := [reason for reason in reasons if reason not in REASONS]):
        raise ValueError(f"no reason is called {unknown[0]}; reasons: {', '.join(REASONS)}")
    return reasons


class TokenRange(Strict):
    """Allowed numbers of tokens, both ends included."""

    min: int = Field(ge=0)
    max: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> TokenRange:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


SampleId = Annotated[str, Field(pattern=r"^[a-z0-9_]+:[0-9a-f]{20}$")]


class QuarantineParams(Strict):
    """What puts a sample aside, unread by later steps, until a person has looked at it.

    Attributes:
        text: kinds of identifiers that a text must not hold.
        burned_in: lines of text read in a picture that may identify; more than that are too many. Where no engine reads
            (`signals.burned_in`), only a file's own statement that text is burned in counts.
        dicom_tags: keywords of DICOM attributes that a picture's file must not have had, where `normalize` noted them.
        released: ids (`source:` and 20 hex digits) of samples that a person looked at and found to name nobody.
    """

    text: tuple[IdentifierKind, ...] = IDENTIFIER_KINDS
    burned_in: int = Field(default=0, ge=0)
    dicom_tags: tuple[str, ...] = PATIENT_TAGS
    released: tuple[SampleId, ...] = ()


class DriftParams(Strict):
    """How far a source may lie from the last accepted run.

    Attributes:
        accepted: file that `lingshu accept` writes and Git keeps, from the repository's root; "" compares nothing.
        max_psi: population stability index of a column (Siddiqi 2006: below 0.1 no change, above 0.25 a large one).
        stop: whether more than that stops the gate, instead of a warning.
    """

    accepted: str = ""
    max_psi: float = Field(default=0.25, gt=0)
    stop: bool = False


class QualityParams(Strict):
    """Thresholds of the gate.

    Attributes:
        report_only: reasons that are noted in a kept sample's verdict but drop nothing, or "all".
        min_side: pixels; pictures with a shorter side below it are dropped (paper, section 2.1.4: 64).
        max_blank_share: largest share of a picture's pixels at its commonest grey level.
        min_entropy: bits of the grey histogram, 0..8.
        min_sharpness: variance of the Laplacian, grey levels squared; 0 asks for none.
        max_border_share: largest share of a picture's area in uniform margins.
        caption_tokens: allowed length of captions (paper, section 2.1.4: 10 to 1,024).
        max_repetition: largest share of a reply's three-word runs that occurred before in it.
        max_markup: HTML elements, entities and picture markers a sample may hold.
        max_assistant_phrases: phrases of `signals.assistant_phrases` a sample may hold.
        max_refusal_phrases: phrases of `signals.refusal_phrases` a reply may hold.
        languages: allowed ones of en, zh, other and none (no letters at all).
        findings_only: sources whose captions and reports must hold no section but the findings (the paper's rule for
            MIMIC-CXR).
        quarantine: what puts a sample aside.
        min_kept_share: share of each source that must pass; less stops the stage (a threshold or source is wrong).
        drift: how far a source may lie from the last accepted run.
    """

    report_only: Annotated[Literal["all"] | tuple[str, ...], AfterValidator(_known)] = ()
    min_side: int = Field(default=64, ge=1)
    max_blank_share: float = Field(default=0.98, gt=0, le=1)
    min_entropy: float = Field(default=0.5, ge=0, le=8)
    min_sharpness: float = Field(default=0.0, ge=0)
    max_border_share: float = Field(default=1.0, ge=0, le=1)
    caption_tokens: TokenRange = TokenRange(min=10, max=1024)
    max_repetition: float = Field(default=0.5, ge=0, le=1)
    max_markup: int = Field(default=0, ge=0)
    max_assistant_phrases: int = Field(default=0, ge=0)
    max_refusal_phrases: int = Field(default=0, ge=0)
    languages: tuple[Literal["en", "zh", "other", "none"], ...] = ("en", "zh", "none")
    findings_only: tuple[str, ...] = ("mimic_cxr_findings",)
    quarantine: QuarantineParams = QuarantineParams()
    min_kept_share: float = Field(default=0.0, ge=0, le=1)
    drift: DriftParams = DriftParams()
