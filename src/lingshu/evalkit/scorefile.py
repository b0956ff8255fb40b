"""Scoring a file of responses: line by line, nothing skipped, and no output unless every line could be read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.evalkit.breakdown import Breakdown
from lingshu.evalkit.items import Item, encoded, numbered_items, numbered_lines
from lingshu.evalkit.llm_judge.rulings import Judged
from lingshu.evalkit.params import Rules
from lingshu.evalkit.rules import GOLD_ERROR
from lingshu.evalkit.scored import RUBRIC_ERROR, Scored, rubric_error, score_item

SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """How responses are scored; `seed` is of random fall-backs, which only the official rules have."""

    rules: Rules = "strict"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Judgements:
    """What judges said, and what kept them from being asked, by item id."""

    judged: Mapping[str, Judged] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def checked_items(path: Path) -> list[Item]:
    """Return all items of a file, before a judge is paid for any of them.

    Raises:
        UserError: some lines are no responses; the first of them are named.
    """
    return [item for _, item in _items(path, f"read {path.name}")]


def score_file(path: Path, settings: Settings, out: BinaryIO, judgements: Judgements | None = None) -> Breakdown:
    """Write a scored line for each response of `path`, in its order, and return what they come to.

    Raises:
        UserError: some lines are no responses; the first of them are named with file and line, and what is wrong.
            What was written to `out` is then not complete.
    """
    breakdown = Breakdown()
    for number, scored in _scored(path, settings, judgements or Judgements()):
        out.write(encoded(scored.line(settings.rules)))
        breakdown.add(scored)
        if scored.score.rule in (GOLD_ERROR, RUBRIC_ERROR):
            problem = f"{path}:{number}: id {scored.id!r}: {scored.reason}"
            breakdown.problems.append(problem)
            if len(breakdown.problems) <= SHOWN_PROBLEMS:
                print(f"warning: {problem}; unscored", file=sys.stderr)
    if (hidden := len(breakdown.problems) - SHOWN_PROBLEMS) > 0:
        print(f"warning: {hidden} more items have no usable gold answer or rubric", file=sys.stderr)
    return breakdown


def _items(path: Path, label: str) -> Iterator[tuple[int, Item]]:
    problems: list[UserError] = []
    total = sum(1 for _ in numbered_lines(path))
    for number, found in track(numbered_items(path), label, total):
        if isinstance(found, UserError):
            problems.append(found)
        else:
            yield number, found
    if problems:
        shown = "\n  ".join(problem.what for problem in problems[:SHOWN_PROBLEMS])
        more = f"\n  … and {len(problems) - SHOWN_PROBLEMS} more lines" if len(problems) > SHOWN_PROBLEMS else ""
        raise UserError(f"{len(problems)} of {total} lines can't be scored:\n  {shown}{more}", problems[0].fix)
    if not total:
        raise UserError(f"{path}: no responses", "give a file with a JSON object on each line")


def _scored(path: Path, settings: Settings, judgements: Judgements) -> Iterator[tuple[int, Scored]]:
    for number, item in _items(path, f"score {path.name}"):
        if (problem := judgements.problems.get(item.id)) is not None:
            yield number, rubric_error(item, problem)
        else:
            yield number, _verdict(path, number, item, settings, judgements.judged.get(item.id))


def _verdict(path: Path, number: int, item: Item, settings: Settings, judged: Judged | None) -> Scored:
    try:
        return score_item(item, settings.rules, settings.seed, judged)
    except UserError as error:
        raise UserError(f"{path}:{number}: {error.what}", error.fix) from None
