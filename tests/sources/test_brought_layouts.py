"""What people bring in other layouts than the record's: caches, archives, pointers; each is read, or is named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.verdicts import read_verdicts
from lingshu.intake.archive import Archive, NoRoomError
from lingshu.intake.archive_files import brought_files
from lingshu.intake.places import Files, FolderFiles
from lingshu.sources.catalog import SOURCES_FOLDER, read_source
from lingshu.sources.rows import normalize_rows
from tests.benchmarks.public_made import as_lines, as_parquet, as_zip, write
from tests.sources.drawn_imaging import body, marks, volume
from tests.sources.invented_imaging import SPOT
from tests.sources.row_forms import picture
from tests.sources.rows_made import LIMITS, record

ROOT = Path(__file__).parents[2]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
CAPTIONS = {
    "format": "jsonl", "tables": ["**/*.jsonl"], "adapter": "caption", "id": "id", "answer": "text",
    "pictures": {"fields": ["image"], "folders": ["images"]},
}  # fmt: skip
ROWS = as_lines(*({"id": name, "image": f"{name}.png", "text": "Drawn."} for name in "ab"))
PICTURES = {"images/a.png": picture(1), "images/b.png": picture(2)}


def normalized(files: Files, folder: Path, form: dict | None = None):
    out = {"samples": folder / "s", "images": folder / "i"}
    return normalize_rows("made", record(form or CAPTIONS), files, params=LIMITS, accept_rows=True, **out)


def told(folder: Path) -> list[str]:
    return [row["detail"] for row in read_verdicts(folder / "s/verdicts.parquet").to_dicts()]


def damaged(data: bytes, member: bytes) -> bytes:
    """Return a zip with a flipped bit in a stored member."""
    place = data.find(member) + len(member) + 30
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_broken_member_of_a_whole_archive_costs_its_row(tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_bytes(damaged(as_zip({"rows.jsonl": ROWS, **PICTURES}), b"images/b.png"))
    summary = normalized(brought_files(tmp_path / "mine.zip"), tmp_path)
    assert (summary.rows, summary.kept) == (2, 1)
    (detail,) = told(tmp_path)
    assert detail.startswith("rows.jsonl: row 2: mine.zip!/images/b.png: can't be read: ")


def test_no_room_for_copies_is_no_fault_of_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.zip").write_bytes(as_zip({"rows.jsonl": ROWS, **PICTURES}))
    copy = Archive.copy

    def full(archive: Archive, member: str, path: Path) -> None:
        if member.endswith("b.png"):
            raise NoRoomError("mine.zip: its files can't be copied to /tmp", "free space there")
        copy(archive, member, path)

    monkeypatch.setattr(Archive, "copy", full)
    with pytest.raises(UserError, match="its files can't be copied"):
        normalized(brought_files(tmp_path / "mine.zip"), tmp_path)
    assert not (tmp_path / "s").exists()


def test_two_snapshots_of_the_hubs_cache_are_not_read_as_one_set(tmp_path: Path) -> None:
    data = as_parquet([{"image": picture(1), "text": "Drawn."}], ("image",))
    repository = tmp_path / "hub/datasets--owner--set"
    for revision in ("aaa", "bbb"):
        write({f"snapshots/{revision}/data/train-00000-of-00001.parquet": data}, repository)
    form = {
        "format": "parquet", "tables": ["**/*.parquet"], "adapter": "caption", "answer": "text",
        "pictures": {"fields": ["image"], "embedded": True},
    }  # fmt: skip
    for place in (tmp_path / "hub", repository / "snapshots"):
        with pytest.raises(UserError, match=r"2 snapshots of the hub's cache: .*/aaa, .*/bbb\n  fix: give one"):
            normalized(FolderFiles(place), tmp_path, form)
    assert normalized(FolderFiles(repository / "snapshots/bbb"), tmp_path, form).kept == 1


def test_pictures_and_archives_that_git_lfs_left_out_are_told(tmp_path: Path) -> None:
    write({"rows.jsonl": ROWS, **PICTURES, "images/b.png": POINTER}, tmp_path / "raw")
    assert normalized(FolderFiles(tmp_path / "raw"), tmp_path).kept == 1
    assert told(tmp_path) == ["rows.jsonl: row 2: images/b.png: is a pointer of Git LFS, not the file itself"]
    write({"rows.jsonl": ROWS, "imgs.zip": POINTER}, tmp_path / "zipped")
    form = CAPTIONS | {"pictures": {"fields": ["image"], "archives": ["*.zip"]}}
    with pytest.raises(UserError, match=r"^imgs\.zip: is a pointer of Git LFS.*\n  fix: run `git lfs pull`"):
        normalized(FolderFiles(tmp_path / "zipped"), tmp_path, form)


def test_tables_that_are_cut_to_nothing_are_told(tmp_path: Path) -> None:
    write({"a.jsonl": ROWS, "b.jsonl": b"", **PICTURES}, tmp_path / "raw")
    lines = normalized(FolderFiles(tmp_path / "raw"), tmp_path).lines(detailed=True)
    assert "note: files without a row of it: 1, such as b.jsonl; they may be cut" in lines


def volumes(folder: Path) -> None:
    for case in ("001", "002"):
        volume(folder / f"images/DUKE_{case}/duke_{case}_0001.nii.gz", body(int(case)))
        volume(folder / f"segmentations/expert/duke_{case}.nii.gz", marks((1, SPOT)))


def of_mama(files: Files, out: Path):
    source = read_source("mama_mia", ROOT / SOURCES_FOLDER)
    return normalize_rows(
        "mama_mia", source, files, params=LIMITS, samples=out / "s", images=out / "i", accept_rows=True
    )


@pytest.mark.parametrize("fault", ["lost", "pointer", "cut"])
@pytest.mark.parametrize("of", ["segmentations/expert/duke_002.nii.gz", "images/DUKE_002/duke_002_0001.nii.gz"])
def test_a_volume_or_mask_that_cannot_be_had_costs_its_row(fault: str, of: str, tmp_path: Path) -> None:
    """A mask that is a link to nothing had ended the run."""
    volumes(tmp_path / "raw")
    path = tmp_path / "raw" / of
    data = path.read_bytes()
    path.unlink()
    if fault == "lost":
        path.symlink_to("nowhere")
    else:
        path.write_bytes(POINTER if fault == "pointer" else data[:-40])
    summary = of_mama(FolderFiles(tmp_path / "raw"), tmp_path)
    assert (summary.rows, summary.kept) == (2, 1)
    (detail,) = told(tmp_path)
    assert of in detail


def test_volumes_are_read_out_of_a_whole_archive(tmp_path: Path) -> None:
    volumes(tmp_path / "raw")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as opened:
        for name in FolderFiles(tmp_path / "raw").match("**/*"):
            opened.write(tmp_path / "raw" / name, name)
    for files, out in ((FolderFiles(tmp_path / "raw"), "a"), (brought_files(tmp_path / "mine.zip"), "b")):
        assert of_mama(files, tmp_path / out).kept == 2
    for path in sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*")):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
