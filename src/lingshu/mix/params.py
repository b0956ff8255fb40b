"""Knobs of `mix`: for each training stage, named groups of samples and how many of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lingshu.core.errors import UserError
from lingshu.core.params import Strict
from lingshu.core.sample import Task


class GroupParams(Strict):
    """One group: `samples` rows of these sources, tasks and topics (null: all topics); 0 leaves the group out."""

    samples: int = Field(ge=0)
    sources: list[str] = Field(min_length=1)
    tasks: list[Task] = Field(min_length=1)
    topics: list[str] | None = Field(default=None, min_length=1)
    max_repeats: int = Field(default=1, ge=1, description="how often a sample may appear when too few exist")


Groups = Annotated[dict[str, GroupParams], Field(min_length=1)]


class MixParams(Strict):
    """Section `mix`. Groups of one stage must not share samples."""

    seed: int = Field(ge=0)
    shallow: Groups
    deep: Groups
    instruct: Groups
    reinforce: Groups

    def groups(self, stage: str) -> dict[str, GroupParams]:
        """Return the groups of a training stage.

        Raises:
            UserError: there is no such stage.
        """
        stages = {"shallow": self.shallow, "deep": self.deep, "instruct": self.instruct, "reinforce": self.reinforce}
        if stage not in stages:
            raise UserError(f"stage {stage!r}: no such mixture", f"use one of {', '.join(stages)}")
        return stages[stage]
