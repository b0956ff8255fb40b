"""Normalizing on a real Ray cluster of two nodes gives the bytes that it gives here, with a worker killed too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from lingshu.core.ids import sha256_file
from lingshu.core.manifest import write_manifest
from lingshu.sources.normalize import normalize
from tests.ray_nodes import Nodes, two_nodes
from tests.sources.made import dicom, noise, save
from tests.sources.test_normalize import SOURCES, note, record

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")
FILES = 120


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as started:
        yield started


def pulled(root: Path) -> Path:
    folder = root / "data/raw/scans/scan-data/d"
    folder.mkdir(parents=True)
    for number in range(FILES):
        made = dicom(
            noise(200, 200, seed=number), PatientID=f"P{number % 9}", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]
        )
        save(made, folder / f"ct{number:03}.dcm")
    for number in range(0, FILES, 40):
        (folder / f"ct{number:03}.dcm").write_bytes(b"bad")
    write_manifest(root / "data/raw/scans", "pull", FILES)
    note(root)
    return root


def digests(root: Path) -> dict[str, str]:
    made = (path for name in ("images", "samples") for path in (root / "data" / name).rglob("*.*"))
    return {path.relative_to(root).as_posix(): sha256_file(path) for path in made}


@pytest.mark.parametrize("kills", [False, True])
def test_a_source_is_normalized_on_ray_as_here(nodes: Nodes, tmp_path: Path, kills: bool) -> None:
    found = []
    for engine in ("local", "ray"):
        root = pulled(tmp_path / engine)
        workers = nodes.workers if engine == "ray" else SOURCES.workers
        params = SOURCES.model_copy(update={"workers": workers})
        with nodes.killing() if kills and engine == "ray" else nullcontext([True]) as killed:
            metrics = normalize("scans", record(expected={"files": FILES}), params, root)
        found.append((metrics, digests(root)))
        assert killed == [True]
    assert found[0] == found[1]
    assert found[0][0]["files"]["refused"] == {"NOT_DICOM": 3}
