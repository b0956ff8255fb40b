"""A Ray cluster whose machines are gone, or never came, is told of: Ray itself would wait for one to join."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from lingshu.core import ray_tasks
from lingshu.core.errors import UserError
from lingshu.core.parallel import Workers, in_order

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")


@pytest.fixture
def nodes() -> Iterator[Cluster]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield started
    started.shutdown()


def nap(number: int) -> int:
    time.sleep(0.3)
    return -number


def test_a_cluster_that_loses_its_machines(nodes: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_tasks, "SECONDS_WITHOUT", 3)
    workers = Workers(engine="ray", address=nodes.address)
    with pytest.raises(UserError, match="no machine of the Ray cluster has a CPU to work on"):
        list(in_order(nap, range(3), workers))
    only = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    results = in_order(nap, range(60), workers)
    assert [next(results) for _ in range(3)] == [0, -1, -2]
    nodes.remove_node(only, allow_graceful=False)
    with pytest.raises(UserError, match="no machine of the Ray cluster has a CPU to work on"):
        list(results)
