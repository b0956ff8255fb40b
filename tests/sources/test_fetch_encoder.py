"""`pull_encoder` of an open_clip encoder: the real client against a hub on loopback, and a folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.manifest import read_manifest
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_encoder import load_open_clip
from lingshu.sources.fetch_encoder import Hub, pull_open_clip
from tests.loopback_hub import LoopbackHub
from tests.tiny_open_clip import TOWER, put_open_clip

NAME = "owner/tiny-clip"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("open_clip") / "encoder"
    put_open_clip(path)
    return path


@pytest.fixture
def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as server:
        yield server


def pull(hub: LoopbackHub, root: Path, **more: str) -> Path:
    choice = OpenClipParams(hub=NAME, **more)
    pull_open_clip(choice, root, Hub(hub.endpoint, root / "cache"))
    return root / "data/raw/encoder"


def test_a_whole_repository_is_pulled_at_its_commit(hub, files, folder, tmp_path) -> None:
    commit = hub.add(NAME, files | {"README.md": b"not taken"}, kind="models")
    hub.add(NAME, {"open_clip_config.json": b"{}"}, kind="models")  # the branch moved on
    out = pull(hub, tmp_path, revision=commit)
    assert json.loads((out / "origin.json").read_text()) == {"hub": NAME, "revision": commit}
    assert {path.name for path in out.iterdir()} == {*files, "origin.json", "manifest.json"}
    assert set(read_manifest(out).files) == {*files, "origin.json"}
    again, one = load_open_clip(out), load_open_clip(folder)
    assert (again.text_features(["a ct scan"]) == one.text_features(["a ct scan"])).all()


def test_what_describes_the_text_tower_comes_from_its_own_repository(hub, files, tmp_path) -> None:
    """BiomedCLIP's repository has no config.json: open_clip asks the BERT's for it."""
    text = {"config.json": files.pop("config.json"), "vocab.txt": files.pop("vocab.txt")}
    text |= {name: files.pop(name) for name in ("tokenizer.json", "tokenizer_config.json")}
    files["config.json"] = b'{"model_type": "clip"}'  # of the whole model, as some repositories have it
    own, tower = hub.add(NAME, files, kind="models"), hub.add(TOWER, text, kind="models")
    out = pull(hub, tmp_path, text_revision=tower)
    assert json.loads((out / "origin.json").read_text()) == {
        "hub": NAME,
        "revision": own,
        "text_hub": TOWER,
        "text_revision": tower,
        "tokenizer_hub": TOWER,
        "tokenizer_revision": tower,
    }
    assert load_open_clip(out).text_features(["an mri"]).shape == (1, 16)


def test_safetensors_are_preferred_and_one_file_of_weights_is_taken(hub, files, tmp_path) -> None:
    from safetensors.torch import save
    from torch import load

    (tmp_path / "w.bin").write_bytes(files["open_clip_pytorch_model.bin"])
    files["open_clip_model.safetensors"] = save(load(tmp_path / "w.bin", weights_only=True))
    hub.add(NAME, files, kind="models")
    out = pull(hub, tmp_path)
    assert not hub.downloads("open_clip_pytorch_model.bin")
    assert load_open_clip(out).size == 32


def test_a_cut_download_goes_on(hub, files, tmp_path) -> None:
    hub.add(NAME, files, kind="models")
    hub.cuts["open_clip_pytorch_model.bin"] = 300_000
    out = pull(hub, tmp_path)
    assert (out / "open_clip_pytorch_model.bin").read_bytes() == files["open_clip_pytorch_model.bin"]
    assert len(hub.downloads("open_clip_pytorch_model.bin")) == 2


@pytest.mark.parametrize("absent", ["open_clip_config.json", "open_clip_pytorch_model.bin"])
def test_a_repository_without_a_file_is_named(hub, files, tmp_path, absent: str) -> None:
    del files[absent]
    commit = hub.add(NAME, files, kind="models")
    expected = {
        "open_clip_config.json": rf"modality.encoder: {NAME} at {commit} has no open_clip_config.json",
        "open_clip_pytorch_model.bin": "no weights",
    }
    with pytest.raises(UserError, match=expected[absent]):
        pull(hub, tmp_path)
    assert not (tmp_path / "data/raw/encoder").exists()


def test_a_revision_that_vanished_and_a_hub_that_refuses_are_one_message(hub, files, tmp_path) -> None:
    hub.add(NAME, files, kind="models")
    gone = "0" * 40
    with pytest.raises(UserError, match=rf"modality.encoder: {NAME}: revision {gone} is not there \(any more\)"):
        pull(hub, tmp_path, revision=gone)
    with pytest.raises(UserError, match="owner/none: the hub does not give it at its default branch"):
        pull_open_clip(OpenClipParams(hub="owner/none"), tmp_path, Hub(hub.endpoint, tmp_path / "cache"))
    with pytest.raises(UserError, match=f"{NAME}: the hub does not give it"):
        pull_open_clip(OpenClipParams(hub=NAME), tmp_path, Hub("http://127.0.0.1:9", tmp_path / "cache"))
    hub.refusal = (403, "no")
    with pytest.raises(UserError, match=f"{NAME}: the hub does not give it"):
        pull(hub, tmp_path)


def test_a_folder_is_copied_once_it_is_whole(folder, tmp_path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    (mine / "notes.txt").write_text("not taken")
    pull_open_clip(OpenClipParams(folder=str(mine)), tmp_path)
    out = tmp_path / "data/raw/encoder"
    assert {path.name for path in out.iterdir()} == {p.name for p in folder.iterdir()} | {
        "origin.json",
        "manifest.json",
    }
    assert json.loads((out / "origin.json").read_text()) == {"folder": "mine"}
    (mine / "config.json").unlink()
    with pytest.raises(UserError, match=rf"config.json: missing, or not of the text tower {TOWER}"):
        pull_open_clip(OpenClipParams(folder=str(mine)), tmp_path)
    assert load_open_clip(out).size == 32  # what was pulled before stands
    with pytest.raises(UserError, match="nowhere: no such folder"):
        pull_open_clip(OpenClipParams(folder=str(tmp_path / "nowhere")), tmp_path)
