"""Ask one checkpoint its benchmarks: `python stages/predict.py CHECKPOINT MODEL_DIR`."""

from __future__ import annotations

import sys
from pathlib import Path

from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.inference.params import InferenceParams
from lingshu.inference.predict import predict


def main(checkpoint: str, model: Path) -> None:
    predict(checkpoint, model, load_section("inference", InferenceParams))


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    run_stage(f"predict@{name}", lambda: main(name, folder))
