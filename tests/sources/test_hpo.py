"""HPO: read whole or refused by name; one right organ system each, kind-of answers true, branches never cut."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.sample import problems
from lingshu.sources import hpo, hpo_binary
from lingshu.sources.terminology_params import TerminologyParams

PARAMS = TerminologyParams(
    seed=1,
    held_out_share=0.3,
    icd_codes_per_chapter=1,
    icd_kinship_pairs=1,
    hpo_terms_per_system=20,
    hpo_kinship_pairs=60,
)


RELEASE = date(2025, 11, 24)
CODE = b"\x7fELF HPO\x00 HPOTerm"  # what lies around the ontology in an extension module
ROOT_NUMBER = 118


class Stored(NamedTuple):
    """A term as the test writes it."""

    number: int
    name: str
    parents: tuple[int, ...] = ()
    flags: int = 0
    replacement: int = 0


def u32(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def day(release: date) -> bytes:
    return release.year.to_bytes(2, "big") + bytes((release.month, release.day))


def term_record(term: Stored) -> bytes:
    name = term.name.encode()
    rest = u32(term.number) + bytes([len(name)]) + name + bytes([term.flags]) + u32(term.replacement)
    return u32(4 + len(rest)) + rest


def parent_record(term: Stored) -> bytes:
    return u32(len(term.parents), term.number, *term.parents)


def section(*records: bytes) -> bytes:
    return u32(sum(map(len, records))) + b"".join(records)


def layout(terms: list[Stored], release: date = RELEASE) -> bytes:
    named, parents = section(*map(term_record, terms)), section(*map(parent_record, terms))
    return b"HPO\x03" + day(release) + named + parents


def module(tmp_path: Path, ontology: bytes) -> Path:
    path = tmp_path / "pyhpo.pyd"
    path.write_bytes(CODE + ontology + CODE)
    return path


ROOT_TERM = Stored(ROOT_NUMBER, "Phenotypic abnormality")
EYE = Stored(478, "Abnormality of the eye", (ROOT_NUMBER,))
SMALL = [ROOT_TERM, EYE]
START = b"HPO\x03" + day(RELEASE)


@pytest.fixture
def ontology(tmp_path):
    terms = [ROOT_TERM]
    number = 1000
    for system, (top, name) in enumerate([(1, "Abnormality of the eye"), (2, "Abnormality of the ear")]):
        terms.append(Stored(top, name, (ROOT_NUMBER,)))
        for branch in range(4):
            terms.append(Stored(number, f"Branch {system}{branch}", (top,)))
            terms.append(Stored(number + 1, f"Sub {system}{branch}", (number,)))
            terms += [Stored(number + 2 + k, f"Finding {system}{branch}{k}", (number + 1,)) for k in range(12)]
            number += 100
    terms.append(Stored(9000, "Of both", (1, 2)))
    terms.append(Stored(9001, "Gone", (1,), flags=1, replacement=9000))
    return module(tmp_path, layout(terms))


def test_terms_in_use_are_read_with_release_ids_and_parents(tmp_path):
    gone = Stored(9001, "Gone", flags=1, replacement=478)
    path = module(tmp_path, layout([*SMALL, gone, Stored(4, "Folie à deux", (478, ROOT_NUMBER))]))
    release, terms = hpo.read_terms(path)
    assert release == "HPO 2025-11-24"
    assert list(terms.values()) == [
        hpo.Term("HP:0000118", "Phenotypic abnormality", ()),
        hpo.Term("HP:0000478", "Abnormality of the eye", ("HP:0000118",)),
        hpo.Term("HP:0000004", "Folie à deux", ("HP:0000478", "HP:0000118")),
    ]
    assert hpo_binary.read_layout(path)[1][9001] == hpo_binary.StoredTerm("Gone", True, ())


NUMBERS = st.integers(0, 2**32 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=255).filter(lambda name: len(name.encode()) <= 255)
TERMS = st.lists(
    st.builds(Stored, NUMBERS, NAMES, st.lists(NUMBERS, max_size=5).map(tuple), st.integers(0, 1), NUMBERS),
    unique_by=lambda term: term.number,
    max_size=12,
)


@given(TERMS, st.dates())
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, terms, release):
    path = module(tmp_path_factory.getbasetemp(), layout(terms, release))
    expected = {t.number: hpo_binary.StoredTerm(t.name, t.flags == 1, t.parents) for t in terms}
    found_release, found = hpo_binary.read_layout(path)
    assert (found_release, found) == (release, expected)
    assert list(found) == list(expected)


@given(st.dictionaries(st.integers(0, len(layout(SMALL)) - 1), st.integers(0, 255), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_changed_bytes_are_read_or_refused(tmp_path_factory, changes):
    data = bytearray(layout(SMALL))
    for at, value in changes.items():
        data[at] = value
    path = module(tmp_path_factory.getbasetemp(), bytes(data))
    try:
        _, terms = hpo.read_terms(path)
    except UserError as error:
        assert str(path) in error.what
        assert error.fix
    else:
        assert hpo.ROOT in terms
        assert all(parent in terms for term in terms.values() for parent in term.parents)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = layout(SMALL)
    path = tmp_path / "cut.pyd"
    for size in range(len(whole)):
        path.write_bytes(CODE + whole[:size])
        with pytest.raises(UserError, match=r"cut\.pyd: (holds no HPO|the HPO in it is damaged)") as error:
            hpo.read_terms(path)
        assert error.value.fix
    path.write_bytes(CODE + whole)
    assert len(hpo.read_terms(path)[1]) == 2


NO_PARENTS = section()
EYE_RECORD = term_record(EYE)
REFUSED = {
    "nothing": (b"", "holds no HPO in the binary layout of version 3"),
    "an older layout": (b"HPO\x02" + layout(SMALL)[4:], "holds no HPO in the binary layout of version 3"),
    "no date": (b"HPO\x03\x07\xe9\x0d\x01" + layout(SMALL)[8:], "the release 2025-13-1 is no date"),
    "term section past the file": (START + u32(10**6), "the ontology: 1000000 bytes wanted at byte"),
    "no parent section": (START + section(EYE_RECORD) + u32(10**6), "the ontology: 1000000 bytes wanted"),
    "term record past its section": (
        START + u32(len(EYE_RECORD) - 1) + EYE_RECORD + NO_PARENTS,
        r"the term section: 32 bytes wanted at byte \d+, 31 are left",
    ),
    "term record without a length": (START + section(u32(0)) + NO_PARENTS, "the term section: -4 bytes wanted"),
    "term record cut": (START + section(u32(10, 478) + b"\x03E") + NO_PARENTS, "term record .* 3 bytes wanted"),
    "term record too long": (
        START + section(u32(len(EYE_RECORD) + 2) + EYE_RECORD[4:] + b"xx") + NO_PARENTS,
        r"the term record at byte \d+ states 38 bytes, 2 more than it has",
    ),
    "name not UTF-8": (
        START + section(EYE_RECORD.replace(b"eye", b"\xffye")) + NO_PARENTS,
        "a name that is not UTF-8: b'Abnormality of the",
    ),
    "unknown flags": (layout([EYE._replace(flags=3)]), "unknown flags 3"),
    "a term twice": (layout([ROOT_TERM, EYE, EYE]), "the term record .* is a second one of term 478"),
    "parent record cut": (START + section(EYE_RECORD) + section(u32(2, 478, 118)), "parent section: 8 bytes wanted"),
    "parents twice": (
        START + section(EYE_RECORD) + section(parent_record(EYE), parent_record(EYE)),
        "the parent record .* is a second one of term 478",
    ),
    "parents of no term": (
        START + section(EYE_RECORD) + section(parent_record(ROOT_TERM)),
        "term 118 has parents and no name",
    ),
    "no root": (layout([EYE]), "the root HP:0000118 is missing"),
    "root obsolete": (layout([ROOT_TERM._replace(flags=1)]), "the root HP:0000118 is missing"),
    "unknown parent": (layout([ROOT_TERM, EYE._replace(parents=(7,))]), "HP:0000478 has the parent HP:0000007, which"),
    "obsolete parent": (
        layout([*SMALL, Stored(7, "Gone", flags=1), Stored(8, "Under it", (7,))]),
        "HP:0000008 has the parent HP:0000007, which is unknown or obsolete",
    ),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_another_or_a_damaged_file_is_refused(tmp_path, data, message):
    path = tmp_path / "pyhpo.pyd"
    path.write_bytes(CODE + data)
    with pytest.raises(UserError, match=message) as error:
        hpo.read_terms(path)
    assert str(path) in error.value.what
    assert "catalog/sources/terminology.yaml" in error.value.fix


def test_answers_are_true_in_the_ontology(ontology):
    _, terms = hpo.read_terms(ontology)
    by_name = {t.name: t.id for t in terms.values()}
    for sample in hpo.rows(ontology, PARAMS, "HPO"):
        assert problems(sample) == []
        asked = sample.prompt_text()
        quoted = asked.split("'")
        if sample.topic in ("hpo_system", "hpo_choice"):
            right = {"0": "eye", "1": "ear"}[quoted[1].split()[1][0]]
            assert sample.answer is not None
            assert sample.answer.text == right
            if sample.topic == "hpo_choice":
                assert sample.answer.choices[ord(sample.target_text()) - ord("A")] == right
        if sample.topic == "hpo_kind":
            above = hpo.ancestors(terms, by_name[quoted[1]])
            assert sample.target_text() == ("yes" if by_name[quoted[3]] in above else "no")


def test_terms_of_two_systems_and_obsolete_ones_are_not_asked(ontology):
    text = " ".join(s.prompt_text() for s in hpo.rows(ontology, PARAMS, "HPO"))
    assert "'Of both'" not in text
    assert "'Gone'" not in text


def test_a_branch_is_on_one_side(ontology):
    sides: dict[str, set[str]] = {}
    for sample in hpo.rows(ontology, PARAMS, "HPO"):
        sides.setdefault(sample.group_id, set()).add(sample.split)
    assert all(len(found) == 1 for found in sides.values())
    assert len(sides) > 4
