"""Shards are made of their content alone: the same samples give the same bytes, a changed source changes its own only.

DVC tracks shards; it uploads and downloads those whose bytes changed.
"""

from __future__ import annotations

import random

import pytest

from lingshu.core import images, sample
from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.layout import IMAGES, SAMPLES
from lingshu.core.manifest import write_manifest
from lingshu.core.sample import ImageRef, Sample, turn, write_samples
from tests.corpora import scene

SOURCES = ("films", "slides")


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Several shards for a few rows."""
    monkeypatch.setattr(sample, "ROWS_PER_PART", 4)
    monkeypatch.setattr(images, "SHARD_BYTES", 8_000)


def made(source, number, reply="a finding"):
    data = encode_png(scene(number + 100 * SOURCES.index(source), 64))
    picture = Picture(data, "PNG", 64, 64, source, f"{source}/{number}", f"g{number}", "train", "MIT", {"n": number})
    shown = (ImageRef(picture.image_id, 64, 64),)
    written = Sample(
        source, "train", "r1", f"{source}/{number}", f"g{number}", "caption", "topic",
        turn("Describe it.", f"{reply} {number}", 1), "MIT", images=shown,
    ).with_id()  # fmt: skip
    return picture, written


def write(root, rows):
    for source in SOURCES:
        pictures, samples = zip(*rows[source], strict=True)
        write_samples(root / SAMPLES / source, samples)
        write_images(root / IMAGES / source, pictures)
        for base in (SAMPLES, IMAGES):
            write_manifest(root / base / source, f"normalize@{source}", len(rows[source]))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def rows():
    return {source: [made(source, number) for number in range(11)] for source in SOURCES}


def test_the_same_content_gives_the_same_bytes_wherever_and_whenever(rows, tmp_path):
    first = write(tmp_path / "one", rows)
    assert sum("part-" in name for name in first) > len(SOURCES)
    assert sum("shard-" in name for name in first) > len(SOURCES)
    assert write(tmp_path / "two", rows) == first


def test_samples_do_not_depend_on_the_order_they_come_in(rows, tmp_path):
    def parts(root, samples):
        write_samples(root, samples)
        return {path.name: path.read_bytes() for path in root.iterdir()}

    samples = [one for _, one in rows["films"]]
    shuffled = random.Random(3).sample(samples, len(samples))
    assert parts(tmp_path / "one", samples) == parts(tmp_path / "two", shuffled)


@pytest.mark.parametrize("change", ["a reply", "one more", "one less"])
def test_only_the_changed_source_s_shards_change(rows, tmp_path, change):
    before = write(tmp_path / "before", rows)
    if change == "a reply":
        rows["slides"][5] = made("slides", 5, reply="another finding")
    elif change == "one more":
        rows["slides"].append(made("slides", 11))
    else:
        rows["slides"].pop()
    after = write(tmp_path / "after", rows)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed
    assert all("/slides/" in name for name in changed)
    if change == "a reply":
        assert not [name for name in changed if name.startswith(IMAGES.as_posix())]
    else:
        shards = sorted(name for name in before if "images/slides/shard-" in name)
        assert len(shards) > 2
        assert not changed & set(shards[:-1])  # pictures keep their shards: only the last one grows or shrinks
