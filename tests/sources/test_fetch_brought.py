"""A folder that the user brings: asked for by name, read where it lies, digests recorded, nothing of it copied."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lingshu.cli import app
from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_bytes
from lingshu.intake import digests as digesting
from lingshu.intake.places import ChainedFiles, FolderFiles, walk
from lingshu.sources.fetch import pull
from lingshu.sources.fetch_brought import bring
from lingshu.sources.fetch_places import Pulling
from lingshu.sources.pulled import pulled_files, read_origins
from tests.loopback import Loopback
from tests.sources.places_made import record, url_file

ROOT = Path(__file__).parents[2]
FILES = {"reports/s1.txt": b"FINDINGS: none", "images/s1/a.dcm": b"\0" * 500, "notes.txt": b"mine"}
BRING = {"bring": "the folder `files` of invented-cxr 1.0.0, from https://example.org"}


@pytest.fixture
def mine(tmp_path):
    folder = tmp_path / "elsewhere/cxr"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def local(*files, **more):
    return record(BRING | {"files": list(files)}, *more.get("places", []), kind="local")


def take(tmp_path, made):
    return pull("cxr", made, Pulling(tmp_path / "cache", root=tmp_path))


def test_a_missing_folder_says_what_to_bring_and_from_where(tmp_path):
    with pytest.raises(
        UserError, match=r"cxr: .*data/brought/cxr: no such folder\. Bring the folder `files` of"
    ) as raised:
        take(tmp_path, local())
    assert "https://example.org" in raised.value.what
    assert "`lingshu pull cxr --raw FOLDER`" in raised.value.fix


def test_digests_are_recorded_and_nothing_is_copied(tmp_path, mine):
    bring("cxr", mine, tmp_path)
    manifest = take(tmp_path, local())
    (origin,) = read_origins("cxr", tmp_path).places
    assert {name: record.sha256 for name, record in origin.files.items()} == {
        name: sha256_bytes(data) for name, data in FILES.items()
    }
    assert manifest.rows == 3
    assert sorted(p.name for p in (tmp_path / "data/raw/cxr").iterdir()) == ["manifest.json", "origins.json"]
    assert pulled_files("cxr", tmp_path).path("images/s1/a.dcm").read_bytes() == FILES["images/s1/a.dcm"]
    assert str(mine) not in (tmp_path / "data/raw/cxr/origins.json").read_text()


def test_patterns_choose_what_is_read(tmp_path, mine):
    bring("cxr", mine, tmp_path)
    take(tmp_path, local("**/*.dcm", "reports/*"))
    assert read_origins("cxr", tmp_path).places[0].files.keys() == {"reports/s1.txt", "images/s1/a.dcm"}
    with pytest.raises(UserError, match=r"no file '\*\.csv' among 3"):
        take(tmp_path, local("*.csv"))


def test_a_file_that_changed_or_is_gone_since_is_named(tmp_path, mine):
    bring("cxr", mine, tmp_path)
    take(tmp_path, local())
    (mine / "notes.txt").write_bytes(b"changed")
    with pytest.raises(UserError, match=r"notes\.txt: changed since cxr was pulled") as raised:
        pulled_files("cxr", tmp_path)
    assert "pull@cxr" in raised.value.fix
    (mine / "notes.txt").unlink()
    with pytest.raises(UserError, match=r"notes\.txt: is gone since"):
        pulled_files("cxr", tmp_path)
    take(tmp_path, local())
    assert not pulled_files("cxr", tmp_path).has("notes.txt")


def test_an_unchanged_folder_is_not_read_again(tmp_path, mine, monkeypatch):
    bring("cxr", mine, tmp_path)
    first = take(tmp_path, local())
    read = []
    original = digesting.sha256_file
    monkeypatch.setattr(digesting, "sha256_file", lambda path: read.append(path.name) or original(path))
    assert take(tmp_path, local()) == first
    assert read == []
    os.utime(mine / "notes.txt", ns=(1, 1))
    assert take(tmp_path, local()) == first
    assert read == ["notes.txt"]


def test_what_is_downloaded_and_what_is_brought_are_one_folder(tmp_path, mine):
    with Loopback(lambda asked: url_file({"/labels.csv": b"a,b"}, asked)) as server:
        place = {"url": f"{server.endpoint}/labels.csv", "file": "labels.csv"}
        bring("cxr", mine, tmp_path)
        take(tmp_path, local(places=[place]))
    files = pulled_files("cxr", tmp_path)
    assert files.path("labels.csv").read_bytes() == b"a,b"
    assert files.match("**/*.txt") == ["notes.txt", "reports/s1.txt"]


def test_what_may_be_brought_may_be_left_out(tmp_path, mine, capsys):
    with Loopback(lambda asked: url_file({"/labels.csv": b"a,b"}, asked)) as server:
        made = record(
            {"url": f"{server.endpoint}/labels.csv", "file": "labels.csv"}, BRING | {"optional": True}, kind="url"
        )
        take(tmp_path, made)
        assert "cxr: goes without what you may bring: the folder `files`" in capsys.readouterr().err
        assert pulled_files("cxr", tmp_path).match("**/*") == ["labels.csv"]
        bring("cxr", mine, tmp_path)
        take(tmp_path, made)
    assert pulled_files("cxr", tmp_path).match("**/*") == sorted(["labels.csv", *FILES])


def test_links_are_followed_and_circles_end(tmp_path, mine):
    (mine / "more").symlink_to(tmp_path / "far")
    (tmp_path / "far").mkdir()
    (tmp_path / "far/x.dcm").write_bytes(b"x")
    (tmp_path / "far/round").symlink_to(mine)
    assert sorted(walk(mine)) == sorted([*FILES, "more/x.dcm"])
    bring("cxr", mine, tmp_path)
    take(tmp_path, local())
    assert pulled_files("cxr", tmp_path).match("**/*.dcm") == ["images/s1/a.dcm", "more/x.dcm"]


def test_a_link_that_leads_nowhere_is_named(tmp_path, mine):
    """A data set whose files were never fetched, or were moved, is not taken for a whole one."""
    (mine / "reports/s2.txt").symlink_to(tmp_path / "nowhere")
    bring("cxr", mine, tmp_path)
    with pytest.raises(UserError, match=r"cxr: .*reports/s2\.txt: can't be read: No such file"):
        take(tmp_path, local("reports/*.txt"))
    take(tmp_path, local("images/**/*.dcm"))
    files = FolderFiles(mine)
    assert files.match("reports/*.txt") == ["reports/s1.txt", "reports/s2.txt"]
    for place in (files, ChainedFiles([FolderFiles(tmp_path), files])):
        with pytest.raises(UserError, match=r"reports/s2\.txt: a link that leads nowhere"):
            place.path("reports/s2.txt")


def test_a_name_that_is_no_utf_8_is_an_error(tmp_path, mine):
    (mine / os.fsdecode(b"reports/caf\xe9.txt")).write_bytes(b"x")
    bring("cxr", mine, tmp_path)
    with pytest.raises(UserError, match=r"can't keep file name 'reports/caf\\udce9\.txt'"):
        take(tmp_path, local())


def test_a_link_is_replaced_and_a_folder_is_not(tmp_path, mine):
    bring("cxr", mine, tmp_path)
    bring("cxr", mine.parent, tmp_path)
    link = tmp_path / "data/brought/cxr"
    assert link.resolve() == mine.parent
    link.unlink()
    link.mkdir()
    with pytest.raises(UserError, match="files lie there already"):
        bring("cxr", mine, tmp_path)
    bring("cxr", link, tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        bring("cxr", tmp_path / "nowhere", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path, mine):
    (mine / "notes.txt").chmod(0)
    bring("cxr", mine, tmp_path)
    with pytest.raises(UserError, match=r"notes\.txt: can't be read: Permission denied"):
        take(tmp_path, local())


def test_the_command(tmp_path, mine, monkeypatch):
    """`lingshu pull SOURCE --raw FOLDER` needs no DVC; the recipe's gate is told."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "catalog/sources").mkdir(parents=True)
    made = local().model_copy(update={"licence_class": "restricted", "access": "restricted"})
    (tmp_path / "catalog/sources/cxr.yaml").write_text(json.dumps(made.model_dump(mode="json")))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["pull", "cxr", "--raw", str(mine)])
    assert done.exit_code == 0, done.output
    assert "cxr: 3 files from the brought folder" in done.output
    assert "data/raw/cxr: complete, 3 files" in done.output
    assert "would refuse it: cxr: its licence is restricted" in done.output
    assert CliRunner().invoke(app, ["pull", "cxr"]).exit_code == 0
