"""From a row to the question that is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast, get_args

from lingshu.benchmarks.public.catalog import PublicBenchmark
from lingshu.benchmarks.public.forms import Cluster, Form
from lingshu.benchmarks.public.prompts import LANGUAGES, Asked, official_prompt
from lingshu.core.question import PictureFile, Question, QuestionKind, Role, Turn
from lingshu.evalkit.parsing.yesno import gold_verdict
from lingshu.intake.answers import LETTERS, Options, gold_of, options_of
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.pictures import PictureFinder, picture_key, row_pictures
from lingshu.intake.values import Row, text_at, value_at

_YES_NO = {"yes", "no"}


class Asker:
    """Makes the questions of one benchmark from the rows of one form.

    Args:
        name: of the benchmark.
        record: its record.
        form: the form whose rows come.
        finder: of the pictures that rows name; None where the form has none.
        reasoning: ask in the official reasoning mode.
    """

    def __init__(
        self, name: str, record: PublicBenchmark, form: Form, finder: PictureFinder | None, *, reasoning: bool
    ) -> None:
        self._name = name
        self._record = record
        self._form = form
        self._finder = finder
        self._reasoning = reasoning
        self.absent_meta: Counter[str] = Counter()

    def question(self, identity: str, row: Row) -> Question:
        """Return the question of a row.

        Raises:
            RowError: the row can't be asked or scored (the reason says why).
        """
        rubric = self._record.kind == "rubric"
        wordless = self._record.kind in ("rubric", "report")
        bare = "" if wordless else text_at(row, self._form.question)
        options = options_of(self._form.choices, row, bare)
        bare = options.question if options else bare
        if not wordless and not bare.strip():
            raise RowError(Reason.NO_QUESTION, f"{self._form.question!r} is empty")
        gold = gold_of(self._form.gold, row, options)
        kind = self._kind(row, options, gold)
        if kind == "yesno" and options is not None:
            gold, options = options.texts[LETTERS.index(str(gold))].lower(), None
        shown = options.shown(self._record.option, lettered=self._record.lettered) if options else None
        turns = self._conversation(row) if rubric else self._turns(row, kind, Asked(bare, shown))
        pictures = row_pictures(self._form.pictures, row, self._finder)
        return Question(
            id=identity,
            benchmark=self._name,
            kind=kind,
            turns=turns,
            pictures=pictures,
            question=turns[-1].text if rubric else bare,
            choices=shown,
            answer=gold,
            cluster=_cluster(self._form.cluster, row, pictures),
            meta=self._meta(row),
        )

    def _kind(self, row: Row, options: Options | None, gold: str | tuple[str, ...]) -> QuestionKind:
        rule = self._record.kind
        if rule == "yesno_else_open":
            return "yesno" if str(gold).strip().lower() in _YES_NO else "open"
        if rule == "yesno_else_mcq":
            words = {text.lower() for text in options.texts} if options else set()
            return "yesno" if words == _YES_NO and isinstance(gold, str) else "mcq"
        if rule == "by_answer_type":
            if text_at(row, self._record.answer_type).strip().upper() == "OPEN":
                return "open"
            return "yesno" if gold_verdict(str(gold)) else "closed"
        return rule

    def _language(self, row: Row) -> str:
        language = self._record.language
        if language in LANGUAGES:
            return language
        found = text_at(row, language)
        if found not in LANGUAGES:
            raise RowError(Reason.MISSING_FIELD, f"{language!r} is {found!r}, not {' or '.join(LANGUAGES)}")
        return found

    def _turns(self, row: Row, kind: QuestionKind, asked: Asked) -> tuple[Turn, ...]:
        if self._form.context:
            value = value_at(row, self._form.context)
            if not isinstance(value, list | str):
                raise RowError(Reason.MISSING_FIELD, f"{self._form.context!r} is {value!r:.60}, not a text or a list")
            context = "\n".join(map(str, value)) if isinstance(value, list) else value
            asked = Asked(asked.question, asked.choices, context)
        text = official_prompt(self._record.prompt[kind], asked, self._language(row), reasoning=self._reasoning)
        return (*self._history(row), Turn("user", text))

    def _history(self, row: Row) -> tuple[Turn, ...]:
        earlier = value_at(row, self._form.history) if self._form.history else []
        if not isinstance(earlier, list):
            raise RowError(Reason.MISSING_FIELD, f"{self._form.history!r} is {earlier!r:.60}, not a list")
        turns: list[Turn] = []
        for pair in earlier:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], list):
                raise RowError(
                    Reason.MISSING_FIELD, f"{self._form.history!r} has {pair!r:.60}, not [question, answers]"
                )
            turns += [Turn("user", str(pair[0])), Turn("assistant", ", ".join(map(str, pair[1])))]
        return tuple(turns)

    def _conversation(self, row: Row) -> tuple[Turn, ...]:
        """Return a conversation as it is, and check that rubrics can grade what follows it."""
        given = value_at(row, self._form.question)
        if not isinstance(given, list) or not given or not all(_is_turn(turn) for turn in given):
            raise RowError(Reason.MISSING_FIELD, f"{self._form.question!r} is {given!r:.60}, not a conversation")
        if given[-1]["role"] != "user":
            raise RowError(Reason.NO_QUESTION, f"the conversation ends with {given[-1]['role']!r}, not with a user")
        rubrics = value_at(row, self._form.meta["rubrics"])
        if not isinstance(rubrics, list) or not any(_points(rubric) > 0 for rubric in rubrics):
            raise RowError(Reason.NO_RUBRIC, f"{rubrics!r:.60}")
        return tuple(Turn(cast("Role", turn["role"]), turn["content"]) for turn in given)

    def _meta(self, row: Row) -> Mapping[str, Any]:
        meta: dict[str, Any] = {}
        for name, path in self._form.meta.items():
            value = value_at(row, path, None)
            if value is None or value == "":
                self.absent_meta[name] += 1
            else:
                meta[name] = value
        return {"language": self._language(row), **meta}


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in get_args(Role) and isinstance(turn.get("content"), str)


def _points(rubric: Any) -> float:
    points = rubric.get("points") if isinstance(rubric, dict) else None
    if not isinstance(points, int | float):
        raise RowError(Reason.NO_RUBRIC, f"rubric {rubric!r:.60} has no points")
    return float(points)


def _cluster(spec: Cluster | None, row: Row, pictures: tuple[PictureFile, ...]) -> str:
    if spec is None:
        return ""
    if spec.field == "picture":
        value = picture_key(pictures[0])
    else:
        found = value_at(row, spec.field)
        value = str(found[0] if isinstance(found, list) and found else found)
    if not spec.pattern:
        return value
    match = re.search(spec.pattern, value)
    if match is None:
        raise RowError(Reason.MISSING_FIELD, f"{spec.field!r} is {value!r:.60}, without {spec.pattern}")
    return match[0]
