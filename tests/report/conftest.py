from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingshu.report.build import build_report
from lingshu.report.params import ReportParams
from tests.small_run import write_data, write_results, write_training

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PARAMS = ReportParams(seed=1, pictures_per_modality=2, examples_per_benchmark=2, thumbnail_px=32)


@pytest.fixture
def data_tree(tmp_path: Path) -> Path:
    """Return a folder with params, catalogue and everything up to the mixtures."""
    write_data(tmp_path)
    return tmp_path


@pytest.fixture
def params() -> ReportParams:
    """Return small knobs."""
    return PARAMS


@pytest.fixture(scope="session")
def run_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that a report reads; tests do not change it."""
    root = tmp_path_factory.mktemp("run")
    write_data(root)
    write_results(root)
    write_training(root)
    return root


@pytest.fixture(scope="session")
def built(run_tree: Path) -> Path:
    """Return the folder of a report built once."""
    build_report(PARAMS, run_tree)
    return run_tree / "reports"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Return a running Chromium; while it runs, no other event loop can in this process."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as api:
        opened = api.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
