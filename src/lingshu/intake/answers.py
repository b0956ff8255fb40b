"""Options and gold answers of a row, by shape. A gold answer that no option equals is an error, never wrong."""

from __future__ import annotations

import ast
import itertools
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lingshu.intake.errors import Reason, RowError
from lingshu.intake.shapes import Choices, Gold
from lingshu.intake.values import Row, text_at, value_at

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER_LIST = re.compile(r"[A-Z](?:[\s,、;/&]*[A-Z])*")
_IN_QUESTION = re.compile(r"\s*Answer Choices:\s*(?=\(A\)\s)")
_LETTERED = r"\s*{letter}\s*[:：.．、)]\s*"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a row: bare texts, A first, and the question without them."""

    texts: tuple[str, ...]
    question: str

    def shown(self, template: str, *, lettered: bool) -> tuple[str, ...]:
        """Return the options as they are shown; with `lettered`, one that bears its letter stands as it is."""
        return tuple(
            text
            if lettered and re.match(_LETTERED.format(letter=letter), text)
            else template.format(letter=letter, text=text)
            for letter, text in zip(LETTERS, self.texts, strict=False)
        )


def options_of(spec: Choices | None, row: Row, question: str) -> Options | None:
    """Return the options, or None where the row has none by its record.

    Raises:
        RowError: the field is missing or of another shape, options are not lettered A, B, …, or are fewer than two.
    """
    if spec is None or any(str(value_at(row, path, None)) != wanted for path, wanted in spec.only_if.items()):
        return None
    if spec.shape == "in_question":
        texts, question = _in_question(question)
    else:
        texts = _TEXTS[spec.shape](spec, row)
        question = _without_options(question, texts) if spec.repeated else question
    if spec.lettered:
        texts = [_without_letter(letter, text) for letter, text in itertools.zip_longest(LETTERS[: len(texts)], texts)]
    if len(texts) < 2:
        raise RowError(Reason.NO_OPTIONS, f"{len(texts)} options")
    if len(texts) > len(LETTERS):
        raise RowError(Reason.BROKEN_OPTIONS, f"{len(texts)} options, more than there are letters")
    return Options(tuple(texts), question)


def _without_letter(letter: str | None, text: str) -> str:
    found = re.match(_LETTERED.format(letter=letter), text) if letter else None
    return text if found is None else text[found.end() :]


def _columns(spec: Choices, row: Row) -> list[str]:
    return _trimmed([value_at(row, path, None) for path in spec.columns])


def _mapping(spec: Choices, row: Row) -> list[str]:
    value = value_at(row, spec.field)
    if not isinstance(value, dict):
        raise _other_shape(spec, value)
    return _by_letter(list(value.items()))


def _pairs(spec: Choices, row: Row) -> list[str]:
    value = value_at(row, spec.field)
    if not isinstance(value, list) or not all(
        isinstance(v, dict) and {spec.key, spec.value} <= v.keys() for v in value
    ):
        raise _other_shape(spec, value)
    return _by_letter([(pair[spec.key], pair[spec.value]) for pair in value])


def _list(spec: Choices, row: Row) -> list[str]:
    value = value_at(row, spec.field)
    if not isinstance(value, list):
        raise _other_shape(spec, value)
    return [_text(text) for text in value]


def _literal(spec: Choices, row: Row) -> list[str]:
    value = literal_list(text_at(row, spec.field))
    if value is None:
        raise _other_shape(spec, value_at(row, spec.field))
    return value


def _lines(spec: Choices, row: Row) -> list[str]:
    lines = [line.strip() for line in text_at(row, spec.field).splitlines() if line.strip()]
    return _by_letter([(line[0], line[1:].lstrip(" .．、:：")) for line in lines])


def _fixed(spec: Choices, row: Row) -> list[str]:  # noqa: ARG001 - one signature for all shapes
    return list(spec.texts)


_TEXTS: dict[str, Callable[[Choices, Row], list[str]]] = {
    "columns": _columns,
    "mapping": _mapping,
    "list": _list,
    "pairs": _pairs,
    "literal": _literal,
    "lines": _lines,
    "fixed": _fixed,
}


def _in_question(question: str) -> tuple[list[str], str]:
    """Split "… Answer Choices: (A) … (B) …" into option texts and the question before them."""
    heads = list(_IN_QUESTION.finditer(question))
    if not heads:
        raise RowError(Reason.NO_OPTIONS, "the question has no 'Answer Choices: (A) …'")
    rest = question[heads[-1].end() :]
    texts: list[str] = []
    for letter, following in itertools.pairwise(LETTERS):
        rest = rest.removeprefix(f"({letter})").lstrip(" ")
        cut = re.search(rf"\s\({following}\)\s", rest)
        if cut is None:
            return [*texts, rest], question[: heads[-1].start()]
        texts.append(rest[: cut.start()])
        rest = rest[cut.start() :].lstrip()
    raise RowError(Reason.BROKEN_OPTIONS, "more options than letters")


def _without_options(question: str, texts: list[str]) -> str:
    """Return the question before "Answer Choices: …" if that lists just these options, else the whole."""
    if _IN_QUESTION.search(question) is None:
        return question
    shown, stem = _in_question(question)
    return stem if [*map(_bare, shown)] == [*map(_bare, texts)] else question


def _by_letter(pairs: list[tuple[Any, Any]]) -> list[str]:
    """Return the texts of lettered options, which must be A, B, C, … without a gap; empty ones at the end are none."""
    filled = [(str(letter).strip().upper(), text) for letter, text in pairs if not _empty(text)]
    filled.sort()
    if [letter for letter, _ in filled] != list(LETTERS[: len(filled)]):
        raise RowError(Reason.BROKEN_OPTIONS, f"letters are {', '.join(letter for letter, _ in filled)}")
    return [_text(text) for _, text in filled]


def _trimmed(values: list[Any]) -> list[str]:
    while values and _empty(values[-1]):
        values.pop()
    if any(_empty(value) for value in values):
        raise RowError(Reason.BROKEN_OPTIONS, f"option {LETTERS[[*map(_empty, values)].index(True)]} is empty")
    return [_text(value) for value in values]


def _empty(value: Any) -> bool:
    missing = value is None or (isinstance(value, float) and not math.isfinite(value))
    return missing or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise RowError(Reason.MISSING_FIELD, f"option {value!r:.60} is not a text")
    return str(value)


def _other_shape(spec: Choices, value: Any) -> RowError:
    return RowError(Reason.MISSING_FIELD, f"{spec.field!r} is {value!r:.60}, not a {spec.shape} of options")


def literal_list(text: str) -> list[str] | None:
    """Return a Python list of texts or numbers that is written as text, or None; nothing is ever executed."""
    if not text.lstrip().startswith("["):
        return None
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
        return None
    return [str(item) for item in value]


def gold_of(spec: Gold, row: Row, options: Options | None) -> str | tuple[str, ...]:
    """Return the gold answer: a letter, a text, or a tuple where several are right.

    Raises:
        RowError: it is missing, empty, or not among the options.
    """
    if spec.shape == "none":
        return ""
    if spec.shape == "report":
        return _report(spec, row)
    try:
        value = value_at(row, spec.field)
    except RowError as absent:
        raise RowError(Reason.NO_GOLD, absent.detail) from None
    if options is not None and spec.shape in ("letters", "literal_or_text"):
        return _letters(value, options)
    if options is not None and spec.shape == "index":
        return _indexed(value, spec, options)
    if options is not None and spec.shape == "texts":
        return _matched(value, options)
    if spec.shape == "key":
        value = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise RowError(Reason.NO_GOLD, f"{spec.field!r} is {value!r:.60}")
    accepted = literal_list(str(value)) if spec.shape == "literal_or_text" else None
    return _one_or_several(tuple(accepted)) if accepted else str(value)


def _letters(value: Any, options: Options) -> str | tuple[str, ...]:
    text = unicodedata.normalize("NFKC", "".join(map(str, value)) if isinstance(value, list) else str(value or ""))
    if not text.strip():
        raise RowError(Reason.NO_GOLD, f"{value!r:.60}")
    known = LETTERS[: len(options.texts)]
    found = _LETTER_LIST.fullmatch(text.strip().upper())
    letters = tuple(dict.fromkeys(re.findall(r"[A-Z]", found[0]))) if found else ()
    if not letters or not set(letters) <= set(known):
        raise RowError(Reason.GOLD_NOT_AMONG_OPTIONS, f"{text!r:.60} with options A to {known[-1]}")
    return _one_or_several(letters)


def number_of(value: Any) -> int | None:
    """Return the number of an option, None if the value is none; programs write 2.0 for 2 in a column with gaps."""
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,9}(\.0)?", str(value)):
        return None
    return int(float(value))


def _indexed(value: Any, spec: Gold, options: Options) -> str:
    number = number_of(value)
    if number is None:
        raise RowError(Reason.NO_GOLD, f"{value!r:.60} is not the number of an option")
    if spec.first == "told":
        raise AssertionError("`counting.told` says what the first option's number is before a row is read")
    place = number - spec.first
    if not 0 <= place < len(options.texts):
        detail = f"number {value} with {len(options.texts)} options from {spec.first}"
        raise RowError(Reason.GOLD_NOT_AMONG_OPTIONS, detail)
    return LETTERS[place]


def _matched(value: Any, options: Options) -> str | tuple[str, ...]:
    golds = value if isinstance(value, list) else [value]
    if not golds or any(_empty(gold) for gold in golds):
        raise RowError(Reason.NO_GOLD, f"{value!r:.60}")
    bare = [_bare(text) for text in options.texts]
    letters: list[str] = []
    for gold in golds:
        hits = [LETTERS[place] for place, text in enumerate(bare) if text == _bare(str(gold))]
        if not hits:
            raise RowError(Reason.GOLD_NOT_AMONG_OPTIONS, f"{gold!r:.60} is none of {' | '.join(options.texts)!r:.120}")
        if len(hits) > 1:
            raise RowError(Reason.AMBIGUOUS_GOLD, f"{gold!r:.60} is option {' and '.join(hits)}")
        letters += hits
    return _one_or_several(tuple(dict.fromkeys(letters)))


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold()


def _one_or_several(values: tuple[str, ...]) -> str | tuple[str, ...]:
    return values[0] if len(values) == 1 else values


def _report(spec: Gold, row: Row) -> str:
    """Return the reference as MedEvalKit writes it: both sections, empty ones as empty texts, a last full stop."""
    findings, impression = (value_at(row, path) or "" for path in (spec.field, spec.impression))
    if not str(findings).strip() and not str(impression).strip():
        raise RowError(Reason.NO_REPORT, "nothing to compare with")
    return f"Findings: {findings} Impression: {impression}."
