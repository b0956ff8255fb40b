"""Keep the samples whose pictures and texts pass the thresholds of `quality`."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, verdict_folder
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_sources, load_value
from lingshu.core.stage import run_stage
from lingshu.core.verdicts import funnel
from lingshu.quality.gate import gate
from lingshu.quality.params import QualityParams


def main() -> None:
    let_in = load_value("sources.benchmark_splits_in_training", list[str])
    verdicts = gate(load_sources(), load_section("quality", QualityParams), let_in=let_in)
    write_manifest(verdict_folder("gate"), "gate", len(verdicts))
    write_json(METRICS / "quality" / "gate.json", funnel(verdicts))


if __name__ == "__main__":
    run_stage("gate", main)
