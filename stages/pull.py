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
parser.add_argument("--opted-in", action="store_true", help="take it whatever its class of licence")


def main() -> None:
    arguments = parser.parse_args()
    record = read_source(arguments.source)
    taken = [arguments.source] if arguments.opted_in else []  # not sources.opt_in, or its change would pull all again
    check_allowed(arguments.source, record, load_value("sources.allowed_licences", list[str]), taken)
    pull(arguments.source, record, Pulling(arguments.cache, load_value("sources.downloads", int)))


if __name__ == "__main__":
    run_stage(f"pull@{parser.parse_args().source}", main)
