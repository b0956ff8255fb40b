from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_run import write_data


@pytest.fixture
def data_tree(tmp_path: Path) -> Path:
    """Return a folder with params, catalogue and everything up to the mixtures."""
    write_data(tmp_path)
    return tmp_path
