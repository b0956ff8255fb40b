"""A user's archive, or a folder around the data set's own one, is read like the folder that the record describes."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.intake.archive import Archive
from lingshu.intake.archive_files import ArchiveFiles, brought_files
from lingshu.intake.errors import RowError
from lingshu.intake.pictures import PictureFinder
from lingshu.intake.places import FolderFiles
from lingshu.intake.rows import data_rows, find_source
from lingshu.intake.shapes import Join, Pictures, TableForm
from lingshu.intake.tables import find_tables, read_mapping
from tests.benchmarks.public_made import as_lines, as_zip, write

FILES = {"Set/train.jsonl": as_lines({"picture": "a.png"}), "Set/imgs/a.png": b"png", "Set/../../evil.png": b"no"}
FORM = TableForm.model_validate(
    {"name": "made", "checked": "written format", "format": "jsonl", "tables": ["**/train.jsonl"]}
)
SPEC = Pictures(fields=["picture"], folders=["imgs", "."])


def tarred(files: dict[str, bytes], mode: str, prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("Set/imgs/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        opened.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("set.zip", as_zip(FILES)),
        ("set.tar", tarred(FILES, "w:")),
        ("set.tar.gz", tarred(FILES, "w:gz", "./")),
        ("set.tar.bz2", tarred(FILES, "w:bz2")),
        ("set.txz", tarred(FILES, "w:xz")),
    ],
)
def test_tables_and_pictures_of_an_archive(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    files = brought_files(tmp_path / name)
    assert isinstance(files, ArchiveFiles)
    source = find_source(files, [FORM])
    assert source is not None
    assert [raw.values for _, raw in data_rows(source)] == [{"picture": "a.png"}]
    finder = PictureFinder(files, SPEC, [table.name for table in source.tables])
    assert finder.find("a.png").read() == b"png"
    assert not files.has("Set/imgs/link.png")
    copy = files.path("Set/../../evil.png")
    assert copy.parent == files.path("Set/train.jsonl").parent  # its name leads nowhere
    assert copy.read_bytes() == b"no"
    with pytest.raises(UserError, match="no such file"):
        files.path("Set/none.png")


def test_a_single_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"{}")
    with pytest.raises(UserError, match=r"rows\.jsonl: is neither a folder nor a zip or tar file"):
        brought_files(tmp_path / "rows.jsonl")


def test_a_cut_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(as_zip(FILES)[:-30])
    with pytest.raises(UserError, match=r"set\.zip: not a zip archive"):
        brought_files(tmp_path / "set.zip").match("**/*")


def test_pictures_beside_the_tables_of_a_folder_further_down(tmp_path: Path) -> None:
    write({"copy/data/Set/train.jsonl": b"", "copy/data/imgs/a.png": b"1", "other/imgs/b.png": b"2"}, tmp_path)
    finder = PictureFinder(FolderFiles(tmp_path), SPEC, ["copy/data/Set/train.jsonl"])
    assert finder.find("a.png").name == "copy/data/imgs/a.png"
    with pytest.raises(Exception, match=r"b\.png is not in"):
        finder.find("b.png")


def test_a_picture_is_found_by_the_end_of_its_path_if_only_one_ends_so(tmp_path: Path) -> None:
    names = ("imgs/train/x/a.png", "imgs/test/x/b.PNG", "imgs/e\u0301.png", "imgs/train/c.png", "imgs/test/c.png")
    write(dict.fromkeys(("t.jsonl", *names), b"1"), tmp_path)
    finder = PictureFinder(FolderFiles(tmp_path), SPEC, ["t.jsonl"])
    assert finder.find("x/a.png").name == names[0]
    assert finder.find("X/B.png").name == names[1]
    assert finder.find("\u00e9.png").name == names[2]
    assert finder.elsewhere == set(names[:3])
    with pytest.raises(RowError, match=r"c\.png may be imgs/test/c\.png or imgs/train/c\.png"):
        finder.find("c.png")
    (tmp_path / "imgs/lost.png").symlink_to("nowhere.png")
    with pytest.raises(RowError, match=r"lost\.png is a link that leads nowhere"):
        PictureFinder(FolderFiles(tmp_path), SPEC, ["t.jsonl"]).find("lost.png")
    with pytest.raises(RowError, match=r"y/a\.png is not in"):
        finder.find("y/a.png")


def of_windows(files: dict[str, bytes], system: int = 0) -> bytes:
    """A zip as the .NET framework wrote it: backslashes between folders, and folders that are members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, data in files.items():
            info = zipfile.ZipInfo(name.replace("/", "\\"))
            info.filename, info.create_system = name.replace("/", "\\"), system
            opened.writestr(info, data)
    return buffer.getvalue()


