"""Tables of every format as streams: gzip, delimiters, XML, texts, joins, pickles, large rows and row groups."""

from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingshu.core.errors import UserError
from lingshu.intake import parquet_rows
from lingshu.intake.answers import gold_of, options_of
from lingshu.intake.archive import Archive
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.parquet_rows import ParquetBytes
from lingshu.intake.places import FolderFiles
from lingshu.intake.plain_pickle import read_plain_pickle
from lingshu.intake.rows import data_rows, find_source
from lingshu.intake.shapes import Choices, Gold, TableForm
from lingshu.intake.values import text_at, value_at
from tests.benchmarks.public_made import as_csv, as_json, as_lines, write
from tests.sources.row_forms import tgz


def rows(files: dict[str, bytes], folder: Path, limit: int = 1 << 20, **form: Any) -> list[Any]:
    made = TableForm.model_validate({"name": "made", "checked": "written format", **form})
    source = find_source(FolderFiles(write(files, folder)), [made])
    assert source is not None
    return [raw.values for _, raw in data_rows(source, limit)]


def test_tabs_without_quotes_in_a_gzip(tmp_path: Path) -> None:
    data = gzip.compress('1\ta "drawn\n2\tb\tc\n'.encode("utf-8-sig"))
    found = rows(
        {"t.tsv.gz": data}, tmp_path, format="csv", tables=["*.gz"], delimiter="\t", quoted=False, header=["n", "text"]
    )
    assert found[0] == {"n": "1", "text": 'a "drawn'}
    assert isinstance(found[1], RowError)
    with pytest.raises(UserError, match=r"t\.tsv\.gz: can't be read"):
        rows({"t.tsv.gz": data[:-9]}, tmp_path, format="csv", tables=["*.gz"], header=["n", "text"])


XML = b"""<?xml version="1.0"?>
<Document id="7" url="u"><Focus>Gout</Focus>
<QAPairs><QAPair pid="1"><Question qtype="cause">Why?</Question><Answer>So.</Answer></QAPair>
<QAPair pid="2"><Question qtype="symptom">How?</Question><Answer/></QAPair></QAPairs></Document>"""


def test_xml_elements_are_rows_and_know_their_document(tmp_path: Path) -> None:
    found = rows(
        {"a.xml": XML, "b.xml": b"<Document>"}, tmp_path, format="xml", tables=["*.xml"], element="QAPairs/QAPair"
    )
    assert [value_at(row, "Question.#text") for row in found[:2]] == ["Why?", "How?"]
    assert (found[0]["document"], found[0]["@pid"]) == ({"@id": "7", "@url": "u", "Focus": "Gout"}, "1")
    assert found[1]["Answer"] == ""
    assert found[2].reason == Reason.UNREADABLE_ROW


def test_xml_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 9))
    bomb = f'<!DOCTYPE d [<!ENTITY e0 "xxxxxxxxxx">{entities}]><d>&e8;</d>'.encode()
    deep = b"<d>" * 5000 + b"</d>" * 5000
    found = rows({"a.xml": bomb, "b.xml": deep}, tmp_path, format="xml", tables=["*.xml"])
    assert [row.reason for row in found] == [Reason.UNREADABLE_ROW] * 2


def test_texts_are_rows_with_fields_from_their_path(tmp_path: Path) -> None:
    files = {"p10/s1.txt": "FINDINGS: klar ä".encode(), "p11/s2.txt": b"\xff", "p12/s3.txt": b"x" * 2000}
    found = rows(
        files, tmp_path, 1000, format="text", tables=["**/*.txt"], file_pattern=r"p(?P<patient>\d+)/s(?P<study>\d+)"
    )
    assert found[0] == {"text": "FINDINGS: klar ä", "patient": "10", "study": "1"}
    assert [row.reason for row in found[1:]] == [Reason.UNREADABLE_ROW, Reason.ROW_TOO_LARGE]


@pytest.mark.parametrize("shape", ["list", "keyed", "values", "lists"])
def test_a_json_row_over_the_limit_is_refused_and_its_neighbours_are_kept(shape: str, tmp_path: Path) -> None:
    wide, small = {"text": "x" * 900}, {"text": "y"}
    data: Any = {
        "list": [small, wide, small], "values": ["y", "x" * 900, "y"], "lists": {"a": [small] * 99},
        "keyed": {"a": small, "b": wide, "c": small},
    }[shape]  # fmt: skip
    found = rows({"a.json": as_json(data)}, tmp_path, 600, format="json", rows=shape, tables=["a.json"])
    refused = [row.reason for row in found if isinstance(row, RowError)]
    assert (refused, len(found)) == (([], 99) if shape == "lists" else ([Reason.ROW_TOO_LARGE], 3))


def test_joins_by_part_of_a_key_of_many_and_of_none(tmp_path: Path) -> None:
    files = {
        "a.csv": as_csv(["study", "text"], ["s1", "x"], ["s2", "y"], ["s3", "z"]),
        "films.csv": as_csv(["study_id", "film"], ["1", "f1"], ["1", "f2"], ["2", "f3"]),
        "splits.json": as_json({"train": [{"id": "CXR1_x"}], "test": [{"id": "CXR2_x"}]}),
    }
    films = {
        "format": "csv",
        "tables": ["films.csv"],
        "by": "study",
        "by_pattern": r"\d+",
        "key": "study_id",
        "into": "films",
    }
    splits = {
        "tables": ["splits.json"],
        "rows": "lists",
        "by": "study",
        "by_pattern": r"\d+",
        "key": "id",
        "into": "split",
    }
    splits |= {"key_pattern": r"(?<=CXR)\d+", "optional": True}
    form = {"format": "csv", "tables": ["a.csv"]}
    found = rows(files, tmp_path, **form, joins=[films | {"many": True}, splits])
    assert [row["film"] for row in found[0]["films"]] == ["f1", "f2"]
    assert [value_at(row, "split.key") for row in found[:2]] == ["train", "test"]
    assert found[2].reason == Reason.NO_JOIN
    assert len(rows(files, tmp_path, **form, joins=[films | {"required": False}])) == 2
    assert "films" not in rows(files, tmp_path, **form, joins=[films | {"optional": True}])[2]


