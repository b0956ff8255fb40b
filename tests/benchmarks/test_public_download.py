"""Files behind URLs: resumed, checked by digest, and refused with a reason."""

import hashlib
from pathlib import Path

import pytest
import yaml

from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from lingshu.intake import download as downloading
from lingshu.intake.download import download
from tests.benchmarks.public_made import write
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT
from tests.benchmarks.test_public_forms import CATALOG
from tests.loopback_hub import LoopbackHub

DATA = bytes(range(256)) * 1000


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(downloading, "WAIT_SECONDS", 0.01)
    with LoopbackHub() as server:
        yield server


def address(hub, name="x.bin", data=DATA):
    commit = hub.add("a/b", {name: data})
    return f"{hub.endpoint}/datasets/a/b/resolve/{commit}/{name}"


def test_a_file_is_downloaded_once(hub, tmp_path):
    url = address(hub)
    digest = hashlib.sha256(DATA).hexdigest()
    for _ in range(2):
        assert download(url, tmp_path / "in/x.bin", digest).read_bytes() == DATA
    assert len(hub.downloads("x.bin")) == 2  # the address and where it leads to
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["x.bin"]


def test_a_cut_connection_is_gone_on_from(hub, tmp_path):
    url = address(hub)
    hub.cuts["x.bin"] = 100_000
    assert download(url, tmp_path / "x.bin").read_bytes() == DATA
    assert "bytes=100000-" in hub.downloads("x.bin")


def test_another_run_goes_on_from_what_came(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "ATTEMPTS", 1)
    url = address(hub)
    hub.cuts["x.bin"] = 50_000
    with pytest.raises(UserError, match="the connection failed 1 times") as raised:
        download(url, tmp_path / "x.bin")
    assert "goes on from what has come" in raised.value.fix
    assert (tmp_path / "x.bin.part").stat().st_size == 50_000
    assert download(url, tmp_path / "x.bin").read_bytes() == DATA
    assert hub.downloads("x.bin")[-1] == "bytes=50000-"


def test_a_part_longer_than_the_file_is_thrown_away(hub, tmp_path):
    url = address(hub)
    (tmp_path / "x.bin.part").write_bytes(DATA + b"more")
    assert download(url, tmp_path / "x.bin").read_bytes() == DATA


def test_another_content_is_not_used(hub, tmp_path):
    with pytest.raises(UserError, match=f"has SHA-256 {hashlib.sha256(DATA).hexdigest()}, the record says {'0' * 64}"):
        download(address(hub), tmp_path / "x.bin", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(hub, tmp_path):
    (tmp_path / "x.bin.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"x\.bin\.part: can't be written: No space left on device"):
        download(address(hub), tmp_path / "x.bin")


def test_no_such_page(hub, tmp_path):
    with pytest.raises(UserError, match="the server answers 404") as raised:
        download(f"{hub.endpoint}/nowhere", tmp_path / "x.bin")
    assert "pass a folder" in raised.value.fix


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "WAIT_SECONDS", 0.01)
    with LoopbackHub() as gone:
        url = f"{gone.endpoint}/x"
    with pytest.raises(UserError, match="the connection failed 5 times"):
        download(url, tmp_path / "x.bin")


def test_a_benchmark_of_urls_and_one_of_both(hub, tmp_path):
    """HealthBench comes from a URL; MMMU test from the hub, and its answers from a URL."""
    records = yaml.safe_load((CATALOG / "public_benchmarks.yaml").read_text())
    records = {name: records[name] for name in ("healthbench", "mmmu_med_test")}
    health = TEXT["healthbench", 0]().files
    mmmu = dict(MULTIMODAL["mmmu_med_test", 0]().files)
    answers = mmmu.pop("answer.json")
    place = records["healthbench"]["where"][0]
    place["url"] = address(hub, place["file"], health[place["file"]])
    place = records["mmmu_med_test"]["where"][1]
    place |= {"url": address(hub, "answer.json", answers), "sha256": hashlib.sha256(answers).hexdigest()}
    commit = hub.add("MMMU/MMMU", mmmu)
    write({"public_benchmarks.yaml": yaml.safe_dump(records).encode()}, tmp_path)
    where = {"root_catalog": tmp_path, "endpoint": hub.endpoint, "accept_rows": True, "cache": tmp_path / "cache"}
    assert load("healthbench", **where).questions[0].id == "p1"
    loaded = load("mmmu_med_test", **where)
    assert loaded.questions[0].answer == "A"
    assert loaded.revisions == {"MMMU/MMMU": commit}
    assert Path(tmp_path / "cache/files/mmmu_med_test/answer.json").read_bytes() == answers


@pytest.mark.parametrize("name", ["mimic_cxr", "chexpert_plus", "iu_xray", "rad_restruct"])
def test_what_a_user_must_bring_is_said(name):
    with pytest.raises(UserError, match=f"{name}: its files are not for download: ") as raised:
        load(name, root_catalog=CATALOG)
    assert "folder" in raised.value.fix
