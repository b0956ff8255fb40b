"""Multiple-choice questions with their options in other orders, to see whether a model answers by place or by content.

An order is drawn by seed, benchmark and item id alone. The words of the prompt around the options, and the options'
letters, stay where they are; the options' texts move, and the gold letter moves with its text. Options that speak of
the others ("None of the above") stay last where they stand last; an item whose options can't be moved without changing
what they say is left out, and counted by reason.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lingshu.core.ids import sha256_bytes
from lingshu.core.question import Question
from lingshu.evalkit.parsing.mcq import gold_letters
from lingshu.evalkit.parsing.options import letter_of, option_texts
from lingshu.inference.option_references import movable

ORDER = "order"  # the `meta` key of a shuffled question: the original letters in the order in which they are shown
SHUFFLE = "shuffle"  # the `meta` key of the shuffle's number, from 1
NAMES_OPTIONS = "names_options"
OPTIONS_NOT_FOUND = "options_not_found"
TOO_FEW = "too_few_options"
GOLD = "gold_not_among_options"
EQUAL = "equal_options"
_LABEL = re.compile(r"\s*[(\[（【]?\s*[A-Za-zＡ-Ｚａ-ｚ]\s*[)\]）】.:：、,，．]\s*")
_GAP = r"(\W{1,8}(?:[A-Za-zＡ-Ｚ]\W{1,4})?)"  # between two options: punctuation and blanks, and the next one's letter


@dataclass(frozen=True, slots=True)
class Shuffles:
    """The questions of a benchmark in each of several other orders, and those that stay out, by reason."""

    questions: list[list[Question]]
    left_out: Counter[str]


@dataclass(frozen=True, slots=True)
class _Movable:
    """A question whose options can move.

    Attributes:
        texts: of the options as they stand in the prompt, without letters; labels: what stands before them there.
        start, end: where the options stand in the last turn's text; gaps: what is between them.
        places: of the options that move.
        gold: places of the right ones.
    """

    question: Question
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    start: int
    end: int
    gaps: tuple[str, ...]
    places: tuple[int, ...]
    gold: tuple[int, ...]


def shuffled(questions: Sequence[Question], count: int, seed: int) -> Shuffles:
    """Return the multiple-choice questions in `count` other orders of their options, each question in all of them.

    An item's orders differ from the original and from one another as long as there are enough of them; after that they
    come again, which asks no model twice.
    """
    able: list[_Movable] = []
    left_out: Counter[str] = Counter()
    for question in questions:
        if question.kind in ("mcq", "mmmu") and question.choices is not None:
            found = _movable(question, question.choices)
            if isinstance(found, _Movable):
                able.append(found)
            else:
                left_out[found] += 1
    orders = [_orders(one, count, seed) for one in able]
    by_number = [
        [_in_order(one, found[number], number + 1) for one, found in zip(able, orders, strict=True)]
        for number in range(count)
    ]
    return Shuffles(by_number, left_out)


def _movable(question: Question, choices: tuple[str, ...]) -> _Movable | str:
    """Return the question taken apart, or why its options stay as they are."""
    bare = option_texts(choices)
    moving = movable(question.question, bare)
    if moving is None:
        return NAMES_OPTIONS
    if moving < 2 or len(set(bare)) < len(bare):
        return TOO_FEW if moving < 2 else EQUAL
    gold = tuple(ord(letter) - ord("A") for letter in gold_letters(question.answer, choices))
    if not gold:
        return GOLD
    labels = tuple(_label(choice, lettered=bare[0] != choices[0].strip()) for choice in choices)
    texts = tuple(choice[len(label) :].strip() for choice, label in zip(choices, labels, strict=True))
    shown = list(re.finditer(_GAP.join(re.escape(text) for text in texts), question.turns[-1].text))
    if len(shown) != 1 or not all(texts):
        return OPTIONS_NOT_FOUND
    return _Movable(question, texts, labels, *shown[0].span(), shown[0].groups(), tuple(range(moving)), gold)


def _label(choice: str, *, lettered: bool) -> str:
    found = _LABEL.match(choice) if lettered else None
    return found[0] if found else ""


def _orders(one: _Movable, count: int, seed: int) -> list[tuple[int, ...]]:
    """Return orders of the options: at each place, the original place of what is shown there."""
    question, places = one.question, one.places
    key = f"{seed}\x1f{question.benchmark}\x1f{question.id}"
    draw = random.Random(int(sha256_bytes(key.encode("utf-8", "surrogatepass"))[:16], 16))
    others = math.factorial(len(places)) - 1
    found: list[tuple[int, ...]] = []
    while len(found) < min(count, others):
        order = tuple(draw.sample(places, len(places)))
        if order not in found and order != places:
            found.append(order)
    rest = tuple(range(len(places), len(one.texts)))
    return [(*found[number % len(found)], *rest) for number in range(count)]


def _in_order(one: _Movable, order: tuple[int, ...], number: int) -> Question:
    question = one.question
    texts = [one.texts[place] for place in order]
    block = texts[0] + "".join(gap + text for gap, text in zip(one.gaps, texts[1:], strict=True))
    last = question.turns[-1]
    turn = replace(last, text=last.text[: one.start] + block + last.text[one.end :])
    gold = tuple(letter_of(order.index(place)) for place in one.gold)
    return replace(
        question,
        turns=(*question.turns[:-1], turn),
        choices=tuple(label + text for label, text in zip(one.labels, texts, strict=True)),
        answer=gold[0] if len(gold) == 1 else tuple(sorted(gold)),
        meta={**question.meta, SHUFFLE: number, ORDER: "".join(letter_of(place) for place in order)},
    )
