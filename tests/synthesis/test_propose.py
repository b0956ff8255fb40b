"""Proposals come from eligible training samples only, inherit their group, repeat exactly, and lose no request."""

from __future__ import annotations

import json

import pytest

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.layout import SAMPLES, proposal_images, proposal_samples
from lingshu.core.manifest import read_manifest
from lingshu.core.params import validate
from lingshu.core.sample import read_samples
from lingshu.core.verdicts import read_verdicts
from lingshu.synthesis import caption, propose
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.proposals import Surroundings
from lingshu.synthesis.replies import Description
from lingshu.synthesis.teacher import Reply, Request
from lingshu.synthesis.template import TemplateTeacher
from tests.synthesis.corpus import PARAMS, RECIPES, SOURCES, build


def run(root, recipe, params=PARAMS):
    counts = propose.propose(recipe, params, SOURCES, root)
    return list(read_samples([root / proposal_samples(recipe)])), counts


def changed(section, **values):
    data = PARAMS.model_dump()
    data[section].update(values)
    return SynthesisParams.model_validate(data)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_proposal_has_an_eligible_parent_and_its_group(repository, recipe):
    made, counts = run(repository, recipe)
    parents = {s.sample_id: s for s in read_samples(repository / SAMPLES / name for name in SOURCES)}
    assert counts == {"PROPOSED": len(made)} == read_manifest(repository / f"data/proposals/{recipe}").counts
    for sample in made:
        parent = parents[sample.synthetic.parents[0]]
        assert (sample.group_id, sample.split) == (parent.group_id, "train")
        assert parent.group_id not in ("film-0", "film-1", "film-2", "icd10cm/Z00")
        assert (sample.source, sample.synthetic.recipe) == (f"synthetic_{recipe}", recipe)
        assert len(sample.synthetic.prompt_digest) == 64


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_runs_give_the_same_files(tmp_path, recipe):
    def manifest(name):
        run(build(tmp_path / name), recipe)
        return (tmp_path / name / "data/proposals" / recipe / "manifest.json").read_bytes()

    assert manifest("a") == manifest("b")


@pytest.mark.parametrize(
    ("recipe", "key", "more"),
    [("caption", "max_per_modality", 12), ("ocr", "max_per_question", 12), ("cot", "max_per_topic", 15)],
)
def test_raising_a_limit_only_adds(repository, recipe, key, more):
    few = {s.sample_id for s in run(repository, recipe)[0]}
    many = {s.sample_id for s in run(repository, recipe, changed(recipe, **{key: more}))[0]}
    assert few < many


def test_captions_are_balanced_over_modalities(repository):
    made, _ = run(repository, "caption", changed("caption", max_per_modality=5))
    assert sorted(s.modality[0] for s in made) == ["ct"] * 5 + ["mri"] * 5 + ["x-ray"] * 5


def test_questions_have_options_of_the_data_set_and_cover_both_ways_of_asking(repository):
    made, _ = run(repository, "vqa")
    templates = [s for s in made if s.synthetic.teacher != TemplateTeacher.name]
    assert {s.topic for s in templates} == {"modality_choice", "plane_choice", "body_part", "count", "finding"}
    assert {c for s in templates if s.topic == "modality_choice" for c in s.answer.choices} == {"ct", "mri"}
    written = [s for s in made if s.synthetic.teacher == TemplateTeacher.name]
    assert {"presence", "side", "count", "plane", "heart", "contrast"} <= {s.topic for s in written}
    assert {s.task for s in written} == {"mcq", "vqa_closed"}
    assert {s.task for s in made if s.topic in ("modality", "plane")} == {"vqa_closed"}
    assert {s.task for s in made if s.topic in ("modality_choice", "plane_choice")} == {"mcq"}
    # Every film is a frontal x-ray of the chest: nothing to ask.
    nothing = ("modality", "modality_choice", "view", "body_part")
    assert not [s for s in made if s.group_id.startswith("film") and s.topic in nothing]


