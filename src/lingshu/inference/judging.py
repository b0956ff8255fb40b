"""Open answers and rubrics to judges, and their votes back to the items: for the command line and the DVC stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.evalkit.items import RUBRIC, Item
from lingshu.evalkit.llm_judge import prompts
from lingshu.evalkit.llm_judge.replies import UNSURE, outside_think
from lingshu.evalkit.llm_judge.rubrics import Criterion, conversation_of, criteria_of
from lingshu.evalkit.llm_judge.rulings import (
    NOTHING_TO_JUDGE,
    Grades,
    Judged,
    Ruling,
    Vote,
    decide,
    failed_vote,
    vote,
)
from lingshu.evalkit.parsing.extraction import answer_text
from lingshu.evalkit.scorefile import Judgements
from lingshu.inference.engine import Outcome, Response
from lingshu.inference.judge_model import Matter, Replies, ask_judge
from lingshu.inference.judges import Judge

SHOWN = 200  # characters of what a judge said


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: judgements for the scorer, an entry a judge for the summary, and failures beyond measure."""

    judgements: Judgements
    records: list[dict[str, Any]]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class _Case:
    """One matter and the item that its vote belongs to."""

    item: str
    matter: Matter


@dataclass(slots=True)
class _Docket:
    """What a file gives judges to do, and what of it needs none: answers without content, broken rubrics."""

    cases: list[_Case] = field(default_factory=list)
    rubrics: dict[str, tuple[Criterion, ...]] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def judge_items(
    files: Mapping[str, Sequence[Item]], judges: Sequence[Judge], store: Path, most: float
) -> dict[str, Asked]:
    """Ask each judge about the open answers and rubrics among the items of each file, by the file's name ("" for one).

    One judge after the other goes through all files, so that no two models are loaded at a time, and none twice.

    Raises:
        UserError: a judge can't be reached, or fails again and again; its replies so far are in the store.
    """
    dockets = {name: _docket(items) for name, items in files.items()}
    votes: dict[str, list[list[Vote]]] = {name: [[] for _ in docket.cases] for name, docket in dockets.items()}
    records: dict[str, list[dict[str, Any]]] = {name: [] for name in files}
    groups = {name: [case.matter for case in docket.cases] for name, docket in dockets.items() if docket.cases}
    for judge in judges if groups else ():
        for name, replies in ask_judge(groups, judge.setup, store, prompts.REMINDER, partial(_readable, judge)).items():
            matters = groups[name]
            mine = [_vote(judge.name, out, matter) for out, matter in zip(replies.outcomes, matters, strict=True)]
            for given, one in zip(votes[name], mine, strict=True):
                given.append(one)
            records[name].append(_record(judge, replies, matters, mine))
    return {
        name: Asked(_judgements(docket, votes[name]), records[name], _too_many(name, records[name], most))
        for name, docket in dockets.items()
    }


def has_work(items: Sequence[Item]) -> bool:
    """Tell whether judges decide any of the items."""
    return any(item.kind in ("open", RUBRIC) for item in items)


def _docket(items: Sequence[Item]) -> _Docket:
    found = _Docket()
    for item in items:
        if item.error:
            continue
        if item.kind == "open" and not answer_text(item.response):
            found.judged[item.id] = NOTHING_TO_JUDGE
        elif item.kind == "open":
            found.cases.append(_open_case(item))
        elif item.kind == RUBRIC:
            try:
                criteria = criteria_of(item.meta)
                found.cases += _rubric_cases(item, criteria)
                found.rubrics[item.id] = criteria
            except UserError as error:
                found.broken[item.id] = error.what
    return found


def _open_case(item: Item) -> _Case:
    return _Case(item.id, Matter(item.id, prompts.OPEN_PROMPT, prompts.open_prompt(item), item.response))


def _rubric_cases(item: Item, criteria: Sequence[Criterion]) -> list[_Case]:
    conversation, reply = conversation_of(item.meta, item.question), outside_think(item.response).strip()
    asked = [prompts.rubric_prompt(conversation, reply, criterion) for criterion in criteria]
    return [
        _Case(item.id, Matter(f"{item.id}#{number}", prompts.RUBRIC_PROMPT, prompt, item.response))
        for number, prompt in enumerate(asked)
    ]


def _readable(judge: Judge, matter: Matter, text: str) -> bool:
    found = vote(judge.name, text, matter.material)
    return found.verdict is not None or found.reason == UNSURE


def _vote(judge: str, outcome: Outcome, matter: Matter) -> Vote:
    if not isinstance(outcome, Response):
        return failed_vote(judge, f"{outcome.reason}: {outcome.detail}")
    return vote(judge, outcome.text, matter.material)


def _judgements(docket: _Docket, votes: Sequence[Sequence[Vote]]) -> Judgements:
    rulings: dict[str, list[Ruling]] = {}
    for case, found in zip(docket.cases, votes, strict=True):
        rulings.setdefault(case.item, []).append(decide(found))
    judged = dict(docket.judged)
    for name, given in rulings.items():
        judged[name] = Grades(docket.rubrics[name], tuple(given)) if name in docket.rubrics else given[0]
    return Judgements(judged, docket.broken)


def _record(judge: Judge, replies: Replies, matters: Sequence[Matter], votes: Sequence[Vote]) -> dict[str, Any]:
    told = {one.reason: _example(matter, one) for one, matter in zip(reversed(votes), reversed(matters), strict=True)}
    examples = {reason: told[reason] for reason in sorted(told) if reason not in ("", UNSURE)}
    return {
        "judge": judge.name,
        "model": replies.digest,
        "settings": judge.setup.settings(),
        "prompts": sorted({matter.prompt_id for matter in matters}),
        "questions": len(matters),
        "asked_now": replies.asked,
        "verdicts": sum(one.verdict is not None for one in votes),
        "without": dict(sorted(Counter(one.reason for one in votes if one.reason).items())),
    } | ({"such_as": examples} if examples else {})


def _example(matter: Matter, one: Vote) -> str:
    """Return in one line what a judge said that is no verdict, or why it said nothing."""
    return f"{matter.id}: {' '.join((one.detail or one.text).split())[:SHOWN] or 'nothing'}"


def _too_many(name: str, records: Sequence[dict[str, Any]], most: float) -> list[str]:
    found: list[str] = []
    for record in records:
        failed, questions = record["without"].get("failed", 0), record["questions"]
        if failed > most * questions:
            found.append(
                (f"{name}: " if name else "")
                + f"judge {record['judge']}: {failed} of {questions} calls have failed; their items are unscored"
            )
    return found
