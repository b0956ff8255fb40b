"""`--judge` of `lingshu score` and `eval`: open answers and rubrics to judges, and their votes back to the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, StrictBool

from lingshu.commands.evaluate import make_setup, parse_json
from lingshu.commands.judge_request import JudgeRequest
from lingshu.core.errors import UserError
from lingshu.core.params import Strict, validate
from lingshu.evalkit.items import RUBRIC, Item
from lingshu.evalkit.llm_judge import prompts
from lingshu.evalkit.llm_judge.agreement import RULES
from lingshu.evalkit.llm_judge.replies import UNSURE, outside_think
from lingshu.evalkit.llm_judge.rubrics import Criterion, conversation_of, criteria_of
from lingshu.evalkit.llm_judge.rulings import (
    MAJORITY,
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
from lingshu.inference.models import Setup

MAX_NEW_TOKENS = 4096  # as MedEvalKit gives its judges
PICTURES = ("min_pixels", "max_pixels", "blind")
KEYS = ("api_key_env", "api_key_file")


class JudgeOptions(Strict):
    """Those of `--judge-options` that nothing behind checks; the others are checked with the model's settings.

    Attributes:
        schema_requested: `schema` in the JSON; ask servers for a reply of the form that the prompt describes.
    """

    schema_requested: StrictBool = Field(default=True, alias="schema")
    engine: Literal["transformers", "vllm"] | None = None
    revision: str | None = None
    api_key_env: str | None = None
    api_key_file: Path | None = None
    chat_template: Path | None = None
    body: dict[str, Any] | None = None


CHECKED = frozenset(JudgeOptions.model_fields) - {"schema_requested"} | {"schema"}


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge and the name it has in the output."""

    name: str
    setup: Setup


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


def parse_judges(request: JudgeRequest) -> list[Judge]:
    """Return the judges that are asked.

    Raises:
        UserError: a model or option is wrong, a judge is named twice, or a key would go to several servers.
    """
    given = [parse_json(text, "--judge-options") or {} for text in request.options]
    models = request.models
    if len(set(models)) < len(models):
        raise UserError("--judge: the same judge twice", "its second vote would be its first: name each once")
    if len(given) not in (0, 1, len(models)):
        raise UserError(
            f"--judge-options: {len(given)} for {len(models)} judges", "give it once for all, or once for each --judge"
        )
    shared = given * len(models) if len(given) == 1 else given or [{}] * len(models)
    setups = [_setup(model, options) for model, options in zip(models, shared, strict=True)]
    served = {setup.spec.url for setup in setups if setup.spec.url}
    if len(given) == 1 and len(served) > 1 and any(name in given[0] for name in KEYS):
        raise UserError(
            "--judge-options: one key would go to several servers", "give --judge-options once for each --judge"
        )
    names = Counter(setup.spec.name for setup in setups) + Counter(dict.fromkeys((MAJORITY, RULES), 1))
    return [
        Judge(setup.spec.name if names[setup.spec.name] == 1 else model.removeprefix("openai:"), setup)
        for model, setup in zip(models, setups, strict=True)
    ]


def _setup(model: str, options: Mapping[str, Any]) -> Setup:
    for name in PICTURES:
        if name in options:
            raise UserError(f"--judge-options: {name} does nothing: a judge sees no pictures", "leave it out")
    checked = validate(JudgeOptions, {name: options[name] for name in options if name in CHECKED}, "--judge-options: ")
    others = {name: value for name, value in options.items() if name not in CHECKED}
    given = (
        {"max_new_tokens": MAX_NEW_TOKENS}
        | others
        | checked.model_dump(exclude_none=True, exclude={"schema_requested"})
    )
    if model.startswith("openai:") and checked.schema_requested:
        given["body"] = prompts.RESPONSE_FORMAT | (checked.body or {})
    try:
        setup = make_setup(model, given)
    except UserError as error:
        raise UserError(error.what.replace("--model", "--judge"), error.fix) from None
    if setup.spec.engine in ("responses", "echo"):
        raise UserError(f"--judge {model}: not a model that can judge", "name a server or a model")
    return setup


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
    return {
        "judge": judge.name,
        "model": replies.digest,
        "settings": judge.setup.settings(),
        "prompts": sorted({matter.prompt_id for matter in matters}),
        "questions": len(matters),
        "asked_now": replies.asked,
        "verdicts": sum(one.verdict is not None for one in votes),
        "without": dict(sorted(Counter(one.reason for one in votes if one.reason).items())),
    }


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
