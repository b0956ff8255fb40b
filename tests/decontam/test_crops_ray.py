"""Crops looked for on a real Ray cluster of two nodes on this machine: the verdicts of a local run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lingshu.core.parallel import Workers
from lingshu.decontam.decontaminate import decontaminate
from lingshu.decontam.params import DecontamParams
from tests.corpora import Corpus, scene

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")
PARAMS = DecontamParams(picture_radius=2, ngram_words=13, coverage=0.5, crops=True)


@pytest.fixture
def cluster() -> Iterator[Workers]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    started.add_node(num_cpus=1)
    started.wait_for_nodes()
    yield Workers(engine="ray", address=started.address)
    started.shutdown()


def test_a_cluster_finds_the_same(cluster: Workers, tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    wholes = [scene(seed, 300) for seed in range(4)]
    items = [corpus.caption("s", f"item {i}", corpus.picture("s", w, split="test")) for i, w in enumerate(wholes)]
    crops = [
        corpus.caption("s", f"crop {i}", corpus.picture("s", np.ascontiguousarray(w[30:250, 60:300])))
        for i, w in enumerate(wholes)
    ]
    other = corpus.caption("s", "other", corpus.picture("s", scene(9, 300)))
    corpus.write()
    corpus.keep_all("deduplicate")
    corpus.write_benchmark("held_out", items)
    alone = decontaminate(corpus.sources, PARAMS, corpus.root).verdicts
    far = decontaminate(corpus.sources, PARAMS.model_copy(update={"workers": cluster}), corpus.root).verdicts
    assert far.equals(alone)
    reasons = dict(far.select("sample_id", "reason").iter_rows())
    assert {reasons[crop.sample_id] for crop in crops} == {"PICTURE_CROPPED_FROM_BENCHMARK"}
    assert reasons[other.sample_id] == "KEPT"
