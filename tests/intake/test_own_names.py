"""Names of a user's files are found by pattern, capitals or not, as looking at every name would find them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.intake.places import OwnNames, also_named, pattern_of

part = st.text("aB1_.é图", min_size=1, max_size=3)
path = st.lists(part, min_size=1, max_size=3).map("/".join)
glob = st.lists(st.one_of(part, st.sampled_from(["*", "?", "/", "**/"])), min_size=1, max_size=5).map("".join)


@given(st.lists(path, unique=True, max_size=12), st.one_of(glob, path))
def test_a_pattern_finds_what_it_matches_among_all_names(names: list[str], pattern: str) -> None:
    whole = re.compile(pattern_of(pattern).pattern, re.IGNORECASE)
    others = (name for name in names if not PurePosixPath(name).name.startswith("._"))
    expected = [pattern] if pattern in names else sorted(filter(whole.fullmatch, others))
    assert OwnNames(names).match(pattern) == expected


def test_an_exact_name_goes_before_the_same_in_other_capitals() -> None:
    names = OwnNames(["Mask/a.MAT", "mask/A.mat", "mask/a.mat", "mask/b.mat"])
    assert names.match("mask/a.mat") == ["mask/a.mat"]
    assert names.match("MASK/a.mat") == ["Mask/a.MAT", "mask/A.mat", "mask/a.mat"]
    assert names.match("mask/c.mat") == []
    assert names.match("mask/a*") == ["Mask/a.MAT", "mask/A.mat", "mask/a.mat"]


@pytest.mark.parametrize("pattern", ["**/*.parquet", "data/*", "**/train-*.parquet"])
def test_what_a_mac_adds_is_found_by_its_whole_name_only(pattern: str) -> None:
    added = ["data/._train-0.parquet", "__MACOSX/data/._train-0.parquet", "._data", "__MACOSX/data/train-0.parquet"]
    assert OwnNames([*added, "data/train-0.parquet"]).match(pattern) == ["data/train-0.parquet"]
    assert OwnNames(added).match(pattern) == []
    assert OwnNames(added).match(added[0]) == [added[0]]


def test_packed_texts_are_found_where_none_lies_unpacked() -> None:
    assert OwnNames(["a/train.jsonl.gz", "b.png.gz"]).match("**/*.jsonl") == ["a/train.jsonl.gz"]
    assert OwnNames(["a/train.jsonl.gz", "a/train.jsonl"]).match("**/*.jsonl") == ["a/train.jsonl"]
    assert OwnNames(["b.png.gz"]).match("b.png") == []
    assert also_named("a/train.jsonl.gz") == ("a/train.jsonl.gz", "a/train.jsonl")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("vqa_rad_train.parquet", "train-0.parquet"),
        ("x/my-set.test.parquet", "x/test-0.parquet"),
        ("train_7.parquet", "train-7.parquet"),
        ("vqa-train-00001-of-00003.parquet", "train-00001.parquet"),
        ("vqa_train/data-00001-of-00003.arrow", "data/train-00001.parquet"),
        ("x/val/part-00003-1f2e.snappy.parquet", "x/validation-00003.parquet"),
        ("train/0000.parquet", "train-0000.parquet"),
    ],
)
def test_parquet_files_of_other_programs_tell_their_split(name: str, known: str) -> None:
    assert known in also_named(name)
    assert OwnNames([name]).match("**/*.parquet") == [name]
    assert OwnNames([name]).match(f"**/{PurePosixPath(known).name[:-10]}*.parquet") == [name]


@pytest.mark.parametrize(
    "name",
    [
        "contest.parquet",
        "0001.parquet",
        "train/labels.parquet",
        "trainset.parquet",
        "train-00000-of-00001.parquet",
        "train/cache-1f2e.arrow",
        "shard-00000.arrow",
    ],
)
def test_a_name_that_tells_no_split_is_left_alone(name: str) -> None:
    assert also_named(name) == (name,)


def test_many_names_and_a_pattern_for_each() -> None:
    """20,000 pictures whose masks are absent, or named in capitals: each question looks at its own name only."""
    names = OwnNames([f"Image/seed{n}.png" for n in range(20_000)] + [f"Mask/SEED{n}.MAT" for n in range(10_000)])
    found = [names.match(f"Mask/seed{n}.mat") for n in range(20_000)]
    assert found == [[f"Mask/SEED{n}.MAT"] if n < 10_000 else [] for n in range(20_000)]
