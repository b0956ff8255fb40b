"""One toy model for the tests that only read it."""

from __future__ import annotations

import pytest

from tests.tiny_model import tiny


@pytest.fixture(scope="session")
def toy():
    return tiny()


@pytest.fixture(scope="session")
def processor(toy):
    return toy[1]
