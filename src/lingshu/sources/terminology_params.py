"""Knobs of the `terminology` source: how many questions of each kind are written from ICD-10-CM and HPO."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class TerminologyParams(Strict):
    """Section `sources.terminology`. Shares are of whole groups (code categories, term branches)."""

    seed: int
    held_out_share: float = Field(gt=0, lt=1)
    icd_codes_per_chapter: int = Field(ge=1)
    icd_kinship_pairs: int = Field(ge=1)
    hpo_terms_per_system: int = Field(ge=1)
    hpo_kinship_pairs: int = Field(ge=1)
