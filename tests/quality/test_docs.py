"""Data Docs: pages of every suite, which hold after a good gate."""

import re
from html import unescape
from pathlib import Path

import pytest

from lingshu.quality.docs import gate_suites, write_docs
from lingshu.quality.gate import gate
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A corpus after its gate; the tests only read it."""
    corpus = Corpus(tmp_path_factory.mktemp("gated"))
    for seed in range(3):
        corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(seed)))
    corpus.write()
    gate(corpus.sources, PARAMS, corpus.root)
    return corpus


def test_pages_of_every_suite(corpus: Corpus, tmp_path: Path) -> None:
    out = tmp_path / "docs"
    suites = gate_suites(corpus.sources, PARAMS, corpus.root)
    page, failed = write_docs(suites, out)
    assert failed == 0
    assert page == out / "index.html"
    index = page.read_text()
    for suite in suites:
        assert suite.name in index
    results = [path.read_text() for path in (out / "validations").rglob("*.html")]
    assert len(results) == len(suites)
    assert any("blank_share in [0, 1]" in text for text in results)
    for text in [index, *results]:
        assert "https://" not in text
        assert "<script" not in text
    links = re.findall(r'<a href="([^"]+)"', index)
    assert len(links) == 2 * len(suites)
    assert all((out / link).is_file() for link in map(unescape, links))


def test_a_failed_expectation_shows(corpus: Corpus, tmp_path: Path) -> None:
    strict = PARAMS.model_copy(update={"min_kept_share": 1.0})
    suites = gate_suites(corpus.sources, strict, corpus.root)
    broken = [suite for suite in suites if suite.name == "coverage"]
    table = broken[0].table.with_columns(texts=broken[0].table["texts"] - 1)
    object.__setattr__(broken[0], "table", table)
    _, failed = write_docs(broken, tmp_path / "docs")
    assert failed == 1
