"""Fetch the pretrained vision encoder that `modality.encoder` names: `python stages/pull_encoder.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from lingshu.core.stage import run_stage
from lingshu.modeling.encoder_params import read_choice
from lingshu.sources.catalog import pick_encoder, read_encoders
from lingshu.sources.fetch_encoder import pull_open_clip
from lingshu.sources.fetch_packages import CACHE, packages_cache, pull_encoder

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps downloads (default: %(default)s)")


def main() -> None:
    choice = read_choice()
    if isinstance(choice, str):
        pull_encoder(pick_encoder(read_encoders(), choice), packages_cache(parser.parse_args().cache))
    else:
        pull_open_clip(choice)


if __name__ == "__main__":
    run_stage("pull_encoder", main)
