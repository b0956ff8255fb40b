"""Download and unpack one source's packages: `python stages/pull.py SOURCE [--cache FOLDER]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from lingshu.core.stage import run_stage
from lingshu.sources.catalog import read_source
from lingshu.sources.fetch import CACHE, pull

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source")
parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps downloads (default: %(default)s)")


def main() -> None:
    arguments = parser.parse_args()
    pull(arguments.source, read_source(arguments.source), arguments.cache)


if __name__ == "__main__":
    run_stage(f"pull@{parser.parse_args().source}", main)
