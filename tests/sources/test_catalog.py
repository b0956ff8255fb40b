"""The catalogue's records are valid, agree with the facts vocabulary and the readers, and fit the download budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.params import read_yaml
from lingshu.facts.vocabulary import FACTS, MODALITIES
from lingshu.sources.catalog import (
    ENCODERS_FILE,
    SOURCES_FOLDER,
    matches,
    read_encoders,
    read_source,
    read_sources,
    safe_inner_path,
)
from lingshu.sources.normalize import PICTURE_READERS, TEXT_READERS
from lingshu.sources.notes import NO_NOTES, read_notes

ROOT = Path(__file__).parents[2]
SOURCES = read_sources(ROOT / SOURCES_FOLDER)
ENCODERS = read_encoders(ROOT / ENCODERS_FILE)
PACKAGES = [(name, package) for name, record in SOURCES.items() for package in record.packages]
MAX_DOWNLOAD_BYTES = 150_000_000


def test_all_downloads_of_mini_stay_within_150_mb() -> None:
    encoders = sum(record.package.bytes for record in ENCODERS.values())
    pulled = read_yaml(ROOT / "recipes/mini.yaml")["sources"]["pulled"]
    assert sum(package.bytes for name, package in PACKAGES if name in pulled) + encoders <= MAX_DOWNLOAD_BYTES


def test_at_least_eight_imaging_kinds_of_mini_are_real() -> None:
    mini = [record for record in SOURCES.values() if record.group == "mini"]
    real = {kind for record in mini if record.kind != "generated" for kind in record.modalities}
    assert len(real) >= 8
    assert real <= set(MODALITIES)


@pytest.mark.parametrize(("name", "package"), PACKAGES, ids=[f"{n}-{p.name}" for n, p in PACKAGES])
def test_notes_state_known_facts_about_files_that_are_taken(name: str, package) -> None:
    companions = [path for take in package.take if take.reader == "companion" for path in take.paths]
    for note in read_notes(name, SOURCES[name], ROOT).get(package.name, NO_NOTES).notes:
        for fact, value in note.facts.items():
            assert fact in FACTS
            assert value is None or not FACTS[fact].complaint(value)
        for beside in [note.mask, *note.atlas.values()]:
            assert not beside or beside in companions
    for take in package.take:
        assert take.reader in {*PICTURE_READERS, *TEXT_READERS, "companion", "table"}


def test_a_record_says_each_kind_of_its_packages() -> None:
    for record in SOURCES.values():
        assert {kind for package in record.packages for kind in package.modalities} <= set(record.modalities)


def test_an_unknown_source_is_told_the_closest_names() -> None:
    with pytest.raises(UserError, match=r"no record 'radiolgy'[\s\S]*radiology"):
        read_source("radiolgy", ROOT / SOURCES_FOLDER)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence: CC0-1.0\n", "license: CC0-1.0\n", "films.yaml: license: unknown key; did you mean 'licence'"),
        ("version: 1.0.0", "version: 1.0.1", "is not of films 1.0.1"),
        ("sha256: " + "a" * 64, "sha256: abc", "films.yaml: packages.0.sha256"),
        ("paths: [x/*.png]", "paths: [../*.png]", "without '..'"),
        ("kind: registry_package", "kind: generated", "no other kind may have them"),
    ],
)
def test_a_wrong_record_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = RECORD.replace(old, new)
    assert text != RECORD
    (tmp_path / "films.yaml").write_text(text)
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        read_source("films", tmp_path)


def test_star_stays_within_a_folder() -> None:
    assert matches("a/*.dcm", "a/b+c.dcm")
    assert not matches("a/*.dcm", "a/b/c.dcm")
    assert not matches("a/?.dcm", "a/bc.dcm")


@given(st.text(alphabet="ab./\\:\0", max_size=8))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    if safe_inner_path(path):
        folder = Path("/data/raw")
        assert (folder / path).resolve().is_relative_to(folder)


RECORD = f"""\
kind: registry_package
title: films
tasks: [caption]
licence: CC0-1.0
licence_class: permissive
access: open
expected: {{files: 1}}
citation: nobody
checked: looked at
packages:
  - name: films
    version: 1.0.0
    file: films-1.0.0-py3-none-any.whl
    sha256: {"a" * 64}
    bytes: 10
    licence: CC0
    visible: films
    take:
      - paths: [x/*.png]
        reader: raster
"""


def test_the_record_that_is_spoilt_above_is_right(tmp_path: Path) -> None:
    (tmp_path / "films.yaml").write_text(RECORD)
    assert read_source("films", tmp_path).packages[0].label == "films 1.0.0"
