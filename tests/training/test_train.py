"""A stage: same seed, same bytes, killed or not; frozen parts stay; curves and counts tell what happened."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import pytest
import torch

from lingshu.core.errors import UserError
from lingshu.core.layout import MODELS, PLOTS, WORK
from lingshu.core.ranks import Rank
from lingshu.modeling.freeze import part_of
from lingshu.modeling.load import load_model
from lingshu.modeling.ranks import joined
from lingshu.modeling.resume import MARK, newest_checkpoint
from lingshu.training.launch import StageRun, launch
from lingshu.training.train import train
from tests.killing import kill_at_checkpoint
from tests.warm_processes import forked_after

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _warm_processes():
    with forked_after("lingshu.training.train"):
        yield


def copy_of(project, tmp_path):
    return shutil.copytree(project, tmp_path / "copy")


def in_two(run):
    """The same run by two processes."""
    return replace(run, common=run.common.model_copy(update={"processes": 2}))


def outputs(root, stage):
    """Every byte of a stage's checkpoint and curves."""
    files = [*(root / MODELS / stage).rglob("*"), *(root / PLOTS / "training" / stage).rglob("*")]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files if path.is_file()}


def table(root, stage, name):
    path = root / PLOTS / "training" / stage / "plots" / "metrics" / f"{name}.tsv"
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    """An uninterrupted run in a copy of the project: its root and metrics."""
    from tests.training.conftest import COMMON, stage_params

    root = shutil.copytree(project, tmp_path_factory.mktemp("whole") / "copy")
    return root, train(StageRun("deep", MODELS / "backbone", stage_params(), COMMON, 5), root)


def test_the_same_seed_gives_the_same_bytes(whole, project, run, tmp_path):
    root, metrics = whole
    again = copy_of(project, tmp_path)
    assert train(run(), again) == metrics
    assert outputs(again, "deep") == outputs(root, "deep")


