"""Benchmarks whose files are behind URLs, and those that a user must bring."""

import hashlib
from pathlib import Path

import pytest
import yaml

from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from tests.benchmarks.public_made import write
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT
from tests.benchmarks.test_public_forms import CATALOG
from tests.loopback_hub import LoopbackHub


@pytest.fixture
def hub():
    with LoopbackHub() as server:
        yield server


def address(hub, name, data):
    commit = hub.add("a/b", {name: data})
    return f"{hub.endpoint}/datasets/a/b/resolve/{commit}/{name}"


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
