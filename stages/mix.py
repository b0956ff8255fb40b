"""Draw the mixture of one training stage: `python stages/mix.py shallow|deep|instruct|reinforce`."""

from __future__ import annotations

import sys

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section, load_sources, load_value
from lingshu.core.stage import run_stage
from lingshu.intake.licences import check_terms, read_terms
from lingshu.mix.mixture import make_mixture
from lingshu.mix.params import MixParams


def main(stage: str) -> None:
    sources, recipes = load_sources(), load_value("synthesis.enabled", list[str])
    held_out = load_value("sources.benchmark_splits_in_training", list[str])
    allowed, shared = load_value("sources.allowed_licences", list[str]), load_value("sources.shared", bool)
    check_terms(read_terms(sources), allowed, shared=shared, opted_in=load_value("sources.opt_in", list[str]))
    composition = make_mixture(stage, load_section("mix", MixParams), sources, recipes, held_out=held_out)
    write_json(METRICS / "mix" / f"{stage}.json", composition)


if __name__ == "__main__":
    name = sys.argv[1]
    run_stage(f"mix@{name}", lambda: main(name))
