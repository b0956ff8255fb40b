"""Normalizing a pulled folder: every file is accounted for, groups stay whole, and two runs give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.images import ImageStore, read_index
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.sample import read_samples
from lingshu.core.verdicts import KEPT, read_verdicts
from lingshu.facts.asking import CHOICE_TOPICS
from lingshu.facts.reading import facts_from_text
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.normalize import normalize
from lingshu.sources.params import SourcesParams
from tests.sources.made import PARAMS, dicom, noise, save

SOURCES = SourcesParams.model_validate(
    {
        "enabled": ["scans"],
        "opt_in": [],
        "pulled": ["scans"],
        "generated": [],
        "workers": {"engine": "local", "processes": 1},
        "allowed_licences": ["permissive"],
        "shared": True,
        "benchmark_splits_in_training": [],
        "downloads": 1,
        "normalize": PARAMS.model_dump(),
        "rows": {
            "max_side_px": 64, "max_megapixels": 1, "max_picture_mb": 1, "max_row_mb": 1, "accept_rows": [],
        },
        "terminology": {
            "seed": 1, "held_out_share": 0.2, "icd_codes_per_chapter": 1, "icd_kinship_pairs": 1,
            "hpo_terms_per_system": 1, "hpo_kinship_pairs": 1,
        },
        "phantom": {
            "seed": 1, "num_pictures": 1, "num_hard": 0, "size_px": 64, "held_out_share": 0.5, "max_nodules": 1,
            "max_nodules_hard": 1, "topics": ["count"],
        },
    }
)  # fmt: skip


def note(root: Path, *more: dict[str, Any]) -> None:
    """Write the notes of the pulled source, with `more` at the end."""
    notes = [
        {"paths": ["d/cat.dcm"], "seen": "a cat", "refuse": "NOT_HUMAN"},
        {"paths": ["d/glass.png"], "seen": "empty glass", "cut": "regions"},
        *more,
    ]
    path = root / "catalog/notes/scans.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"scan-data": notes}))


def record(**more: Any) -> SourceRecord:
    package = {
        "name": "scan-data", "version": "1.0", "file": "scan_data-1.0-py3-none-any.whl", "sha256": "0" * 64, "bytes": 1,
        "licence": "MIT", "visible": "scans",
        "take": [
            {"paths": ["d/*.dcm"], "reader": "dicom"},
            {"paths": ["d/*.png"], "reader": "raster"},
            {"paths": ["d/*.mask"], "reader": "companion"},
        ],
    }  # fmt: skip
    return SourceRecord.model_validate(
        {
            "kind": "registry_package", "title": "scans", "tasks": ["caption"], "licence": "MIT",
            "licence_class": "permissive", "access": "open",
            "expected": {"files": 9}, "citation": "nobody", "checked": "here", "packages": [package], **more,
        }
    )  # fmt: skip


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    folder = tmp_path / "data/raw/scans/scan-data/d"
    folder.mkdir(parents=True)
    axial = [1, 0, 0, 0, 1, 0]
    for number in range(4):
        made = dicom(noise(80, 80, seed=number), PatientID=f"P{number % 3}", ImageOrientationPatient=axial)
        save(made, folder / f"ct{number}.dcm")
    save(dicom(noise(80, 80, seed=0), PatientID="P0", ImageOrientationPatient=axial), folder / "ct0_again.dcm")
    save(dicom(noise(8, 8)), folder / "cat.dcm")
    (folder / "bad.dcm").write_bytes(b"bad")
    (folder / "a.mask").write_bytes(b"read beside another file only")
    Image.fromarray(np.full((70, 70, 3), 245, np.uint8)).save(folder / "glass.png")
    Image.fromarray(noise(40, 40, 3)).save(folder / "photo.png")
    write_manifest(tmp_path / "data/raw/scans", "pull", 10)
    note(tmp_path)
    return tmp_path


def test_every_file_is_decoded_or_refused_by_reason(pulled: Path) -> None:
    metrics = normalize("scans", record(), SOURCES, pulled)
    assert metrics["files"] == {
        "in": 9, "decoded": 6, "refused": {"NOT_DICOM": 1, "NOT_HUMAN": 1, "NO_TISSUE": 1},
    }  # fmt: skip
    verdicts = read_verdicts(pulled / "data/samples/scans/verdicts.parquet")
    told = {row["sample_id"].split("/")[-1]: row["reason"] for row in verdicts.to_dicts()}
    assert told.pop("cat.dcm") == "NOT_HUMAN"
    assert told.pop("bad.dcm") == "NOT_DICOM"
    assert told.pop("glass.png") == "NO_TISSUE"
    assert set(told.values()) == {KEPT}
    assert verdicts.filter(pl.col("sample_id").str.ends_with("cat.dcm"))["detail"].to_list() == ["a cat"]


def test_pictures_are_small_and_carry_facts_group_and_licence(pulled: Path) -> None:
    normalize("scans", record(), SOURCES, pulled)
    index = read_index([pulled / "data/images/scans"])
    assert index.height == 6
    assert index["image_id"].n_unique() == 5
    assert index.select(pl.max_horizontal("width", "height").max()).item() == 64
    row = index.filter(pl.col("origin_id") == "scan-data/d/ct1.dcm").to_dicts()[0]
    assert (row["group_id"], row["licence"]) == ("scans/patient/P1", "MIT")
    assert json.loads(row["facts"]) == {"modality": "ct", "plane": "axial"}
    store = ImageStore([pulled / "data/images/scans"])
    assert store.image(row["image_id"]).size == (row["width"], row["height"])


def test_groups_stay_whole_and_one_is_held_out(pulled: Path) -> None:
    metrics = normalize("scans", record(), SOURCES, pulled)
    index = read_index([pulled / "data/images/scans"])
    assert index.group_by("group_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert metrics["pictures"]["ct"]["test"]["groups"] == 1
    assert metrics["pictures"]["untagged"]["test"]["groups"] == 0
    splits = dict(zip(index["origin_id"], index["split"], strict=True))
    samples = list(read_samples([pulled / "data/samples/scans"]))
    assert {s.split for s in samples} == {"train", "test"}
    assert all(s.split == splits[s.origin_id] for s in samples)


def test_every_picture_with_facts_has_a_caption_that_says_them_and_questions_about_them(pulled: Path) -> None:
    normalize("scans", record(), SOURCES, pulled)
    index = read_index([pulled / "data/images/scans"])
    samples = list(read_samples([pulled / "data/samples/scans"]))
    captions = {s.origin_id: s for s in samples if s.task == "caption"}
    known = [row for row in index.to_dicts() if row["facts"] != "{}"]
    assert set(captions) == {row["origin_id"] for row in known}
    assert 0 < len(known) < len(index)
    for row in known:
        assert facts_from_text(captions[row["origin_id"]].target_text()) == json.loads(row["facts"])
        topics = {s.topic for s in samples if s.origin_id == row["origin_id"]}
        facts = json.loads(row["facts"])
        assert topics == {"caption", *facts, *(CHOICE_TOPICS[fact] for fact in facts if fact in CHOICE_TOPICS)}
    assert {s.revision for s in samples} == {"scan-data 1.0"}


def digests(root: Path) -> dict[str, str]:
    files = (p for p in sorted(root.glob("data/[is]*/**/*")) if p.is_file())
    return {p.relative_to(root).as_posix(): sha256_file(p) for p in files}


def test_two_runs_give_the_same_bytes_whatever_an_interrupted_one_left(pulled: Path) -> None:
    first = normalize("scans", record(), SOURCES, pulled)
    before = digests(pulled)
    assert any(path.endswith("manifest.json") for path in before)
    (pulled / "data/images/scans/manifest.json").unlink()
    (pulled / "data/images/scans/shard-00007.arrow").write_bytes(b"left over")
    assert normalize("scans", record(), SOURCES, pulled) == first
    assert digests(pulled) == before
    assert read_manifest(pulled / "data/samples/scans").rows == sum(
        number for topics in first["samples"].values() for number in topics.values()
    )


def test_metrics_add_up(pulled: Path) -> None:
    metrics = normalize("scans", record(), SOURCES, pulled)
    counted = [kind[split]["pictures"] for kind in metrics["pictures"].values() for split in ("train", "test")]
    assert sum(counted) == 6
    assert metrics["distinct_pictures"] == 5
    assert metrics["planes"]["axial"]["unit"] == "patient"
    assert "training_only" not in metrics


def test_a_kind_with_one_group_is_said_to_be_training_only(pulled: Path) -> None:
    photo = {"paths": ["d/photo.png"], "seen": "a fundus", "facts": {"modality": "fundus photograph"}}
    note(pulled, photo)
    assert normalize("scans", record(), SOURCES, pulled)["training_only"] == ["fundus photograph"]


def test_an_unknown_fact_in_the_catalogue_is_named(pulled: Path) -> None:
    wrong = {"paths": ["d/photo.png"], "seen": "a photo", "facts": {"modality": "thermography"}}
    note(pulled, wrong)
    with pytest.raises(UserError, match=r"scan-data/d/photo\.png: fact 'modality' is 'thermography'"):
        normalize("scans", record(), SOURCES, pulled)


def test_an_incomplete_pull_is_named(pulled: Path) -> None:
    (pulled / "data/raw/scans/scan-data/d/ct3.dcm").unlink()
    with pytest.raises(UserError, match=r"8 files to read, .*scans\.yaml: expected\.files says 9"):
        normalize("scans", record(), SOURCES, pulled)
    (pulled / "data/raw/scans/manifest.json").unlink()
    with pytest.raises(UserError, match="not complete"):
        normalize("scans", record(), SOURCES, pulled)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("films: []", r"scans\.yaml: scans has no package 'films'"),
        ("scan-data: [{paths: [a], seen: a, refused: BAD}]", r"scan-data.*unknown key; did you mean 'refuse'"),
        ("scan-data: [{paths: [a], seen: a, window: [2, 1]}]", "must be two values, the lower one first"),
        ("nothing", r"scans\.yaml: expected notes by package"),
    ],
)
def test_wrong_notes_are_named(pulled: Path, text: str, message: str) -> None:
    (pulled / "catalog/notes/scans.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        normalize("scans", record(), SOURCES, pulled)


def test_a_pulled_source_without_a_file_of_notes_is_told_so(pulled: Path) -> None:
    (pulled / "catalog/notes/scans.yaml").unlink()
    with pytest.raises(UserError, match=r"catalog/notes/scans\.yaml: no such file"):
        normalize("scans", record(), SOURCES, pulled)
