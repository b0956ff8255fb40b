"""Keep one copy of each picture and text among the samples that the gate kept."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, verdict_folder
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage
from lingshu.dedup.deduplicate import deduplicate
from lingshu.dedup.params import DedupParams


def main() -> None:
    done = deduplicate(load_sources(), load_section("dedup", DedupParams))
    write_manifest(verdict_folder("deduplicate"), "deduplicate", len(done.verdicts))
    write_json(METRICS / "dedup" / "deduplicate.json", done.metrics)


if __name__ == "__main__":
    run_stage("deduplicate", main)
