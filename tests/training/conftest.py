"""A project folder with a tiny backbone, a corpus and a mixture."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingshu.core.corpus import MIXTURE_SCHEMA
from lingshu.core.layout import MIXTURES, MODELS, SAMPLES
from lingshu.core.manifest import write_manifest
from lingshu.modeling.architecture import save_checkpoint
from lingshu.training.launch import StageRun
from lingshu.training.params import CommonParams, StageParams, VaryParams
from tests.tiny_model import tiny, write_corpus

VARY = VaryParams(
    sources=["films"],
    scale=(0.8, 1.1),
    turn_degrees=5,
    shift=0.05,
    gamma=1.5,
    gain=(0.6, 1.2),
    offset=(-0.05, 0.1),
    invert_share=0.3,
    blur_share=0.5,
    noise=0.02,
)
COMMON = CommonParams(
    device="cpu", processes=1, threads=1, adam_beta2=0.95, max_grad_norm=1.0, log_steps=1, checkpoint_steps=2, vary=VARY
)


def stage_params(**changes):
    values = {
        "trainable": ["vision", "projector", "llm"],
        "epochs": 2,
        "batch": 6,
        "packing": False,
        "max_length": 128,
        "learning_rate": {"vision": 0.004, "projector": 0.003, "llm": 0.002},
        "warmup_steps": 2,
        "weight_decay": 0.01,
    }
    return StageParams.model_validate(values | changes)


def write_mixture(root, stage, samples):
    rows = [
        {
            "position": n,
            "sample_id": s.sample_id,
            "group": s.task,
            "source": s.source,
            "folder": str(SAMPLES / s.source),
        }
        for n, s in enumerate(samples)
    ]
    folder = root / MIXTURES / stage
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=MIXTURE_SCHEMA), folder / "mixture.parquet")
    write_manifest(folder, f"mix@{stage}", len(rows))


def write_project(root):
    samples = [sample for sample in write_corpus(root, 12) if sample.split == "train"]
    model, processor = tiny()
    save_checkpoint(root / MODELS / "backbone", model, processor)
    write_manifest(root / MODELS / "backbone", "backbone", 1)
    for stage in ("shallow", "deep", "instruct"):
        write_mixture(root, stage, samples)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    return root


@pytest.fixture
def run():
    def make(stage="deep", seed=5, **changes):
        return StageRun(stage, MODELS / "backbone", stage_params(**changes), COMMON, seed)

    return make
