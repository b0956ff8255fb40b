"""Starting the making of the backbone, in one process or in two that pre-train vision and language side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.ranks import Rank, in_ranks
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.params import ModelingParams


@dataclass(frozen=True, slots=True)
class Origins:
    """What a backbone is made from.

    Attributes:
        sources: names of the enabled sources.
        recipes: names of the enabled synthesis recipes.
        encoder: `modality.encoder`; a backbone that we make learns from one of catalog/encoders.yaml.
    """

    sources: Sequence[str]
    recipes: Sequence[str]
    encoder: str | OpenClipParams


def launch(folder: Path, params: ModelingParams, seed: int, origins: Origins) -> dict[str, Any]:
    """Write the backbone's checkpoint to `folder` and return its metrics.

    Raises:
        UserError: the published checkpoint can't be had; or the corpus holds nothing to pre-train on, the encoder or
            its weights are missing, or one of two processes was killed.
    """
    return in_ranks(partial(_make, folder, params, seed, origins), params.processes)


def _make(folder: Path, params: ModelingParams, seed: int, origins: Origins, rank: Rank) -> dict[str, Any]:
    # Imported here: torch and transformers take eight seconds, which the ranks spend side by side.
    from lingshu.modeling.backbone import make_backbone  # noqa: PLC0415

    return make_backbone(folder, params, seed, origins, rank)
