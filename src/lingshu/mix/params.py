"""Knobs of `mix`: for each training stage, named groups of samples and how many of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from lingshu.core.errors import UserError
from lingshu.core.params import Strict, validate
from lingshu.core.sample import Task

STAGES = ("shallow", "deep", "instruct", "reinforce")
T = TypeVar("T", bound=str)
MOST_ROWS = 10**9  # of a mixture, two hundred times the paper's; a float still counts them one by one
LEAST_PART = 1e-9  # a smaller share or weight would come to no row


def _comes_to_rows(part: float) -> float:
    if 0 < part < LEAST_PART:
        raise ValueError(f"is 0, or {LEAST_PART:g} at least")
    return part


def _once_each(names: list[T]) -> list[T]:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} named twice")
    return names


Names = Annotated[list[T], Field(min_length=1), AfterValidator(_once_each)]


class Amount(Strict):
    """How many rows, in one of three ways.

    Attributes:
        samples: so many.
        share: of the rows that no `samples` fix, from 0 to 1.
        weight: relative to the other weights, of what shares leave.
    """

    samples: int | None = Field(default=None, ge=0, le=MOST_ROWS)
    share: Annotated[float, Field(ge=0, le=1), AfterValidator(_comes_to_rows)] | None = None
    weight: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False), AfterValidator(_comes_to_rows)] | None = None

    @property
    def wanted(self) -> bool:
        """Whether it may come to any rows at all."""
        return bool(self.samples or self.share or self.weight)

    @property
    def way(self) -> str:
        """Name of the one that is given."""
        return "samples" if self.samples is not None else "share" if self.share is not None else "weight"

    def _given(self) -> int:
        return sum(value is not None for value in (self.samples, self.share, self.weight))


class SourceAmount(Amount):
    """How much of a group one of its sources is."""

    @model_validator(mode="after")
    def _one_way(self) -> SourceAmount:
        if self._given() != 1:
            raise ValueError("give one of samples, share and weight")
        return self


class BalanceParams(Strict):
    """Balancing of a group: the rows of a stratum grow with its size to the power of 1 / temperature.

    A temperature of 1 keeps the proportions of what is available; the higher it is, the more even the strata become
    (Arivazhagan et al. 2019, section 4.1). A stratum gives each sample at most `max_repeats` times; what it cannot give
    the others do.

    Attributes:
        over: what makes a stratum. `modality` is the sample's own, or what `classify_modality` found for its pictures.
    """

    over: Names[Literal["modality", "task", "topic", "source"]]
    temperature: float = Field(ge=1, allow_inf_nan=False)


class GroupParams(Amount):
    """One group: rows of these sources, tasks and topics (null: all topics); 0 leaves the group out.

    Attributes:
        sources: names; without `amounts` they are drawn from together, in the proportions of what is available.
        amounts: how much of the group each of its sources is.
        max_repeats: how often a sample may appear when too few exist.
        balance: over strata; null takes samples as they come.
        opt_in: whether the group is left out until each of its sources is in use; else such a source is an error.
    """

    sources: Names[str]
    amounts: dict[str, SourceAmount] | None = None
    tasks: Names[Task]
    topics: Names[str] | None = None
    max_repeats: int = Field(default=1, ge=1)
    balance: BalanceParams | None = None
    opt_in: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> GroupParams:
        if self.amounts is not None and sorted(self.amounts) != sorted(self.sources):
            raise ValueError("amounts must name exactly the sources")
        if self._given() > 1 or (not self._given() and not self._sums_up()):
            raise ValueError("give one of samples, share and weight (or amounts with samples for every source)")
        return self

    def _sums_up(self) -> bool:
        return self.amounts is not None and all(one.samples is not None for one in self.amounts.values())

    def amount(self) -> Amount:
        """Return the group's own amount, or the sum of its sources'."""
        if self._given() == 0 and self.amounts is not None:
            return Amount(samples=sum(one.samples or 0 for one in self.amounts.values()))
        return Amount(samples=self.samples, share=self.share, weight=self.weight)


class StageMix(Strict):
    """The mixture of a training stage: its groups by name, and `total` rows where any has a share or weight."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, GroupParams] = Field(init=False)

    total: int | None = Field(default=None, ge=1, le=MOST_ROWS)

    @property
    def groups(self) -> dict[str, GroupParams]:
        """The groups by name, sorted."""
        return dict(sorted(self.__pydantic_extra__.items()))

    def left_out(self, sources: Collection[str]) -> dict[str, list[str]]:
        """Return the opt-in groups that are left out, each with its sources that are not among those in use."""
        absent = {n: sorted(set(g.sources) - set(sources)) for n, g in self.groups.items() if g.opt_in}
        return {name: names for name, names in absent.items() if names}

    def switched(self, sources: Collection[str]) -> StageMix:
        """Return the mixture without the groups that are left out.

        Raises:
            UserError: there are no others.
        """
        absent = self.left_out(sources)
        kept = {name: group for name, group in self.groups.items() if name not in absent}
        return validate(StageMix, {"total": self.total, **kept}, "params.yaml: mix")

    @model_validator(mode="after")
    def _some_group(self) -> StageMix:
        if not self.__pydantic_extra__:
            raise ValueError("a mixture needs at least one group")
        return self


class MixParams(Strict):
    """Section `mix`. Groups of one stage must not share samples."""

    seed: int = Field(ge=0)
    shallow: StageMix
    deep: StageMix
    instruct: StageMix
    reinforce: StageMix

    def stage(self, name: str) -> StageMix:
        """Return the mixture of a training stage.

        Raises:
            UserError: there is no such stage.
        """
        stages = {"shallow": self.shallow, "deep": self.deep, "instruct": self.instruct, "reinforce": self.reinforce}
        if name not in stages:
            raise UserError(f"stage {name!r}: no such mixture", f"use one of {', '.join(stages)}")
        return stages[name]
