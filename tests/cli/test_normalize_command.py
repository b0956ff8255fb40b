"""`lingshu normalize` and `lingshu sources`: one's own copy, from any folder, without a project or a pull."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lingshu.benchmarks.public.load import load
from lingshu.cli import app
from lingshu.commands import source_table
from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.sample import read_samples
from lingshu.intake.locks import alone
from lingshu.sources.catalog import read_source
from tests.benchmarks.public_made import as_json, as_lines, as_zip, write
from tests.commanding import lingshu
from tests.sources.row_forms import FORMS, PNG

ROOT = Path(__file__).parents[2]


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return lingshu(*arguments, at=cwd)


def test_ones_own_copy_outside_a_project(tmp_path: Path) -> None:
    write(FORMS["slake", 0].files, tmp_path / "mine")
    arguments = ("normalize", "--source", "slake", "--raw", "mine", "--out", "out")
    done = call(*arguments, "--whole", cwd=tmp_path)
    assert done.returncode == 2
    assert "slake: 3 rows in the files" in done.stderr
    assert "14028 in the record (counted)" in done.stderr
    assert "leave out --whole" in done.stderr
    assert not (tmp_path / "out/samples/slake").exists()
    done = call(*arguments, "--threads", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "note: 3 rows where the record has 14028 (counted)" in done.stdout
    assert "rows: 3 in, 3 kept, 0 refused" in done.stdout
    assert "splits: test 1, train 1, validation 1" in done.stdout
    samples = list(read_samples([tmp_path / "out/samples/slake"]))
    assert {i.image_id for s in samples for i in s.images} == set(ImageStore([tmp_path / "out/images/slake"]).ids())
    metrics = json.loads((tmp_path / "out/normalize_slake.json").read_text())
    assert metrics["rows"] == {"in": 3, "kept": 3, "refused": {}}


@pytest.mark.parametrize("layout", ["{split}.parquet", "default/{split}/0000.parquet", "mine/{split}/0000.parquet"])
def test_parquet_files_as_the_hub_converts_them_or_people_name_them(layout: str, tmp_path: Path) -> None:
    data = FORMS["vqa_rad", 0].files["data/test-00000-of-00001.parquet"]
    for split in ("train", "test"):
        write({layout.format(split=split): data}, tmp_path / "mine")
    out = str(tmp_path / "out")
    done = CliRunner().invoke(app, ["normalize", "--source", "vqa_rad", "--raw", str(tmp_path / "mine"), "--out", out])
    assert "splits: test 2, train 2" in done.stdout
    loaded = load("vqa_rad", root_catalog=ROOT / "catalog", folder=tmp_path / "mine", accept_rows=True)
    assert (loaded.form, loaded.rows) == ("hub (Parquet)", 2)


def test_a_file_of_its_own_name_goes_before_one_that_could_be_meant(tmp_path: Path) -> None:
    data = FORMS["vqa_rad", 0].files["data/test-00000-of-00001.parquet"]
    write({"data/train-00000-of-00001.parquet": data, "converted/train/0000.parquet": data}, tmp_path / "mine")
    arguments = ["normalize", "--source", "vqa_rad", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert "rows: 2 in" in done.stdout
    assert "not read, as the form leaves them out: 1 files, such as converted/train/0000.parquet" in done.stdout


def test_half_a_surrogate_pair_and_a_name_that_is_no_utf_8_are_verdicts(tmp_path: Path) -> None:
    """Both had ended the run in a traceback, at whatever row they stood."""
    row = {"id": "a", "question": "Which?", **dict.fromkeys(("opa", "opb", "opc", "opd"), "x"), "cop": 1}
    rows = [
        row,
        row | {"id": "b", "question": "\ud83d"},
        row | {"id": "\udc00"},
        row | {"id": "d", "more": [{"\ud800": 1}]},
    ]
    text = "".join(json.dumps(one | {"subject_name": "s"}) + "\n" for one in rows)
    write({"dev.json": text.encode(), os.fsdecode(b"caf\xe9.part"): b""}, tmp_path / "mine")
    arguments = ["normalize", "--source", "med_mcqa", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    done = lingshu(*arguments, at=tmp_path)
    assert "rows: 4 in, 1 kept, 3 refused" in done.stdout
    for number, field in enumerate(("question", "id", "more"), start=2):
        assert f"dev.json: row {number}: '{field}' holds half a surrogate pair" in done.stdout
    assert "such as caf\\udce9.part" in done.stdout
    write({os.fsdecode(b"US/abd/gb/caf\xe9.png"): PNG, "US/abd/gb/a.png": PNG}, tmp_path / "films")
    arguments = [
        "normalize",
        "--source",
        "radimagenet_us",
        "--raw",
        str(tmp_path / "films"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert "rows: 2 in, 1 kept, 1 refused" in CliRunner().invoke(app, arguments).stdout


def test_unfinished_downloads_are_named(tmp_path: Path) -> None:
    data = FORMS["vqa_rad", 0].files["data/test-00000-of-00001.parquet"]
    names = (
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet.part",
        "data/test.parquet.crdownload",
    )
    write(dict.fromkeys(names, data), tmp_path / "mine")
    arguments = ["normalize", "--source", "vqa_rad", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert "note: parts are missing: data/train (1 of 2 files)" in done.stdout
    assert f"note: unfinished downloads, not read: 2, such as {names[2]}, {names[1]}; get them again" in done.stdout


def test_unfinished_downloads_are_named_where_nothing_could_be_used(tmp_path: Path) -> None:
    tables = {name: data for name, data in FORMS["slake", 0].files.items() if name.endswith(".json")}
    write(tables | {"imgs.zip.part": b"PK"}, tmp_path / "mine")
    arguments = ["normalize", "--source", "slake", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    error = str(CliRunner().invoke(app, arguments).exception)
    assert "none of 3 rows could be used" in error
    assert "unfinished downloads, not read: 1, such as imgs.zip.part" in error


def test_a_table_is_none_of_this_projects_own(tmp_path: Path) -> None:
    """Lists of splits lie in the catalogue as CSV files; other CSV files of the user are named, and not read."""
    write(
        {"a/qa.CSV": b"question,answer,source,focus_area\nWhy?,So.,X,Y\n", "a/all.csv": b"a,b\n1,2\n"}, tmp_path / "m"
    )
    arguments = ["normalize", "--source", "medquad", "--raw", str(tmp_path / "m"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert "rows: 1 in, 1 kept" in done.stdout
    assert "not read, as the form leaves them out: 1 files, such as a/all.csv" in done.stdout


def test_names_that_another_system_spelt_are_found_and_told(tmp_path: Path) -> None:
    row = {"question": "Is it?", "answer": "Yes", "q_lang": "en", "content_type": "a", "answer_type": "CLOSED"}
    row |= {"modality": "CT", "location": "Chest", "img_name": "xmlab1/source.jpg"}
    for split in ("TRAIN", "VALIDATE", "TEST"):
        write({f"{split}.JSON": as_json([row | {"qid": split}])}, tmp_path / "mine")
    write({"Imgs/ct/xmlab1/source.JPG": PNG}, tmp_path / "mine")
    arguments = ["normalize", "--source", "slake", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert "rows: 3 in, 3 kept, 0 refused" in done.stdout
    assert "splits: test 1, train 1, validation 1" in done.stdout
    assert "note: pictures found by the end of their path: 1, such as Imgs/ct/xmlab1/source.JPG" in done.stdout


def test_two_runs_do_not_write_the_same_folder(tmp_path: Path) -> None:
    """Each had emptied the other's half-written folder, and both had failed."""
    write(FORMS["slake", 0].files, tmp_path / "mine")
    arguments = ["normalize", "--source", "slake", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    with alone(tmp_path / "out/.normalize_slake.lock"):
        error = CliRunner().invoke(app, arguments).exception
    assert isinstance(error, UserError)
    assert "out: another run writes slake there" in str(error)
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_a_folder_around_the_files_will_do(tmp_path: Path) -> None:
    rows = {"question": "What pumps?", "options": {"A": "liver", "B": "heart"}, "answer_idx": "B", "meta_info": "step1"}
    write({"sets/medqa/phrases_no_exclude_train.jsonl": as_lines(rows)}, tmp_path / "mine")
    arguments = ["normalize", "--source", "medqa", "--raw", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert f"mine itself has no files of it; {tmp_path}/mine/sets/medqa is read" in done.stdout
    assert "rows: 1 in, 1 kept" in done.stdout
    write({"sets/other/phrases_no_exclude_train.jsonl": as_lines(rows)}, tmp_path / "mine")
    done = CliRunner().invoke(app, arguments)
    assert "several folders below" in str(done.exception)


def test_of_a_folder_with_an_archive_the_archive_is_named(tmp_path: Path) -> None:
    write({"Slake1.0.zip": as_zip(FORMS["slake", 0].files), "x.parquet": b""}, tmp_path / "mine")
    arguments = ["normalize", "--source", "slake", "--out", str(tmp_path / "out"), "--raw"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "mine")])
    assert "or give the archive itself (Slake1.0.zip)" in str(done.exception)
    assert "**/*.parquet, whose path has (?P<split>train|validation|test)-" in str(done.exception)
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "mine/Slake1.0.zip")])
    assert "rows: 3 in, 3 kept" in done.stdout


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("slak", r"no record 'slak'[\s\S]*slake"),
        ("radiology", "not read from a folder of rows"),
        ("roco", "no known form"),
    ],
)
def test_a_users_mistake_is_named(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["normalize", "--source", source, "--raw", ".", "--out", "out"])
    assert isinstance(result.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise result.exception
    assert not (tmp_path / "out/samples").exists() or not list((tmp_path / "out/samples").iterdir())


def test_the_page_of_sources_is_what_the_command_prints() -> None:
    assert (ROOT / "docs/sources.md").read_text(encoding="utf-8").splitlines() == source_table.lines(ROOT / "catalog")


def test_every_form_says_how_it_was_checked_on_the_page() -> None:
    page = source_table.lines(ROOT / "catalog")
    row = next(line for line in page if line.startswith("| `roco` |"))
    assert row.endswith("| real sample (1), written format (3) |")
    assert len(read_source("roco", ROOT / "catalog/sources").forms) == 4
