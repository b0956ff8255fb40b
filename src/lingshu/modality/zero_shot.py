"""Modalities by text alone: a picture's embedding is compared with those of sentences that name each modality.

As in CLIP (arXiv:2103.00020, section 3.1): a class is the mean of its sentences' embeddings, of length one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.modality.calibration import Chances
from lingshu.modality.prompts import PROMPTS_FILE, Prompts
from lingshu.modeling.open_clip_encoder import OpenClipEncoder


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """A classifier without training.

    Attributes:
        classes: labels, sorted.
        directions: of each class, of length one, shape (classes, numbers).
        scale: factor from cosine to logit.
    """

    classes: list[str]
    directions: NDArray[np.float64]
    scale: float

    def chances(self, features: NDArray[np.float32]) -> Chances:
        """Return the probabilities, shape (rows, classes), of embeddings of length one."""
        logits = self.scale * (features.astype(np.float64) @ self.directions.T)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        scaled: Chances = raised / raised.sum(axis=1, keepdims=True)
        return scaled


def zero_shot(encoder: OpenClipEncoder, prompts: Prompts) -> ZeroShot:
    """Return the classifier of the prompts' classes with an encoder."""
    classes = sorted(prompts.classes)
    directions = [_direction(encoder.text_features(prompts.sentences(label))) for label in classes]
    return ZeroShot(classes, np.stack(directions), encoder.scale)


def check_tags(tags: Iterable[str], classes: Sequence[str]) -> None:
    """Make sure that every tag is a class.

    Raises:
        UserError: one is not, so its pictures could only be judged wrong.
    """
    if unknown := sorted(set(tags) - set(classes)):
        raise UserError(f"{PROMPTS_FILE}: no class {unknown}, with which pictures are tagged", "add it to `classes`")


def _direction(features: NDArray[np.float32]) -> NDArray[np.float64]:
    mean = features.astype(np.float64).mean(axis=0)
    direction: NDArray[np.float64] = mean / np.linalg.norm(mean)
    return direction
