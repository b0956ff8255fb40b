"""Give every training picture a modality, and drop the samples of pictures that are not medical."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, MODALITY
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage
from lingshu.modality.classify import classify_modality
from lingshu.modality.params import ModalityParams


def main() -> None:
    done = classify_modality(load_sources(), load_section("modality", ModalityParams))
    write_manifest(MODALITY, "classify_modality", len(done.verdicts))
    write_json(METRICS / "modality" / "classify_modality.json", done.metrics)


if __name__ == "__main__":
    run_stage("classify_modality", main)
