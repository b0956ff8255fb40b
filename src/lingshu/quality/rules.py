"""Row-wise thresholds, in a stated order: the first rule that a sample breaks is its reason, the rest its detail.

Quarantine comes first, so that a sample which may name a person is never shown under another reason. No finding holds
any of a sample's text: only columns, numbers and limits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import polars as pl

from lingshu.core.verdicts import KEPT, NOTED, QUARANTINED, QUARANTINED_TEXT
from lingshu.quality.params import IDENTIFIER_KINDS, QualityParams, QuarantineParams

CAPTION_TASK = "caption"
REPORT_TASK = "report"
ANYWHERE = pl.lit(True)
JUDGED_TEXTS = (
    "sample_id", "source", "task", "images", "target_tokens", "language", "repetition", "markup", "assistant_phrases",
    "refusal_phrases", "picture_phrases", "other_sections", *(f"identifier_{kind}" for kind in IDENTIFIER_KINDS),
)  # fmt: skip
JUDGED_PICTURES = (
    "image_id", "min_side", "blank_share", "entropy", "sharpness", "border_share", "burned_in_identifiers",
    "burned_in_claimed", "identifying_tags",
)  # fmt: skip
IDENTITY_REMOVED = "PatientIdentityRemoved"  # among the tags of a file whose values are replacements


class Rule(Protocol):
    """What a sample must not be."""

    @property
    def reason(self) -> str:
        """UPPER_CASE word."""

    def broken(self) -> pl.Expr:
        """Return whether a row breaks the rule, never null."""

    def score(self) -> pl.Expr:
        """Return the number that broke it, or null where none did."""

    def finding(self) -> pl.Expr:
        """Return the evidence in words, of a row that breaks the rule."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Drop with `reason` where `column` is below (`<`) or above (`>`) `limit`, among the rows that `among` selects."""

    reason: str
    column: str
    comparison: Literal["<", ">"]
    limit: float
    among: pl.Expr = ANYWHERE

    def broken(self) -> pl.Expr:
        """Return whether a row breaks the rule; a row without the value (no picture) does not."""
        value = pl.col(self.column)
        beyond = value < self.limit if self.comparison == "<" else value > self.limit
        return (self.among & beyond).fill_null(False)

    def score(self) -> pl.Expr:
        """Return the value."""
        return pl.col(self.column).cast(pl.Float64)

    def finding(self) -> pl.Expr:
        """Return `reason (column value < limit)`."""
        text = f"{self.reason} ({self.column} {{}} {self.comparison} {self.limit:g})"
        return pl.format(text, pl.col(self.column).round(4))


@dataclass(frozen=True, slots=True)
class Allowed:
    """Drop with `reason` where the word in `column` is none of `values`."""

    reason: str
    column: str
    values: tuple[str, ...]

    def broken(self) -> pl.Expr:
        """Return whether a row breaks the rule."""
        return (~pl.col(self.column).is_in(list(self.values))).fill_null(False)

    def score(self) -> pl.Expr:
        """Return null: a word is no number."""
        return pl.lit(None, dtype=pl.Float64)

    def finding(self) -> pl.Expr:
        """Return `reason (column word not in values)`."""
        return pl.format(f"{self.reason} ({self.column} {{}} not in {', '.join(self.values)})", pl.col(self.column))


def rules(params: QualityParams) -> list[Rule]:
    """Return the rules in the order in which they give a sample its reason: quarantine, pictures, text."""
    captions = pl.col("task") == CAPTION_TASK
    findings = pl.col("task").is_in([CAPTION_TASK, REPORT_TASK]) & pl.col("source").is_in(list(params.findings_only))
    return [
        *_quarantine(params.quarantine),
        Limit("IMAGE_ABSENT", "absent_images", ">", 0),
        Limit("TOO_SMALL", "min_side", "<", params.min_side),
        Limit("BLANK", "blank_share", ">", params.max_blank_share),
        Limit("LOW_ENTROPY", "entropy", "<", params.min_entropy),
        Limit("BLURRED", "sharpness", "<", params.min_sharpness),
        Limit("MOSTLY_BORDER", "border_share", ">", params.max_border_share),
        Limit("CAPTION_TOO_SHORT", "target_tokens", "<", params.caption_tokens.min, captions),
        Limit("CAPTION_TOO_LONG", "target_tokens", ">", params.caption_tokens.max, captions),
        Allowed("LANGUAGE", "language", params.languages),
        Limit("REPETITIVE", "repetition", ">", params.max_repetition),
        Limit("MARKUP", "markup", ">", params.max_markup),
        Limit("ASSISTANT_PHRASE", "assistant_phrases", ">", params.max_assistant_phrases),
        Limit("REFUSAL", "refusal_phrases", ">", params.max_refusal_phrases),
        Limit("NOT_FINDINGS_ONLY", "other_sections", ">", 0, findings),
        Limit("IMAGE_MENTIONED_NOT_GIVEN", "picture_phrases", ">", 0, pl.col("images") == 0),
    ]


