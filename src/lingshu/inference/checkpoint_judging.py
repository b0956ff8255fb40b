"""The judge stage by language models: the code of `lingshu eval --judge` over what checkpoints answered.

Replies are kept in `.work/judge-store`, outside DVC: a killed stage goes on there, and no question is asked twice,
whatever is changed and changed back. In `data/judgements`, beside the table that scoring reads:

    votes.jsonl    a line an answer: the verdict of each judge (of a rubric: on each criterion), its words, and why
                   there is none
    judges.json    of each judge model and settings; how far judges agree with each other and with rules
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_json, write_text
from lingshu.core.layout import JUDGEMENTS, WORK
from lingshu.evalkit.items import Item
from lingshu.evalkit.judge import Judgement, RulesJudge
from lingshu.evalkit.judging import Key, judged_items, write_judgements
from lingshu.evalkit.llm_judge.agreement import Agreement
from lingshu.evalkit.llm_judge.rulings import Grades, Judged, Ruling
from lingshu.evalkit.params import ModelJudging
from lingshu.evalkit.responses import read_runs
from lingshu.evalkit.scored import RUBRIC_ERROR
from lingshu.inference.judges import judges_of_params
from lingshu.inference.judging import Asked, judge_items

STORE = WORK / "judge-store"
VOTES_FILE = "votes.jsonl"
JUDGES_FILE = "judges.json"
NO_ANSWER = "no answer"
INCOMPLETE = "incomplete"  # a rubric without a verdict on each criterion
Run = tuple[str, str]  # checkpoint and benchmark
Ruled = tuple[Item, Judged]


def judge_by_models(params: ModelJudging, root: Path = Path()) -> None:
    """Write `data/judgements`: a row for each open answer and rubric item that a checkpoint gave.

    An answer that was not judged has no verdict and is unscored; all is written before too many failures are an error.

    Raises:
        UserError: a judge is wrong or out of reach, or more than `max_failed` of its calls have failed.
    """
    judges = judges_of_params(params)
    items = {(run.checkpoint, run.benchmark.name): judged_items(run) for run in read_runs(root)}
    files = {"/".join(run): found for run, found in items.items() if found}
    asked = judge_items(files, judges, root / STORE, params.max_failed)
    ruled = {run: list(_ruled(found, asked["/".join(run)])) for run, found in items.items() if found}
    out = fresh_dir(root / JUDGEMENTS)
    write_text(out / VOTES_FILE, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _votes(ruled)))
    write_json(out / JUDGES_FILE, {"judges": _records(asked), "agreement": _agreement(ruled)})
    write_judgements(out, dict(_judgements(ruled)) | dict(_broken(items, asked)))
    if problems := [problem for one in asked.values() for problem in one.problems]:
        raise UserError(
            "\n".join(problems),
            "run the same command again: it asks what is missing; or raise evalkit.judge.max_failed",
        )


def _ruled(items: list[Item], asked: Asked) -> Iterator[Ruled]:
    """Yield the items that were judged: all but those whose call of the checkpoint has failed, and broken rubrics."""
    for item in items:
        judged = asked.judgements.judged.get(item.id)
        if judged is not None:
            yield item, judged


def _judgements(ruled: Mapping[Run, list[Ruled]]) -> Iterator[tuple[Key, Judgement]]:
    for (checkpoint, benchmark), found in ruled.items():
        for item, judged in found:
            yield (checkpoint, benchmark, item.id), _graded(judged) if isinstance(judged, Grades) else _decided(judged)


def _broken(items: Mapping[Run, list[Item]], asked: Mapping[str, Asked]) -> Iterator[tuple[Key, Judgement]]:
    """Yield the rubrics that no judge can grade: their criteria are missing or wrong."""
    for run, found in items.items():
        problems = asked["/".join(run)].judgements.problems if found else {}
        for item, problem in problems.items():
            yield (*run, item), Judgement(None, "", problem, RUBRIC_ERROR)


def _decided(ruling: Ruling) -> Judgement:
    text = (ruling.text() if ruling.verdict is not None else ruling.explanation()) if ruling.votes else NO_ANSWER
    return Judgement(ruling.verdict, ruling.judge, text, ruling.reason)


def _graded(grades: Grades) -> Judgement:
    score = grades.score()
    met = sum(ruling.verdict is True for ruling in grades.rulings)
    text = f"{met} of {len(grades.rulings)} criteria met" if score is not None else grades.explanation()
    return Judgement(None, grades.rulings[0].judge, text, "" if score is not None else INCOMPLETE, score)


def _votes(ruled: Mapping[Run, list[Ruled]]) -> Iterator[dict[str, Any]]:
    for (checkpoint, benchmark), found in ruled.items():
        for item, judged in found:
            yield {
                "checkpoint": checkpoint,
                "benchmark": benchmark,
                "id": item.id,
                **_told(judged),
            }


def _told(judged: Judged) -> dict[str, Any]:
    if isinstance(judged, Grades):
        return {"verdict": None, "score": judged.score(), "criteria": judged.fields()}
    return {"verdict": judged.verdict, "votes": [vote.fields() for vote in judged.votes]}


def _records(asked: Mapping[str, Asked]) -> dict[str, list[dict[str, Any]]]:
    """Return what is to be said of each judge by run; calls of this run are left out, since a killed run has others."""
    return {
        name: [{key: value for key, value in record.items() if key != "asked_now"} for record in one.records]
        for name, one in asked.items()
    }


def _agreement(ruled: Mapping[Run, list[Ruled]]) -> list[dict[str, Any]]:
    counted = Agreement()
    for item, judged in (one for found in ruled.values() for one in found):
        if isinstance(judged, Grades):
            counted.add(judged)
        elif judged.votes:
            counted.add(judged, next(RulesJudge().judge([item])).verdict)
    return counted.summary()
