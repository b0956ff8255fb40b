"""What a response to a multiple-choice question was understood to give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parsed:
    """Letters in order of the alphabet (empty: no answer), and the rule that decided."""

    letters: tuple[str, ...]
    rule: str


NOTHING = Parsed((), "nothing")


def parsed(letters: set[str], rule: str) -> Parsed:
    """Return `letters` as what was understood by `rule`."""
    return Parsed(tuple(sorted(letters)), rule)
