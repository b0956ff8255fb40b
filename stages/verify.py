"""Accept or reject every proposal by what is known about its picture and its parent."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.verify import verify


def main() -> None:
    params = load_section("synthesis", SynthesisParams)
    metrics = verify(list(params.enabled), load_sources(), params.verify)
    write_json(METRICS / "synthesis" / "verify.json", metrics)


if __name__ == "__main__":
    run_stage("verify", main)
