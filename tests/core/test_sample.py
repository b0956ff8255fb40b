"""The sample schema: what may be written comes back the same, and what breaks an invariant is refused."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.sample import (
    SAMPLE_SCHEMA,
    Answer,
    ImageRef,
    Message,
    Part,
    Sample,
    image_part,
    problems,
    read_samples,
    text_part,
    to_table,
    turn,
    write_samples,
)
from tests.core.drawing import samples

SAMPLE = Sample(
    source="films",
    split="train",
    revision="1",
    origin_id="film-1",
    group_id="patient-1",
    task="mcq",
    topic="side",
    messages=turn("Which side?", "A", num_images=1),
    licence="CC0-1.0",
    images=(ImageRef("0" * 64, 64, 48),),
    answer=Answer("mcq", "left", ("left", "right"), "A"),
).with_id()
NO_TEXT = Message("user", (text_part(" \n"),))


@given(sample=samples())
def test_any_sample_passes_and_comes_back_the_same(sample: Sample) -> None:
    assert problems(sample) == []
    with tempfile.TemporaryDirectory() as folder:
        assert write_samples(Path(folder), [sample]) == 1
        assert list(read_samples([Path(folder)])) == [sample]


@given(drawn=st.lists(samples(), max_size=6, unique_by=lambda s: s.sample_id), data=st.data())
def test_files_do_not_depend_on_the_order_of_writing(drawn: list[Sample], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(drawn))
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        write_samples(Path(first), drawn)
        write_samples(Path(second), shuffled)
        left, right = (sorted(Path(folder).iterdir()) for folder in (first, second))
        assert [p.read_bytes() for p in left] == [p.read_bytes() for p in right]


@given(sample=samples(), text=st.text(max_size=5))
def test_the_id_follows_the_content_and_nothing_else(sample: Sample, text: str) -> None:
    assert (
        replace(sample, licence="x", split="test", group_id="y", revision=text).with_id().sample_id == sample.sample_id
    )
    other = replace(sample, messages=(*sample.messages, Message("assistant", (text_part(f"{text}!"),))))
    assert other.with_id().sample_id != sample.sample_id


BROKEN = {
    "unknown task": replace(SAMPLE, task="poem"),
    "unknown split": replace(SAMPLE, split="dev"),
    "group_id, topic and licence must not be empty": replace(SAMPLE, group_id=""),
    "the last turn must be the assistant's": replace(SAMPLE, messages=SAMPLE.messages[:1]),
    "unknown role": replace(SAMPLE, messages=(Message("doctor", (text_part("x"),)), *SAMPLE.messages)),
    "a turn without content": replace(SAMPLE, messages=(Message("user", ()), *SAMPLE.messages)),
    "empty text part": replace(SAMPLE, messages=(NO_TEXT, *SAMPLE.messages)),
    "image slots [0] do not match 2": replace(SAMPLE, images=SAMPLE.images * 2),
    "image slots [1] do not match 1": replace(
        SAMPLE, messages=(Message("user", (image_part(1), text_part("x"))), SAMPLE.messages[1])
    ),
    "image slots [0, 0] do not match 1": replace(
        SAMPLE, messages=(Message("user", (image_part(0), image_part(0))), SAMPLE.messages[1])
    ),
    "image slots [-1] do not match 1": replace(
        SAMPLE, messages=(Message("user", (Part("image"),)), SAMPLE.messages[1])
    ),
    "unknown answer kind": replace(SAMPLE, answer=Answer("essay", "x")),
    "empty answer text": replace(SAMPLE, answer=Answer("open", " ")),
    "needs choices and a one-letter label": replace(SAMPLE, answer=Answer("mcq", "left", (), "A")),
    "label 'C' names no choice": replace(SAMPLE, answer=Answer("mcq", "left", ("left", "right"), "C")),
}


@pytest.mark.parametrize("complaint", BROKEN)
def test_each_broken_invariant_is_named_and_not_written(complaint: str, tmp_path: Path) -> None:
    sample = BROKEN[complaint]
    assert any(complaint in problem for problem in problems(sample))
    with pytest.raises(ValueError, match="films: film-1"):
        write_samples(tmp_path, [sample])
    assert list(tmp_path.iterdir()) == []


def test_a_sample_without_id_is_refused() -> None:
    with pytest.raises(ValueError, match="without id"):
        to_table([replace(SAMPLE, sample_id="")])


def test_two_samples_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="duplicate sample id films:"):
        write_samples(tmp_path, [SAMPLE, SAMPLE])


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    write_samples(tmp_path, [SAMPLE])
    (path,) = tmp_path.iterdir()
    other = SAMPLE_SCHEMA.with_metadata({"lingshu.schema_version": "0"})
    pq.write_table(to_table([SAMPLE]).cast(other), path)
    with pytest.raises(UserError, match="schema version 0, this code reads 1"):
        list(read_samples([tmp_path]))


def test_samples_are_read_by_id(tmp_path: Path) -> None:
    written = [replace(SAMPLE, origin_id=str(number)).with_id() for number in range(5)]
    write_samples(tmp_path, written)
    wanted = {written[1].sample_id, written[4].sample_id}
    assert list(read_samples([tmp_path], wanted | {"films:0"})) == [
        sample for sample in read_samples([tmp_path]) if sample.sample_id in wanted
    ]
    assert list(read_samples([tmp_path], set())) == []


def test_no_samples_make_an_empty_table_not_a_missing_one(tmp_path: Path) -> None:
    assert write_samples(tmp_path, []) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["part-00000.parquet"]
    assert list(read_samples([tmp_path])) == []


def test_prompt_and_target_split_at_the_last_turn() -> None:
    assert (SAMPLE.prompt_text(), SAMPLE.target_text()) == ("Which side?", "A")
