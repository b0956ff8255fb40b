"""Judge the open answers of every checkpoint."""

from __future__ import annotations

from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.evalkit.judging import judge_responses
from lingshu.evalkit.params import EvalkitParams


def main() -> None:
    params = load_section("evalkit", EvalkitParams).judge
    if params.judge == "llm":
        # Imported here: judging by rules needs no engine.
        from lingshu.inference.checkpoint_judging import judge_by_models  # noqa: PLC0415

        judge_by_models(params)
    else:
        judge_responses(params)


if __name__ == "__main__":
    run_stage("judge", main)
