"""The root model of params.yaml, one section per area: for `lingshu check`, `recipe` and `schema`, for no stage."""

from __future__ import annotations

from pydantic import Field

from lingshu.benchmarks.params import BenchmarksParams
from lingshu.core.params import Strict
from lingshu.decontam.params import DecontamParams
from lingshu.dedup.params import DedupParams
from lingshu.evalkit.params import EvalkitParams
from lingshu.inference.params import InferenceParams
from lingshu.mix.params import MixParams
from lingshu.modality.params import ModalityParams
from lingshu.modeling.params import ModelingParams
from lingshu.quality.params import QualityParams
from lingshu.reinforcement.params import ReinforcementParams
from lingshu.report.params import ReportParams
from lingshu.signals.params import SignalsParams
from lingshu.sources.params import SourcesParams
from lingshu.synthesis.params import SynthesisParams
from lingshu.training.params import TrainingParams


class Recipe(Strict):
    """Everything an experiment may vary; a section's name is its area's name."""

    recipe: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="the file under recipes/ that this one started as")
    seed: int = Field(ge=0, description="initial weights, data order and sampling of every training stage")
    sources: SourcesParams
    benchmarks: BenchmarksParams
    signals: SignalsParams
    quality: QualityParams
    dedup: DedupParams
    decontam: DecontamParams
    modality: ModalityParams
    synthesis: SynthesisParams
    mix: MixParams
    modeling: ModelingParams
    training: TrainingParams
    reinforcement: ReinforcementParams
    inference: InferenceParams
    evalkit: EvalkitParams
    report: ReportParams
