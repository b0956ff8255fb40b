"""Sources of rows on bad input: each row is kept or refused by reason, nothing is half written, two runs are equal."""

# ruff: noqa: E501 - a row or a file a line

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.images import ImageStore, read_index
from lingshu.core.parallel import Workers
from lingshu.core.sample import read_samples
from lingshu.core.verdicts import read_verdicts
from lingshu.intake.parquet_rows import ParquetBytes
from lingshu.intake.places import FolderFiles
from lingshu.sources.rows import normalize_rows
from tests.benchmarks.public_made import as_csv, as_lines, write
from tests.sources.row_forms import picture, tgz
from tests.sources.rows_made import LIMITS, record

CAPTIONS = {
    "format": "jsonl", "tables": ["rows.jsonl"], "adapter": "caption", "id": "id", "answer": "text",
    "pictures": {"fields": ["image"], "folders": ["images"], "archives": ["*.zip", "*.tar"]},
}  # fmt: skip


def run(files: dict[str, bytes], folder: Path, form: dict[str, Any] | None = None, **more: Any):
    raw = FolderFiles(write(files, folder / "raw"))
    options: dict[str, Any] = {"params": LIMITS, "samples": folder / "s", "images": folder / "i"}
    return normalize_rows("made", record(form or CAPTIONS, **more.pop("record", {})), raw, **(options | more))


def reasons(summary) -> dict[str, int]:
    return {reason.name: number for reason, number in summary.refused.items()}


def refused(folder: Path) -> dict[str, str]:
    return {row["sample_id"]: row["reason"] for row in read_verdicts(folder / "s/verdicts.parquet").to_dicts()}


def row(identity: str, image: str = "a.png", text: Any = "Drawn.") -> dict[str, Any]:
    return {"id": identity, "image": image, "text": text}


def encoded(pixels: np.ndarray, kind: str, mode: str | None = None, **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, format=kind, **more)
    return buffer.getvalue()


def test_each_broken_row_is_refused_by_reason_and_the_others_are_kept(tmp_path: Path) -> None:
    lines = [
        as_lines(row("ok")), b"{broken\n", as_lines([1]), b'{"id": "utf", "text": "\xff"}\n', as_lines(row("ok", text="twice")),
        as_lines(row("empty", text=" ")), as_lines({"id": "none", "image": "a.png"}), as_lines(row("list", text=["x"])),
        as_lines(row("absent", "b.png")), as_lines(row("out", "../rows.jsonl")), as_lines(row("root", "/etc/hostname")),
        b'{"id": "half", "image": "a.png", "text": "\\ud83d"}\n', as_lines(row("long", text="x" * (2 << 20))),
        as_lines(row("nothing", "")), b"[" * 100_000 + b"\n", as_lines(row("last")),
    ]  # fmt: skip
    summary = run({"rows.jsonl": b"".join(lines), "images/a.png": picture(1)}, tmp_path)
    assert {s.origin_id for s in read_samples([tmp_path / "s"])} == {"ok", "last"}
    assert summary.rows == len(lines) == summary.kept + summary.refused.total()
    assert reasons(summary) == {
        "UNREADABLE_ROW": 4, "DUPLICATE_ID": 1, "NO_TEXT": 1, "MISSING_FIELD": 2, "MISSING_PICTURE": 4, "BROKEN_TEXT": 1,
        "ROW_TOO_LARGE": 1,
    }  # fmt: skip
    told = read_verdicts(tmp_path / "s/verdicts.parquet")
    assert told.height == summary.refused.total()
    assert told.filter(sample_id="absent")["detail"].item().startswith("rows.jsonl: row 9: b.png is not in images/")


