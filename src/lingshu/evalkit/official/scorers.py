"""Which of MedEvalKit's scorers an item goes to, what is done to its response first, and the verdict as a `Score`.

A scorer's name is one of `SCORERS`. An item may name its own in `meta.official`; else its benchmark does (`PMC_VQA` and
`MedFrameQA` skip the answer tags, `SLAKE` folds neither case nor blanks), else its kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from lingshu.core.errors import UserError
from lingshu.evalkit.items import Item
from lingshu.evalkit.official import answers, mmmu
from lingshu.evalkit.official.extraction import box_or_tag, tagged
from lingshu.evalkit.official.overlap import UndefinedError, open_metrics
from lingshu.evalkit.rules import Score

META_KEY = "official"
CRASH = "official_crash"  # MedEvalKit's scoring stops here, so that there is no verdict to reproduce
_NOT_LETTERS = re.compile(r"[^a-z]+")
_BY_BENCHMARK = {
    "pmcvqa": {"mcq": "MC"},
    "medframeqa": {"mcq": "MC"},
    "slake": {"open": "OE+slake", "yesno": "CE+slake", "closed": "CE+slake"},
}
_BY_KIND = {"mcq": "MC+x", "yesno": "YN+vqa", "closed": "CE+slake", "open": "OE+vqa", "mmmu": "MMMU"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A score; for open answers with MedEvalKit's text metrics; a `reason` where there is no verdict."""

    score: Score
    metrics: dict[str, float] | None = None
    reason: str = ""


def score_official(item: Item, seed: int) -> Outcome:
    """Return MedEvalKit's verdict on an item of kind `mcq`, `yesno`, `closed`, `open` or `mmmu`.

    Random fall-backs (rule `random_choice`) draw from a generator of their own for each item, made of `seed` and id.

    Raises:
        UserError: `meta.official` names no scorer.
        ValueError: the kind has no official rule.
    """
    return SCORERS[scorer_name(item)](item, seed)


def scorer_name(item: Item) -> str:
    """Return the name of the item's scorer."""
    if item.kind not in _BY_KIND:
        raise ValueError(f"{item.id}: kind {item.kind!r} has no official rule")
    named = item.meta.get(META_KEY)
    if named is None:
        benchmark = _NOT_LETTERS.sub("", str(item.meta.get("benchmark", "")).lower())
        known = next((kinds for name, kinds in _BY_BENCHMARK.items() if benchmark.startswith(name)), {})
        return known.get(item.kind, _BY_KIND[item.kind])
    if named not in SCORERS:
        raise UserError(f"{item.id}: meta.{META_KEY}: unknown scorer {named!r}", f"use one of {', '.join(SCORERS)}")
    return str(named)


def _first(item: Item) -> str:
    return item.answer if isinstance(item.answer, str) else item.answer[0]


def _choice_gold(item: Item) -> str:
    """Return the gold as one text: several letters are written together, as CMExam has them."""
    if isinstance(item.answer, str):
        return item.answer
    return "".join(item.answer) if all(len(part) == 1 for part in item.answer) else item.answer[0]


def _outcome(verdict: answers.Verdict) -> Outcome:
    return Outcome(Score(verdict.correct, float(verdict.correct), verdict.parsed, verdict.rule, no_answer=False))


def _crash(reason: str) -> Outcome:
    return Outcome(Score(None, None, "", CRASH, no_answer=False), reason=reason)


def _multi_choice(item: Item, response: str) -> Outcome:
    if not item.choices:
        return _crash("multiple choice without choices")
    return _outcome(answers.multi_choice(item.choices, _choice_gold(item), response))


def _open(gold: str, response: str) -> Outcome:
    try:
        metrics = open_metrics(gold, response)
    except UndefinedError as error:
        return _crash(str(error))
    right = metrics["em"] == 1.0
    return Outcome(Score(right, float(right), response, "exact_match", no_answer=False), metrics)


def _slake_closed(item: Item) -> Outcome:
    gold, response = _first(item), box_or_tag(item.response)
    verdict = answers.yes_no if gold in ("yes", "no") else answers.closed
    return _outcome(verdict(gold, response))


def _mmmu(item: Item, seed: int) -> Outcome:
    gold = item.answer if isinstance(item.answer, str) else list(item.answer)
    if item.choices is None:
        return _outcome(mmmu.open_answer(gold, item.response))
    if not item.choices:
        return _crash("multiple choice without choices")
    draw = random.Random(f"{seed}:{item.id}")
    return _outcome(mmmu.multi_choice(bare_texts(item.choices), gold, item.response, draw.choice))


def _mmmu_reference(item: Item, seed: int) -> Outcome:
    if item.choices is not None:
        return _mmmu(item, seed)
    gold = item.answer if isinstance(item.answer, str) else list(item.answer)
    return _outcome(mmmu.open_answer_reference(gold, item.response))


def bare_texts(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the option texts without their letters, where all are shown as "(A) text" or "A. text"."""
    for form in ("({}) ", "{}. ", "{}."):
        heads = [form.format(chr(ord("A") + index)) for index in range(len(choices))]
        if all(choice.startswith(head) for choice, head in zip(choices, heads, strict=True)):
            return tuple(choice[len(head) :] for choice, head in zip(choices, heads, strict=True))
    return choices


# The bare functions (MC, YN, CE, OE), and the same after what benchmarks do to a response first: `+x` the answer tags,
# `+vqa` box or tags, then lower case without outer blanks on both sides, `+slake` box or tags only.
SCORERS: dict[str, Callable[[Item, int], Outcome]] = {
    "MC": lambda item, _: _multi_choice(item, item.response),
    "MC+x": lambda item, _: _multi_choice(item, tagged(item.response)),
    "MC+vqa": lambda item, _: _multi_choice(item, box_or_tag(item.response).lower().strip()),
    "YN": lambda item, _: _outcome(answers.yes_no(_first(item), item.response)),
    "YN+vqa": lambda item, _: _outcome(
        answers.yes_no(_first(item).lower().strip(), box_or_tag(item.response).lower().strip())
    ),
    "CE": lambda item, _: _outcome(answers.closed(_first(item), item.response)),
    "CE+slake": lambda item, _: _slake_closed(item),
    "OE": lambda item, _: _open(_first(item), item.response),
    "OE+vqa": lambda item, _: _open(_first(item).lower().strip(), box_or_tag(item.response).lower().strip()),
    "OE+slake": lambda item, _: _open(_first(item), box_or_tag(item.response)),
    "MMMU": _mmmu,
    "MMMU+reference": _mmmu_reference,
}
