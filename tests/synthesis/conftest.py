"""A fresh repository to propose from."""

from __future__ import annotations

import pytest

from tests.synthesis.corpus import build


@pytest.fixture
def repository(tmp_path):
    return build(tmp_path)