@pytest.mark.parametrize("system", [0, 3])
def test_backslashes_of_windows_are_slashes(system: int, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(
        of_windows({"Set/": b"", "Set/train.jsonl": b"{}", "Set/imgs/a.png": b"1"}, system)
    )
    files = brought_files(tmp_path / "set.zip")
    assert files.match("**/*") == ["Set/imgs/a.png", "Set/train.jsonl"]
    assert Archive(tmp_path / "set.zip").find("imgs/a.png") == "Set/imgs/a.png"


def test_a_backslash_in_a_name_of_another_system_stays(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(as_zip({"imgs/a\\b.png": b"1"}))
    assert Archive(tmp_path / "set.zip").members() == ["imgs/a\\b.png"]


def test_letters_of_western_windows_are_no_chinese(tmp_path: Path) -> None:
    """The bytes of "ön" are a character in GB 18030 too, one that nobody writes."""
    name = "imgs/R\u00f6ntgen.png"
    raw = name.encode("cp437")
    data = as_zip({name.encode("cp437").decode("latin-1").encode("ascii", "replace").decode(): b"1"})
    (tmp_path / "set.zip").write_bytes(data.replace(b"imgs/R?ntgen.png", raw))
    assert Archive(tmp_path / "set.zip").find("R\u00f6ntgen.png") == name


def test_messages_name_the_member_and_not_its_copy(tmp_path: Path) -> None:
    broken = {"data/train-0.parquet": b"PAR1", "ids.json": b"version https://git-lfs.github.com/spec/v1\n"}
    (tmp_path / "set.zip").write_bytes(as_zip({**broken, "deep/imgs.zip": b"no zip", "x.tar.gz": tarred({}, "w:gz")}))
    files = brought_files(tmp_path / "set.zip")
    parquet = FORM.model_copy(update={"format": "parquet", "tables": ["**/*.parquet"]})
    with pytest.raises(UserError, match=r"^data/train-0\.parquet: not a Parquet file"):
        list(data_rows(find_source(files, [parquet])))
    with pytest.raises(UserError, match=r"^ids\.json: is a pointer of Git LFS"):
        read_mapping((find_tables(files, ["ids.json"]) or [])[0], Join(tables=["ids.json"], by="id", into="x"))
    finder = PictureFinder(files, Pictures(fields=["picture"], archives=["**/imgs.zip"]), [])
    with pytest.raises(UserError, match=r"^deep/imgs\.zip: not a zip archive"):
        finder.find("a.png")
    assert Archive(files.path("x.tar.gz")).members() == []  # a copy keeps the ending that tells what it is


@pytest.mark.parametrize("coding", ["utf-8", "gb18030"])
def test_chinese_names_in_a_zip_that_does_not_say_how_they_are_coded(coding: str, tmp_path: Path) -> None:
    """As macOS and Chinese Windows write them; Python reads such names as those of a PC of 1981."""
    data = as_zip({"Set/图片/a一.png": b"one", "Set/é.png": b"two"})
    for name in ("Set/图片/a一.png", "Set/é.png"):
        shorter = name.encode(coding)
        data = data.replace(name.encode(), shorter.ljust(len(name.encode()), b"_"))
    data = bytearray(data)
    for mark, at in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] &= ~0x08
            place = data.find(mark, place + 1)
    (tmp_path / "set.zip").write_bytes(data)
    archive = Archive(tmp_path / "set.zip")
    end = "" if coding == "utf-8" else "__"
    found = archive.find(f"图片/a一.png{end}{end[:1]}")
    assert found is not None
    assert archive.read(found) == b"one"


def test_a_large_member_is_read_as_a_stream(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("big.jsonl", b"\0" * (64 << 20))
        link = zipfile.ZipInfo("link.jsonl")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/hostname")
    archive = Archive(tmp_path / "a.zip")
    assert archive.members() == ["big.jsonl"]
    with archive.open("big.jsonl") as handle:
        assert handle.read(3) == b"\0\0\0"
    form = TableForm.model_validate({**FORM.model_dump(), "tables": ["a.zip!/big.jsonl"]})
    source = find_source(FolderFiles(tmp_path), [form])
    assert source is not None
    (row,) = [raw.values for _, raw in data_rows(source, 1 << 10)]
    assert "larger" in str(row)


def test_a_joined_table_that_is_cut_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ids.json.gz"
    path.write_bytes(gzip.compress(b'{"a": 1, "b": 2}')[:-9])
    (table,) = find_tables(FolderFiles(tmp_path), ["ids.json.gz"]) or []
    with pytest.raises(UserError, match=r"ids\.json\.gz: can't be read"):
        read_mapping(table, Join(tables=["ids.json.gz"], by="id", into="x"))
