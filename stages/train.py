"""Train one supervised stage: `python stages/train.py shallow|deep|instruct START_MODEL_DIR`."""

from __future__ import annotations

import sys
from pathlib import Path

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section, load_value
from lingshu.core.stage import run_stage
from lingshu.training.launch import StageRun, launch
from lingshu.training.params import TrainingParams


def main(stage: str, start: Path) -> None:
    params = load_section("training", TrainingParams)
    metrics = launch(StageRun(stage, start, params.stage(stage), params.common, load_value("seed", int)))
    write_json(METRICS / "training" / f"{stage}.json", metrics)


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    run_stage(f"train@{name}", lambda: main(name, folder))
