"""What `save_to_disk` of `datasets` writes is read as the hub's Parquet is, or refused by name."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lingshu.core.errors import UserError
from lingshu.intake.arrow_rows import arrow_rows
from lingshu.intake.errors import RowError
from lingshu.intake.parquet_rows import EmbeddedPicture
from lingshu.intake.places import FolderFiles
from lingshu.intake.rows import data_rows, find_source
from lingshu.intake.shapes import TableForm

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([("image", PICTURE), ("more", pa.list_(PICTURE)), ("raw", pa.binary()), ("text", pa.string())])
ROWS: list[dict[str, Any]] = [
    {"image": {"bytes": b"one", "path": "a.png"}, "more": [{"bytes": b"x", "path": None}], "raw": b"r", "text": "a"},
    {
        "image": {"bytes": None, "path": "b.png"},
        "more": [None, {"bytes": None, "path": None}],
        "raw": None,
        "text": "b",
    },
    {"image": None, "more": None, "raw": b"s", "text": "c" * 3000},
]


def written(path: Path, rows: list[dict[str, Any]] = ROWS, *, stream: bool = True, batch: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    with pa.OSFile(str(path), "wb") as file, (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, SCHEMA) as writer:
        writer.write_table(table, max_chunksize=batch)
    return path


def seen(value: Any) -> Any:
    if isinstance(value, list):
        return [seen(item) for item in value]
    return (value.name, value.read()) if isinstance(value, EmbeddedPicture) else value


@pytest.mark.parametrize("stream", [True, False])
def test_rows_and_their_pictures(stream: bool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.arrow", stream=stream)
    found = list(arrow_rows("a.arrow", path, ["image", "more", "raw", "absent"], 1000))
    first, second, third = found
    assert {name: seen(value) for name, value in first.items()} == {
        "text": "a", "image": ("a.arrow#0/image", b"one"), "more": [("a.arrow#0/more/0", b"x")],
        "raw": ("a.arrow#0/raw", b"r"),
    }  # fmt: skip
    assert {name: seen(value) for name, value in second.items()} == {
        "text": "b", "image": "b.png", "more": ["", ""], "raw": None,
    }  # fmt: skip
    assert isinstance(third, RowError)


def test_a_saved_data_set_is_found_by_its_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        written(tmp_path / f"{split}/data-00000-of-00001.arrow")
    form = TableForm.model_validate(
        {
            "name": "made", "checked": "written format", "format": "parquet", "tables": ["**/*.parquet"],
            "file_pattern": r"(?P<split>train|test)-\d", "pictures": {"fields": ["image"], "embedded": True},
        }
    )  # fmt: skip
    source = find_source(FolderFiles(tmp_path), [form])
    assert source is not None
    rows = [raw.values for _, raw in data_rows(source)]
    assert [row["split"] for row in rows] == ["test"] * 3 + ["train"] * 3
    assert rows[0]["image"].read() == b"one"


@pytest.mark.parametrize("left", [0, 1, 100, 0.5, -1, -8])
def test_a_cut_file_is_named(left: float, tmp_path: Path) -> None:
    path = written(tmp_path / "a.arrow")
    data = path.read_bytes()
    path.write_bytes(data[: int(left if isinstance(left, int) else left * len(data))])
    with pytest.raises(UserError, match=r"^a\.arrow: not an Arrow file that can be read"):
        list(arrow_rows("a.arrow", path, ["image"]))


def test_broken_files_end_in_rows_or_an_error(tmp_path: Path) -> None:
    data, path, source = written(tmp_path / "a.arrow").read_bytes(), tmp_path / "b.arrow", random.Random(5)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(source.choice([1, 1, 2, 8])):
            broken[source.randrange(len(broken))] = source.randrange(256)
        path.write_bytes(broken)
        try:
            for row in arrow_rows("b.arrow", path, ["image", "more", "raw"]):
                seen(list(row.values()) if isinstance(row, dict) else None)
        except UserError as error:
            assert error.what.startswith("b.arrow: ")
