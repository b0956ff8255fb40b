"""What a row says of its picture, as facts: those of the vocabulary, and the source's own labels and boxes."""

from __future__ import annotations

import re
from typing import Any

from lingshu.facts.vocabulary import FACTS
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row, value_at
from lingshu.sources.annotations import Annotations, Boxes, Label

Box = tuple[float, float, float, float]
Region = tuple[str, Box]
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def row_facts(row: Row, annotations: Annotations) -> dict[str, Any]:
    """Return the facts of a row without its boxes.

    Raises:
        RowError: a column is missing, or holds a value that the record does not name or the vocabulary does not allow.
    """
    facts: dict[str, Any] = dict(annotations.facts)
    own: dict[str, list[str]] = {}
    for name, label in annotations.labels.items():
        texts = _texts(row, label)
        if not texts:
            continue
        if name in FACTS:
            facts[name] = _fact(name, texts)
        else:
            own[name] = texts
    return facts | ({"labels": own} if own else {})


def _texts(row: Row, label: Label) -> list[str]:
    if label.flags:
        return [word for path, word in label.flags.items() if _said(value_at(row, path)) in label.set]
    said = _said(value_at(row, label.field))
    parts = said.split(label.separator) if label.separator else [said]
    named = (_named(part.strip(), label) for part in parts if part.strip())
    return [word for word in named if word]


def _said(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _named(value: str, label: Label) -> str:
    if not label.names:
        return value
    if value not in label.names:
        raise RowError(Reason.MISSING_FIELD, f"{label.field!r} is {value!r:.60}, not one of {', '.join(label.names)}")
    return label.names[value]


def _fact(name: str, texts: list[str]) -> str | bool | int:
    spec, text = FACTS[name], texts[0]
    value: str | bool | int | None = text
    if spec.kind == "flag":
        value = _FLAGS.get(text.lower())
    elif spec.kind == "count" and text.isdigit():
        value = int(text)
    if len(texts) > 1 or spec.complaint(value):
        raise RowError(Reason.MISSING_FIELD, f"fact {name!r} is {', '.join(texts)!r:.80}: {spec.complaint(value)}")
    assert value is not None
    return value


def row_boxes(row: Row, spec: Boxes) -> list[Region]:
    """Return the boxes of a row: what each shows, and left, top, right, bottom in pixels of the file.

    Raises:
        RowError: there are not four numbers a box, or nothing says what it shows.
    """
    if spec.each:
        return [region for item in value_at(row, spec.each, []) for region in _boxes(item, spec)]
    return _boxes(row, spec)


def _boxes(row: Row, spec: Boxes) -> list[Region]:
    given = [value_at(row, path) for path in spec.fields] if spec.fields else value_at(row, spec.field)
    numbers = _numbers(given, spec.field or spec.each)
    label = spec.label or _said(value_at(row, spec.label_field))
    if not label.strip():
        raise RowError(Reason.MISSING_FIELD, f"{spec.label_field!r} is empty, so nobody knows what the boxes show")
    return [(label, _corners(numbers[at : at + 4], spec.order)) for at in range(0, len(numbers), 4)]


def _numbers(value: Any, path: str) -> list[float]:
    flat = re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", str(value)) if isinstance(value, str | list | tuple) else []
    if not flat or len(flat) % 4:
        raise RowError(Reason.MISSING_FIELD, f"{path!r} is {value!r:.60}, not four numbers a box")
    return [float(number) for number in flat]


def _corners(numbers: list[float], order: str) -> Box:
    left, top, third, fourth = numbers
    return (left, top, left + third, top + fourth) if order == "xywh" else (left, top, third, fourth)
