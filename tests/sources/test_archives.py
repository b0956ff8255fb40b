"""Archives: what is listed comes out, and nothing else; damage, links, escapes and floods end in a message."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.sources.archives import extract
from tests.sources.made import tar_bytes, zip_bytes

FILES = {"pack/data/a.dcm": b"aa", "pack/data/b.dcm": b"bb", "pack/code.py": b"x", "pack/data/deep/c.dcm": b"cc"}


def written(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("name", "make"), [("pack-1.whl", zip_bytes), ("pack-1.tar.gz", tar_bytes)])
def test_only_listed_files_are_written(tmp_path: Path, name: str, make) -> None:
    archive = tmp_path / name
    archive.write_bytes(make(FILES))
    assert extract(archive, ["pack/data/*.dcm"], tmp_path / "out") == ["pack/data/a.dcm", "pack/data/b.dcm"]
    assert written(tmp_path / "out") == {"pack/data/a.dcm": b"aa", "pack/data/b.dcm": b"bb"}


@pytest.mark.parametrize(("name", "make"), [("pack-1.zip", zip_bytes), ("pack-1.tar.gz", tar_bytes)])
def test_a_zip_inside_is_opened(tmp_path: Path, name: str, make) -> None:
    archive = tmp_path / name
    archive.write_bytes(make({"pack/clip.zip": zip_bytes({"clip.dcm": b"frames", "readme": b"no"})}))
    assert extract(archive, ["pack/clip.zip!/*.dcm"], tmp_path / "out") == ["pack/clip.zip/clip.dcm"]
    assert written(tmp_path / "out") == {"pack/clip.zip/clip.dcm": b"frames"}


def test_a_pattern_without_a_file_names_the_nearest(tmp_path: Path) -> None:
    archive = tmp_path / "pack-1.zip"
    archive.write_bytes(zip_bytes(FILES))
    with pytest.raises(UserError, match=r"pack-1\.zip: no file matches 'pack/data/z\.dcm'.*pack/data/[ab]\.dcm"):
        extract(archive, ["pack/data/a.dcm", "pack/data/z.dcm"], tmp_path / "out")


@pytest.mark.parametrize("evil", ["../evil.dcm", "/evil.dcm", "a\\..\\evil.dcm", "C:evil.dcm", "a/../../evil.dcm"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, evil: str) -> None:
    archive = tmp_path / "pack-1.zip"
    archive.write_bytes(zip_bytes({evil: b"x"}))
    with pytest.raises(UserError, match="leads outside"):
        extract(archive, [evil], tmp_path / "deep/out")
    assert written(tmp_path) == {"pack-1.zip": archive.read_bytes()}


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "pack-1.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        info = zipfile.ZipInfo("a.dcm")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match="is a link"):
        extract(archive, ["*.dcm"], tmp_path / "out")


def test_a_link_in_a_tar_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        info = tarfile.TarInfo("a.dcm")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(info)
    archive = tmp_path / "pack-1.tar.gz"
    archive.write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match="is a link"):
        extract(archive, ["*.dcm"], tmp_path / "out")


@pytest.mark.parametrize("nested", [False, True])
def test_a_flood_stops_at_the_limit(tmp_path: Path, nested: bool) -> None:
    flood = zip_bytes({"a.dcm": bytes(4 << 20)})
    archive = tmp_path / "pack-1.zip"
    archive.write_bytes(zip_bytes({"b.zip": flood}) if nested else flood)
    with pytest.raises(UserError, match="more bytes than are allowed"):
        extract(archive, ["b.zip!/a.dcm" if nested else "a.dcm"], tmp_path / "out", limit=1 << 20)
    assert written(tmp_path / "out") == {}


@pytest.mark.parametrize(("name", "make"), [("pack-1.zip", zip_bytes), ("pack-1.tar.gz", tar_bytes)])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_cut_off_archive_is_named(tmp_path: Path, name: str, make, share: float) -> None:
    whole = make({f"{i}.dcm": bytes(range(256)) * 40 + str(i).encode() * 999 for i in range(9)})
    archive = tmp_path / name
    archive.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match=rf"{name}: damaged or cut off"):
        extract(archive, ["*.dcm"], tmp_path / "out")
