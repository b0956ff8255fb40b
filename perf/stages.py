"""Where the time of `make repro` goes: seconds and memory of each stage, DVC's share, and what a run of nothing costs.

Run it as `make perf` after `make repro`. It reads what the stages noted under .work/timings; if everything is up to
date, it also times `dvc repro` alone and `make repro`, three times each in turn.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from lingshu.commands.graph import read_graph
from lingshu.commands.repro import LAST_RUN, changed_stages
from lingshu.core.stage import TIMINGS

ROUNDS = 3


def main() -> None:
    """Print the tables."""
    noted = stage_times()
    if not noted:
        print("no timings under .work/timings: run `make repro` first")
        return
    print_stages(noted)
    if LAST_RUN.exists():
        print_last_run(read(LAST_RUN))
    if changed := changed_stages():
        print(f"\nno run of nothing to time: {len(changed)} stages have changed")
    else:
        print_idle_run()


def stage_times() -> dict[str, dict[str, float]]:
    """Return `{stage: {seconds, cpu_seconds, peak_rss_mib}}` of each stage's latest run, in the order of dvc.yaml."""
    paths = {stage.name: TIMINGS / f"{stage.name}.json" for stage in read_graph(Path()).stages}
    return {name: read(path) for name, path in paths.items() if path.exists()}


def print_stages(noted: dict[str, dict[str, float]]) -> None:
    """Print a line for each stage and the sums; the last column is the peak of resident memory."""
    print(f"{'stage':<24}{'seconds':>9}{'cpu s':>9}{'MiB':>7}")
    for name, figures in noted.items():
        print(f"{name:<24}{figures['seconds']:>9.1f}{figures['cpu_seconds']:>9.1f}{figures['peak_rss_mib']:>7.0f}")
    seconds, cpu = (sum(figures[key] for figures in noted.values()) for key in ("seconds", "cpu_seconds"))
    peak = max(figures["peak_rss_mib"] for figures in noted.values())
    print(f"{f'{len(noted)} stages':<24}{seconds:>9.1f}{cpu:>9.1f}{peak:>7.0f}")


def print_last_run(run: dict[str, Any]) -> None:
    """Print how much of the last `make repro` was spent outside the stages."""
    inside, wall = sum(run["stages"].values()), run["seconds"]
    share = (wall - inside) / wall
    print(f"\nlast run: {wall:.1f} s for {len(run['stages'])} stages, {inside:.1f} s in them; ", end="")
    print(f"DVC and process starts {wall - inside:.1f} s ({share:.0%})")


def print_idle_run() -> None:
    """Print the median seconds of a run that has nothing to do, by DVC alone and by `make repro`, and their ratio."""
    commands = {"dvc repro": ["dvc", "repro", "-q"], "make repro": ["make", "repro"]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            start = time.monotonic()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.monotonic() - start)
    alone, ours = (statistics.median(seconds) for seconds in taken.values())
    print(
        f"\nnothing to do (median of {ROUNDS}): dvc repro {alone:.1f} s, make repro {ours:.1f} s ({ours / alone:.2f}x)"
    )


def read(path: Path) -> Any:
    """Return a JSON file's value."""
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
