"""Which pretrained encoder looks at pictures: `modality.encoder` of params.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from lingshu.core.params import PARAMS_FILE, Strict, load_value


class OpenClipParams(Strict):
    """A CLIP-family encoder that open_clip loads: a repository of the hub, or a folder with the files of one.

    Attributes:
        hub: `owner/name`, as microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224.
        revision: commit, tag or branch; the default branch without. Pin a commit for a run to be repeated.
        text_revision: of the repository that open_clip_config.json names as text tower, from which configuration and
            tokenizer are taken where the encoder's own repository has none.
        folder: open_clip_config.json, weights, and the text tower's config.json and tokenizer, instead of `hub`.
    """

    hub: str | None = Field(default=None, pattern=r"^[\w-][\w.-]*/[\w-][\w.-]*$")
    revision: str | None = None
    text_revision: str | None = None
    folder: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_place(self) -> OpenClipParams:
        if (self.hub is None) == (self.folder is None):
            raise ValueError("give hub or folder")
        if self.folder is not None and (self.revision or self.text_revision):
            raise ValueError("a folder has no revision")
        return self

    @property
    def label(self) -> str:
        """The encoder in words, for messages."""
        return self.hub or f"the folder {self.folder}"


def _kind(value: Any) -> str:
    return "name" if isinstance(value, str) else "place"


EncoderChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[OpenClipParams, Tag("place")],
    Discriminator(_kind),
]


def read_choice(path: Path = PARAMS_FILE) -> str | OpenClipParams:
    """Return `modality.encoder`: a name in catalog/encoders.yaml, or an encoder for open_clip.

    Raises:
        UserError: it is missing, or neither.
    """
    kind: Any = EncoderChoice  # to mypy, a union is no type
    choice: str | OpenClipParams = load_value("modality.encoder", kind, path)
    return choice
