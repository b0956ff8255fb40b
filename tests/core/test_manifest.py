"""Manifests: written last, they prove an output complete, and they hold nothing that changes by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.files import write_text
from lingshu.core.ids import sha256_bytes
from lingshu.core.manifest import read_manifest, write_manifest


def fill(folder: Path) -> Path:
    write_text(folder / "b" / "part", "two")
    write_text(folder / "a", "one")
    return folder


def test_every_file_is_listed_with_size_and_digest(tmp_path: Path) -> None:
    written = write_manifest(fill(tmp_path), "mix", 2, {"KEPT": 2, "DROPPED": 1})
    assert {name: (f.bytes, f.sha256) for name, f in written.files.items()} == {
        "a": (3, sha256_bytes(b"one")),
        "b/part": (3, sha256_bytes(b"two")),
    }
    assert read_manifest(tmp_path) == written


def test_the_same_output_has_the_same_manifest(tmp_path: Path) -> None:
    for name, counts in (("first", {"x": 1, "y": 2}), ("second", {"y": 2, "x": 1})):
        write_manifest(fill(tmp_path / name), "mix", 2, counts)
    first, second = (tmp_path / name / "manifest.json" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_writing_it_again_changes_nothing(tmp_path: Path) -> None:
    first = write_manifest(fill(tmp_path), "mix", 2)
    assert write_manifest(tmp_path, "mix", 2) == first


def test_a_folder_without_one_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest.json: missing, so .* is not complete"):
        read_manifest(fill(tmp_path))