def test_a_killed_run_ends_like_an_unbroken_one(whole, project, run, tmp_path):
    root, metrics = whole
    broken = copy_of(project, tmp_path)
    kill_at_checkpoint(broken / WORK / "train-deep", train, run(), broken)
    assert not (broken / MODELS / "deep").exists()
    assert train(run(), broken) == metrics
    assert outputs(broken, "deep") == outputs(root, "deep")
    assert not (broken / WORK / "train-deep").exists()


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for step, complete in ((2, True), (10, True), (12, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if complete:
            (folder / MARK).touch()
    assert newest_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")


def test_it_learns_and_tells_the_curve(whole):
    root, metrics = whole
    loss = [float(row["loss"]) for row in table(root, "deep", "loss")]
    assert metrics["steps"] == len(loss) == 8
    assert loss[-1] < 0.9 * loss[0]
    assert metrics["loss_last"] < metrics["loss_first"]
    assert [row["step"] for row in table(root, "deep", "learning_rate")] == [str(n + 1) for n in range(8)]
    assert "timestamp" not in table(root, "deep", "loss")[0]


def test_counts_add_up(whole):
    _, metrics = whole
    assert metrics["samples"] + metrics["dropped"]["TOO_LONG"] == 23
    assert metrics["rows"] == metrics["samples"]
    assert metrics["pictures"] == 11
    assert 0 < metrics["answer_tokens"] < metrics["tokens"]
    assert all(part["trained"] == part["total"] for part in metrics["parameters"].values())


def test_a_step_in_parts_is_the_step_in_one(project, run, tmp_path):
    """The loss is the mean over the answer tokens of the whole step, however many parts it is worked on in."""
    steps = {"batch": 6, "epochs": 1}
    losses = []
    for accumulation in (1, 3):
        root = shutil.copytree(project, tmp_path / str(accumulation))
        metrics = train(run(**steps, accumulation=accumulation), root)
        losses.append((metrics["steps"], metrics["loss_first"], metrics["loss_last"]))
        weights = dict(load_model(root / MODELS / "deep").named_parameters())
        if accumulation == 1:
            whole_step = weights
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)
    for name, weight in weights.items():
        assert torch.allclose(weight, whole_step[name], atol=2e-3), name


def test_frozen_parts_keep_every_bit(project, run, tmp_path):
    root = copy_of(project, tmp_path)
    rates = {"vision": 0.004, "projector": 0.004}
    metrics = train(run("shallow", trainable=["vision", "projector"], learning_rate=rates, epochs=1), root)
    before = dict(load_model(root / MODELS / "backbone").named_parameters())
    for name, weight in load_model(root / MODELS / "shallow").named_parameters():
        changed = not torch.equal(weight, before[name])
        assert changed == (part_of(name) != "llm"), name
    assert metrics["parameters"]["llm"]["trained"] == 0


def test_a_part_without_a_rate_to_speak_of_hardly_moves(project, run, tmp_path):
    root = copy_of(project, tmp_path)
    train(run(learning_rate={"vision": 1e-9, "projector": 0.003, "llm": 0.003}, weight_decay=0.0, epochs=1), root)
    before = dict(load_model(root / MODELS / "backbone").named_parameters())
    moved = {"vision": 0.0, "projector": 0.0, "llm": 0.0}
    for name, weight in load_model(root / MODELS / "deep").named_parameters():
        moved[part_of(name)] = max(moved[part_of(name)], (weight - before[name]).abs().max().item())
    assert moved["vision"] < 1e-6
    assert min(moved["projector"], moved["llm"]) > 1e-3


def test_packing_fills_rows_and_loses_nothing(project, run, tmp_path):
    root = copy_of(project, tmp_path)
    metrics = train(run("instruct", packing=True, batch=2, epochs=1), root)
    assert metrics["samples"] == 23
    assert metrics["rows"] < metrics["samples"] / 2
    assert metrics["tokens"] <= metrics["rows"] * 128


def test_long_samples_are_dropped_and_counted(project, run, tmp_path):
    root = copy_of(project, tmp_path)
    metrics = train(run(max_length=40, epochs=1), root)
    assert metrics["dropped"]["TOO_LONG"] > 0
    assert metrics["samples"] + metrics["dropped"]["TOO_LONG"] == 23


def test_nothing_that_fits_is_an_error(project, run, tmp_path):
    with pytest.raises(UserError, match=r"training\.deep\.max_length"):
        train(run(max_length=16), copy_of(project, tmp_path))


@pytest.fixture(scope="module")
def shared(project, tmp_path_factory):
    """The same run by two processes: its root and metrics."""
    from tests.training.conftest import COMMON, stage_params

    root = shutil.copytree(project, tmp_path_factory.mktemp("shared") / "copy")
    return root, launch(in_two(StageRun("deep", MODELS / "backbone", stage_params(), COMMON, 5)), root)


def test_ranks_share_the_steps_of_one(whole, shared):
    """Two processes with half of each step's rows learn what one learns, but for the order of additions."""
    (root, metrics), (shared_root, found) = whole, shared
    measured = ("loss_first", "loss_last", "token_accuracy_last")
    assert {**found, **dict.fromkeys(measured)} == {**metrics, **dict.fromkeys(measured)}
    assert [found[name] for name in measured] == pytest.approx([metrics[name] for name in measured], abs=2e-3)
    expected = dict(load_model(root / MODELS / "deep").named_parameters())
    for name, weight in load_model(shared_root / MODELS / "deep").named_parameters():
        assert torch.allclose(weight, expected[name], atol=2e-3), name


def test_killed_ranks_go_on_together(shared, project, run, tmp_path):
    root, metrics = shared
    broken = copy_of(project, tmp_path)
    kill_at_checkpoint(broken / WORK / "train-deep", launch, in_two(run()), broken)
    assert launch(in_two(run()), broken) == metrics
    assert outputs(broken, "deep") == outputs(root, "deep")


@pytest.mark.skipif(torch.cuda.device_count() > 1, reason="needs a machine with fewer than two GPUs")
def test_too_few_gpus_are_named(tmp_path):
    with (
        pytest.raises(UserError, match="2 processes need a GPU each, and there are"),
        joined(Rank(0, 2, tmp_path / "meeting"), "cuda"),
    ):
        pass
