"""Drop the training samples that overlap with a benchmark."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, verdict_folder
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_value
from lingshu.core.stage import run_stage
from lingshu.decontam.decontaminate import decontaminate
from lingshu.decontam.params import DecontamParams


def main() -> None:
    done = decontaminate(load_value("sources.enabled", list[str]), load_section("decontam", DecontamParams))
    write_manifest(verdict_folder("decontaminate"), "decontaminate", len(done.verdicts))
    write_json(METRICS / "decontam" / "decontaminate.json", done.metrics)


if __name__ == "__main__":
    run_stage("decontaminate", main)
