"""Draw one generated source's pictures and write its samples: `python stages/generate.py SOURCE`."""

from __future__ import annotations

import sys

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.sources.catalog import read_source
from lingshu.sources.generate import generate
from lingshu.sources.licences import check_allowed
from lingshu.sources.params import SourcesParams


def main() -> None:
    source = sys.argv[1]
    params = load_section("sources", SourcesParams)
    record = read_source(source)
    check_allowed(source, record, params.allowed_licences)
    metrics = generate(source, record, params.phantom, params.workers)
    write_json(METRICS / f"sources/generate_{source}.json", metrics)


if __name__ == "__main__":
    run_stage(f"generate@{sys.argv[1]}", main)
