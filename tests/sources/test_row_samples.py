"""Importers on real samples beside the repository (VQA-RAD, SLAKE, PathVQA, ROCO): counts as counted, nothing lost."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lingshu.core.images import ImageStore
from lingshu.core.sample import read_samples
from tests.sources.rows_made import LIMITS
from tests.sources.test_row_records import ROOT, run

SAMPLES = ROOT.parent / "shared/samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no ../shared/samples beside this checkout")


def drawn(name: str) -> bytes:
    """An invented JPEG, another for each name: the samples of three sets come without their pictures."""
    seed = list(name.encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (70, 70), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG")
    return buffer.getvalue()


def copied(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLES / name, tmp_path / "raw", copy_function=shutil.copy))


def add(folder: Path, pictures: set[str]) -> None:
    for name in pictures:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn(name))


def writable(folder: Path) -> Path:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def test_vqa_rad_public_json(tmp_path: Path) -> None:
    copied("vqa_rad", tmp_path)
    writable(tmp_path / "raw")
    summary = run("vqa_rad", {}, tmp_path, LIMITS.model_copy(update={"max_side_px": 4096}))
    assert (summary.rows, summary.kept, summary.pictures_stored) == (296, 296, 45)
    assert summary.splits == {"train": 239, "test": 57}
    samples = list(read_samples([tmp_path / "s"]))
    real = json.loads((SAMPLES / "vqa_rad/VQA_RAD Dataset Public.json").read_bytes())
    assert Counter(s.prompt_text() for s in samples) == Counter(row["question"].strip() for row in real)
    kinds = Counter(s.answer.kind for s in samples if s.answer)
    assert kinds["yesno"] == sum(str(row["answer"]).strip().lower() in ("yes", "no") for row in real)
    stored = ImageStore([tmp_path / "i"])
    files = {path.read_bytes() for path in (SAMPLES / "vqa_rad/VQA_RAD Image Folder").iterdir()}
    assert {stored.data(image_id) for image_id in stored.ids()} == files  # byte for byte


def test_vqa_rad_split_files_and_hub_form_hold_the_same_questions(tmp_path: Path) -> None:
    raw = writable(copied("vqa_rad", tmp_path / "a"))
    (raw / "VQA_RAD Dataset Public.json").unlink()
    summary = run("vqa_rad", {}, tmp_path / "a")
    assert summary.splits == {"train": 231, "test": 65}
    rows = {split: json.loads((raw / f"{split}set.json").read_bytes()) for split in ("train", "test")}
    files = {}
    for split, items in rows.items():
        pictures = [
            {"bytes": (raw / "VQA_RAD Image Folder" / row["image_name"]).read_bytes(), "path": None} for row in items
        ]
        columns = {"image": pictures, **{key: [str(row[key]) for row in items] for key in ("question", "answer")}}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, row_group_size=50)
        files[f"data/{split}-00000-of-00001.parquet"] = buffer.getvalue()
    hub = run("vqa_rad", files, tmp_path / "b")
    assert (hub.splits, hub.pictures_stored, hub.form) == (summary.splits, 45, "hub (Parquet)")

    def told(folder: Path) -> Counter[tuple[str, ...]]:
        return Counter((s.prompt_text(), s.target_text(), s.images[0].image_id) for s in read_samples([folder / "s"]))

    assert told(tmp_path / "a") == told(tmp_path / "b")


def test_slake(tmp_path: Path) -> None:
    raw = writable(copied("slake", tmp_path))
    rows = [row for path in sorted(raw.rglob("*.json")) for row in json.loads(path.read_bytes())]
    add(raw / "Slake1.0/imgs", {row["img_name"] for row in rows})
    summary = run("slake", {}, tmp_path)
    assert (summary.rows, summary.kept, summary.pictures_stored) == (1184, 1184, 77)
    assert summary.splits == {"train": 595, "validation": 270, "test": 319}
    assert summary.groups_cut == 1  # xmlab384 is in two of the authors' splits
    table = pl.read_parquet(tmp_path / "s/part-00000.parquet")
    assert table.filter(language="en").height == 677
    assert not summary.unknown_kinds
    assert set(table["modality"].explode()) == {"x-ray", "ct", "mri"}


def test_path_vqa(tmp_path: Path) -> None:
    raw = writable(copied("pathvqa", tmp_path))
    images = {
        f"{path.stem.removeprefix('pvqa_')}/{row['img_id']}.jpg"
        for path in raw.glob("pvqa_*.json")
        for row in json.loads(path.read_bytes())
    }
    add(raw / "images", images)
    summary = run("path_vqa", {}, tmp_path)
    assert (summary.rows, summary.kept, summary.pictures_stored) == (822, 820, 110)
    assert {reason.name: number for reason, number in summary.refused.items()} == {"REPEATED_ROW": 2}
    assert set(summary.splits) == {"train", "validation", "test"}
    assert summary.groups_cut == 0


def test_roco(tmp_path: Path) -> None:
    raw = writable(copied("roco", tmp_path))
    ids = {
        f"{path.parent.parent.name}/radiology/images/{line.split()[0]}.jpg"
        for path in raw.rglob("captions.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    add(raw / "data", ids)
    summary = run("roco", {}, tmp_path)
    assert (summary.rows, summary.kept, summary.pictures_stored) == (200, 200, 200)
    assert summary.splits == {"test": 100, "validation": 100}
    table = pl.read_parquet(tmp_path / "s/part-00000.parquet")
    assert set(table["licence"]) == {"CC BY"}
    assert table["group_id"].str.starts_with("roco/article/PMC").all()
    one = table.filter(origin_id="ROCO_02816").to_dicts()[0]
    assert one["messages"][1]["content"][0]["text"] == "Widened mediastinum with severe scoliosis."
    assert one["group_id"] == "roco/article/PMC4385628"
