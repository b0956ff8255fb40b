"""Propose new samples by one synthesis recipe: `python stages/propose.py caption|vqa|ocr|cot|dialogue`."""

from __future__ import annotations

import sys

from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.propose import propose


def main(recipe: str) -> None:
    counts = propose(recipe, load_section("synthesis", SynthesisParams), load_sources())
    print(", ".join(f"{reason} {number}" for reason, number in counts.items()))


if __name__ == "__main__":
    name = sys.argv[1]
    run_stage(f"propose@{name}", lambda: main(name))
