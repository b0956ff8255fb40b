"""What a source's own annotations give synthesis: sentences on labels and boxes, and questions on labels.

Raw imaging sources come with labels and with boxes around regions (paper, section 2.2.1: both go into the first of the
five stages, and the teacher writes from them). Their words are the source's, so nothing but the annotation itself tells
whether a text agrees with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lingshu.core.sample import ImageRef
from lingshu.facts.asking import Question, multiple_choice
from lingshu.synthesis.parents import Parent
from lingshu.synthesis.replies import Region

Facts = Mapping[str, Any]
Values = dict[tuple[str, str], tuple[str, ...]]
TOPIC = "label_"
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")
_PLACE = rf"(?P<place>in the (?:{'|'.join((*ROWS, *COLUMNS))}| )+ part of the picture)"
_ASKED = re.compile(r"Which of these is the (?P<noun>.+)\?")


def regions(facts: Facts, image: ImageRef) -> list[Region]:
    """Return the labels and the places of the boxes as parts of a description; none without annotations."""
    labels = {noun(name).capitalize(): f"{', '.join(texts)}." for name, texts in facts.get("labels", {}).items()}
    marked = dict.fromkeys(f"{box['label']} {place(box['box'], image)}." for box in facts.get("boxes", []))
    found = labels | ({"Marked": " ".join(marked)} if marked else {})
    return [Region(name=name, text=text) for name, text in found.items()]


def place(box: list[int], image: ImageRef) -> str:
    """Return in which ninth of the picture, as the viewer sees it, the middle of a box lies (pixels, as `boxes`)."""
    left, top, right, bottom = box
    row = ROWS[min((top + bottom) * 3 // (2 * image.height), 2)]
    column = COLUMNS[min((left + right) * 3 // (2 * image.width), 2)]
    return f"in the {' '.join(dict.fromkeys((row, column)))} part of the picture"


def noun(name: str) -> str:
    """Return the name of a label as a question says it."""
    return name.replace("_", " ")


def exclusive_values(parents: Iterable[Parent]) -> Values:
    """Return the values, sorted, of those labels of each source that no picture has two of.

    Only these exclude each other. Where pictures may have several, what is not named may be unknown and not absent.
    """
    found: dict[tuple[str, str], set[str]] = {}
    several: set[tuple[str, str]] = set()
    for parent in parents:
        for name, texts in parent.facts.get("labels", {}).items():
            key = (parent.sample.source, name)
            found.setdefault(key, set()).update(texts)
            if len(texts) > 1:
                several.add(key)
    return {key: tuple(sorted(values)) for key, values in found.items() if key not in several}


def annotation_questions(parent: Parent, values: Values) -> Iterator[Question]:
    """Yield a question for each exclusive label of a picture whose source has other values to choose from."""
    key = parent.sample.images[0].image_id
    for name, texts in parent.facts.get("labels", {}).items():
        others = tuple(value for value in values.get((parent.sample.source, name), ()) if value != texts[0])
        if others:
            topic, question = TOPIC + name.replace(" ", "_"), f"Which of these is the {noun(name)}?"
            yield multiple_choice(topic, question, texts[0], others, key)


def options_that_hold(question: str, facts: Facts, options: Iterable[str]) -> list[str] | None:
    """Return the options that the label asked for has, or None if the picture hasn't one text of that label."""
    match = _ASKED.fullmatch(question)
    named = [texts for name, texts in facts.get("labels", {}).items() if match and noun(name) == match["noun"]]
    return [option for option in options if option in named[0]] if len(named) == 1 and len(named[0]) == 1 else None


def contradiction(text: str, facts: Facts, image: ImageRef) -> tuple[str, str] | None:
    """Return why a caption does not agree with the annotations (reason, detail), or None.

    Every label and every marked thing is named, and where the place of a marked thing is told, a box of it lies there.
    """
    said = text.lower()
    boxes = facts.get("boxes", [])
    wanted = [label for texts in facts.get("labels", {}).values() for label in texts] + [b["label"] for b in boxes]
    for label in wanted:
        if label.lower() not in said:
            return "ANNOTATION_LEFT_OUT", label
    for label in sorted({box["label"] for box in boxes}):
        there = {place(box["box"], image) for box in boxes if box["label"] == label}
        for told in re.finditer(rf"\b{re.escape(label.lower())} {_PLACE}", said):
            if told["place"] not in there:
                return "PLACE_WRONG", f"{label}: {told['place']}, its boxes {', '.join(sorted(there))}"
    return None
