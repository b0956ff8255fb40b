"""The `decontam` section of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict

Method = Literal["group", "pixels", "phash", "perceptual", "turned", "crop", "exact", "ngram"]
ANY = "any"


class KeptOnPurpose(Strict):
    """Overlaps that training keeps; the benchmark items they touch are flagged, and scores are given without them too.

    Attributes:
        source: whose samples are kept.
        benchmark: that they overlap; `any` for every one.
        method: by which they overlap; `any` for every one.
        why: the reason, for whoever reads the scores.
    """

    source: str
    benchmark: str
    method: Method | Literal["any"]
    why: str = Field(min_length=1)


class PublicItems(Strict):
    """Public benchmarks of `catalog/public_benchmarks.yaml` that training is checked against.

    Attributes:
        names: of their records; `[all]` for every one.
        files: folder with a folder NAME of each one's files; one without is pulled by its record's places.
        may_be_absent: records whose files may be out of reach here: metrics name them, and training is not checked.
        accept_rows: records whose number of rows may be another than they say: a slice, or a newer release.
    """

    names: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    files: str = "data/raw/public_benchmarks"
    may_be_absent: list[str] = []  # noqa: RUF012
    accept_rows: list[str] = []  # noqa: RUF012


class DecontamParams(Strict):
    """What counts as a benchmark item seen in training. The paper (section 2.1.4) gives neither method nor threshold.

    Attributes:
        picture_radius: largest Hamming distance (of 64 bits) between perceptual hashes of overlapping pictures.
        ngram_words: words in a run; benchmark texts with fewer words overlap only when equal.
        coverage: least share of a benchmark text's runs that a training text must hold.
        question_words: a benchmark's question of so many words is looked for without its answer, two Han characters
            counted as a word; with fewer words than a run, all of it must be asked.
        picture_question_words: the same of questions about pictures, of which most are asked of any picture; and of
            reports, in samples without pictures.
        crops: look for crops of benchmark pictures too, and for copies that are turned, mirrored, in negative or shown
            through another window: it decodes every training picture once more.
        workers: who does that; overlaps do not depend on it.
        public: public benchmarks to check against, beside those that the project builds.
        kept_on_purpose: overlaps that training keeps.
        report_only: whether all overlaps are kept so, and told of in the verdicts and metrics.
    """

    picture_radius: int = Field(ge=0, le=16)
    ngram_words: int = Field(ge=2, le=64)
    coverage: float = Field(gt=0, le=1)
    question_words: int = Field(default=8, ge=2, le=64)
    picture_question_words: int = Field(default=30, ge=13, le=1000)
    crops: bool = False
    workers: Workers = Workers()
    public: PublicItems = PublicItems()
    kept_on_purpose: list[KeptOnPurpose] = []  # noqa: RUF012
    report_only: bool = False
