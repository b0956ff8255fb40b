"""Score every response; write verdict tables, metrics and the accuracy plot's data."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.evalkit.params import EvalkitParams
from lingshu.evalkit.score import score_responses


def main() -> None:
    metrics = score_responses(load_section("evalkit", EvalkitParams).score)
    write_json(METRICS / "evalkit" / "score.json", metrics)


if __name__ == "__main__":
    run_stage("score", main)
