"""Judge the open answers of every checkpoint."""

from __future__ import annotations

from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.evalkit.judging import judge_responses
from lingshu.evalkit.params import EvalkitParams


def main() -> None:
    judge_responses(load_section("evalkit", EvalkitParams).judge)


if __name__ == "__main__":
    run_stage("judge", main)
