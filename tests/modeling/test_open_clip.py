"""An open_clip encoder in a folder: loaded without a network, itself in every way, and its defects named."""

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.params import load_section, read_yaml, validate
from lingshu.modeling.backbone import make_backbone
from lingshu.modeling.encoder_params import OpenClipParams, read_choice
from lingshu.modeling.launch import Origins
from lingshu.modeling.open_clip_encoder import encoder_digest, load_open_clip, load_picture_encoder
from lingshu.modeling.params import ModelingParams
from tests.corpora import scene
from tests.tiny_open_clip import SIDE, TOWER, put_open_clip, without_network

PICTURES = [Image.fromarray(scene(seed)) for seed in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("open_clip") / "encoder"
    put_open_clip(path)
    return path


def test_pictures_and_texts_are_embedded_as_open_clip_does(folder: Path) -> None:
    encoder = load_open_clip(folder)
    config = json.loads((folder / "open_clip_config.json").read_text())
    text = {**config["model_cfg"]["text_cfg"], "hf_model_name": str(folder), "hf_model_pretrained": False}
    model = open_clip.CustomTextCLIP(16, config["model_cfg"]["vision_cfg"], text).eval()
    model.load_state_dict(torch.load(folder / "open_clip_pytorch_model.bin", weights_only=True))
    with torch.no_grad():
        seen = model.encode_image(torch.stack([encoder.prepare(one) for one in PICTURES])).numpy()
        read = model.encode_text(encoder.tokenizer(["a ct scan", "x-ray film"])).numpy()
    mine = encoder.features(PICTURES), encoder.text_features(["a ct scan", "x-ray film"])
    for found, straight in zip(mine, (seen, read), strict=True):
        np.testing.assert_allclose(found, straight / np.linalg.norm(straight, axis=1, keepdims=True), atol=1e-6)
        assert not np.allclose(found[0], found[1], atol=1e-4)
    assert encoder.size == SIDE
    assert encoder.scale == pytest.approx(1 / 0.07, rel=1e-5)
    prepared = encoder.prepare(Image.new("L", (50, 40), 255))
    np.testing.assert_allclose(prepared[:, 0, 0], (1 - np.array([0.48, 0.46, 0.41])) / [0.27, 0.26, 0.28], rtol=1e-5)


def test_a_picture_is_embedded_by_itself(folder: Path) -> None:
    encoder = load_open_clip(folder)
    together = encoder.features(PICTURES)
    assert all((encoder.features([one])[0] == row).all() for one, row in zip(PICTURES, together, strict=True))
    np.testing.assert_allclose(encoder.in_batches(PICTURES, 2), together, atol=1e-6)


def test_no_network_is_asked(folder: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom lingshu.modeling.open_clip_encoder import load_open_clip\n"
        f"print(load_open_clip(Path({str(folder)!r})).text_features(['an mri']).shape)"
    )
    done = without_network(code, HF_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "(1, 16)\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("open_clip_config.json", r"open_clip_config.json: no such file, so .*encoder holds no open_clip encoder"),
        ("open_clip_pytorch_model.bin", r"encoder: no weights"),
        ("config.json", rf"config.json: missing, or not of the text tower {TOWER}"),
        ("tokenizer", r"encoder: no tokenizer"),
    ],
)
def test_a_missing_file_is_named(folder: Path, tmp_path: Path, name: str, problem: str) -> None:
    copy = tmp_path / "encoder"
    shutil.copytree(folder, copy)
    for path in (copy / "tokenizer.json", copy / "vocab.txt") if name == "tokenizer" else (copy / name,):
        path.unlink()
    with pytest.raises(UserError, match=problem):
        load_open_clip(copy)