def _quarantine(params: QuarantineParams) -> list[Rule]:
    held = ~pl.col("sample_id").is_in(list(params.released))
    in_text = [Limit(QUARANTINED_TEXT, f"identifier_{kind}", ">", 0, held) for kind in params.text]
    return [
        *in_text,
        Limit(f"{QUARANTINED}_BURNED_IN", "burned_in_identifiers", ">", params.burned_in, held),
        Limit(f"{QUARANTINED}_BURNED_IN", "burned_in_claimed", ">", 0, held),
        Limit(f"{QUARANTINED}_DICOM_TAG", "patient_tags", ">", 0, held),
    ]


def sample_signals(
    texts: pl.DataFrame, image_ids: pl.DataFrame, pictures: pl.DataFrame, patient_tags: Collection[str] = ()
) -> pl.DataFrame:
    """Return the text signals with those of the worst picture of each sample beside them.

    Args:
        texts: text signals, one row a sample.
        image_ids: columns sample_id and image_ids (list).
        pictures: picture signals, image_id unique.
        patient_tags: keywords of DICOM attributes that count.

    Returns:
        `texts` plus min_side, entropy, sharpness (least), blank_share, border_share, burned_in_identifiers,
        burned_in_claimed (1 where a file says so), patient_tags (how many of those asked for; greatest) and
        absent_images (pictures named but not measured); all null or 0 for a sample without pictures. Row order is that
        of `texts`.
    """
    named = image_ids.explode("image_ids", empty_as_null=False).rename({"image_ids": "image_id"})
    shown = named.join(pictures, on="image_id", how="left")
    worst = shown.group_by("sample_id").agg(
        pl.col("min_side").min(),
        pl.col("blank_share").max(),
        pl.col("entropy").min(),
        pl.col("sharpness").min(),
        pl.col("border_share").max(),
        pl.col("burned_in_identifiers").max(),
        pl.col("burned_in_claimed").cast(pl.UInt8).max(),
        _patient_tags(patient_tags).max().alias("patient_tags"),
        pl.col("min_side").is_null().sum().alias("absent_images"),
    )
    joined = texts.join(worst, on="sample_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("absent_images").fill_null(0))


def _patient_tags(asked: Collection[str]) -> pl.Expr:
    """Return how many of the attributes asked for a picture's files have; 0 where they declare identity removed."""
    tags = pl.col("identifying_tags")
    hits = tags.list.eval(pl.element().is_in(list(asked))).list.sum()
    return pl.when(tags.list.contains(IDENTITY_REMOVED)).then(0).otherwise(hits)


def decide(signals: pl.DataFrame, applied: Sequence[Rule], report_only: Collection[str] | str = ()) -> pl.DataFrame:
    """Return the columns of a verdict (without step) for each row of `sample_signals`, in its order.

    `score` is the value that broke the first broken rule; `detail` names every broken rule with value and limit.

    Args:
        signals: what was measured.
        applied: the rules, in order.
        report_only: reasons of rules that drop nothing ("all": every rule's); their findings are marked.
    """
    noted = {rule.reason for rule in applied if report_only == "all" or rule.reason in report_only}
    enforced = [rule for rule in applied if rule.reason not in noted]
    reason = pl.coalesce(*(pl.when(rule.broken()).then(pl.lit(rule.reason)) for rule in enforced), pl.lit(KEPT))
    score = pl.coalesce(*(pl.when(rule.broken()).then(rule.score()) for rule in enforced), pl.lit(None, pl.Float64))
    findings = pl.concat_list(pl.when(rule.broken()).then(_said(rule, noted)) for rule in applied)
    return signals.select(
        "sample_id",
        "source",
        (reason == KEPT).alias("keep"),
        reason.alias("reason"),
        score.alias("score"),
        findings.list.drop_nulls().list.join("; ").alias("detail"),
    )


def _said(rule: Rule, noted: Collection[str]) -> pl.Expr:
    return pl.format("{}" + NOTED, rule.finding()) if rule.reason in noted else rule.finding()


def judge(samples: pl.DataFrame, texts: pl.DataFrame, pictures: pl.DataFrame, params: QualityParams) -> pl.DataFrame:
    """Return the decision on every row of `core.tables.sample_table`, in the order of `texts`.

    Args:
        samples: the rows to judge: sample_id and image_ids.
        texts: text signals (`JUDGED_TEXTS`), of these samples and possibly others.
        pictures: picture signals (`JUDGED_PICTURES`); a picture may occur twice.
        params: the thresholds.
    """
    measured = texts.join(samples, on="sample_id", how="semi", maintain_order="left")
    distinct = pictures.unique("image_id", keep="first", maintain_order=True)
    signals = sample_signals(measured, samples.select("sample_id", "image_ids"), distinct, params.quarantine.dicom_tags)
    return decide(signals, rules(params), params.report_only)
