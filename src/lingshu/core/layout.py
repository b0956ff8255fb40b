"""Where every output lies. The one place that knows paths; `dvc.yaml` declares the same ones (a test compares them)."""

from __future__ import annotations

from pathlib import Path

CATALOG = Path("catalog")
DATA = Path("data")
RAW = Path("data/raw")
SAMPLES = Path("data/samples")
IMAGES = Path("data/images")
SIGNALS = Path("data/signals")
EMBEDDINGS = SIGNALS / "embeddings"
VERDICTS = Path("data/verdicts")
BENCHMARKS = Path("data/benchmarks")
PROPOSALS = Path("data/proposals")
MIXTURES = Path("data/mixtures")
RESPONSES = Path("data/responses")
JUDGEMENTS = Path("data/judgements")
SCORES = Path("data/scores")
MODALITY = Path("data/modality")
DECONTAM = Path("data/decontam")
MODELS = Path("models")
METRICS = Path("metrics")
PLOTS = Path("plots")
REPORTS = Path("reports")
WORK = Path(".work")


def proposal_samples(recipe: str) -> Path:
    """Return the sample folder of a synthesis recipe."""
    return PROPOSALS / recipe / "samples"


def proposal_images(recipe: str) -> Path:
    """Return the image folder of a synthesis recipe (only recipes that draw pictures have one)."""
    return PROPOSALS / recipe / "images"


def verdict_folder(step: str) -> Path:
    """Return the output folder of a deciding step; its decisions are `verdicts.parquet` inside it."""
    return VERDICTS / step


def verdict_file(step: str) -> Path:
    """Return the verdict table of a deciding step."""
    return verdict_folder(step) / "verdicts.parquet"


def aside_file(step: str) -> Path:
    """Return the table of what a step decided on samples that the gate put aside for their text alone."""
    return verdict_folder(step) / "aside.parquet"
