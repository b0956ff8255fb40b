"""A real Ray cluster of two nodes on this machine, whose workers can be killed while they work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

from lingshu.core.parallel import Workers

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster


class Nodes:
    """The cluster, and who works on it as params name them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.workers = Workers(engine="ray", address=cluster.address)

    def kill_one(self) -> bool:
        """Kill a worker that has a part, if there is one."""
        for node in self.cluster.list_all_nodes():
            for started in node.all_processes["raylet"]:
                for worker in psutil.Process(started.process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):  # one that ends by itself meanwhile
                        if "ray::_in_folder" in " ".join(worker.cmdline()):
                            worker.kill()
                            return True
        return False

    def kill_when_busy(self) -> bool:
        """Kill the first worker that gets a part, if one does within a minute."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.kill_one():
                return True
            time.sleep(0.005)
        return False

    @contextmanager
    def killing(self) -> Iterator[list[bool]]:
        """Kill the first worker that gets a part of what is done meanwhile; the list then says whether one was."""
        killed: list[bool] = []
        killer = threading.Thread(target=lambda: killed.append(self.kill_when_busy()))
        killer.start()
        yield killed
        killer.join()


@contextmanager
def two_nodes() -> Iterator[Nodes]:
    """Yield a running cluster of one CPU a node."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield Nodes(cluster)
    cluster.shutdown()
