"""The backbone: same corpus and seed, same bytes; it loads by the Auto classes; held-out text stays out."""

from __future__ import annotations

import json
import math

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from lingshu.core.errors import UserError
from lingshu.facts.reading import facts_from_text
from lingshu.modeling.architecture import build_model, save_checkpoint
from lingshu.modeling.backbone import make_backbone
from lingshu.modeling.corpus import corpus_samples, notes, pretraining_conversations
from lingshu.modeling.launch import Origins, launch
from lingshu.modeling.load import load_checkpoint
from tests.random_encoder import ENCODER, put_encoder
from tests.tiny_model import CAPTIONS, PARAMS, Drawn, tiny, write_corpus
from tests.warm_processes import forked_after


@pytest.fixture(scope="module", autouse=True)
def _warm_processes():
    with forked_after("lingshu.modeling.backbone"):
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("backbone")
    samples = write_corpus(root)
    put_encoder(root)
    origins = Origins(["films"], [], ENCODER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        metrics = [make_backbone(root / name, PARAMS, 3, origins) for name in ("one", "two")]
    return root, samples, metrics


def digests(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(made):
    root, _, metrics = made
    assert digests(root / "one") == digests(root / "two")
    assert metrics[0] == metrics[1]
    assert json.dumps(metrics[0])
    assert metrics[0]["vision_pretraining"]["pictures"] == 6
    assert math.isclose(metrics[0]["pretraining"]["loss_first"], math.log(640), rel_tol=0.3)


def test_side_by_side_is_one_after_the_other(made, monkeypatch):
    root, _, metrics = made
    monkeypatch.chdir(root)
    params = PARAMS.model_copy(update={"processes": 2})
    assert launch(root / "three", params, 3, Origins(["films"], [], ENCODER)) == metrics[0]
    assert digests(root / "three") == digests(root / "one")


def test_any_program_can_load_it(made):
    root = made[0]
    model = AutoModelForImageTextToText.from_pretrained(root / "one")
    processor = AutoProcessor.from_pretrained(root / "one")
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Describe this image."}]}]
    prompt = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    inputs = processor(text=[prompt], images=[Drawn().image("64x64-1")], return_tensors="pt")
    output = model.generate(**inputs, max_new_tokens=3, do_sample=False)
    assert output.shape[1] > inputs["input_ids"].shape[1]


def test_loading_gives_back_what_was_saved(tmp_path):
    model, processor = tiny()
    save_checkpoint(tmp_path / "m", model, processor)
    loaded, opened = load_checkpoint(tmp_path / "m")
    for (name, weight), (other, found) in zip(model.named_parameters(), loaded.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(weight, found)
    assert not loaded.training
    assert opened.tokenizer.padding_side == "left"
    assert opened.chat_template == processor.chat_template


def test_saving_again_replaces_the_folder_whole(tmp_path):
    model, processor = tiny()
    save_checkpoint(tmp_path / "m", model, processor)
    (tmp_path / "m" / "stray").touch()
    save_checkpoint(tmp_path / "m", model, processor)
    assert not (tmp_path / "m" / "stray").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("lacking", ["model.safetensors", "tokenizer.json"])
def test_an_incomplete_folder_is_named(tmp_path, lacking):
    model, processor = tiny()
    save_checkpoint(tmp_path / "m", model, processor)
    (tmp_path / "m" / lacking).unlink()
    with pytest.raises(UserError, match=lacking):
        load_checkpoint(tmp_path / "m")


def test_held_out_and_dropped_samples_teach_nothing(made):
    root, samples, _ = made
    found = {sample.sample_id for sample in corpus_samples(["films"], [], root)}
    assert found == {s.sample_id for s in samples if s.split == "train"} - {samples[2].sample_id}


def test_captions_become_reading_exercises(made):
    root = made[0]
    turns = [c.messages for c in pretraining_conversations(corpus_samples(["films"], [], root), 1)]
    read = [t for t in turns if t[-1]["content"][0]["text"] in CAPTIONS]
    assert read
    assert len(turns) > len(read)
    for asked, answered in read:
        stated = facts_from_text(answered["content"][0]["text"])
        assert all(str(value) in asked["content"][0]["text"] for value in stated.values())
        assert asked["content"][0]["text"].startswith("<|vision_start|>")


def test_notes_hold_every_fact_in_a_drawn_order():
    facts = {"modality": "x-ray", "nodule_count": 2, "nodule_side": "left", "opacity": "none"}
    orders = {notes(facts, order) for order in range(20)}
    assert len(orders) > 5
    assert all("nodule count 2" in text and "opacity none" in text for text in orders)


def test_nothing_to_learn_from_is_an_error(tmp_path, monkeypatch):
    write_corpus(tmp_path, count=1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"sources\.enabled"):
        make_backbone(tmp_path / "m", PARAMS, 3, Origins([], [], ENCODER))


def test_weights_are_as_wide_as_asked(processor):
    model = build_model(PARAMS, processor.tokenizer)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            assert weight.std().item() == pytest.approx(PARAMS.initializer_range, rel=0.1), name