def test_pictures_that_cannot_be_shown_are_refused_and_told(tmp_path: Path) -> None:
    whole = picture(1, "JPEG")
    frames = [Image.fromarray(np.full((66, 66), value, np.uint8)) for value in (0, 255)]
    gif = io.BytesIO()
    frames[0].save(gif, format="GIF", save_all=True, append_images=frames[1:])
    pictures = {
        "cut.jpg": whole[: len(whole) // 2], "text.png": b"no picture", "empty.png": b"", "clip.gif": gif.getvalue(),
        "wide.png": encoded(np.zeros((2000, 2100), np.uint8), "PNG"), "big.png": b"\0" * ((1 << 20) + 1),
        "flipped.png": picture(2)[:60] + b"\xff" * 40 + picture(2)[100:],
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "bomb.pgm": b"P5 60000 60000 255\n" + b"\0" * 99,
    }  # fmt: skip
    lines = as_lines(*(row(name, name) for name in pictures), row("good", "good.jpg"))
    files = {f"images/{name}": data for name, data in pictures.items()}
    summary = run({"rows.jsonl": lines, "images/good.jpg": whole, **files}, tmp_path)
    assert refused(tmp_path) == {
        "cut.jpg": "UNREADABLE_PICTURE", "text.png": "UNREADABLE_PICTURE", "empty.png": "UNREADABLE_PICTURE",
        "clip.gif": "ANIMATED_PICTURE", "wide.png": "PICTURE_TOO_LARGE", "big.png": "PICTURE_TOO_LARGE",
        "flipped.png": "UNREADABLE_PICTURE", "script.eps": "UNREADABLE_PICTURE", "bomb.pgm": "PICTURE_TOO_LARGE",
    }  # fmt: skip
    assert (summary.kept, summary.pictures_stored) == (1, 1)


def test_unusual_pictures_are_written_anew_and_told_why(tmp_path: Path) -> None:
    grey = np.tile(np.arange(66, dtype=np.uint8), (66, 1))
    deep = np.tile(np.linspace(0, 60_000, 66).astype(np.uint16), (66, 1))
    alpha = np.dstack([np.zeros((66, 66, 3), np.uint8), np.where(grey < 33, 0, 255).astype(np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures = {
        "cmyk.jpg": encoded(np.full((66, 66, 4), 40, np.uint8), "JPEG", "CMYK"), "deep.png": encoded(deep, "PNG"),
        "alpha.png": encoded(alpha, "PNG"), "turned.jpg": encoded(np.zeros((40, 80), np.uint8), "JPEG", exif=exif),
        "plain.bmp": encoded(grey, "BMP"), "large.jpg": encoded(np.zeros((700, 1400), np.uint8), "JPEG"),
        "wrong-name.png": picture(1, "JPEG"), "grey.png": encoded(grey, "PNG"),
    }  # fmt: skip
    files = {f"images/{name}": data for name, data in pictures.items()}
    summary = run({"rows.jsonl": as_lines(*(row(name, name) for name in pictures)), **files}, tmp_path)
    assert summary.kept == len(pictures)
    assert summary.pictures_changed == {
        "was CMYK": 1, "was I;16": 1, "was RGBA": 1, "was turned": 1, "was BMP": 1, "was larger": 1,
    }  # fmt: skip
    store = ImageStore([tmp_path / "i"])
    found = {s.origin_id: s.images[0] for s in read_samples([tmp_path / "s"])}
    for name in ("wrong-name.png", "grey.png"):
        assert store.data(found[name].image_id) == pictures[name]
    assert (found["turned.jpg"].width, found["turned.jpg"].height) == (40, 80)
    assert (found["large.jpg"].width, found["large.jpg"].height) == (512, 256)
    stretched = np.asarray(store.image(found["deep.png"].image_id))
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert tuple(np.asarray(store.image(found["alpha.png"].image_id))[0, 0]) == (255, 255, 255)


def test_a_picture_of_many_rows_is_stored_once_whatever_its_name(tmp_path: Path) -> None:
    lines = as_lines(*(row(str(n), "b.png" if n % 2 else "a.png") for n in range(300)))
    summary = run({"rows.jsonl": lines, "images/a.png": picture(1), "images/b.png": picture(1)}, tmp_path)
    assert (summary.kept, summary.pictures_stored) == (300, 1)
    assert sorted(read_index([tmp_path / "i"])["origin_id"]) == ["images/a.png", "images/b.png"]


def test_a_picture_first_seen_in_a_refused_row_is_stored_by_the_next(tmp_path: Path) -> None:
    form = CAPTIONS | {"pictures": {"fields": ["image", "more"], "folders": ["images"]}}
    lines = as_lines(row("bad") | {"more": "bad.png"}, *(row(str(n)) for n in range(3)))
    summary = run({"rows.jsonl": lines, "images/a.png": picture(1), "images/bad.png": b"x"}, tmp_path, form)
    assert (summary.kept, reasons(summary)) == (3, {"UNREADABLE_PICTURE": 1})
    store = ImageStore([tmp_path / "i"])
    assert [store.data(image_id) for image_id in store.ids()] == [picture(1)]


def test_links_and_paths_in_archives_lead_nowhere(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/hostname")
        archive.writestr("../../up.png", picture(1))
    files = {"rows.jsonl": as_lines(row("link", "link.png"), row("up", "up.png")), "p.zip": buffer.getvalue()}
    summary = run(files, tmp_path)
    assert refused(tmp_path) == {"link": "MISSING_PICTURE"}
    assert summary.kept == 1  # read out of the archive by its name's end, and written nowhere but to a shard
    assert {path.name for path in tmp_path.parent.iterdir()} >= {tmp_path.name}
    assert not list(tmp_path.parent.rglob("up.png"))


def test_a_member_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"\0" * (50 << 20))
    run(
        {
            "rows.jsonl": as_lines(row("bomb"), row("b", "b.png")),
            "p.zip": buffer.getvalue(),
            "images/b.png": picture(1),
        },
        tmp_path,
    )
    assert refused(tmp_path) == {"bomb": "PICTURE_TOO_LARGE"}


@pytest.mark.parametrize(
    ("files", "form", "message"),
    [
        ({"rows.jsonl": as_lines(row("a")), "p.zip": b"PK\3\4 cut"}, {}, r"p\.zip: not a zip archive"),
        ({"rows.tgz": tgz({"rows.jsonl": b"x"})[:30]}, {"tables": ["rows.tgz!/*.jsonl"]}, r"rows\.tgz: not a tar archive"),
        ({"rows.json": b'[{"id": "a"}, {"id'}, {"format": "json", "tables": ["rows.json"]}, r"rows\.json:1: not JSON"),
        ({"rows.csv": as_csv(["id", "text"]) + b"a,\xff\n"}, {"format": "csv", "tables": ["*.csv"]}, "not UTF-8 at byte 11"),
        ({"rows.json": b'[{"id": "' + b"x" * (4 << 20) + b'"}]'}, {"format": "json", "tables": ["*.json"]}, r"rows\.json:1: a value of more than 1048576 characters\n  fix: take that row out"),
        ({"rows.csv": b"id,text\n" + b"x" * (2 << 20)}, {"format": "csv", "tables": ["*.csv"]}, r"rows\.csv:2: a line of more than 1048576 characters\n  fix: take"),
        ({"rows.csv": b'id,text\n"' + b"x\n" * (1 << 20)}, {"format": "csv", "tables": ["*.csv"]}, r"rows\.csv:2: a cell of more than 1048576 characters\n  fix: take"),
        ({"rows.csv": b'id,text\na,"open\n'}, {"format": "csv", "tables": ["*.csv"]}, r"rows\.csv:2: not CSV"),
        ({"r.pkl": b"cos\nsystem\n(S'true'\ntR."}, {"format": "pickle", "tables": ["*.pkl"]}, "would call os.system"),
        ({"r.parquet": b"PAR1 cut"}, {"format": "parquet", "tables": ["*.parquet"]}, "not a Parquet file"),
        ({"rows.jsonl": b""}, {}, r"made: no row in rows\.jsonl"),
        ({"rows.jsonl": b"version https://git-lfs.github.com/spec/v1\n"}, {}, r"rows\.jsonl: is a pointer of Git LFS"),
        ({"rows.jsonl.part": b""}, {}, r"raw holds rows\.jsonl\.part, the files of no known form"),
        ({"other.txt": b""}, {}, r"no known form:\n  made by the test: rows\.jsonl\n  fix: .*a folder"),
    ],
)  # fmt: skip
def test_a_broken_file_is_an_error_that_names_it(files, form, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        run(files, tmp_path, CAPTIONS | form)
    assert not (tmp_path / "s").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"raw"}


def test_parts_that_are_missing_and_files_that_a_form_leaves_out_are_told(tmp_path: Path) -> None:
    form = CAPTIONS | {"tables": ["data/*.jsonl"], "file_pattern": r"(?P<split>train|test)-\d", "split": "split"}
    names = ["train-00000-of-00003.jsonl", "test-00000-of-00001.jsonl", "valid-00000-of-00001.jsonl"]
    files = {f"data/{name}": as_lines(row(name)) for name in names}
    pictures = {"images/a.png": picture(1)}
    with pytest.raises(UserError, match=r"parts are missing: data/train \(1 of 3 files\)"):
        run(files | pictures, tmp_path, form)
    notes = run(files | pictures, tmp_path, form, accept_rows=True).lines(detailed=True)
    assert "note: parts are missing: data/train (1 of 3 files)" in notes
    assert "note: not read, as the form leaves them out: 1 files, such as data/valid-00000-of-00001.jsonl" in notes


def test_every_row_of_a_damaged_parquet_column_is_refused_whoever_reads_it(tmp_path: Path) -> None:
    images = [{"bytes": picture(n), "path": f"{n}.png"} for n in range(40)]
    table = pa.table({"text": ["Drawn."] * 40, "image": images})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, use_dictionary=False)
    chunk = pq.ParquetFile(buffer).metadata.row_group(0).column(1)
    data = bytearray(buffer.getvalue())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    data[middle : middle + 100] = b"\xff" * 100
    form = {"format": "parquet", "tables": ["*.parquet"], "id": "", "pictures": {"fields": ["image"], "embedded": True}}
    with pytest.raises(UserError, match="none of 40 rows could be used") as raised:
        run({"rows.parquet": bytes(data)}, tmp_path, CAPTIONS | form, workers=Workers(processes=4))
    assert "UNREADABLE_PICTURE: 40" in str(raised.value)


@pytest.mark.parametrize("groups", [{}, {1}])
def test_a_picture_column_that_ends_early_is_refused_and_no_loop(groups: set[int]) -> None:
    """Fewer rows than the footer says, in the last row group or in one before it: what damaged pages look like."""
    held = {place: [f"{10 * place + number}".encode() for number in range(10)] for place in range(3)}

    class Short(ParquetBytes):
        @property
        def _starts(self) -> list[int]:
            return [0, 10, 20, 30]

        def _batches(self, first_group: int):
            for place in range(first_group, 3):
                yield 10 * place, held[place][:5] if place in (groups or {2}) else held[place]

    column = Short(Path("x.parquet"), "image")
    missing = [row for row in range(30) if row // 10 in (groups or {2}) and row % 10 >= 5]
    for row in (*range(30), *missing, 3):
        if row in missing:
            with pytest.raises(UserError, match=rf"row {row + 1}: can't be read: there are fewer rows"):
                column.get(row)
        else:
            assert column.get(row) == str(row).encode()


def test_a_row_is_shown_once_among_the_examples_and_a_missing_answer_names_the_columns(tmp_path: Path) -> None:
    form = {
        "format": "json", "tables": ["rows.json"], "adapter": "question", "question": "q", "id": "",
        "explode": {"q": "qs"}, "gold": {"shape": "text", "field": "answer"}, "pictures": None,
    }  # fmt: skip
    with pytest.raises(UserError, match="none of 4 rows") as raised:
        run({"rows.json": json.dumps([{"qs": ["Why?"] * 4, "Answer": "So."}]).encode()}, tmp_path, CAPTIONS | form)
    assert str(raised.value).count("rows.json: row 1: no field 'answer'; there are qs, Answer, q") == 1


def test_a_failed_run_leaves_what_an_earlier_one_made(tmp_path: Path) -> None:
    files = {"rows.jsonl": as_lines(row("a")), "images/a.png": picture(1)}
    run(files, tmp_path)
    before = {path.name: sha256_file(path) for path in (tmp_path / "s").iterdir()}
    with pytest.raises(UserError, match=r"1 rows in the files \(made by the test\), 5 in the record \(counted\)"):
        run(files, tmp_path, record={"expected": {"rows": 5}})
    assert {path.name: sha256_file(path) for path in (tmp_path / "s").iterdir()} == before
    assert run(files, tmp_path, record={"expected": {"rows": 5}}, accept_rows=True).kept == 1


def test_rows_that_all_fail_are_an_error_that_shows_no_text_of_a_restricted_source(tmp_path: Path) -> None:
    files = {
        "rows.jsonl": as_lines(row("a", text=["a secret"]), row("b", text=["a secret"])),
        "images/a.png": picture(1),
    }
    with pytest.raises(UserError, match="secret"):
        run(files, tmp_path)
    with pytest.raises(UserError, match="none of 2 rows could be used") as raised:
        run(files, tmp_path, record={"access": "restricted", "licence_class": "restricted"})
    assert "secret" not in str(raised.value)


def test_outputs_do_not_depend_on_threads_or_on_earlier_outputs(tmp_path: Path) -> None:
    lines = as_lines(*(row(str(n), f"{n % 7}.png") for n in range(200)))
    files = {"rows.jsonl": lines, **{f"images/{n}.png": picture(n) for n in range(7)}}
    digests = []
    for threads in (1, 4, 4):
        run(files, tmp_path, workers=Workers(processes=threads))
        digests.append({p.name: sha256_file(p) for f in ("s", "i") for p in sorted((tmp_path / f).iterdir())})
    assert digests[0] == digests[1] == digests[2]


def test_groups_splits_and_ids_are_the_forms(tmp_path: Path) -> None:
    form = CAPTIONS | {
        "id_parts": ["part"],
        "group": "case",
        "group_pattern": r"^(\w+)-",
        "unit": "patient",
        "split": "fold",
    }
    rows = [
        row("a") | {"part": n, "case": f"p{n // 2}-x", "fold": fold} for n, fold in enumerate(["Train", "dev", "TEST"])
    ]
    rows.append(row("a") | {"part": 3, "case": "p9-x", "fold": "holdout"})
    summary = run({"rows.jsonl": as_lines(*rows), "images/a.png": picture(1)}, tmp_path, form)
    made = [(s.origin_id, s.group_id, s.split) for s in read_samples([tmp_path / "s"])]
    assert made == [
        ("a/0", "made/patient/p0", "train"), ("a/1", "made/patient/p0", "validation"), ("a/2", "made/patient/p1", "test"),
    ]  # fmt: skip
    assert (reasons(summary), summary.groups_cut) == ({"UNKNOWN_SPLIT": 1}, 1)


@pytest.mark.parametrize("bound", [{"GROUP_ROWS": 500}, {"GROUP_CHARACTERS": 3_000_000}], ids=str)
def test_memory_does_not_grow_with_the_rows(
    bound: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bound.items():  # smaller groups of rows, so that a few rows fill many
        monkeypatch.setattr(f"lingshu.core.sample.{name}", value)

    def peak(number: int) -> int:
        folder = tmp_path / str(number)
        (folder / "raw").mkdir(parents=True)
        with (folder / "raw/rows.json").open("w") as handle:
            handle.write(
                "[" + ",".join(json.dumps(row(str(n), text=f"{n} " + "word " * 1200)) for n in range(number)) + "]"
            )
        write({"images/a.png": picture(1)}, folder / "raw")
        tracemalloc.start()
        form = CAPTIONS | {"format": "json", "tables": ["rows.json"]}
        summary = run({}, folder, form)
        assert summary.kept == number
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        os.truncate(folder / "raw/rows.json", 0)
        return highest

    small, large = peak(1_000), peak(2_000)
    assert large < small * 1.35  # 1,000 more rows are 6 MB of text
