"""Labels and boxes of raw imaging sources become captions and questions; what does not agree with them is caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lingshu.core.images import write_images
from lingshu.core.layout import IMAGES, MODALITY, SAMPLES, proposal_samples, verdict_file
from lingshu.core.sample import Answer, ImageRef, read_samples, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import parsable
from lingshu.facts.wording import caption
from lingshu.synthesis.annotated import exclusive_values, options_that_hold, place, regions
from lingshu.synthesis.checks import Case, check_caption, check_vqa
from lingshu.synthesis.parents import Parent, eligible_samples, picture_facts, picture_parents
from lingshu.synthesis.propose import propose
from lingshu.synthesis.verify import verify
from tests.synthesis.corpus import PARAMS, picture_of, sample_of

KINDS = ["melanoma", "benign nevus", "wart"]
SIGNS = [["network"], ["network", "streaks"], ["dots"]]


def spot(number):
    return {
        "modality": "dermoscopy",
        "body_part": "skin",
        "labels": {"diagnosis": [KINDS[number % 3]], "signs": SIGNS[number % 3], "skin type": ["2"]},
        "boxes": [{"label": "lesion", "box": [number, 2, number + 10, 12]}],
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotated")
    pictures = [picture_of("spots", number, spot(number)) for number in range(9)]
    samples = [
        sample_of(picture, "caption", "caption", ("Describe this image.", caption(parsable(picture.facts), 0)))
        for picture in pictures
    ]
    write_images(folder / IMAGES / "spots", pictures)
    write_samples(folder / SAMPLES / "spots", samples)
    kept = [Verdict(s.sample_id, s.source, "step", True, KEPT) for s in samples]
    write_verdicts(folder / verdict_file("decontaminate"), kept)
    write_verdicts(folder / MODALITY / "verdicts.parquet", kept)
    for recipe in ("caption", "vqa"):
        propose(recipe, PARAMS, ["spots"], folder)
    return folder


def made(root, recipe):
    return list(read_samples([root / proposal_samples(recipe)]))


def case(root, sample):
    facts = picture_facts(["spots"], root)[sample.images[0].image_id]
    return Case(sample, sample, facts, 40)


def test_captions_name_labels_and_the_places_of_boxes(root):
    metrics = verify(["caption", "vqa"], ["spots"], PARAMS.verify, root)
    assert metrics["caption"] == {"proposed": 8, "accepted": 8, "rejected": {}}
    texts = {sample.target_text() for sample in made(root, "caption")}
    assert any(
        "Diagnosis: wart. Signs: dots. Skin type: 2. Marked: lesion in the upper left part of" in t for t in texts
    )
    assert any("Diagnosis: benign nevus. Signs: network, streaks." in text for text in texts)


def test_questions_are_asked_of_labels_that_exclude_each_other(root):
    asked = [sample for sample in made(root, "vqa") if sample.topic.startswith("label_")]
    assert {sample.topic for sample in asked} == {"label_diagnosis"}  # some have two signs; all have one skin type
    assert len(asked) == PARAMS.vqa.max_templates_per_topic
    assert {sample.answer.text for sample in asked} == set(KINDS)
    assert all(sorted(sample.answer.choices) == sorted(KINDS) for sample in asked)
    assert {sample.prompt_text() for sample in asked} == {"Which of these is the diagnosis?"}
    assert all(check_vqa(case(root, sample)) is None for sample in asked)


def test_a_label_with_several_values_on_one_picture_has_no_alternatives(root):
    parents = picture_parents(eligible_samples(["spots"], ("caption",), root=root), picture_facts(["spots"], root))
    assert exclusive_values(parents) == {
        ("spots", "diagnosis"): tuple(sorted(KINDS)),
        ("spots", "skin type"): ("2",),
    }
    assert exclusive_values([Parent(p.sample, {"modality": "dermoscopy"}) for p in parents]) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("wart", "mark"), "ANNOTATION_LEFT_OUT"),
        (lambda text: text.replace("lesion in the upper left", "spot in the upper left"), "ANNOTATION_LEFT_OUT"),
        (lambda text: text.replace("upper left part", "lower right part"), "PLACE_WRONG"),
        (lambda text: text.replace("upper left part", "middle part"), "PLACE_WRONG"),
        (lambda text: text.replace("in the upper left part of the picture", "seen"), None),
    ],
)
def test_a_spoilt_caption_is_caught(root, change, reason):
    sample = next(sample for sample in made(root, "caption") if "wart" in sample.target_text())
    spoilt = change(sample.target_text())
    assert spoilt != sample.target_text()
    found = check_caption(case(root, replace(sample, messages=turn("Describe this image.", spoilt, 1))))
    assert (found.reason if found else None) == reason


def test_a_wrong_answer_on_a_label_is_caught(root):
    sample = next(sample for sample in made(root, "vqa") if sample.topic == "label_diagnosis")
    wrong = next(option for option in sample.answer.choices if option != sample.answer.text)
    label = "ABCD"[sample.answer.choices.index(wrong)]
    spoilt = replace(
        sample,
        messages=turn(sample.prompt_text(), label, 1),
        answer=Answer("mcq", wrong, sample.answer.choices, label),
    )
    assert check_vqa(case(root, spoilt)).reason == "ANSWER_WRONG"
    other = replace(sample, messages=turn("Which of these is the signs?", sample.answer.label, 1))
    facts = case(root, sample).facts
    two = facts | {"labels": facts["labels"] | {"signs": ["dots", "streaks"]}}
    assert check_vqa(replace(case(root, other), facts=two)).reason == "UNANSWERABLE"
    assert options_that_hold("Which of these is the stage?", facts, KINDS) is None
    none = replace(sample, answer=replace(sample.answer, choices=("x", "y"), label="A", text="x"))
    assert check_vqa(case(root, none)).reason == "NOT_ONE_RIGHT_OPTION"


def test_a_picture_with_a_row_for_each_box_has_all_boxes_and_what_the_rows_agree_on(tmp_path):
    first = picture_of("spots", 0, spot(0))
    second = replace(first, origin_id="spots/again", facts=spot(1))
    write_images(tmp_path / IMAGES / "spots", [first, second, replace(first, origin_id="spots/third")])
    (facts,) = picture_facts(["spots"], tmp_path).values()
    boxes = [box for number in (0, 1) for box in spot(number)["boxes"]]
    assert sorted(facts.pop("boxes"), key=str) == sorted(boxes, key=str)
    assert facts == {"modality": "dermoscopy", "body_part": "skin"}


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ([0, 0, 10, 10], "in the upper left part of the picture"),
        ([0, 0, 90, 60], "in the middle part of the picture"),
        ([80, 50, 90, 60], "in the lower right part of the picture"),
        ([40, 0, 50, 10], "in the upper middle part of the picture"),
        ([0, 25, 10, 35], "in the middle left part of the picture"),
        ([30, 20, 31, 21], "in the middle part of the picture"),
    ],
)
def test_the_place_of_a_box_is_the_ninth_its_middle_lies_in(box, told):
    assert place(box, ImageRef("x", 90, 60)) == told


@pytest.mark.parametrize("word", ["Effusion", "Pleural Effusion", "Nodule", "Lung opacity", "Cardiomegaly", "Mass"])
def test_places_are_not_read_as_sides_of_findings(word):
    facts = {
        "modality": "x-ray",
        "labels": {"findings": [word]},
        "boxes": [{"label": word, "box": [0, 0, 9, 9]}, {"label": word, "box": [80, 0, 89, 9]}],
    }
    text = " ".join(f"{region.name}: {region.text}" for region in regions(facts, ImageRef("x", 90, 60)))
    assert text.count(word) == 3
    assert facts_from_text(f"{caption(parsable(facts), 0)} {text}") == {"modality": "x-ray"}
