"""What a class of licence asks of whoever trains on a source, and which classes can't go together.

A class sums up what the licence's own text says; the text rules. Nothing here is legal advice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG
from lingshu.core.params import read_yaml

DUTIES = {
    "permissive": "name the source and keep its licence notice",
    "share-alike": "name the source; what is made from it is handed on only under the same licence",
    "non-commercial": "name the source; neither it nor what is made from it is used commercially",
    "no-derivatives": "name the source; only unchanged copies of it are handed on, and no text or picture made from it",
    "restricted": "only those who signed its agreement have it; it goes to no one else, nor to a service of others",
    "unstated": "no licence is stated: nothing of it is handed on without asking its authors",
}
CHANGED = "a mixture selects, rewords and joins rows, so it is a changed version, which may not be handed on"
ALONE = {  # classes that forbid to hand a mixture on, whatever else is in it
    "no-derivatives": CHANGED,
    "restricted": "those who would get the mixture have not signed the agreement",
    "unstated": "no right to hand it on is known",
}
TOGETHER = {  # pairs that forbid it together
    (
        "share-alike",
        "non-commercial",
    ): "one asks for its own licence on the whole, which allows commerce; the other forbids it",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a mix may not be handed on: the sources in question, by name, and the reason."""

    sources: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A source's licence by name, and its class."""

    licence: str
    kind: str


def read_terms(sources: Sequence[str], root: Path = Path()) -> dict[str, Terms]:
    """Return the terms of each source, as its record in the catalogue under `root` states them.

    Raises:
        UserError: a source has no record.
    """
    records = {name: read_yaml(root / CATALOG / f"sources/{name}.yaml") for name in sources}
    return {name: Terms(str(found["licence"]), str(found["licence_class"])) for name, found in records.items()}


def refusals(
    terms: Mapping[str, Terms], allowed: Collection[str], *, shared: bool, opted_in: Collection[str] = ()
) -> Iterator[UserError]:
    """Yield an error for each source and combination that a recipe may not mix; `check`, `plan` and `mix` ask it.

    Args:
        terms: of the recipe's sources, by name.
        allowed: classes that the recipe takes, `sources.allowed_licences`.
        shared: whether mixtures or models are handed on, `sources.shared`.
        opted_in: sources that `sources.opt_in` takes by name, whatever their class.
    """
    for name, own in terms.items():
        if own.kind not in allowed and name not in opted_in:
            yield UserError(
                f"{name}: its licence is {own.kind} ({own.licence}), and the recipe takes only "
                f"{', '.join(sorted(allowed)) or 'none'}",
                f"add {own.kind} to sources.allowed_licences if its terms suit you, or name {name} alone in "
                "sources.opt_in; else take it out of sources",
            )
    for conflict in conflicts({name: own.kind for name, own in terms.items()}) if shared else ():
        yield UserError(
            f"params.yaml: sources.shared: a mix with {', '.join(conflict.sources)} may not be handed on: "
            f"{conflict.reason}",
            "take them out of sources, or set sources.shared to false and keep mixtures and models to yourself",
        )


def check_terms(
    terms: Mapping[str, Terms], allowed: Collection[str], *, shared: bool, opted_in: Collection[str] = ()
) -> None:
    """Raise the first of `refusals`; arguments as there."""
    for refusal in refusals(terms, allowed, shared=shared, opted_in=opted_in):
        raise refusal


def duties(classes: Mapping[str, str]) -> list[tuple[str, str, list[str]]]:
    """Return (class, duty, sources) for each class of licence in use, in the order of `DUTIES`.

    Args:
        classes: licence class by source.
    """
    return [(kind, duty, _of(classes, kind)) for kind, duty in DUTIES.items() if kind in classes.values()]


def conflicts(classes: Mapping[str, str]) -> list[Conflict]:
    """Return every reason why a mix of these sources may not be handed on; none where it may.

    Args:
        classes: licence class by source.
    """
    found = [Conflict(tuple(_of(classes, kind)), why) for kind, why in ALONE.items() if kind in classes.values()]
    for pair, why in TOGETHER.items():
        if set(pair) <= set(classes.values()):
            found.append(Conflict(tuple(name for kind in pair for name in _of(classes, kind)), why))
    return found


def _of(classes: Mapping[str, str], kind: str) -> list[str]:
    return sorted(name for name, own in classes.items() if own == kind)
