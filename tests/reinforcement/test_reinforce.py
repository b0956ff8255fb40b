"""GRPO on a toy model: killed or not, the same bytes; the gain is measured on prompts that were not trained on."""

from __future__ import annotations

import csv
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from lingshu.core.corpus import MIXTURE_SCHEMA
from lingshu.core.errors import UserError
from lingshu.core.layout import MIXTURES, MODELS, PLOTS, SAMPLES, WORK
from lingshu.core.manifest import write_manifest
from lingshu.core.sample import Answer
from lingshu.modeling.architecture import save_checkpoint
from lingshu.reinforcement.launch import launch
from lingshu.reinforcement.params import ReinforcementParams
from lingshu.reinforcement.reinforce import reinforce
from tests.corpora import Corpus, scene
from tests.killing import kill_at_checkpoint
from tests.tiny_model import tiny
from tests.warm_processes import forked_after

pytestmark = pytest.mark.slow
FOLDER = str(SAMPLES / "films")
PARAMS = ReinforcementParams.model_validate(
    {
        "processes": 1,
        "threads": 1,
        "device": "cpu",
        "steps": 4,
        "prompts_per_step": 2,
        "generations": 2,
        "max_completion_length": 8,
        "temperature": 1.0,
        "kl": 0.0,
        "learning_rate": 1e-3,
        "warmup_steps": 1,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "save_every": 2,
        "reward": {"format_weight": 0.5, "accuracy_weight": 1.0},
        "probe": {"prompts": 4, "samples": 2, "batch": 4},
    }
)
IN_TWO = PARAMS.model_copy(update={"processes": 2})


@pytest.fixture(scope="module", autouse=True)
def _warm_processes():
    with forked_after("lingshu.reinforcement.reinforce"):
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    corpus = Corpus(root)
    for number in range(12):
        shown = corpus.picture("films", scene(number, 64))
        answer = Answer("closed", str(number % 3))
        corpus.sample("films", "How many nodules?", answer.text, shown, task="vqa_closed", answer=answer)
    corpus.write()
    rows = [
        {"position": n, "sample_id": s.sample_id, "group": "count", "source": "films", "folder": FOLDER}
        for n, s in enumerate(corpus.samples["films"])
    ]
    folder = root / MIXTURES / "reinforce"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=MIXTURE_SCHEMA), folder / "mixture.parquet")
    write_manifest(folder, "mix@reinforce", len(rows))
    save_checkpoint(root / MODELS / "instruct", *tiny())
    write_manifest(root / MODELS / "instruct", "train@instruct", 1)
    return root


def outputs(root):
    files = [*(root / MODELS / "reinforce").rglob("*"), root / PLOTS / "reinforcement" / "reward.csv"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    root = shutil.copytree(project, tmp_path_factory.mktemp("whole") / "copy")
    return root, reinforce(PARAMS, 5, root)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named(project):
    with pytest.raises(UserError, match=r"reinforcement\.device: no CUDA device"):
        reinforce(PARAMS.model_copy(update={"device": "cuda"}), 5, project)


def test_held_out_prompts_are_measured_before_and_after(whole):
    root, metrics = whole
    assert metrics["prompts"] == {"training": 8, "held_out": 4}
    assert metrics["steps"] == 4
    assert metrics["held_out_reward"].keys() == {"before", "after", "gain"}
    with (root / PLOTS / "reinforcement" / "reward.csv").open(newline="") as handle:
        assert [row["step"] for row in csv.DictReader(handle)] == ["1", "2", "3", "4"]


def test_a_killed_run_ends_like_an_unbroken_one(whole, project, tmp_path):
    root, metrics = whole
    broken = shutil.copytree(project, tmp_path / "copy")
    kill_at_checkpoint(broken / WORK / "reinforce", reinforce, PARAMS, 5, broken)
    assert not (broken / MODELS / "reinforce").exists()
    assert reinforce(PARAMS, 5, broken) == metrics
    assert outputs(broken) == outputs(root)


@pytest.fixture(scope="module")
def shared(project, tmp_path_factory):
    root = shutil.copytree(project, tmp_path_factory.mktemp("shared") / "copy")
    return root, launch(IN_TWO, 5, root)


def test_two_processes_share_the_work(whole, shared):
    (root, metrics), (shared_root, found) = whole, shared
    assert found["held_out_reward"]["before"] == metrics["held_out_reward"]["before"]
    assert (found["steps"], found["prompts"]) == (metrics["steps"], metrics["prompts"])
    assert outputs(shared_root).keys() == outputs(root).keys()


def test_two_killed_processes_go_on_together(shared, project, tmp_path):
    root, metrics = shared
    broken = shutil.copytree(project, tmp_path / "broken")
    kill_at_checkpoint(broken / WORK / "reinforce", launch, IN_TWO, 5, broken)
    assert launch(IN_TWO, 5, broken) == metrics
    assert outputs(broken) == outputs(root)
