"""The row form equals the padded one; the loss sees answers only; packing changes nothing but the shape."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from lingshu.core.sample import Answer
from lingshu.modeling.attention import use_segments
from lingshu.modeling.collate import IGNORED, Conversation, Pictures, collate, conversation, encode
from lingshu.modeling.loss import answer_places
from lingshu.modeling.template import prompt_messages, render_conversation, render_prompt, training_messages
from tests.tiny_model import Drawn, sample

SAMPLES = [
    sample("Is there a nodule?", "yes", "32x32-1", answer=Answer("yesno", "yes")),
    sample("Compare the films.", "The second is larger.", "48x80-2", "64x32-3", task="dialogue"),
    sample("What is a nodule?", "A small round opacity.", task="dialogue"),
    sample("Describe this image.", "A frontal x-ray of the chest.", "100x40-4", task="caption"),
]


def encoded(processor, samples=SAMPLES):
    pictures = Pictures()
    pictures.add([image.image_id for s in samples for image in s.images], Drawn(), processor)
    return encode([conversation(s) for s in samples], processor, pictures), pictures


def padded(processor, samples=SAMPLES):
    texts = [render_conversation(processor, training_messages(s)) for s in samples]
    shown = [Drawn().image(image.image_id) for s in samples for image in s.images]
    return processor(text=texts, images=shown, padding=True, return_tensors="pt")


def test_labels_are_the_answers_and_nothing_else(processor):
    data, _ = encoded(processor)
    for item, source in zip(data, SAMPLES, strict=True):
        spoken = processor.tokenizer.decode(item.labels[item.labels != IGNORED])
        assert spoken == source.target_text() + "<|im_end|>"
        assert torch.equal(item.input_ids[item.labels != IGNORED], item.labels[item.labels != IGNORED])


def test_every_turn_of_the_assistant_is_learned(processor):
    def said(role, text):
        return {"role": role, "content": [{"type": "text", "text": text}]}

    turns = [said("user", "One?"), said("assistant", "1"), said("user", "Two?"), said("assistant", "2")]
    [item] = encode([Conversation(turns)], processor, Pictures())
    assert processor.tokenizer.decode(item.labels[item.labels != IGNORED]) == "1<|im_end|>2<|im_end|>"
    assert processor.tokenizer.decode(item.input_ids) == render_conversation(processor, turns)


def test_a_prompt_is_tokenised_as_in_generation(processor):
    data, _ = encoded(processor)
    for item, source in zip(data, SAMPLES, strict=True):
        shown = [Drawn().image(image.image_id) for image in source.images]
        asked = processor(
            text=[render_prompt(processor, prompt_messages(source))], images=shown or None, return_tensors="pt"
        )["input_ids"][0]
        assert torch.equal(item.input_ids[: len(asked)], asked)
        assert (item.labels[: len(asked)] == IGNORED).all()


def test_a_row_holds_the_processors_tokens_and_pictures(processor):
    data, pictures = encoded(processor)
    row, batch = collate(data, pictures), padded(processor)
    real = batch["attention_mask"].bool()
    assert torch.equal(row["input_ids"][0], batch["input_ids"][real])
    assert torch.equal(row["pixel_values"], batch["pixel_values"])
    assert torch.equal(row["image_grid_thw"], batch["image_grid_thw"])


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(32, 120), st.integers(32, 120)), min_size=1, max_size=3))
def test_positions_are_the_models_own(toy, sizes):
    model, processor = toy
    source = sample("Compare.", "Equal.", *(f"{h}x{w}-{n}" for n, (h, w) in enumerate(sizes)), task="dialogue")
    [item], _ = encoded(processor, [source])
    batch = padded(processor, [source])
    expected, _ = model.model.get_rope_index(
        batch["input_ids"], image_grid_thw=batch["image_grid_thw"], mm_token_type_ids=batch["mm_token_type_ids"]
    )
    assert torch.equal(item.positions, expected[:, 0])


@pytest.mark.parametrize("text", [True, False], ids=["segments", "model's own mask"])
def test_a_row_gives_the_padded_batchs_logits(toy, text):
    model, processor = toy
    data, pictures = encoded(processor)
    row, batch = collate(data, pictures), padded(processor)
    del row["labels"]
    model = copy.deepcopy(model).train(False)
    with torch.no_grad():
        expected = model(**batch).logits[batch["attention_mask"].bool()]
        use_segments(model, text=text)
        found = model(**row, use_cache=False).logits[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_packed_loss_is_the_sum_of_unpacked_losses(toy):
    model, processor = toy
    data, pictures = encoded(processor)
    model = copy.deepcopy(model).train(False)
    use_segments(model, text=True)

    def summed(samples):
        row = collate(samples, pictures)
        places, targets = answer_places(row.pop("labels"))
        logits = model(**row, logits_to_keep=places, use_cache=False).logits[0]
        return cross_entropy(logits, targets, reduction="sum"), targets.numel()

    with torch.no_grad():
        alone = [summed([item]) for item in data]
        together, tokens = summed(data)
    assert tokens == sum(count for _, count in alone)
    torch.testing.assert_close(together, sum(loss for loss, _ in alone), atol=1e-4, rtol=1e-5)


def test_lean_logits_give_the_models_own_loss(toy):
    model, processor = toy
    data, pictures = encoded(processor)
    row = collate(data, pictures)
    with torch.no_grad():
        expected = model(**row, use_cache=False).loss
        places, targets = answer_places(row.pop("labels"))
        found = cross_entropy(model(**row, logits_to_keep=places, use_cache=False).logits[0], targets)
    torch.testing.assert_close(found, expected)


def test_pictures_are_processed_once(processor):
    asked = []

    class Counting(Drawn):
        def image(self, image_id):
            asked.append(image_id)
            return super().image(image_id)

    pictures = Pictures()
    pictures.add(["32x32-1", "48x64-2", "32x32-1"], Counting(), processor)
    pictures.add(["48x64-2"], Counting(), processor)
    assert asked == ["32x32-1", "48x64-2"]


def test_a_template_that_rewrites_earlier_turns_is_refused(processor):
    changed = copy.copy(processor)
    changed.chat_template = "{{ messages | length }}{% for m in messages %}{{ m['role'] }}{% endfor %}"
    with pytest.raises(ValueError, match="rewrites earlier turns"):
        encode([conversation(SAMPLES[2])], changed, Pictures())
