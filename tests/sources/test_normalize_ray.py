"""Normalizing on a real Ray cluster of two nodes gives the bytes that it gives here, with a worker killed too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from lingshu.core.ids import sha256_file
from lingshu.core.manifest import write_manifest
from lingshu.core.parallel import Workers
from lingshu.sources.normalize import normalize
from tests.sources.made import dicom, noise, save
from tests.sources.test_normalize import SOURCES, note, record

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")
FILES = 120


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    started.add_node(num_cpus=1)
    started.wait_for_nodes()
    yield started
    started.shutdown()


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


def kill_a_worker(nodes: Cluster, killed: list[int], over: threading.Event) -> None:
    """Kill a process that reads files, as soon as one does."""
    raylets = [
        psutil.Process(one.process.pid) for node in nodes.list_all_nodes() for one in node.all_processes["raylet"]
    ]
    while not over.is_set() and not killed:
        for child in (child for raylet in raylets for child in raylet.children(recursive=True)):
            with suppress(psutil.Error):
                if "_in_folder" in " ".join(child.cmdline()):
                    child.kill()
                    killed.append(child.pid)
                    return
        time.sleep(0.005)


@pytest.mark.parametrize("kills", [False, True])
def test_a_source_is_normalized_on_ray_as_here(nodes: Cluster, tmp_path: Path, kills: bool) -> None:
    found = []
    over, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=kill_a_worker, args=(nodes, killed, over))
    for engine in ("local", "ray"):
        root = pulled(tmp_path / engine)
        workers = Workers(engine=engine, address=nodes.address) if engine == "ray" else SOURCES.workers
        if kills and engine == "ray":
            killer.start()
        metrics = normalize(
            "scans", record(expected={"files": FILES}), SOURCES.model_copy(update={"workers": workers}), root
        )
        found.append((metrics, digests(root)))
    over.set()
    assert found[0] == found[1]
    assert found[0][0]["files"]["refused"] == {"NOT_DICOM": 3}
    assert bool(killed) is kills