def test_the_same_file_name_in_two_folders_gives_two_ids(tmp_path: Path) -> None:
    form = TableForm(name="made", checked="written format", format="jsonl", tables=["**/r.jsonl"])
    source = find_source(FolderFiles(write({"a/r.jsonl": as_lines({}), "b/r.jsonl": as_lines({})}, tmp_path)), [form])
    assert source is not None
    assert [default for default, _ in data_rows(source)] == ["a/r.jsonl#1", "b/r.jsonl#1"]


def test_what_programs_write_for_a_missing_number_is_no_text(tmp_path: Path) -> None:
    files = {"a.json": b'[{"q": NaN, "o": ["x", NaN], "d": {"A": "x", "B": Infinity}, "n": 2.5}]'}
    (row,) = rows(files, tmp_path, format="json", tables=["a.json"])
    assert (value_at(row, "q"), value_at(row, "d.B"), value_at(row, "o.1"), value_at(row, "n")) == (None,) * 3 + (2.5,)
    with pytest.raises(RowError, match="'q' is None, not a text"):
        text_at(row, "q")
    for shape, field in (("list", "o"), ("mapping", "d")):
        with pytest.raises(RowError):
            options_of(Choices(shape=shape, field=field), row, "?")  # type: ignore[arg-type]
    with pytest.raises(RowError, match="'q' is None"):
        gold_of(Gold(shape="text", field="q"), row, None)


def test_values_by_the_first_path_that_is_there_and_by_what_an_object_says() -> None:
    row = {"text": [{"@Label": "A", "#text": "a"}, {"@Label": "B", "#text": "b"}], "one": {"@Label": "A", "#text": "c"}}
    assert value_at(row, "none|text.@Label=B.#text") == "b"
    assert value_at(row, "one.@Label=A.#text") == "c"
    assert value_at(row, "text.@Label=C.#text", None) is None


@pytest.mark.parametrize("value", [sorted, pickle.PickleBuffer, Path("x")])
def test_a_pickle_that_holds_more_than_plain_values_is_refused(value: Any) -> None:
    assert read_plain_pickle(io.BytesIO(pickle.dumps([{"a": 1, "b": ["x", None, 2.5]}]))) == [
        {"a": 1, "b": ["x", None, 2.5]}
    ]
    with pytest.raises(ValueError, match="it would call"):
        read_plain_pickle(io.BytesIO(pickle.dumps([value])))


def test_tar_members_are_read_in_any_order_and_links_are_none(tmp_path: Path) -> None:
    files = {f"d/{n}.bin": bytes([n]) * (n * 100) for n in range(1, 20)}
    for name, data in (("a.tgz", tgz(files)), ("b.tar", gzip.decompress(tgz(files)))):
        path = tmp_path / name
        path.write_bytes(data)
        archive = Archive(path)
        assert [archive.read(f"d/{n}.bin") for n in (19, 1, 7)] == [files[f"d/{n}.bin"] for n in (19, 1, 7)]
        assert archive.find("7.bin") == "d/7.bin"
        assert archive.size("d/7.bin") == 700


@pytest.mark.parametrize("large", [False, True])
def test_pictures_of_a_large_row_group_are_read_a_few_at_a_time(large: bool, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parquet_rows, "GROUP_BYTES", 0 if large else 1 << 30)
    values = [bytes([n % 256, n // 256]) * 10 for n in range(300)]
    pq.write_table(pa.table({"x": pa.array(values, pa.binary())}), tmp_path / "a.parquet", row_group_size=200)
    column = ParquetBytes(tmp_path / "a.parquet", "x")
    order = [0, 1, 63, 40, 199, 200, 150, 299, 0]
    assert [column.get(row) for row in order] == [values[row] for row in order]
    held = max(len(kept) for _, kept in column._kept)
    assert held <= (32 if large else 200)


def test_a_parquet_row_over_the_limit_is_refused_and_its_neighbours_are_kept(tmp_path: Path) -> None:
    long = "a" * (2 << 20)
    columns = {"text": ["first", *[long] * 30, "last"], "options": [["x"]] * 31 + [[long, "y"]]}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    found = rows({"a.parquet": buffer.getvalue()}, tmp_path, format="parquet", tables=["*.parquet"])
    assert found[0] == {"text": "first", "options": ["x"]}
    assert [row.reason for row in found[1:]] == [Reason.ROW_TOO_LARGE] * 31
    batches = parquet_rows._few_at_once(pq.ParquetFile(tmp_path / "a.parquet"), ["text", "options"])
    assert max(batch.nbytes for batch in batches) <= parquet_rows.BATCH_BYTES


def test_few_rows_of_long_columns_are_decoded_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "BATCH_BYTES", 1 << 20)
    pq.write_table(
        pa.table({"text": ["a" * 1000] * 5000, "n": [1] * 5000}), tmp_path / "a.parquet", row_group_size=2500
    )
    opened = pq.ParquetFile(tmp_path / "a.parquet")
    batches = list(parquet_rows._few_at_once(opened, ["text", "n"]))
    assert max(batch.nbytes for batch in batches) <= 1 << 20
    assert sum(batch.num_rows for batch in batches) == 5000
