"""The `modality` section of params.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict
from lingshu.modeling.encoder_params import EncoderChoice


class ModalityParams(Strict):
    """Encoder, classifier, calibration and abstention.

    Attributes:
        encoder: a name in catalog/encoders.yaml, or `{hub: …, revision: …}` or `{folder: …}` for open_clip.
        method: `probe` learns from tagged pictures (the paper: a classifier on BiomedCLIP); `zero_shot` compares
            pictures with the texts of catalog/modality_prompts.yaml and needs no tag, but an open_clip encoder.
        calibrate: whether probabilities are those of a temperature fitted on tagged groups that were held out.
        image_size: pixels a side at which the encoder sees a picture; an open_clip encoder's own.
        max_tagged: tagged pictures to learn from, of each source and modality, chosen by stable hash; the rest keep
            their tags and are not encoded.
        inverse_penalty: the probe's C: larger fits the tagged pictures more closely.
        folds: of the cross-validation, whole groups each.
        min_probability: the classifier abstains below it.
        seed: of the choice of pictures and of the folds.
        device: where an open_clip encoder runs.
        threads: of tensor arithmetic on the CPU (0 leaves the choice to torch).
        workers: who encodes; each loads the encoder, and features do not depend on it.
        report_only: whether samples of pictures that are not medical are told of only, and kept.
    """

    encoder: EncoderChoice
    method: Literal["probe", "zero_shot"]
    calibrate: bool
    image_size: int = Field(ge=32, le=512)
    max_tagged: int = Field(ge=2)
    inverse_penalty: float = Field(gt=0)
    folds: int = Field(ge=2, le=20)
    min_probability: float = Field(ge=0, le=1)
    seed: int = Field(ge=0)
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=0)
    workers: Workers
    report_only: bool = False

    @model_validator(mode="after")
    def _fits_the_encoder(self) -> ModalityParams:
        if isinstance(self.encoder, str) and self.method == "zero_shot":
            raise ValueError("zero_shot needs an encoder of pictures and texts: encoder: {hub: …} or {folder: …}")
        if isinstance(self.encoder, str) and self.device == "cuda":
            raise ValueError("encoders of catalog/encoders.yaml run on the cpu")
        return self
