"""Make the mini backbone: tokenizer, random weights, brief pre-training of vision tower and language model."""

from __future__ import annotations

from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, MODELS
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_sources, load_value
from lingshu.core.stage import run_stage
from lingshu.modeling.encoder_params import read_choice
from lingshu.modeling.launch import Origins, launch
from lingshu.modeling.params import ModelingParams


def main() -> None:
    params, seed = load_section("modeling", ModelingParams), load_value("seed", int)
    sources, recipes = load_sources(), load_value("synthesis.enabled", list[str])
    folder = MODELS / "backbone"
    origins = Origins(sources, recipes, read_choice())
    metrics = launch(folder, params, seed, origins)
    write_manifest(folder, "backbone", metrics["pretraining"]["conversations"])
    write_json(METRICS / "modeling" / "backbone.json", metrics)


if __name__ == "__main__":
    run_stage("backbone", main)
