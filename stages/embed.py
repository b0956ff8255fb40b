"""Embed the pictures of one source: `python stages/embed.py SOURCE`."""

from __future__ import annotations

import sys

from lingshu.core.params import load_section, load_value
from lingshu.core.stage import run_stage
from lingshu.modeling.encoder_params import read_choice
from lingshu.signals.embeddings import Eye, embed_source
from lingshu.signals.params import SignalsParams


def main() -> None:
    params = load_section("signals", SignalsParams)
    eye = Eye(read_choice(), load_value("modality.image_size", int))
    done = embed_source(sys.argv[1], eye, params.embeddings, params.workers)
    print(f"{done.path}: {done.pictures} pictures, {done.encoded} encoded now")


if __name__ == "__main__":
    run_stage(f"embed@{sys.argv[1]}", main)
