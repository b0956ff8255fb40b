"""Sources of rows on a real Ray cluster of two nodes give the bytes that they give here, with a worker killed too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lingshu.core.calls import calls_by
from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.parallel import Workers
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.places import FolderFiles
from lingshu.sources.catalog import SOURCES_FOLDER, SourceRecord, read_source
from lingshu.sources.rows import normalize_rows
from tests.benchmarks.public_made import as_lines, write
from tests.ray_nodes import Nodes, two_nodes
from tests.sources.invented_imaging import MADE
from tests.sources.rows_made import LIMITS, record

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")
ROOT = Path(__file__).parents[2]
HERE = Workers(processes=2)
# Masks beside pictures, volumes with masks, arrays, a window of the row, MATLAB's files.
IMAGING = ("breast_ultrasound", "mama_mia", "pannuke", "deeplesion", "breast_cancer")
CAPTIONS: dict[str, Any] = {
    "format": "jsonl", "tables": ["rows.jsonl"], "adapter": "caption", "id": "id", "answer": "text",
    "pictures": {"fields": ["image"], "folders": ["images"], "archives": ["*.zip"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as started:
        yield started


@pytest.fixture(scope="module")
def cluster(nodes: Nodes) -> Workers:
    return nodes.workers


def normalized(source: SourceRecord, raw: Path, out: Path, workers: Workers, name: str = "made") -> tuple[Any, Any]:
    """Return the metrics and the digest of every file that was written."""
    where = {"samples": out / "samples", "images": out / "images"}
    summary = normalize_rows(name, source, FolderFiles(raw), params=LIMITS, accept_rows=True, workers=workers, **where)
    made = sorted(path for path in out.rglob("*.*") if path.is_file())
    return summary.metrics(), {path.relative_to(out).as_posix(): sha256_file(path) for path in made}


def noise(number: int, side: int = 90, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def zipped(members: dict[str, bytes], broken: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        place = archive.getinfo(broken).header_offset + 60
    packed = bytearray(buffer.getvalue())
    packed[place] ^= 0xFF
    return bytes(packed)


def captions(raw: Path, number: int) -> None:
    """Write rows whose pictures are files, members of an archive, shared, broken, absent, too large or links."""
    files = {f"images/{n}.jpg": noise(n, kind="JPEG") for n in range(0, number, 2)}
    members = {f"images/{n}.png": noise(n) for n in range(1, number, 2)} | {"images/bad.png": noise(9)}
    files["images/0.jpg"] = files["images/2.jpg"][:300]
    files["images/4.jpg"] = bytes((LIMITS.max_picture_mb << 20) + 1)
    names = [f"{n}.{'png' if n % 2 else 'jpg'}" for n in range(number)]
    names += ["bad.png", "absent.png", "2.jpg", "3.png", "gone.png", "3.png"]
    rows = [{"id": str(n), "image": name, "text": f"Drawn {n}."} for n, name in enumerate(names)]
    write({"rows.jsonl": as_lines(*rows), "p.zip": zipped(members, "images/bad.png"), **files}, raw)
    (raw / "images/gone.png").symlink_to(raw / "nowhere")


@pytest.mark.parametrize("kills", [False, True])
def test_rows_with_pictures_are_normalized_as_here(nodes: Nodes, tmp_path: Path, kills: bool) -> None:
    captions(tmp_path / "raw", 150)
    here = normalized(record(CAPTIONS), tmp_path / "raw", tmp_path / "here", HERE)
    with nodes.killing() if kills else nullcontext([True]) as killed:
        there = normalized(record(CAPTIONS), tmp_path / "raw", tmp_path / "there", nodes.workers)
    assert there == here
    assert here[0]["rows"]["refused"] == {"MISSING_PICTURE": 2, "PICTURE_TOO_LARGE": 1, "UNREADABLE_PICTURE": 2}
    assert killed == [True]


def test_pictures_inside_parquet_are_sent(cluster: Workers, tmp_path: Path) -> None:
    rows = [{"id": str(n), "image": {"bytes": noise(n % 40), "path": ""}, "text": f"Drawn {n}."} for n in range(90)]
    rows[7]["image"] = {"bytes": b"none", "path": ""}
    (tmp_path / "raw").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "raw/rows.parquet", row_group_size=16)
    form = CAPTIONS | {
        "format": "parquet",
        "tables": ["rows.parquet"],
        "pictures": {"fields": ["image"], "embedded": True},
    }
    made = [normalized(record(form), tmp_path / "raw", tmp_path / w.engine, w) for w in (HERE, cluster)]
    assert made[0] == made[1]
    assert made[0][0]["rows"]["refused"] == {"UNREADABLE_PICTURE": 1}
    assert made[0][0]["distinct_pictures"] == 40


@pytest.mark.parametrize("name", IMAGING)
def test_a_raw_imaging_source_is_normalized_as_here(cluster: Workers, tmp_path: Path, name: str) -> None:
    next(made for made in MADE if made.source == name).make(tmp_path / "raw")
    source = read_source(name, ROOT / SOURCES_FOLDER)
    made = [normalized(source, tmp_path / "raw", tmp_path / w.engine, w, name) for w in (HERE, cluster)]
    assert made[0] == made[1]


def divided(number: int) -> float:
    if number == 3:
        raise RowError(Reason.NO_TEXT, "row 3")
    return 6 / number


@pytest.mark.parametrize("part", [1, 4, 100])
def test_calls_give_what_they_return_and_raise_asked_for_in_any_order(cluster: Workers, part: int) -> None:
    with calls_by(cluster, part) as calls:
        assert (calls.workers, calls.elsewhere) == (2, True)
        made = [calls.submit(divided, number) for number in range(10)]
        assert not made[3].failed()
        assert [made[n].result() for n in (9, 1, 9)] == [6 / 9, 6.0, 6 / 9]
        with pytest.raises(RowError, match="row 3") as caught:
            made[3].result()
        assert (caught.value.reason, caught.value.detail) == (Reason.NO_TEXT, "row 3")
        with pytest.raises(ZeroDivisionError):
            made[0].result()
        assert [one.failed() for one in made[:5]] == [True, False, False, True, False]


def test_a_cluster_that_does_not_answer_ends_the_run_and_leaves_what_was_there(tmp_path: Path) -> None:
    captions(tmp_path / "raw", 8)
    before = normalized(record(CAPTIONS), tmp_path / "raw", tmp_path / "out", HERE)
    with pytest.raises(UserError, match="no Ray cluster answers"):
        normalized(record(CAPTIONS), tmp_path / "raw", tmp_path / "out", Workers(engine="ray", address="127.0.0.1:1"))
    assert normalized(record(CAPTIONS), tmp_path / "raw", tmp_path / "out", HERE) == before
