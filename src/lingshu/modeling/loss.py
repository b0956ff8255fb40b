"""Where the loss looks: logits are computed at the tokens that predict an answer, nowhere else."""

from __future__ import annotations

import torch
from torch import Tensor

from lingshu.modeling.collate import IGNORED


def answer_places(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the tokens of a row that predict a labelled token, and those labels, both shape (answer tokens,).

    Args:
        labels: shape (1, tokens), `IGNORED` where nothing is to be predicted.

    The places are for the model's `logits_to_keep`: over a whole row, the language head would cost more than the
    layers of a small model.
    """
    shifted = labels[0, 1:]
    places = torch.nonzero(shifted != IGNORED).flatten()
    return places, shifted[places]
