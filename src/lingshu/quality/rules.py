"""Row-wise thresholds, in a stated order: the first rule that a sample breaks is its reason, the rest its detail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from lingshu.core.verdicts import KEPT
from lingshu.quality.params import QualityParams

CAPTION_TASK = "caption"


@dataclass(frozen=True, slots=True)
class Rule:
    """Drop with `reason` where `column` is below (`<`) or above (`>`) `limit`, among the rows that `among` selects."""

    reason: str
    column: str
    comparison: Literal["<", ">"]
    limit: float
    among: pl.Expr = pl.lit(True)  # noqa: RUF009 (an expression is immutable)

    def broken(self) -> pl.Expr:
        """Return whether a row breaks the rule; a row without the value (no picture) does not."""
        value = pl.col(self.column)
        beyond = value < self.limit if self.comparison == "<" else value > self.limit
        return (self.among & beyond).fill_null(False)

    def finding(self) -> pl.Expr:
        """Return `reason (column value < limit)` where the rule is broken, else null."""
        text = pl.format(
            f"{self.reason} ({self.column} {{}} {self.comparison} {self.limit:g})", pl.col(self.column).round(4)
        )
        return pl.when(self.broken()).then(text)


def rules(params: QualityParams) -> list[Rule]:
    """Return the rules in the order in which they give a sample its reason: pictures first, then text."""
    captions = pl.col("task") == CAPTION_TASK
    return [
        Rule("IMAGE_ABSENT", "absent_images", ">", 0),
        Rule("TOO_SMALL", "min_side", "<", params.min_side),
        Rule("BLANK", "blank_share", ">", params.max_blank_share),
        Rule("LOW_ENTROPY", "entropy", "<", params.min_entropy),
        Rule("CAPTION_TOO_SHORT", "target_tokens", "<", params.caption_tokens.min, captions),
        Rule("CAPTION_TOO_LONG", "target_tokens", ">", params.caption_tokens.max, captions),
        Rule("REPETITIVE", "repetition", ">", params.max_repetition),
        Rule("MARKUP", "markup", ">", params.max_markup),
        Rule("ASSISTANT_PHRASE", "assistant_phrases", ">", params.max_assistant_phrases),
        Rule("IMAGE_MENTIONED_NOT_GIVEN", "picture_phrases", ">", 0, pl.col("images") == 0),
    ]


def sample_signals(texts: pl.DataFrame, image_ids: pl.DataFrame, pictures: pl.DataFrame) -> pl.DataFrame:
    """Return the text signals with those of the worst picture of each sample beside them.

    Args:
        texts: text signals, one row a sample.
        image_ids: columns sample_id and image_ids (list).
        pictures: picture signals, image_id unique.

    Returns:
        `texts` plus min_side, entropy (least), blank_share (greatest) and absent_images (pictures named but not
        measured); all null or 0 for a sample without pictures. Row order is that of `texts`.
    """
    named = image_ids.explode("image_ids", empty_as_null=False).rename({"image_ids": "image_id"})
    shown = named.join(pictures, on="image_id", how="left")
    worst = shown.group_by("sample_id").agg(
        pl.col("min_side").min(),
        pl.col("blank_share").max(),
        pl.col("entropy").min(),
        pl.col("min_side").is_null().sum().alias("absent_images"),
    )
    joined = texts.join(worst, on="sample_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("absent_images").fill_null(0))


def decide(signals: pl.DataFrame, applied: list[Rule]) -> pl.DataFrame:
    """Return the columns of a verdict (without step) for each row of `sample_signals`, in its order.

    `score` is the value that broke the first broken rule; `detail` names every broken rule with value and limit.
    """
    reason = pl.coalesce(*(pl.when(rule.broken()).then(pl.lit(rule.reason)) for rule in applied), pl.lit(KEPT))
    score = pl.coalesce(*(pl.when(rule.broken()).then(pl.col(rule.column).cast(pl.Float64)) for rule in applied))
    findings = pl.concat_list(rule.finding() for rule in applied).list.drop_nulls().list.join("; ")
    return signals.select(
        "sample_id",
        "source",
        (reason == KEPT).alias("keep"),
        reason.alias("reason"),
        score.alias("score"),
        findings.alias("detail"),
    )


def judge(samples: pl.DataFrame, texts: pl.DataFrame, pictures: pl.DataFrame, params: QualityParams) -> pl.DataFrame:
    """Return the decision on every row of `core.tables.sample_table`, in the order of `texts`.

    Args:
        samples: the rows to judge.
        texts: text signals, of these samples and possibly others.
        pictures: picture signals; a picture that two sources hold may occur twice.
        params: the thresholds.
    """
    measured = texts.join(samples, on="sample_id", how="semi", maintain_order="left")
    distinct = pictures.unique("image_id", keep="first", maintain_order=True).drop("source")
    return decide(sample_signals(measured, samples.select("sample_id", "image_ids"), distinct), rules(params))
