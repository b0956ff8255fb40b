"""Vision pre-training: the teacher's cells lie where the tokens lie, and the tower learns what they hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from lingshu.modeling.collate import Pictures
from lingshu.modeling.encoder import STRIDE, Encoder, load_encoder
from lingshu.modeling.freeze import part_of
from lingshu.modeling.vision import chosen_pictures, pretrain_vision, principal_components, teacher_tokens
from tests.random_encoder import ENCODER, put_encoder
from tests.tiny_model import PARAMS, Drawn, sample, tiny

KNOBS = PARAMS.vision_pretrain.model_copy(update={"steps": 60, "batch": 4, "warmup_steps": 5})
SOURCES = ["films"]
MERGE = PARAMS.vision.merge


class MeanTeacher(torch.nn.Module):
    """Sees the mean colour of each cell, so that a cell's place can be told from its value."""

    def forward_features(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(batch, STRIDE)


TEACHER = Encoder(MeanTeacher(), STRIDE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Corners:
    """Pictures black but for the corner that their id names by row and column."""

    def image(self, image_id):
        size, place = image_id.split("-")
        height, width = (int(side) for side in size.split("x"))
        pixels = np.zeros((height, width, 3), dtype=np.uint8)
        row, column = (int(digit) for digit in place)
        pixels[row * height // 2 : (row + 1) * height // 2, column * width // 2 : (column + 1) * width // 2] = 255
        return Image.fromarray(pixels)


def processed(image_ids, store, processor):
    pictures = Pictures()
    pictures.add(image_ids, store, processor)
    return pictures


def test_every_source_gives_its_share_by_hash_not_by_order():
    samples = [sample(f"q{n}", "yes", f"picture-{n}") for n in range(20)]
    chosen = chosen_pictures(samples, SOURCES, 5, 1)
    assert chosen == sorted(chosen) == chosen_pictures(samples[::-1], SOURCES, 5, 1)
    assert len(chosen) == 5
    assert chosen != chosen_pictures(samples, SOURCES, 5, 2)
    assert len(chosen_pictures(samples, SOURCES, 50, 1)) == 20
    assert chosen_pictures(samples, ["others"], 50, 1) == []


@pytest.mark.parametrize("size", ["64x64", "32x128", "128x32"])
def test_the_teacher_looks_at_one_cell_a_token(processor, size):
    image_ids = [f"{size}-{row}{column}" for row in (0, 1) for column in (0, 1)]
    pictures = processed(image_ids, Corners(), processor)
    seen = teacher_tokens(image_ids, pictures, MERGE, Corners(), TEACHER)
    for image_id in image_ids:
        _, height, width = pictures.grids[image_id]
        cells = seen[image_id].mean(1).reshape(height // MERGE, width // MERGE)
        row, column = (int(digit) for digit in image_id.split("-")[1])
        corner, opposite = cells[-row, -column], cells[row - 1, column - 1]
        assert corner > 0.9
        assert opposite < 0.1


def test_components_are_uncorrelated_of_unit_variance_in_the_mean_and_the_widest_first():
    torch.manual_seed(0)
    spread = torch.tensor([5.0, 3.0, 1.0, 0.1])
    seen = {f"p{n}": torch.randn(16, 4) * spread + 7 for n in range(50)}
    rows = torch.cat(list(principal_components(seen, 2).values()))
    assert rows.shape == (800, 2)
    covariance = torch.cov(rows.T)
    assert covariance[0, 1].abs() < 1e-5
    assert covariance[0, 0] > covariance[1, 1]
    assert covariance.diagonal().mean().item() == pytest.approx(1.0, abs=1e-4)


def test_more_components_than_channels_are_all_of_them():
    seen = {"p": torch.randn(16, 3)}
    assert principal_components(seen, 9)["p"].shape == (16, 3)


def test_the_tower_learns_and_the_language_model_does_not(processor):
    image_ids = [f"64x64-{row}{column}" for row in (0, 1) for column in (0, 1)]
    pictures = processed(image_ids, Corners(), processor)
    targets = principal_components(teacher_tokens(image_ids, pictures, MERGE, Corners(), TEACHER), 3)
    runs = []
    for _ in range(2):
        model, _ = tiny()
        before = {name: weight.clone() for name, weight in model.named_parameters()}
        losses = pretrain_vision(model, pictures, targets, KNOBS, 3)
        assert losses[-1] < 0.2 * losses[0]
        for name, weight in model.named_parameters():
            assert torch.equal(weight, before[name]) == (part_of(name) == "llm"), name
        runs.append((losses, {name: weight.clone() for name, weight in model.named_parameters()}))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(weight, runs[1][1][name]) for name, weight in runs[0][1].items())


def test_the_real_architecture_gives_a_cell_for_each_stride(tmp_path):
    put_encoder(tmp_path)
    teacher = load_encoder(ENCODER, STRIDE, tmp_path)
    maps = teacher.feature_maps([Drawn().image("40x50-1"), Drawn().image("40x50-2")], 3 * STRIDE, 2 * STRIDE)
    assert maps.shape == (2, 2, 3, 1280)
    assert not torch.equal(maps[0], maps[1])
