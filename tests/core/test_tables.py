"""The flat table says what the samples say."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from lingshu.core.errors import UserError
from lingshu.core.sample import Answer, ImageRef, Message, Sample, image_part, text_part, turn, write_samples
from lingshu.core.tables import TABLE_SCHEMA, sample_table


def sample(number: int, messages: tuple[Message, ...], images: int = 0, answer: Answer | None = None) -> Sample:
    refs = tuple(ImageRef(f"{number}-{i}", 8, 8) for i in range(images))
    return Sample(
        "s", "train", "r", f"o{number}", f"g{number}", "vqa_open", "count", messages, "MIT", images=refs, answer=answer
    ).with_id()


def test_texts_are_those_of_the_samples(tmp_path: Path) -> None:
    pictures_only = Message("user", (image_part(0), image_part(1)))
    samples = [
        sample(0, turn("question?", "reply")),
        sample(1, (pictures_only, Message("assistant", (text_part("what it shows"),))), images=2),
        sample(2, (Message("system", (text_part("rule"),)), *turn("q", "a"), *turn("r", "b", 1)), images=1),
        sample(3, turn("which?", "B"), answer=Answer("mcq", "second", ("first", "second"), "B")),
    ]
    write_samples(tmp_path, samples)
    table = sample_table([tmp_path])
    assert table.schema == pl.Schema(TABLE_SCHEMA)
    rows = {row["sample_id"]: row for row in table.to_dicts()}
    for one in samples:
        row = rows[one.sample_id]
        assert row["prompt"] == one.prompt_text()
        assert row["target"] == one.target_text()
        assert row["image_ids"] == [image.image_id for image in one.images]
        assert row["answer"] == (one.answer.text if one.answer else one.target_text())
        assert row["choices"] == ("\n".join(one.answer.choices) if one.answer else "")


def test_no_folders_give_an_empty_table() -> None:
    assert sample_table([]).schema == pl.Schema(TABLE_SCHEMA)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    write_samples(tmp_path, [sample(0, turn("q", "a"))])
    path = tmp_path / "part-00000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"lingshu.schema_version": "0"}), path)
    with pytest.raises(UserError, match="schema version 0"):
        sample_table([tmp_path])
