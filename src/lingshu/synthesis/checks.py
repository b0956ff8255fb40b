"""The checks of `verify`, by recipe: each returns why a proposal is rejected, or None. They trust no teacher.

Reasons are words in capitals with their evidence. Facts come from the picture's index row, never from the proposal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lingshu.core.ids import sha256_bytes
from lingshu.core.sample import Sample
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import parsable
from lingshu.synthesis.annotated import TOPIC, contradiction, options_that_hold
from lingshu.synthesis.answering import answer_from_facts, excluded_options, is_present
from lingshu.synthesis.labels import FINDING
from lingshu.synthesis.lettering import letter
from lingshu.synthesis.ocr import READ, category

Facts = Mapping[str, Any]
TRACE = re.compile(r"<think>(?P<trace>[^<>]+)</think><answer>(?P<answer>[^<>]+)</answer>")
OBSERVATION = re.compile(r"\b(?P<side>left|right) (?:lung|side): (?P<seen>[^.]+)\.")
CONCLUSION = re.compile(r"so (?P<said>[^.]+)\.$")


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a proposal is not used: an UPPER_CASE reason and the evidence."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells of a person: names and numbers in the parent's text, and the kinds found in the proposal's."""

    known: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A proposal with what it is checked against: its parent, the facts of its picture, the limits, and identities."""

    sample: Sample
    parent: Sample
    facts: Facts
    max_trace_words: int
    min_kept_words: float = 0.0
    identity: Identity = Identity()


def check_caption(case: Case) -> Rejection | None:
    """Reject a caption that states what the facts do not, or leaves a fact out."""
    stated, known = facts_from_text(case.sample.target_text()), parsable(case.facts)
    if not known:
        return Rejection("NO_FACTS", "nothing is known about the picture")
    wrong = sorted(key for key in stated.keys() | known.keys() if stated.get(key) != known.get(key))
    if wrong:
        told = ", ".join(f"{key}: stated {stated.get(key)!r}, known {known.get(key)!r}" for key in wrong)
        return Rejection("FACTS_DISAGREE", told)
    against = contradiction(case.sample.target_text(), case.facts, case.sample.images[0])
    return Rejection(*against) if against else None


def check_vqa(case: Case) -> Rejection | None:
    """Reject a question that the facts do not answer, or answer otherwise, or without exactly one right option."""
    answer = case.sample.answer
    if answer is None:
        return Rejection("NO_ANSWER", "")
    if answer.kind == "mcq":
        return _check_options(case)
    right = answer_from_facts(case.sample.prompt_text(), case.facts)
    if right is None:
        return Rejection("UNANSWERABLE", case.sample.prompt_text())
    if right != answer.text or case.sample.target_text() != right:
        return Rejection("ANSWER_WRONG", f"answer {answer.text!r}, by the facts {right!r}")
    return None


def _check_options(case: Case) -> Rejection | None:
    answer, question = case.sample.answer, case.sample.prompt_text()
    assert answer is not None
    if case.sample.topic == FINDING:
        right = [option for option in answer.choices if is_present(option, case.facts) is not False]
    elif case.sample.topic.startswith(TOPIC):
        held = options_that_hold(question, case.facts, answer.choices)
        if held is None:
            return Rejection("UNANSWERABLE", question)
        right = held
    elif answer_from_facts(question, case.facts) is None:
        return Rejection("UNANSWERABLE", question)
    else:
        wrong = excluded_options(question, case.facts, answer.choices)
        right = [option for option in answer.choices if option not in wrong]
    if len(right) != 1 or len(set(answer.choices)) != len(answer.choices):
        return Rejection("NOT_ONE_RIGHT_OPTION", f"options {', '.join(answer.choices)}; right: {', '.join(right)}")
    label = chr(ord("A") + answer.choices.index(right[0]))
    if (answer.label, answer.text, case.sample.target_text()) != (label, right[0], label):
        return Rejection("ANSWER_WRONG", f"answer {answer.label} {answer.text!r}, by the facts {label} {right[0]!r}")
    return None


def check_ocr(case: Case) -> Rejection | None:
    """Reject a picture that does not show the parent's code, or an answer that is not exactly the ground truth."""
    text, sample = category(case.parent), case.sample
    if text is None or case.parent.answer is None:
        return Rejection("NO_GROUND_TRUTH", case.parent.prompt_text())
    picture = sample.images[0]
    if sha256_bytes(letter(text, picture.width)) != picture.image_id:
        return Rejection("TEXT_NOT_SHOWN", text)
    right = text if sample.topic == READ else case.parent.answer.text
    if sample.answer is None or sample.answer.text != right:
        return Rejection("ANSWER_WRONG", f"answer {sample.answer and sample.answer.text!r}, ground truth {right!r}")
    target = f"{sample.rationale} Answer: {right}" if sample.rationale else right
    if sample.target_text() != target or (sample.rationale and text not in sample.rationale):
        return Rejection("REASONING_WRONG", sample.target_text())
    return None


def check_cot(case: Case) -> Rejection | None:
    """Reject a trace of another form, too long, against the facts, or whose conclusion is not the gold answer."""
    match = TRACE.fullmatch(case.sample.target_text())
    if match is None:
        return Rejection("BAD_FORMAT", case.sample.target_text())
    trace = match["trace"].lower()
    if len(trace.split()) > case.max_trace_words:
        return Rejection("TOO_LONG", f"{len(trace.split())} words, at most {case.max_trace_words}")
    question = case.parent.prompt_text()
    right, parent = answer_from_facts(question, case.facts), case.parent.answer
    if right is None or parent is None:
        return Rejection("UNANSWERABLE", question)
    if wrong := _wrong_observations(trace, question, case.facts):
        return Rejection("FACTS_DISAGREE", wrong)
    said = _conclusion(trace)
    if not right == parent.text == match["answer"] == said:
        told = f"concludes {said!r}, answers {match['answer']!r}, gold {parent.text!r}, by the facts {right!r}"
        return Rejection("CONCLUSION_WRONG", told)
    return None


def _wrong_observations(trace: str, question: str, facts: Facts) -> str:
    """Return what the trace says of a side that the facts do not, or "" if both sides are told and right."""
    finding = next(word for word in ("nodule", "effusion", "opacity") if word in question.lower())
    seen = {match["side"]: match["seen"] for match in OBSERVATION.finditer(trace)}
    side = facts[{"nodule": "nodule_side", "effusion": "effusion_side", "opacity": "opacity"}[finding]]
    amount = {"nodule": facts.get("nodule_count"), "effusion": facts.get("effusion_level"), "opacity": ""}[finding]
    shown = f"{amount} {finding}{'s' if finding == 'nodule' and amount != 1 else ''}".strip()
    expected = {name: shown if name == side else f"no {finding}" for name in ("left", "right")}
    return "" if seen == expected else f"says {seen}, by the facts {expected}"


def _conclusion(trace: str) -> str | None:
    """Return the answer that a trace's last sentence comes to: a side, a number, yes or no; None if it has none."""
    match = CONCLUSION.search(trace)
    if match is None:
        return None
    said = match["said"]
    if found := re.search(r"on the (left|right)$|number of nodules is (\d+)$", said):
        return found[1] or found[2]
    return {"no": "no", "a": "yes", "an": "yes"}.get(said.split()[0]) if said.endswith(" is seen") else None
