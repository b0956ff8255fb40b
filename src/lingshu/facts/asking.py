"""Facts into questions whose answers are known. The text is the bare question; answer-format suffixes come later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lingshu.core.ids import stable_hash
from lingshu.core.sample import AnswerKind
from lingshu.facts.vocabulary import COMPATIBLE, MODALITIES, NONE, PLANES

Facts = Mapping[str, Any]
YES_NO: dict[bool, str] = {True: "yes", False: "no"}
NUM_OPTIONS = 4
NUCLEI_BANDS: tuple[tuple[int, str], ...] = ((10, "few"), (30, "some"))
MANY_NUCLEI = "many"
# Multiple choice is a topic of its own where the same question is also asked freely: chance and scores differ.
CHOICE_TOPICS: dict[str, str] = {"modality": "modality_choice", "plane": "plane_choice"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its gold answer; a multiple-choice one also has its options and the gold letter."""

    topic: str
    kind: AnswerKind
    question: str
    answer: str
    choices: tuple[str, ...] = ()
    label: str = ""


def questions(facts: Facts, key: str = "") -> list[Question]:
    """Return every question that the facts answer, in a fixed order.

    Args:
        facts: checked facts (`vocabulary.check_facts`).
        key: any text (a picture's id): varies the phrasing, the distractors and the order of options.
    """
    return [question for asker in _ASKERS for question in asker(facts, key)]


def count_question(facts: Facts, key: str, topic: str) -> Question:
    """Return the nodule-count question under another topic (the harder set counts further)."""
    return Question(topic, "closed", _phrase(_COUNT, key), str(facts["nodule_count"]))


def multiple_choice(topic: str, question: str, answer: str, distractors: tuple[str, ...], key: str) -> Question:
    """Return a multiple-choice question of up to `NUM_OPTIONS` options, drawn and ordered by `key`.

    Raises:
        ValueError: the answer is among the distractors, or there is no distractor.
    """
    if answer in distractors or not distractors:
        raise ValueError(f"{question!r}: distractors {distractors} must be others than {answer!r}, at least one")
    drawn = sorted(distractors, key=lambda d: stable_hash("distractor", key, topic, d))[: NUM_OPTIONS - 1]
    options = tuple(sorted((answer, *drawn), key=lambda d: stable_hash("order", key, topic, d)))
    return Question(topic, "mcq", question, answer, options, chr(ord("A") + options.index(answer)))


def _phrase(phrases: tuple[str, ...], key: str) -> str:
    return phrases[stable_hash("phrase", key, phrases[0]) % len(phrases)]


def _closed(topic: str, fact: str, phrases: tuple[str, ...]) -> Callable[[Facts, str], list[Question]]:
    def ask(facts: Facts, key: str) -> list[Question]:
        return [Question(topic, "closed", _phrase(phrases, key), str(facts[fact]))] if fact in facts else []

    return ask


def _flag(topic: str, phrases: tuple[str, ...]) -> Callable[[Facts, str], list[Question]]:
    def ask(facts: Facts, key: str) -> list[Question]:
        return [Question(topic, "yesno", _phrase(phrases, key), YES_NO[facts[topic]])] if topic in facts else []

    return ask


def _choice(fact: str, phrases: tuple[str, ...], values: tuple[str, ...]) -> Callable[[Facts, str], list[Question]]:
    def ask(facts: Facts, key: str) -> list[Question]:
        if fact not in facts:
            return []
        right = (facts[fact], *COMPATIBLE.get(facts[fact], ()))
        others = tuple(v for v in values if v not in right)
        return [multiple_choice(CHOICE_TOPICS[fact], _phrase(phrases, key), facts[fact], others, key)]

    return ask


def _nuclei(facts: Facts, _: str) -> list[Question]:
    if "nuclei_count" not in facts:
        return []
    band = next((name for most, name in NUCLEI_BANDS if facts["nuclei_count"] <= most), MANY_NUCLEI)
    text = "Are there few (up to 10), some (11 to 30) or many (over 30) nuclei?"
    return [Question("nuclei_count", "closed", text, band)]


def _presence(facts: Facts, key: str) -> list[Question]:
    return [
        Question("presence", "yesno", _phrase(phrases, key), YES_NO[facts[fact] not in (0, NONE)])
        for fact, phrases in _PRESENCE.items()
        if fact in facts
    ]


def _side(facts: Facts, key: str) -> list[Question]:
    return [
        Question("side", "closed", _phrase(phrases, key), facts[fact])
        for fact, phrases in _SIDE.items()
        if facts.get(fact, NONE) != NONE
    ]


def _count(facts: Facts, key: str) -> list[Question]:
    return [count_question(facts, key, "count")] if "nodule_count" in facts else []


def _level(facts: Facts, _: str) -> list[Question]:
    if facts.get("effusion_level", NONE) == NONE:
        return []
    return [Question("effusion_level", "closed", "Is the effusion small or large?", facts["effusion_level"])]


_COUNT = ("How many nodules are there?", "What is the number of nodules?")
_PRESENCE: dict[str, tuple[str, ...]] = {
    "nodule_count": ("Is there a nodule?", "Does this image show a nodule?"),
    "effusion_side": ("Is there a pleural effusion?", "Does this image show a pleural effusion?"),
    "opacity": ("Is there an opacity?", "Does this image show an opacity?"),
}
_SIDE: dict[str, tuple[str, ...]] = {
    "nodule_side": ("On which side is the nodule?", "Which lung has the nodule?"),
    "effusion_side": ("On which side is the effusion?", "Which side has the effusion?"),
    "opacity": ("On which side is the opacity?", "Which lung has the opacity?"),
}
_MODALITY = ("What is the imaging modality?", "Which modality is this image?")
_PLANE = ("What is the imaging plane?", "In which plane is this image?")
_ASKERS: tuple[Callable[[Facts, str], list[Question]], ...] = (
    _closed("modality", "modality", _MODALITY),
    _choice("modality", _MODALITY, MODALITIES),
    _closed("plane", "plane", _PLANE),
    _choice("plane", _PLANE, PLANES),
    _closed("view", "view", ("What is the view?", "From which view is this image?")),
    _closed("sequence", "sequence", ("What is the MRI sequence?", "Which MRI sequence is this?")),
    _closed("body_part", "body_part", ("What body part is shown?", "Which part of the body is this?")),
    _closed("stain", "stain", ("What is the stain?", "Which stain was used?")),
    _closed("structure", "structure", ("What structure is visible?", "Which structure does this image show?")),
    _closed("dominant_tissue", "dominant_tissue", ("Is there more grey matter or white matter?",)),
    _flag("contrast", ("Was contrast agent given?", "Is contrast agent visible?")),
    _flag("doppler", ("Is Doppler colour shown?", "Does this image show Doppler colour?")),
    _nuclei,
    _presence,
    _side,
    _count,
    _closed("heart", "heart", ("Is the heart normal or enlarged?", "What is the heart size?")),
    _level,
)
