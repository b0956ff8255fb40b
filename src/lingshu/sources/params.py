"""Knobs of reading sources: which are used, how files become pictures, and how groups are held out."""

from __future__ import annotations

from pydantic import Field, model_validator

from lingshu.core.params import Strict
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
            files have (keywords, no values), for the gate's quarantine. On for hospital data; off where every file is a
            published test file, as in mini.
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


class SourcesParams(Strict):
    """Section `sources`. `pulled` and `generated` together are `enabled`: dvc.yaml makes one stage of each name.

    Attributes:
        processes: that read files, or draw pictures, at a time; the result does not depend on it.
    """

    enabled: list[str] = Field(min_length=1)
    pulled: list[str]
    generated: list[str]
    processes: int = Field(ge=1)
    normalize: NormalizeParams
    terminology: TerminologyParams
    phantom: PhantomParams

    @model_validator(mode="after")
    def _kinds_partition_enabled(self) -> SourcesParams:
        if sorted(self.pulled + self.generated) != sorted(self.enabled):
            raise ValueError("`pulled` and `generated` together must list exactly the sources in `enabled`")
        return self
