"""Embeddings on a real Ray cluster of two nodes on this machine: the bytes of a local run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingshu.core.parallel import ALONE, Workers
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.signals import embeddings
from lingshu.signals.embeddings import Eye, embed_source
from lingshu.sources.fetch_encoder import pull_open_clip
from tests.corpora import Corpus, scene
from tests.signals.test_embeddings import CHOICE, PARAMS
from tests.tiny_open_clip import SIDE, put_open_clip

pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")


@pytest.fixture
def cluster() -> Iterator[Workers]:
    from ray.cluster_utils import Cluster

    # The head takes no part: each worker's start loads torch once more.
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    started.add_node(num_cpus=1)
    started.wait_for_nodes()
    yield Workers(engine="ray", address=started.address)
    started.shutdown()


def test_a_cluster_writes_the_same_bytes(cluster: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "PICTURES_A_RUN", 8)
    put_open_clip(tmp_path / "mine")
    pull_open_clip(OpenClipParams(folder=str(tmp_path / "mine")), tmp_path)
    corpus = Corpus(tmp_path)
    for seed in range(18):
        corpus.picture("scans", scene(seed))
    corpus.write()
    eye = Eye(CHOICE, SIDE, tmp_path)
    alone = embed_source("scans", eye, PARAMS, ALONE).path.read_bytes()
    shutil.rmtree(tmp_path / ".work")
    far = embed_source("scans", eye, PARAMS, cluster)
    assert far.encoded == 18
    assert far.path.read_bytes() == alone
