"""Measure the pictures and texts of one source: `python stages/measure.py SOURCE`."""

from __future__ import annotations

import sys

from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.signals.measure import measure_source
from lingshu.signals.params import SignalsParams


def main() -> None:
    source = sys.argv[1]
    measured = measure_source(source, load_section("signals", SignalsParams))
    counts = {"pictures": measured.pictures, "texts": measured.texts}
    write_manifest(measured.folder, "measure", measured.texts, counts)


if __name__ == "__main__":
    run_stage(f"measure@{sys.argv[1]}", main)