def changed(part: str, key: str, value: object) -> object:
    def edit(config: dict) -> None:
        (config["model_cfg"] if part == "model_cfg" else config["model_cfg"][part])[key] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (changed("model_cfg", "embed_dim", 24), "can't load this encoder: Error.* in loading state_dict"),
        (changed("vision_cfg", "timm_model_name", "no_such_vit"), "can't load this encoder: Unknown model"),
        (changed("text_cfg", "hf_pooler", "x"), "can't load this encoder: .*unexpected keyword"),
        (lambda config: config["model_cfg"].pop("vision_cfg"), "model_cfg lacks vision_cfg"),
        (lambda config: config["model_cfg"].update(text_cfg="bert"), "model_cfg.text_cfg is no JSON object"),
        (lambda config: config.update(preprocess_cfg=[0.5]), "preprocess_cfg is no JSON object"),
        (lambda config: config["preprocess_cfg"].update(mean="x"), "preprocess_cfg.mean is not a number"),
        (
            lambda config: config["preprocess_cfg"].update(std=[1, 1]),
            "preprocess_cfg.std is not a number",
        ),
        (lambda config: config.pop("model_cfg"), "model_cfg lacks embed_dim, vision_cfg, text_cfg"),
    ],
    ids=["other size", "unknown tower", "unknown key", "half a model", "text", "list", "word", "two", "no model"],
)
def test_a_wrong_configuration_is_one_message(folder: Path, tmp_path: Path, edit, problem: str) -> None:
    copy = tmp_path / "encoder"
    shutil.copytree(folder, copy)
    path = copy / "open_clip_config.json"
    config = json.loads(path.read_text())
    edit(config)
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match=problem):
        load_open_clip(copy)


@pytest.mark.parametrize(("name", "content"), [("open_clip_config.json", "{"), ("config.json", "[1")])
def test_what_is_no_json_is_named(folder: Path, tmp_path: Path, name: str, content: str) -> None:
    copy = tmp_path / "encoder"
    shutil.copytree(folder, copy)
    (copy / name).write_text(content)
    with pytest.raises(UserError, match=rf"{name}: can't be read as JSON"):
        load_open_clip(copy)


def test_half_a_file_of_weights_is_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "encoder"
    shutil.copytree(folder, copy)
    whole = (copy / "open_clip_pytorch_model.bin").read_bytes()
    (copy / "open_clip_pytorch_model.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="open_clip can't load this encoder"):
        load_open_clip(copy)


def test_pictures_of_another_size_are_refused_and_the_digest_follows_the_files(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "data/raw/encoder")
    choice = OpenClipParams(folder="somewhere")
    with pytest.raises(UserError, match=r"modality.image_size: 224, but the folder somewhere takes 32 pixels a side"):
        load_picture_encoder(choice, 224, tmp_path)
    before = encoder_digest(choice, tmp_path)
    (tmp_path / "data/raw/encoder/origin.json").write_text("{}")
    assert encoder_digest(choice, tmp_path) == before
    (tmp_path / "data/raw/encoder/vocab.txt").write_text("x")
    assert encoder_digest(choice, tmp_path) != before


def test_it_is_no_teacher_of_the_backbone_that_we_make(tmp_path: Path) -> None:
    params = load_section("modeling", ModelingParams, Path(__file__).parents[2] / "params.yaml")
    with pytest.raises(UserError, match=r"modality.encoder: owner/clip can't teach the backbone"):
        make_backbone(tmp_path, params, 1, Origins([], [], OpenClipParams(hub="owner/clip")))


def test_the_choice_is_a_name_or_one_place(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for value, problem in (
        ("{hub: a/b, folder: c}", "give hub or folder"),
        ("{}", "give hub or folder"),
        ("{folder: c, revision: d}", "a folder has no revision"),
        ("{hub: ab}", "modality.encoder: String should match pattern"),
        ("3", "modality.encoder"),
    ):
        path.write_text(f"modality:\n  encoder: {value}\n")
        with pytest.raises(UserError, match=problem):
            read_choice(path)
    path.write_text("modality:\n  encoder: {hub: a/b, revision: c}\n")
    assert read_choice(path) == validate(OpenClipParams, {"hub": "a/b", "revision": "c"}, "here")
    path.write_text("modality:\n  encoder: efficientnet_lite0\n")
    assert read_choice(path) == read_yaml(path)["modality"]["encoder"]
