"""This machine is told from others by its address."""

from __future__ import annotations

import pytest

from lingshu.core.addresses import is_loopback


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8000/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.1.2.3/v1", True),
        ("https://[::1]:8000/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://0.0.0.0/v1", False),
        ("https://localhost.example.org/v1", False),
        ("https://127.0.0.1.example.org/v1", False),
        ("http://user@localhost:8000/v1", True),
        ("http://localhost@example.org/v1", False),
    ],
)
def test_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here