def test_pictures_of_text_are_stored_and_each_question_asks_for_a_category_once(repository):
    made, _ = run(repository, "ocr")
    store = ImageStore([repository / proposal_images("ocr")])
    assert {s.images[0].image_id for s in made} == set(store.ids())
    assert store.image(store.ids()[0]).size == (96, 96)
    read = {s.answer.text: s.target_text() for s in made if s.topic == "ocr_text"}
    assert len(read) == 10
    assert all(target == answer and len(answer) == 3 for answer, target in read.items())
    chapters = [s for s in made if s.topic == "ocr_chapter"]
    assert {s.answer.text for s in chapters} == {"respiratory", "circulatory"}
    assert all(s.target_text() == f"{s.rationale} Answer: {s.answer.text}" for s in chapters)


def test_traces_have_the_strict_format_and_the_bare_question(repository):
    made, _ = run(repository, "cot")
    assert {s.topic for s in made} == {"presence", "side", "count", "count_hard"}
    for sample in made:
        assert sample.task == "reasoning"
        assert sample.target_text() == f"<think>{sample.rationale}</think><answer>{sample.answer.text}</answer>"
        assert "<think>" not in sample.prompt_text()


class Unreliable:
    """Like a server on a bad day: replies in reverse; the first four are refused, broken, of wrong shape, lost."""

    name = "unreliable"

    def complete(self, requests):
        good = TemplateTeacher()
        for number, request in reversed(list(enumerate(requests))):
            texts = {0: '{"refusal": "too dark"}', 1: "Sure! Here is", 2: '{"overall": 3}'}
            if number < 3:
                yield Reply(request.request_id, texts[number])
            elif number > 3:
                yield from good.complete([request])


def test_unusable_replies_are_counted_by_reason_and_the_others_reach_their_parents(repository):
    found = caption.propose(Surroundings(PARAMS, tuple(SOURCES), Unreliable(), repository))
    usual = caption.propose(Surroundings(PARAMS, tuple(SOURCES), TemplateTeacher(), repository))
    assert sorted(v.reason for v in found.dropped) == ["INVALID_REPLY", "INVALID_REPLY", "NO_REPLY", "REFUSED"]
    assert len(found.samples) + 4 == len(usual.samples)
    assert {s.target_text() for s in found.samples} < {s.target_text() for s in usual.samples}


def test_dropped_requests_are_written_with_their_parent(repository, monkeypatch):
    monkeypatch.setitem(propose.TEACHERS, "template", Unreliable)
    made, counts = run(repository, "caption")
    assert counts == {"PROPOSED": len(made), "INVALID_REPLY": 2, "NO_REPLY": 1, "REFUSED": 1}
    table = read_verdicts(repository / "data/proposals/caption/verdicts.parquet")
    assert table["step"].unique().to_list() == ["propose_caption"]
    assert "too dark" in table.filter(table["reason"] == "REFUSED")["detail"][0]


def test_the_template_teacher_refuses_a_caption_that_contradicts_the_picture():
    messages = caption.instruction(caption.INSTRUCTION, "An axial CT slice of the brain.")
    for plane, key in (("axial", "overall"), ("coronal", "refusal")):
        facts = {"modality": "ct", "plane": plane, "body_part": "brain"}
        reply = next(TemplateTeacher().complete([Request("r", messages, (), Description, facts)]))
        assert key in json.loads(reply.text)


def test_mistakes_name_the_key(repository):
    with pytest.raises(UserError, match="recipe 'captions': no such recipe"):
        propose.propose("captions", PARAMS, SOURCES, repository)
    with pytest.raises(UserError, match=r"synthesis\.ocr: no eligible sample to build on in film"):
        propose.propose("ocr", PARAMS, ["film"], repository)
    data = PARAMS.model_dump()
    with pytest.raises(UserError, match=r"synthesis\.caption\.max_per_modalty: unknown key; did you mean"):
        validate(SynthesisParams, {**data, "caption": {"max_per_modalty": 3}}, "params.yaml: synthesis")
