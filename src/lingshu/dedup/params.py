"""The `dedup` section of params.yaml."""

from __future__ import annotations

from pydantic import Field, model_validator

from lingshu.core.layout import EMBEDDINGS
from lingshu.core.params import Strict
from lingshu.core.sample import Task


class Scope(Strict):
    """Rows among which one picture is kept once.

    Attributes:
        tasks: of the rows.
        sources: of the rows, compared with each other; empty for every enabled source.
    """

    tasks: tuple[Task, ...] = Field(min_length=1)
    sources: tuple[str, ...] = ()


class PictureParams(Strict):
    """Copies of pictures by perceptual hash. The paper (section 2.1.4): at distance 0, across all caption sets, and for
    instruction data within PubMedVision and within LLaVA-Med only.

    Attributes:
        radius: bits of 64 by which hashes of copies may differ; 0 is the paper's.
        within_groups: whether pictures of one group (slices of a volume, films of a study) may be copies of each other.
        scopes: each is looked through by itself, in this order.
    """

    radius: int = Field(ge=0, le=16)
    within_groups: bool
    scopes: tuple[Scope, ...]


class SemanticParams(Strict):
    """Copies of pictures by embeddings, among samples with one picture. Not the paper's.

    Attributes:
        embeddings: folder with `<source>.parquet` of each source in scope: columns image_id, embedding. Without it,
            the tables of `signals.embeddings`.
        threshold: least cosine of copies.
        within_groups: as of pictures.
        scopes: as of pictures.
    """

    embeddings: str = Field(default=EMBEDDINGS.as_posix(), min_length=1)
    threshold: float = Field(gt=0, le=1)
    within_groups: bool
    scopes: tuple[Scope, ...] = Field(min_length=1)


class VariantParams(Strict):
    """Turned, mirrored, inverted, cropped and re-windowed copies of a picture, among samples with one picture.

    Needs `signals.variants`. Not the paper's; see docs/deduplication.md for what it finds and what it takes for a copy.

    Attributes:
        radius: bits of 64 between the hash of a copy and that of a variant.
        within_groups: as of pictures.
        scopes: as of pictures.
    """

    radius: int = Field(ge=0, le=12)
    within_groups: bool
    scopes: tuple[Scope, ...] = Field(min_length=1)


class TextParams(Strict):
    """Near duplicates among text-only samples.

    Attributes:
        shingle_words: words in a shingle; texts with fewer words are compared exactly only.
        permutations: hash functions of the MinHash signature.
        bands: parts of the signature; two texts are compared where one part is equal.
        threshold: least Jaccard similarity of the shingle sets, computed exactly, of a near duplicate.
        within_groups: whether texts of one group (an article, a patient's notes) may be copies of each other.
        seed: of the hash functions.
    """

    shingle_words: int = Field(ge=1, le=16)
    permutations: int = Field(ge=1, le=1024)
    bands: int = Field(ge=1, le=1024)
    threshold: float = Field(gt=0, le=1)
    within_groups: bool
    seed: int = Field(ge=0, lt=2**63)

    @model_validator(mode="after")
    def _whole_bands(self) -> TextParams:
        if self.permutations % self.bands:
            raise ValueError(f"bands {self.bands} does not divide permutations {self.permutations}")
        return self


class DedupParams(Strict):
    """Which copies count, and whose is kept.

    Attributes:
        reliability: every enabled source, the one whose copy is kept first.
        pictures: copies by perceptual hash.
        variants: turned, cropped and re-windowed copies; null leaves the check out.
        semantic: copies by embeddings; null leaves the check out.
        text: near duplicates of text-only samples.
        report_only: whether copies are only told of (in a kept sample's verdict, and in the metrics), and dropped by
            nothing.
    """

    reliability: tuple[str, ...] = Field(min_length=1)
    pictures: PictureParams
    variants: VariantParams | None = None
    semantic: SemanticParams | None = None
    text: TextParams
    report_only: bool = False

    @model_validator(mode="after")
    def _known_sources(self) -> DedupParams:
        if len(set(self.reliability)) != len(self.reliability):
            raise ValueError("a source is listed twice in reliability")
        scopes = [*self.pictures.scopes]
        for optional in (self.variants, self.semantic):
            scopes += optional.scopes if optional else ()
        named = {source for scope in scopes for source in scope.sources}
        if unknown := sorted(named - set(self.reliability)):
            raise ValueError(f"scopes name {unknown}, which reliability does not rank")
        return self
