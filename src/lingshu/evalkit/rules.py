"""The strict scorer: the right verdict for a response and its gold answer, with the rule that decided.

Nothing here is random or fuzzy, and nothing is an answer by default: a response that does not say is *no answer*. The
same function scores evaluation and rewards reinforcement. What it must get right where MedEvalKit errs is listed, by
defect id, in `tests/evalkit/test_defects.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lingshu.evalkit.items import Item
from lingshu.evalkit.overlap import token_overlap
from lingshu.evalkit.parsing.closed import (
    MEASURES,
    lone_number,
    normalise,
    number,
    parts,
    same,
    stated_answer,
    without_question,
)
from lingshu.evalkit.parsing.extraction import answer_texts
from lingshu.evalkit.parsing.loops import without_loop
from lingshu.evalkit.parsing.mcq import gold_letters, parse_choice
from lingshu.evalkit.parsing.rewording import counted
from lingshu.evalkit.parsing.yesno import gold_verdict, parse_yes_no

GOLD_ERROR = "gold_not_among_options"
UNJUDGED = "unjudged"
_REFUSAL_WITHIN = 400  # a refusal comes first
_REFUSAL = re.compile(
    r"(?:\bcannot|\bcan['’]t|\bcan not|\bunable to|\bam not able to)\s+(?:\w+\s+)?"
    r"(?:help|assist|answer|determine|provide|tell|see|view|say)|\bi (?:don['’]t|do not) know\b|\bas an ai\b"
    r"|无法(?:回答|判断|确定|提供)|不知道|抱歉",
)


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict: `correct` is None where rules can't decide (open answers, broken golds); `score` lies in [0, 1]."""

    correct: bool | None
    score: float | None
    parsed: str
    rule: str
    no_answer: bool


def score_strict(item: Item) -> Score:
    """Return the strict verdict on an item of kind `mcq`, `yesno`, `closed`, `open` or `mmmu`.

    Open answers are never decided here: `correct` is None, `score` the token F1, `rule` `unjudged`. Kind `mmmu` is
    multiple choice where there are choices, else a short answer that has to equal one of its golds.

    Raises:
        ValueError: the kind is scored elsewhere (caption, report, rubric) or unknown.
    """
    first, *rest = answer_texts(item.response)
    if item.kind == "open":
        return _open(item, rest[0] if rest else first)
    score = _by_kind(item, first)
    return _by_kind(item, rest[0]) if rest and score.no_answer else score


def _by_kind(item: Item, text: str) -> Score:
    if item.kind == "mcq" or (item.kind == "mmmu" and item.choices is not None):
        return _mcq(item, text)
    if item.kind == "yesno":
        return _yesno(item, text)
    if item.kind == "closed":
        return _closed(item, text)
    if item.kind == "mmmu":
        return _short(item, text)
    raise ValueError(f"{item.id}: kind {item.kind!r} has no strict rule")


def _decided(correct: bool, parsed: str, rule: str) -> Score:
    return Score(correct, float(correct), parsed, rule, no_answer=False)


def _no_answer(rule: str = "no_answer") -> Score:
    return Score(correct=False, score=0.0, parsed="", rule=rule, no_answer=True)


def _gold_error(parsed: str) -> Score:
    return Score(correct=None, score=None, parsed=parsed, rule=GOLD_ERROR, no_answer=not parsed)


def _mcq(item: Item, text: str) -> Score:
    gold = gold_letters(item.answer, item.choices)
    several = len(gold) > 1
    found = parse_choice(without_loop(text), item.choices, several, item.question)
    if not gold:
        return _gold_error(",".join(found.letters))
    if not found.letters:
        return _no_answer("several_letters" if found.rule == "several_letters" else "no_answer")
    if len(found.letters) > 1 and not several:
        return _no_answer("several_letters")
    return _decided(found.letters == gold, ",".join(found.letters), found.rule)


def _yesno(item: Item, text: str) -> Score:
    gold = gold_verdict(item.answer)
    found = parse_yes_no(without_loop(text), item.question)
    if not gold:
        return _gold_error(found.value)
    return _decided(found.value == gold, found.value, found.rule) if found.value else _no_answer()


def _closed(item: Item, text: str) -> Score:
    if gold_verdict(item.answer) and _asks_yes_no(item.answer):
        return _yesno(item, text)
    phrase = stated_answer(text, item.question)
    tokens = normalise(phrase)
    if not tokens:
        return _no_answer()
    if isinstance(item.answer, str):
        gold = normalise(item.answer)
        correct = same(tokens, gold) or gold == (counted(phrase.lower(), item.question),) or _same_count(tokens, gold)
        bare = phrase if correct else without_question(phrase, item.question)
        correct = correct or (bare != phrase and same(normalise(bare), gold))
    else:
        golds = {normalise(answer) for answer in item.answer}
        correct = parts(phrase) == golds
    if not correct and _REFUSAL.search(text[:_REFUSAL_WITHIN].lower()):
        return _no_answer("refusal")
    return _decided(correct, " ".join(tokens), "normalised_equal" if correct else "normalised_differs")


def _same_count(tokens: tuple[str, ...], gold: tuple[str, ...]) -> bool:
    """Return whether a number with a Chinese measure word ("两个") is the number that is the gold."""
    return len(tokens) == 2 and tokens[:1] == gold and gold[0].isdecimal() and tokens[1] in MEASURES


def _short(item: Item, text: str) -> Score:
    """An open MMMU answer: equal to a gold after normalising, or the one number of a phrase that has the gold's value.

    Numbers are equal to two decimals, as in the public MMMU reference.
    """
    golds = (item.answer,) if isinstance(item.answer, str) else item.answer
    if all(_asks_yes_no(gold) for gold in golds):
        return _yesno(replace(item, answer=golds[0]), text)
    phrase = stated_answer(text, item.question)
    tokens = normalise(phrase)
    if not tokens:
        return _no_answer()
    if any(same(tokens, normalise(gold)) for gold in golds):
        return _decided(True, " ".join(tokens), "normalised_equal")
    given = lone_number(phrase)
    if given is not None and any(given == number(gold) for gold in golds):
        return _decided(True, " ".join(tokens), "equal_number")
    if _REFUSAL.search(text[:_REFUSAL_WITHIN].lower()):
        return _no_answer("refusal")
    return _decided(False, " ".join(tokens), "normalised_differs")


def _asks_yes_no(answer: str | tuple[str, ...]) -> bool:
    gold = answer if isinstance(answer, str) else answer[0]
    return gold.strip(" .").lower() in ("yes", "no", "是", "否", "是的", "不是", "有", "没有")


def _open(item: Item, text: str) -> Score:
    golds = (item.answer,) if isinstance(item.answer, str) else item.answer
    f1 = max(token_overlap(gold, text).f1 for gold in golds)
    return Score(correct=None, score=f1, parsed=text, rule=UNJUDGED, no_answer=not text)
