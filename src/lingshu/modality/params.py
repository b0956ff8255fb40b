"""The `modality` section of params.yaml."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict


class ModalityParams(Strict):
    """Encoder, probe and abstention.

    Attributes:
        encoder: a name in catalog/encoders.yaml.
        image_size: pixels a side at which the encoder sees a picture.
        max_tagged: tagged pictures to learn from, of each source and modality, chosen by stable hash; the rest keep
            their tags and are not encoded.
        inverse_penalty: the probe's C: larger fits the tagged pictures more closely.
        folds: of the cross-validation, whole groups each.
        min_probability: the probe abstains below it.
        seed: of the choice of pictures and of the folds.
        threads: of tensor arithmetic on the CPU (0 leaves the choice to torch).
        workers: who encodes; each loads the encoder, and features do not depend on it.
    """

    encoder: str
    image_size: int = Field(ge=32, le=512)
    max_tagged: int = Field(ge=2)
    inverse_penalty: float = Field(gt=0)
    folds: int = Field(ge=2, le=20)
    min_probability: float = Field(ge=0, le=1)
    seed: int = Field(ge=0)
    threads: int = Field(ge=0)
    workers: Workers
