"""Download one source: `python stages/pull.py SOURCE [--cache FOLDER]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from lingshu.core.params import load_value
from lingshu.core.stage import run_stage
from lingshu.sources.catalog import read_source
from lingshu.sources.fetch import pull
from lingshu.sources.fetch_packages import CACHE
from lingshu.sources.fetch_places import Pulling
from lingshu.sources.licences import check_allowed

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source")
parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps downloads (default: %(default)s)")


def main() -> None:
    arguments = parser.parse_args()
    record = read_source(arguments.source)
    allowed, opted_in = load_value("sources.allowed_licences", list[str]), load_value("sources.opt_in", list[str])
    check_allowed(arguments.source, record, allowed, opted_in)
    pull(arguments.source, record, Pulling(arguments.cache, load_value("sources.downloads", int)))


if __name__ == "__main__":
    run_stage(f"pull@{parser.parse_args().source}", main)
