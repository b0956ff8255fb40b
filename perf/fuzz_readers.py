"""Fuzzing of the readers of pictures and of Parquet: `python perf/fuzz_readers.py --cases 100000 [--seed 1]`.

Small valid files of every format (drawn here, and real ones with `--seeds DIR`) are broken at random, and each is read
as `normalize` reads it, a Parquet file as `lingshu overlap` reads it too. A file must end in pictures, in rows or in a
refusal with its reason, within a time and a memory bound. `--reader parquet` breaks the files of one reader alone.
Work runs in child processes, so that a crash or a hang of a C library is caught, named and outlived; every finding can
be made again with `--only CASE`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from fuzz_seeds import make_seeds, mutate

from lingshu.core.errors import UserError
from lingshu.decontam.fields import Fields
from lingshu.decontam.files import Scratch
from lingshu.decontam.reading import HeldPicture, Reading, read_input
from lingshu.decontam.records import Tally
from lingshu.intake.errors import RowError
from lingshu.intake.pictures import row_pictures
from lingshu.intake.places import FolderFiles
from lingshu.intake.rows import data_rows, find_source
from lingshu.intake.shapes import TableForm
from lingshu.sources.catalog import Package, Take
from lingshu.sources.frames import RawFile, Refused
from lingshu.sources.normalize import _pictures
from lingshu.sources.params import NormalizeParams
from lingshu.sources.stills import StillLimits, still_of

SECONDS_A_FILE = 20  # of CPU, so that a busy machine makes no finding
CASES_A_CHILD = 2000
# Address space, code and libraries included: what `frames.MAX_VALUES` admits must fit, what it refuses must not.
MAX_ADDRESS_SPACE = 6 << 30
PARAMS = NormalizeParams(
    seed=0, held_out_share=0.25, max_side_px=384, clip_frame_step=4, slices_per_plane=2, slice_pixel_mm=1.0, tile_px=64,
    field_tile_px=32, slide_region_tiles=1, field_region_tiles=1, region_gap_px=4, min_tissue_share=0.1,
    identifying_tags=True,
)  # fmt: skip
PACKAGE = Package(
    name="fuzz", version="1", file="fuzz-1.zip", sha256="0" * 64, bytes=1, licence="none", visible="broken files",
    take=[Take(paths=["*"], reader="raster")],
)  # fmt: skip
FORM = TableForm.model_validate(
    {
        "name": "fuzz", "checked": "written format", "tables": ["*.parquet"], "format": "parquet",
        "pictures": {"fields": ["image"], "embedded": True},
    }
)  # fmt: skip
LIMITS = StillLimits(max_side=128, max_pixels=1 << 20, max_bytes=1 << 20)


def main() -> None:
    """Run all cases in children, or one range as a child."""
    options = _options()
    if options.child is not None:
        _child(options)
        return
    if options.only is not None:
        _read_case(options.only, options, Path(tempfile.mkdtemp()), verbose=True)
        return
    _parent(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", help="raster, dicom, nifti, nrrd, slide or parquet alone")
    parser.add_argument("--seeds", type=Path, help="a folder of real files to break beside the drawn ones")
    parser.add_argument("--log", type=Path, help="append a JSON line for each finding and each child's counts here")
    parser.add_argument("--only", type=int, help="read this one case and show what comes of it")
    parser.add_argument("--child", type=int, nargs=2, metavar=("FIRST", "LAST"), help=argparse.SUPPRESS)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _parent(options: argparse.Namespace) -> None:
    counts: Counter[str] = Counter()
    findings: list[str] = []
    peak, started, first = 0, time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        while first < options.cases:
            last = min(first + CASES_A_CHILD, options.cases)
            code, told, errors = _run_child(options, first, last, state)
            reached = int(state.read_text() or first)
            counts.update(told["outcomes"])
            peak = max(peak, told["peak_mib"])
            findings += told["findings"]
            if code == 1:  # an error of this script, for readers' errors are caught
                sys.exit(f"the child could not start:\n{errors}")
            if code != 0:
                findings.append(f"case {reached}: the process ended with {code}: {errors[-600:]}")
            first = last if code == 0 else reached + 1
            _log(options.log, {"done": first, "peak_mib": peak, "findings": len(findings), "outcomes": dict(counts)})
    print(f"{first:,} files, {len(findings)} findings, peak {peak} MiB, {time.monotonic() - started:.0f} s")
    for outcome, number in counts.most_common():
        print(f"  {number:8,}  {outcome}")
    for finding in findings:
        print(f"FINDING {finding}")
    sys.exit(1 if findings else 0)


def _run_child(options: argparse.Namespace, first: int, last: int, state: Path) -> tuple[int, dict[str, Any], str]:
    told = state.with_suffix(".json")
    told.unlink(missing_ok=True)
    state.write_text(str(first))
    how = ["--seed", str(options.seed), "--child", str(first), str(last), "--state", str(state)]
    command = [sys.executable, "-W", "ignore", __file__, *how]
    command += ["--seeds", str(options.seeds)] if options.seeds else []
    command += ["--reader", options.reader] if options.reader else []
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    empty: dict[str, Any] = {"outcomes": {}, "findings": [], "peak_mib": 0}
    return done.returncode, json.loads(told.read_text()) if told.exists() else empty, done.stderr


def _child(options: argparse.Namespace) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    first, last = options.child
    outcomes: Counter[str] = Counter()
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as folder, options.state.open("r+b", buffering=0) as state:
        for case in range(first, last):
            os.pwrite(state.fileno(), f"{case:<20}".encode(), 0)
            signal.setitimer(signal.ITIMER_PROF, SECONDS_A_FILE)  # its signal ends the process, C code included
            outcome, finding = _read_case(case, options, Path(folder))
            signal.setitimer(signal.ITIMER_PROF, 0)
            outcomes[outcome] += 1
            if finding:
                findings.append(f"case {case}: {finding}")
            if case % 200 == 0 or finding:
                _tell(options.state, outcomes, findings)
    _tell(options.state, outcomes, findings)


def _tell(state: Path, outcomes: Counter[str], findings: list[str]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    state.with_suffix(".json").write_text(
        json.dumps({"outcomes": dict(outcomes), "findings": findings, "peak_mib": peak})
    )


def _read_case(case: int, options: argparse.Namespace, folder: Path, *, verbose: bool = False) -> tuple[str, str]:
    """Return how a case ended (`reader: outcome`), and what is wrong with that, or ""."""
    seeds = tuple(seed for seed in make_seeds(options.seeds) if options.reader in {None, seed.reader})
    name, reader, data = mutate(seeds, options.seed, case)
    (folder / name).write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    finding = ""
    try:
        outcome = f"{reader}: {read_file(folder, name, reader)}"
    except Refused as refused:
        outcome = f"{reader}: {refused.reason}"
        if verbose:
            print(refused)
    except (Exception, MemoryError) as error:
        outcome, finding = f"{reader}: CRASH", f"{name}: {type(error).__name__}: {error}"[:300]
        if verbose or isinstance(error, UserError):
            raise
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    if grown > 2500 and not finding:
        finding = f"{name}: peak memory grew by {grown} MiB"
    (folder / name).unlink(missing_ok=True)
    return outcome, finding


def read_file(folder: Path, name: str, reader: str) -> str:
    """Return how reading ended; raises `Refused`, or whatever a reader should not raise."""
    if reader != "parquet":
        taken, _ = _pictures(RawFile("fuzz", PACKAGE, folder, name), reader, PARAMS)
        return "pictures" if taken else "none"
    outcomes = []
    for read in (_read_rows, _read_records):
        try:
            outcomes.append(read(folder / name))
        except UserError as error:
            if name not in error.what:
                raise ValueError(f"an error that does not name the file: {error.what}") from None
            outcomes.append("refused")
    return ", ".join(outcomes)


def _read_rows(path: Path) -> str:
    """Read a table as `normalize` does, its pictures decoded and stored."""
    source = find_source(FolderFiles(path.parent), [FORM])
    assert source is not None
    refused = 0
    for _, raw in data_rows(source):
        try:
            if isinstance(raw.values, RowError):
                raise raw.values
            for picture in row_pictures(FORM.pictures, raw.values, None):
                still_of(picture.read(), picture.name, LIMITS)
        except (RowError, UserError):
            refused += 1
    return "rows, some refused" if refused else "rows"


def _read_records(path: Path) -> str:
    """Read a table as `lingshu overlap` does, its pictures' bytes twice."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch:
        how = Reading(Fields({}, 8), Scratch(Path(scratch)), lambda _: iter(()))
        for record in read_input(path, how, tally):
            for _, picture in record.pictures:
                picture.read()
                if isinstance(picture, HeldPicture):
                    picture.release()
                    picture.read()
    return "records, some refused" if tally.problems else "records"


def _log(path: Path | None, record: dict[str, Any]) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
