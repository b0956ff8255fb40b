"""A published backbone is taken whole from the hub or a folder, and is a checkpoint like any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.modeling.backbone import make_backbone
from lingshu.modeling.collate import Pictures, conversation, encode
from lingshu.modeling.launch import Origins
from lingshu.modeling.load import load_checkpoint
from lingshu.modeling.params import ModelingParams
from tests.loopback_hub import LoopbackHub
from tests.tiny_model import Drawn, sample, tiny

ROOT = Path(__file__).parents[2]
IMAGE = {"min_pixels": 1024, "max_pixels": 2048}
NOWHERE = Origins([], [], "none")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A tiny Qwen2.5-VL as the big ones are published: bfloat16, in several files."""
    folder = tmp_path_factory.mktemp("published") / "Tiny-VL-Instruct"
    model, processor = tiny()
    torch.nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="100KB")
    processor.save_pretrained(folder)
    (folder / "training_args.bin").write_bytes(b"a pickle")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    return folder


def params(**backbone):
    return validate(
        ModelingParams, {"processes": 1, "threads": 1, "image": IMAGE, "backbone": backbone}, "params.yaml: modeling"
    )


def test_a_folder_becomes_the_backbone_with_the_recipe_s_picture_limits(published, tmp_path):
    metrics = make_backbone(tmp_path / "backbone", params(folder=str(published)), 1, NOWHERE)
    model, processor = load_checkpoint(tmp_path / "backbone")
    assert metrics["parameters"]["llm"] == sum(
        weight.numel() for name, weight in model.named_parameters() if "language_model" in name or "lm_head" in name
    )
    assert metrics["vocabulary"] == len(processor.tokenizer)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert {weight.dtype for weight in load_checkpoint(tmp_path / "backbone", torch.float32)[0].parameters()} == {
        torch.float32
    }
    assert not (tmp_path / "backbone" / "training_args.bin").exists()
    asked = sample("Is there a nodule?", "no", "512x256-1")
    pictures = Pictures()
    pictures.add(["512x256-1"], Drawn(), processor)
    _, height, width = pictures.grids["512x256-1"]
    assert height * width * 64 <= IMAGE["max_pixels"]
    encoded = encode([conversation(asked)], processor, pictures)[0]
    assert (encoded.labels != -100).sum() > 0


def test_the_hub_is_asked_by_the_stage_itself(published, tmp_path):
    files = {path.name: path.read_bytes() for path in published.iterdir()}
    backbone = {"processes": 1, "threads": 1, "image": IMAGE, "backbone": {"hub": "owner/tiny-vl", "revision": "v1"}}
    values = {"seed": 1, "modeling": backbone, "sources": {"enabled": [], "opt_in": []}, "synthesis": {"enabled": []}}
    (tmp_path / "params.yaml").write_text(json.dumps(values | {"modality": {"encoder": "none"}}))
    with LoopbackHub() as hub:
        commit = hub.add("owner/tiny-vl", files, kind="models", branch="v1")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        environment |= {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path / "home"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        command = [sys.executable, str(ROOT / "stages/backbone.py")]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert hub.downloads("training_args.bin") == []
        written = json.loads((tmp_path / "metrics/modeling/backbone.json").read_text())
        assert written["published"] == {"hub": "owner/tiny-vl", "revision": commit}
        assert load_checkpoint(tmp_path / "models/backbone")[0].config.model_type == "qwen2_5_vl"
        values["modeling"]["backbone"]["revision"] = "v2"
        (tmp_path / "params.yaml").write_text(json.dumps(values | {"modality": {"encoder": "none"}}))
        wrong = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "params.yaml: modeling.backbone: the hub does not give owner/tiny-vl at v2" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "llama"}'), "model_type is 'llama'"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json missing"),
        (lambda folder: next(folder.glob("model-00001*")).unlink(), r"model-00001-of-\d+\.safetensors missing"),
    ],
)
def test_what_is_no_whole_qwen_is_refused_and_nothing_is_left(published, tmp_path, spoil, complaint):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in published.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    spoil(folder)
    with pytest.raises(UserError, match=complaint):
        make_backbone(tmp_path / "backbone", params(folder=str(folder)), 1, NOWHERE)
    assert not (tmp_path / "backbone").exists()
