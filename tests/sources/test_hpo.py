"""HPO questions: one right organ system each, kind-of answers true in the ontology, branches never cut."""

import pytest

from lingshu.core.errors import UserError
from lingshu.core.sample import problems
from lingshu.sources import hpo
from lingshu.sources.terminology_params import TerminologyParams

PARAMS = TerminologyParams(
    seed=1,
    held_out_share=0.3,
    icd_codes_per_chapter=1,
    icd_kinship_pairs=1,
    hpo_terms_per_system=20,
    hpo_kinship_pairs=60,
)


def term(number: int, name: str, *parents: str, extra: str = "") -> str:
    lines = [f"id: HP:{number:07d}", f"name: {name}", *(f"is_a: {p} ! something" for p in parents)]
    return "[Term]\n" + "\n".join(lines) + extra + "\n\n"


@pytest.fixture
def ontology(tmp_path):
    blocks = [term(118, "Phenotypic abnormality")]
    number = 1000
    for system, (top, name) in enumerate([(1, "Abnormality of the eye"), (2, "Abnormality of the ear")]):
        blocks.append(term(top, name, hpo.ROOT))
        for branch in range(4):
            first = number
            blocks.append(term(first, f"Branch {system}{branch}", f"HP:{top:07d}"))
            second = number + 1
            blocks.append(term(second, f"Sub {system}{branch}", f"HP:{first:07d}"))
            blocks += [term(number + 2 + k, f"Finding {system}{branch}{k}", f"HP:{second:07d}") for k in range(12)]
            number += 100
    blocks.append(term(9000, "Of both", "HP:0000001", "HP:0000002"))
    blocks.append(term(9001, "Gone", "HP:0000001", extra="\nis_obsolete: true"))
    path = tmp_path / "hp.obo"
    path.write_text("format-version: 1.2\ndata-version: hp/releases/test\n\n" + "".join(blocks))
    return path


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


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "hp.obo"
    path.write_text("nothing")
    with pytest.raises(UserError, match="not the HPO"):
        hpo.read_terms(path)
