"""Reinforce the instruction-tuned checkpoint by GRPO with verifiable rewards."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section, load_value
from lingshu.core.stage import run_stage
from lingshu.reinforcement.launch import launch
from lingshu.reinforcement.params import ReinforcementParams


def main() -> None:
    params = load_section("reinforcement", ReinforcementParams)
    metrics = launch(params, load_value("seed", int))
    write_json(METRICS / "reinforcement" / "reinforce.json", metrics)


if __name__ == "__main__":
    run_stage("reinforce", main)
