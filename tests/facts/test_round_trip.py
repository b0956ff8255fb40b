"""What is worded is read back: captions and reports state exactly the facts they were given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import (
    EFFUSION_LEVELS,
    FACTS,
    FINDINGS,
    MAX_NODULES,
    MORE_MODALITIES,
    NONE,
    PAIRS,
    SIDES,
    FactSpec,
    check_facts,
    parsable,
)
from lingshu.facts.wording import NUM_VARIANTS, caption, report

PAIRED = {key for pair in PAIRS for key in pair}


def values(spec: FactSpec) -> st.SearchStrategy[Any]:
    if spec.kind == "flag":
        return st.booleans()
    return st.sampled_from(spec.values) if spec.kind == "choice" else st.integers(0, spec.maximum)


def pairs(first: str, values: st.SearchStrategy[Any], second: str) -> st.SearchStrategy[dict[str, Any]]:
    side = st.sampled_from([s for s in SIDES if s != NONE])
    return st.tuples(values, side).map(
        lambda p: {first: p[0], second: NONE if p[0] in (0, NONE) else p[1]},
    )


single = st.fixed_dictionaries({}, optional={k: values(s) for k, s in FACTS.items() if k not in PAIRED})
nodules = pairs("nodule_count", st.integers(0, MAX_NODULES), "nodule_side")
effusions = pairs("effusion_level", st.sampled_from(EFFUSION_LEVELS), "effusion_side")
any_facts = st.tuples(single, st.just({}) | nodules, st.just({}) | effusions).map(lambda p: p[0] | p[1] | p[2])
any_findings = st.tuples(st.sampled_from(["normal", "enlarged"]), nodules, effusions, st.sampled_from(SIDES)).map(
    lambda p: {"heart": p[0], "opacity": p[3]} | p[1] | p[2]
)


@settings(max_examples=600, deadline=None)
@given(any_facts, st.integers(0, 2 * NUM_VARIANTS))
def test_caption_is_read_back_as_its_facts(facts: dict[str, Any], variant: int) -> None:
    check_facts(facts, "test")
    assert facts_from_text(caption(facts, variant)) == parsable(facts)


@settings(max_examples=200, deadline=None)
@given(any_findings, st.integers(0, NUM_VARIANTS - 1))
def test_report_is_read_back_as_its_findings(facts: dict[str, Any], variant: int) -> None:
    text = report(facts, variant)
    assert facts_from_text(text) == facts
    findings, impression = text.removeprefix("Findings: ").split(" Impression: ")
    assert facts_from_text(findings) == facts
    positive = {k: v for k, v in facts.items() if v not in ("normal", NONE, 0)}
    assert facts_from_text(impression) == positive


@given(any_facts)
def test_case_and_line_breaks_do_not_change_the_reading(facts: dict[str, Any]) -> None:
    text = caption(facts)
    assert facts_from_text(text.upper().replace(" ", "\n")) == facts_from_text(text)


def test_variants_differ_and_repeat() -> None:
    facts = {"modality": "mri", "plane": "axial", "sequence": "T1-weighted", "body_part": "brain"}
    texts = [caption(facts, v) for v in range(NUM_VARIANTS)]
    assert texts[0] == "An axial T1-weighted MRI slice of the brain."
    assert len(set(texts)) == NUM_VARIANTS
    assert caption(facts, NUM_VARIANTS + 1) == texts[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("Nothing of note.", {}),
        ("There are two nodules.", {"nodule_count": 2}),
        ("A pleural effusion on the left.", {}),
        ("Small pleural effusion.", {"effusion_level": "small"}),
        ("There is 1 nodule in the left lung. There are 3 nodules in the right lung.",
         {"nodule_count": 1, "nodule_side": "left"}),
    ],
)  # fmt: skip
def test_text_that_no_template_wrote_gives_only_what_it_states(text: str, expected: dict[str, Any]) -> None:
    assert facts_from_text(text) == expected


def test_report_without_findings_is_refused() -> None:
    with pytest.raises(ValueError, match=FINDINGS[0]):
        report({"modality": "ct"})


@pytest.mark.parametrize("kind", MORE_MODALITIES)
@pytest.mark.parametrize("variant", range(NUM_VARIANTS))
def test_a_kind_that_is_no_option_elsewhere_is_read_back_too(kind: str, variant: int) -> None:
    facts = {"modality": kind, "body_part": "skin"}
    check_facts(facts, "test")
    assert facts_from_text(caption(facts, variant)) == facts
