"""Build the held-out benchmarks from the test split of the sources."""

from __future__ import annotations

from lingshu.benchmarks.build import build_benchmarks
from lingshu.benchmarks.params import BenchmarksParams
from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage


def main() -> None:
    params = load_section("benchmarks", BenchmarksParams)
    metrics = build_benchmarks(params, load_sources())
    write_json(METRICS / "benchmarks" / "benchmark.json", metrics)


if __name__ == "__main__":
    run_stage("benchmark", main)
