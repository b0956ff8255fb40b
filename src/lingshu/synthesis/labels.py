"""Multiple-choice questions from labels, with options from the data set's own label space (paper, section 2.2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lingshu.core.ids import stable_hash
from lingshu.facts.asking import CHOICE_TOPICS, Question, multiple_choice
from lingshu.facts.vocabulary import NONE, parsable
from lingshu.synthesis.alternatives import alternatives
from lingshu.synthesis.parents import Parent

Facts = Mapping[str, Any]
LabelSpace = dict[tuple[str, str], tuple[str, ...]]
# Fact: (topic, what it is called in the question).
LABELS: dict[str, tuple[str, str]] = {
    "modality": (CHOICE_TOPICS["modality"], "imaging modality"),
    "plane": (CHOICE_TOPICS["plane"], "imaging plane"),
    "view": ("view", "view"),
    "body_part": ("body_part", "body part"),
    "stain": ("stain", "stain"),
    "nodule_count": ("count", "number of nodules"),
}
FINDING = "finding"
FINDING_QUESTION = "Which of these findings is present?"
# Option: the fact that says whether it is there, and the values that say it is not.
FINDING_OPTIONS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "enlarged heart": ("heart", ("normal",)),
    "pleural effusion": ("effusion_side", (NONE,)),
    "nodule": ("nodule_count", (0,)),
    "opacity": ("opacity", (NONE,)),
}


def label_space(parents: Iterable[Parent]) -> LabelSpace:
    """Return the values of each fact that each source's pictures show: `{(source, fact): values}`, sorted."""
    found: dict[tuple[str, str], set[str]] = {}
    for parent in parents:
        for key, value in parsable(parent.facts).items():
            found.setdefault((parent.sample.source, key), set()).add(str(value))
    return {key: tuple(sorted(values)) for key, values in found.items()}


def findings(facts: Facts, present: bool) -> list[str]:
    """Return the findings among `FINDING_OPTIONS` that the facts say are there (or, with False, are not)."""
    known = {name: facts[key] not in absent for name, (key, absent) in FINDING_OPTIONS.items() if key in facts}
    return [name for name, there in known.items() if there == present]


def label_questions(parent: Parent, space: LabelSpace) -> list[Question]:
    """Return the multiple-choice questions that the labels of a picture allow: each has at least one wrong option."""
    key = parent.sample.images[0].image_id
    asked: list[Question] = []
    for fact, (topic, noun) in LABELS.items():
        if fact not in parent.facts:
            continue
        value = str(parent.facts[fact])
        if others := alternatives(fact, value, space[(parent.sample.source, fact)]):
            asked.append(multiple_choice(topic, f"Which of these is the {noun}?", value, others, key))
    there, absent = findings(parent.facts, True), findings(parent.facts, False)
    if there and absent:
        answer = there[stable_hash("finding", key) % len(there)]
        asked.append(multiple_choice(FINDING, FINDING_QUESTION, answer, tuple(absent), key))
    return asked
