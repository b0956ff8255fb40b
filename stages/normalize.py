"""Turn one source's pulled files into pictures and samples: `python stages/normalize.py SOURCE`."""

from __future__ import annotations

import sys

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS
from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.sources.catalog import read_source
from lingshu.sources.normalize import normalize
from lingshu.sources.params import SourcesParams
from lingshu.sources.pulled_rows import normalize_pulled


def main() -> None:
    source = sys.argv[1]
    params, record = load_section("sources", SourcesParams), read_source(source)
    metrics = normalize_pulled(source, record, params) if record.forms else normalize(source, record, params)
    write_json(METRICS / f"sources/normalize_{source}.json", metrics)


if __name__ == "__main__":
    run_stage(f"normalize@{sys.argv[1]}", main)
