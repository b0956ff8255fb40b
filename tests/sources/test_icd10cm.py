"""ICD-10-CM questions: true by the list's own hierarchy, balanced, and never cut through a category."""

from collections import Counter

import pytest

from lingshu.core.errors import UserError
from lingshu.core.sample import problems
from lingshu.sources import icd10cm
from lingshu.sources.terminology_params import TerminologyParams

PARAMS = TerminologyParams(
    seed=1,
    held_out_share=0.3,
    icd_codes_per_chapter=30,
    icd_kinship_pairs=40,
    hpo_terms_per_system=1,
    hpo_kinship_pairs=1,
)


def diagnosis(name: str, title: str, inner: str = "") -> str:
    return f"<diag><name>{name}</name><desc>{title}</desc>{inner}</diag>"


def chapter(number: int, letter: str, categories: int) -> str:
    diagnoses = "".join(
        diagnosis(
            f"{letter}{n:02d}",
            f"Disease {letter}{n}",
            "".join(diagnosis(f"{letter}{n:02d}.{k}", f"Form {k} of {letter}{n}") for k in range(5)),
        )
        for n in range(categories)
    )
    return f"<chapter><name>{number}</name><desc>c</desc><section>{diagnoses}</section></chapter>"


@pytest.fixture
def tabular(tmp_path):
    path = tmp_path / "tabular.xml"
    chapters = chapter(9, "I", 12) + chapter(10, "J", 12) + chapter(22, "U", 1)
    path.write_text(f"<ICD10CM.tabular><version>2026</version>{chapters}</ICD10CM.tabular>")
    return path


def test_answers_follow_the_hierarchy(tabular):
    _, codes = icd10cm.read_codes(tabular)
    by_title = {c.title: c for c in codes}
    for sample in icd10cm.rows(tabular, PARAMS, "public domain"):
        assert problems(sample) == []
        asked = sample.prompt_text()
        if sample.topic == "icd_chapter":
            assert sample.target_text() == {"I": "circulatory", "J": "respiratory"}[asked.split("code ")[1][0]]
        if sample.topic == "icd_category":
            code, category = asked.split("'")[1], asked.split("'")[3]
            assert sample.target_text() == ("yes" if by_title[code].category == by_title[category].name else "no")


def test_a_category_is_on_one_side(tabular):
    sides: dict[str, set[str]] = {}
    for sample in icd10cm.rows(tabular, PARAMS, "x"):
        sides.setdefault(sample.group_id, set()).add(sample.split)
    assert all(len(found) == 1 for found in sides.values())
    assert {split for found in sides.values() for split in found} == {"train", "test"}


def test_chapters_are_balanced_and_small_ones_left_out(tabular):
    topics = [s for s in icd10cm.rows(tabular, PARAMS, "x") if s.topic == "icd_chapter"]
    assert Counter(s.target_text() for s in topics) == {"circulatory": 30, "respiratory": 30}


def test_same_input_same_rows(tabular):
    assert list(icd10cm.rows(tabular, PARAMS, "x")) == list(icd10cm.rows(tabular, PARAMS, "x"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<ICD10CM.tabular><chapter>", "not XML"),
        ("<ICD10CM.tabular></ICD10CM.tabular>", "holds no codes"),
        ("<ICD10CM.tabular><chapter><name>99</name></chapter></ICD10CM.tabular>", "chapter '99'"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, named):
    path = tmp_path / "tabular.xml"
    path.write_text(text)
    with pytest.raises(UserError, match=named):
        icd10cm.read_codes(path)
