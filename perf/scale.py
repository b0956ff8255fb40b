"""Gate, deduplicate, decontaminate and mix on invented tables of growing size: `python perf/scale.py [ROWS …]`.

Each step is the pipeline's own function, in a process of its own, on the files the step before it wrote; thresholds are
those of params.yaml. Prints, for each size and step, wall and CPU seconds, the largest resident memory of the process
(children added), rows in and out, and CPU seconds a million rows, which a linear step keeps level.

    python perf/scale.py                       # 0.1, 0.5, 1 and 5 million rows; about 6 GB of temporary files
    python perf/scale.py --folder DIR 100000   # keeps the tables in DIR
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from made_tables import NAMES, make_tables

from lingshu.core.layout import MODALITY, verdict_file
from lingshu.core.params import load_section
from lingshu.core.verdicts import kept, read_verdicts, write_verdicts

SIZES = (100_000, 500_000, 1_000_000, 5_000_000)
ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "params.yaml"


def run_gate(root: Path) -> int:
    """Judge quality; return the rows that came in."""
    from lingshu.quality.gate import gate  # noqa: PLC0415 (a process imports its own step only)
    from lingshu.quality.params import QualityParams  # noqa: PLC0415

    params = load_section("quality", QualityParams, PARAMS)
    nothing = params.drift.model_copy(update={"accepted": ""})  # no run of these tables was accepted before
    return len(gate(NAMES, params.model_copy(update={"drift": nothing}), root))


def run_deduplicate(root: Path) -> int:
    """Find copies; return the rows that came in."""
    from lingshu.dedup.deduplicate import deduplicate  # noqa: PLC0415
    from lingshu.dedup.params import DedupParams  # noqa: PLC0415

    params = load_section("dedup", DedupParams, PARAMS).model_copy(update={"reliability": tuple(NAMES)})
    return len(deduplicate(NAMES, params, root).verdicts)


def run_decontaminate(root: Path) -> int:
    """Find overlaps with the benchmarks; return the rows that came in."""
    from lingshu.decontam.decontaminate import decontaminate  # noqa: PLC0415
    from lingshu.decontam.params import DecontamParams  # noqa: PLC0415

    return len(decontaminate(NAMES, load_section("decontam", DecontamParams, PARAMS), root).verdicts)


def run_mix(root: Path) -> int:
    """Draw a mixture of nine tenths of what is left, pictures balanced over modalities; return its rows."""
    from lingshu.mix.mixture import make_mixture  # noqa: PLC0415
    from lingshu.mix.params import MixParams  # noqa: PLC0415

    decided = read_verdicts(root / verdict_file("decontaminate"))
    write_verdicts(root / MODALITY / "verdicts.parquet", decided.filter("keep"))
    balance = {"over": ["modality"], "temperature": 2.0}
    groups = {
        "total": len(kept(root / verdict_file("decontaminate"))) * 9 // 10,
        "captions": {"weight": 50, "sources": NAMES[:2], "tasks": ["caption"], "max_repeats": 2, "balance": balance},
        "questions": {"weight": 25, "sources": NAMES[2:3], "tasks": ["vqa_closed"], "max_repeats": 2},
        "texts": {"weight": 25, "sources": NAMES[3:], "tasks": ["text_qa"], "max_repeats": 2},
    }
    params = MixParams.model_validate(
        {"seed": 23} | dict.fromkeys(("shallow", "deep", "instruct", "reinforce"), groups)
    )
    return int(make_mixture("deep", params, NAMES, [], root)["rows"])


STEPS: dict[str, Callable[[Path], int]] = {
    "gate": run_gate,
    "deduplicate": run_deduplicate,
    "decontaminate": run_decontaminate,
    "mix": run_mix,
}


def measured(step: str, root: Path) -> None:
    """Run one step in this process and print its figures as JSON."""
    start, before = time.perf_counter(), time.process_time()
    rows = STEPS[step](root)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    figures = {
        "rows": rows,
        "wall": time.perf_counter() - start,
        "cpu": time.process_time() - before + children.ru_utime + children.ru_stime,
        "gib": (int(own.split()[1]) + children.ru_maxrss) / 2**20,
    }
    print(json.dumps(figures))


def measure_size(rows: int, root: Path, steps: Sequence[str]) -> None:
    """Make the tables if they are not there, run every step and print a row each."""
    if not (root / "data/samples").exists():
        make_tables(root, rows)
    for step in steps:
        command = [sys.executable, __file__, "--step", step, "--folder", str(root)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{rows / 1e6:4.1f} M  {step:14} {found['rows']:>9,} rows  {found['wall']:7.1f} s  "
            f"{found['cpu']:7.1f} CPU-s  {found['cpu'] / rows * 1e6:6.1f} CPU-s/M  {found['gib']:5.2f} GiB",
            flush=True,
        )


def main() -> None:
    """Read the command line; measure each size in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--folder", type=Path, help="where tables lie, or are made and kept")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step is not None:
        measured(asked.step, asked.folder)
        return
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as name:
            measure_size(rows, (asked.folder or Path(name)) / str(rows), asked.steps)


if __name__ == "__main__":
    main()
