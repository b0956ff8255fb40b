"""Variations: the same for the same place, another for another; facts of a picture survive them; layout is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.modeling.collate import Pictures
from lingshu.training.params import VaryParams
from lingshu.training.rows import run_order
from lingshu.training.vary import Patching, Variation, vary
from tests.tiny_model import Drawn, tiny
from tests.training.conftest import VARY

STILL = VaryParams(
    sources=[],
    scale=(1.0, 1.0),
    turn_degrees=0,
    shift=0,
    gamma=1,
    gain=(1.0, 1.0),
    offset=(0.0, 0.0),
    invert_share=0,
    blur_share=0,
    noise=0,
)


@pytest.fixture(scope="module")
def shown():
    _, processor = tiny()
    pictures = Pictures()
    pictures.add(["64x64-1", "64x64-2", "32x96-3", "96x32-4"], Drawn(), processor)
    return processor, pictures


def variation(processor, params=VARY, varied=("64x64-1", "32x96-3"), key="5/deep"):
    return Variation(params, Patching.of(processor), frozenset(varied), key)


def generators(count, seed=0):
    return [np.random.default_rng(seed + number) for number in range(count)]


def test_pixels_and_patches_are_each_others_inverse(shown):
    processor, pictures = shown
    patching = Patching.of(processor)
    for image_id, patches in pictures.patches.items():
        grid = pictures.grids[image_id]
        back = patching.patches(patching.pixels(patches, grid)[None], grid)[0]
        assert back.shape == patches.shape
        assert torch.allclose(back, patches, atol=1e-5)


def test_pixels_are_the_picture(shown):
    processor, pictures = shown
    pixels = Patching.of(processor).pixels(pictures.patches["64x64-1"], pictures.grids["64x64-1"])
    assert pixels.shape == (3, 64, 64)
    drawn = torch.from_numpy(np.array(Drawn().image("64x64-1"))).permute(2, 0, 1) / 255
    assert torch.allclose(pixels, drawn, atol=1e-4)


def test_only_the_named_pictures_change_and_only_with_their_place(shown):
    processor, pictures = shown
    image_ids = list(pictures.patches)
    places = [f"7/{number}" for number in range(4)]
    first, again = (variation(processor)(image_ids, places, pictures) for _ in range(2))
    changed = [not torch.equal(new, pictures.patches[i]) for i, new in zip(image_ids, first, strict=True)]
    assert changed == [True, False, True, False]
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    elsewhere = variation(processor)(image_ids, [f"8/{number}" for number in range(4)], pictures)
    other_stage = variation(processor, key="5/instruct")(image_ids, places, pictures)
    for number in (0, 2):
        assert not torch.equal(first[number], elsewhere[number])
        assert not torch.equal(first[number], other_stage[number])


def test_a_variation_does_not_depend_on_its_neighbours(shown):
    processor, pictures = shown
    varied = ("64x64-1", "64x64-2")
    together = variation(processor, varied=varied)(["64x64-1", "64x64-2"], ["1/0", "1/1"], pictures)
    alone = variation(processor, varied=varied)(["64x64-2"], ["1/1"], pictures)
    assert torch.allclose(together[1], alone[0], atol=1e-6)


def test_nothing_asked_for_changes_only_exposure():
    """With every knob at rest a picture keeps its form: what is left is one gain and one offset for all of it."""
    pixels = torch.rand(2, 3, 32, 48) * 0.5 + 0.2
    for before, after in zip(pixels, vary(pixels, generators(2), STILL), strict=True):
        assert torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1] > 0.999


def test_left_stays_left():
    pixels = torch.zeros(16, 3, 64, 64)
    pixels[:, :, 20:44, 8:24] = 0.7
    params = VARY.model_copy(update={"invert_share": 0.0})
    for picture in vary(pixels, generators(16), params):
        assert picture[..., :32].mean() > picture[..., 32:].mean() + 0.05


def test_a_coloured_picture_keeps_its_stain():
    pixels = torch.full((8, 3, 32, 32), 0.3)
    pixels[:, 0] = 0.8
    params = STILL.model_copy(update={"invert_share": 1.0})
    assert all(picture[0].mean() > picture[1].mean() + 0.1 for picture in vary(pixels, generators(8), params))
    grey = torch.full((8, 3, 32, 32), 0.9)
    assert all(picture.mean() < 0.6 for picture in vary(grey, generators(8), params))


@given(st.integers(1, 40), st.floats(0.2, 4.0))
def test_every_row_comes_once_an_epoch(rows, epochs):
    order = run_order(rows, epochs, "5/deep")
    whole = int(epochs)
    assert len(order) == int(np.ceil(epochs * rows))
    for epoch in range(whole):
        assert sorted(order[epoch * rows : (epoch + 1) * rows]) == list(range(rows))
    assert len(set(order[whole * rows :])) == len(order) - whole * rows


def test_epochs_differ_in_order():
    order = run_order(30, 2, "5/deep")
    assert order[:30] != order[30:]
    assert order != run_order(30, 2, "6/deep")


def test_a_scale_that_is_no_range_is_refused():
    with pytest.raises(UserError, match="scale"):
        validate(VaryParams, VARY.model_dump() | {"scale": [1.1, 0.9]}, "params.yaml: training.common.vary")
