"""The sentences that name each modality: catalog/modality_prompts.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from lingshu.core.layout import CATALOG
from lingshu.core.params import Strict, read_yaml, validate

PROMPTS_FILE = CATALOG / "modality_prompts.yaml"
Text = Annotated[str, Field(min_length=1)]


class Prompts(Strict):
    """The record of catalog/modality_prompts.yaml.

    Attributes:
        templates: sentences with `{}` for what a picture is of.
        classes: names of each modality; the first is the usual one.
    """

    templates: tuple[Text, ...] = Field(min_length=1)
    classes: dict[str, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(min_length=2)

    @model_validator(mode="after")
    def _have_a_gap(self) -> Prompts:
        if wrong := [one for one in self.templates if one.count("{}") != 1]:
            raise ValueError(f"templates need {{}} once: {wrong}")
        return self

    def sentences(self, label: str) -> list[str]:
        """Return every template with every name of a class."""
        return [template.replace("{}", name) for name in self.classes[label] for template in self.templates]


def read_prompts(root: Path = Path()) -> Prompts:
    """Return catalog/modality_prompts.yaml.

    Raises:
        UserError: it is missing, or has a wrong key or value (named).
    """
    return validate(Prompts, read_yaml(root / PROMPTS_FILE), f"{PROMPTS_FILE}:")
