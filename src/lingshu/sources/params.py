"""Knobs of reading sources: which are used, how files become pictures, and how groups are held out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from lingshu.core.parallel import Workers
from lingshu.core.params import Strict
from lingshu.sources.catalog import LicenceClass
from lingshu.sources.phantom_params import PhantomParams
from lingshu.sources.terminology_params import TerminologyParams


class NormalizeParams(Strict):
    """Section `sources.normalize`: how pulled files become pictures.

    Attributes:
        seed: of the choice of held-out groups.
        held_out_share: share of an imaging kind's pictures that held-out groups may have together.
        max_side_px: longer side of a stored picture; larger ones are averaged down.
        clip_frame_step: of a clip or a stack, every how many-th frame is taken.
        slices_per_plane: slices of each plane of a volume, fewer where one of its planes has fewer that show tissue.
        slice_pixel_mm: side of a pixel of a slice: volumes are shown at one scale, whatever their voxels, except where
            the catalogue states a `pixel_mm`.
        tile_px: side of a tile of a slide or a large photograph.
        field_tile_px: side of a tile of a microscope field.
        slide_region_tiles: tiles along a side of a slide's region, the unit that is held out.
        field_region_tiles: tiles along a side of a microscope field's region.
        region_gap_px: strip between regions that no picture shows, so that a held-out region touches no other.
        min_tissue_share: share of a slice or tile that must show something for it to be taken.
        identifying_tags: notes beside the pictures which attributes of the DICOM basic confidentiality profile their
            files have (keywords, no values), for the gate's quarantine, and names groups by a digest of patient or
            study. On for hospital data; off where every file is a published test file, as in mini.
    """

    seed: int
    held_out_share: float = Field(gt=0, lt=1)
    max_side_px: int = Field(ge=32, le=4096)
    clip_frame_step: int = Field(ge=1)
    slices_per_plane: int = Field(ge=1)
    slice_pixel_mm: float = Field(gt=0)
    tile_px: int = Field(ge=32)
    field_tile_px: int = Field(ge=32)
    slide_region_tiles: int = Field(ge=1)
    field_region_tiles: int = Field(ge=1)
    region_gap_px: int = Field(ge=0)
    min_tissue_share: float = Field(gt=0, lt=1)
    identifying_tags: bool = False


class RowParams(Strict):
    """Section `sources.rows`: limits of sources whose files are tables of rows with pictures beside them.

    Attributes:
        max_side_px: longer side of a stored picture; larger ones are averaged down and written anew.
        max_megapixels: a picture of more is refused before it is decoded.
        max_picture_mb: a picture file of more MiB is refused before it is read.
        max_row_mb: a row of more MiB is refused.
        accept_rows: sources whose number of rows may be another than their record says.
    """

    max_side_px: int = Field(ge=32, le=16384)
    max_megapixels: int = Field(ge=1, le=170)
    max_picture_mb: int = Field(ge=1)
    max_row_mb: int = Field(ge=1)
    accept_rows: list[str]


class SourcesParams(Strict):
    """Section `sources`. `pulled` and `generated` together are `enabled`: dvc.yaml makes one stage of each name.

    Attributes:
        opt_in: the switch of sources that a recipe leaves out because of their licence: one that is named here is used
            as an enabled one is, its class of licence is taken for it alone, and mix groups with `opt_in` show it.
        allowed_licences: classes of licence that the recipe takes; a source of another one is refused.
        shared: whether mixtures or models are handed on; then a mix whose licences forbid that is refused by `check`.
        benchmark_splits_in_training: `source/split` of held-out rows that are trained on all the same, and reported.
        downloads: files that are downloaded at a time; the result does not depend on it.
        workers: who reads files and draws pictures; the result does not depend on it.
    """

    enabled: list[str] = Field(min_length=1)
    pulled: list[str]
    generated: list[str]
    opt_in: list[str]
    allowed_licences: list[LicenceClass]
    shared: bool
    benchmark_splits_in_training: list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+/(validation|test)$")]]
    downloads: int = Field(ge=1, le=64)
    workers: Workers
    normalize: NormalizeParams
    rows: RowParams
    terminology: TerminologyParams
    phantom: PhantomParams

    @model_validator(mode="after")
    def _kinds_partition_enabled(self) -> SourcesParams:
        if sorted(self.pulled + self.generated) != sorted(self.enabled):
            raise ValueError("`pulled` and `generated` together must list exactly the sources in `enabled`")
        if len(set(self.in_use)) != len(self.in_use):
            raise ValueError("`enabled` and `opt_in` together must name each source once")
        return self

    @property
    def in_use(self) -> list[str]:
        """The enabled sources, then those that were opted in."""
        return [*self.enabled, *self.opt_in]
