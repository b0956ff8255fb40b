"""Work on a real Ray cluster of several nodes on this machine: same results, errors whole, killed workers replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from lingshu.core.errors import UserError
from lingshu.core.images import encode_png
from lingshu.core.parallel import Workers, in_order
from lingshu.signals.pictures import measure_pictures

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

ray = pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    started.add_node(num_cpus=1, num_gpus=1)  # as far as Ray is told
    started.wait_for_nodes()
    yield started
    started.shutdown()


@pytest.fixture(scope="module")
def cluster(nodes: Cluster) -> Workers:
    return Workers(engine="ray", address=nodes.address)


def where(factor: int, number: int) -> tuple[int, int, str]:
    time.sleep(0.05)
    return factor * number, os.getpid(), os.environ.get("RAY_NODE_ID", "") or ray.get_runtime_context().get_node_id()


def test_results_come_in_order_from_workers_of_both_nodes(cluster: Workers) -> None:
    found = list(in_order(partial(where, 2), range(40), cluster, chunk=3))
    assert [value for value, _, _ in found] == list(range(0, 80, 2))
    assert len({node for _, _, node in found}) == 2
    assert os.getpid() not in {process for _, process, _ in found}


def refuse(number: int) -> int:
    if number == 3:
        raise UserError("row 3: not a number", "write one")
    return number


def test_an_error_arrives_whole_and_at_its_item(cluster: Workers) -> None:
    results = in_order(refuse, range(9), cluster)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UserError) as caught:
        next(results)
    assert (caught.value.what, caught.value.fix) == ("row 3: not a number", "write one")


def grey(number: int) -> np.ndarray:
    return np.full((400, 400), number, dtype=np.uint8)


def test_arrays_outlive_the_connection(cluster: Workers) -> None:
    """As views of Ray's store they would be of whatever lies there later."""
    found = list(in_order(grey, range(12), cluster, chunk=2))
    list(in_order(grey, range(100, 112), cluster, chunk=2))
    assert [set(np.unique(one).tolist()) for one in found] == [{number} for number in range(12)]
    assert all(one.flags.writeable for one in found)


def die_once(marks: Path, number: int) -> int:
    """Number 5 kills its own worker the first time."""
    mark = marks / "died"
    if number == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_part_whose_worker_is_killed_is_worked_on_again(cluster: Workers, tmp_path: Path) -> None:
    assert list(in_order(partial(die_once, tmp_path), range(12), cluster, chunk=2)) == [n * n for n in range(12)]
    assert (tmp_path / "died").exists()


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_part_that_always_kills_its_worker_is_an_error(cluster: Workers) -> None:
    with pytest.raises(UserError, match="Ray lost a part of the work 4 times"):
        list(in_order(die, range(1), cluster))


def nap_and_tell(number: int) -> tuple[int, str, float]:
    time.sleep(0.3)
    return -number, ray.get_runtime_context().get_node_id(), time.time()


def test_parts_of_a_machine_that_dies_are_worked_on_elsewhere(nodes: Cluster, cluster: Workers) -> None:
    extra = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    results = in_order(nap_and_tell, range(24), cluster)
    found = [next(results) for _ in range(4)]
    workers = [
        worker
        for started in extra.all_processes["raylet"]
        for worker in psutil.Process(started.process.pid).children(recursive=True)
    ]
    nodes.remove_node(extra, allow_graceful=False)
    for worker in workers:  # as when the machine is gone: by itself, a worker first ends its task
        with suppress(psutil.NoSuchProcess):
            worker.kill()
    removed = time.time()
    found += results
    assert [value for value, _, _ in found] == [-n for n in range(24)]
    later = {node for _, node, end in found if end > removed}
    assert later
    assert extra.node_id not in later


def with_gpu(number: int) -> tuple[int, str, int]:
    return number, os.environ["CUDA_VISIBLE_DEVICES"], os.getpid()


def test_workers_get_gpus_and_keep_their_process(cluster: Workers) -> None:
    found = list(in_order(with_gpu, range(5), cluster.model_copy(update={"gpus": 1.0})))
    assert [(number, devices) for number, devices, _ in found] == [(number, "0") for number in range(5)]
    assert len({process for _, _, process in found}) == 1
    with pytest.raises(UserError, match=r"workers.gpus is 2, and no machine of the Ray cluster has more than 1"):
        list(in_order(with_gpu, range(1), cluster.model_copy(update={"gpus": 2.0})))


def folder(number: int) -> tuple[int, Path]:
    return number, Path.cwd()


def test_work_happens_in_the_projects_folder(cluster: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(in_order(folder, range(2), cluster)) == [(0, tmp_path), (1, tmp_path)]


def test_measured_pictures_are_equal_on_ray(cluster: Workers) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    pictures = [(f"{n:02d}", encode_png(rng.integers(0, 255, (80, 70), dtype=np.uint8))) for n in range(9)]
    assert list(measure_pictures(pictures, 6, cluster)) == list(measure_pictures(pictures, 6))


def test_an_address_that_nobody_answers_is_named() -> None:
    with pytest.raises(UserError, match=r"workers.address '127.0.0.1:1': no Ray cluster answers"):
        list(in_order(folder, range(1), Workers(engine="ray", address="127.0.0.1:1")))
