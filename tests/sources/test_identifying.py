"""DICOM attributes of the basic confidentiality profile: which are listed, and that no value ever is."""

from pathlib import Path

import polars as pl
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from lingshu.core.images import Picture, write_images
from lingshu.signals.measure import measure_source
from lingshu.sources.dicom_profile import BASIC_PROFILE, Identifying, identifying, identifying_tags
from lingshu.sources.identifying import write_identifying
from tests.corpora import SIGNALS_PARAMS, encode_png, scene


def test_the_profile_is_of_known_attributes() -> None:
    assert len(BASIC_PROFILE) == 617
    assert {keyword for keyword in BASIC_PROFILE if tag_for_keyword(keyword) is None} == set()
    assert {"PatientName", "PatientID", "StudyDate", "AccessionNumber", "OperatorsName"} <= BASIC_PROFILE
    assert {"Rows", "Modality", "BitsStored", "PixelData", "BodyPartExamined"} & BASIC_PROFILE == set()


def test_listed_by_keyword_nested_ones_too() -> None:
    dataset = Dataset()
    dataset.PatientName = "ZZZINVENTED^MARY"
    dataset.PatientID = ""
    dataset.Modality = "US"
    inner = Dataset()
    inner.ReferringPhysicianName = "ZZZOTHER"
    dataset.DerivationCodeSequence = Sequence([inner])
    dataset.add_new(0x00111001, "LO", "private")
    dataset.add_new(0x60003000, "OW", b"\0\0")
    dataset.add_new(0x60000010, "US", 8)
    found = identifying(dataset)
    assert found.tags == ("OverlayDataOrComments", "PatientName", "PrivateAttributes", "ReferringPhysicianName")
    assert not found.burned_in
    assert "ZZZ" not in repr(found)


@pytest.mark.parametrize(("value", "expected"), [("YES", True), ("yes ", True), ("NO", False), ("", False)])
def test_a_file_that_says_its_pixels_identify(value: str, expected: bool) -> None:
    dataset = Dataset()
    dataset.BurnedInAnnotation = value
    assert identifying(dataset).burned_in is expected


def test_a_value_that_cannot_be_read_counts_as_said() -> None:
    burned_in, removed = Tag("BurnedInAnnotation"), Tag("PatientIdentityRemoved")
    dataset = Dataset({tag: RawDataElement(tag, "ZZ", 4, b"YES ", 0, False, True) for tag in (burned_in, removed)})
    assert identifying(dataset) == Identifying((), burned_in=True)


def test_removed_identity_is_told() -> None:
    dataset = Dataset()
    dataset.PatientName = "subject 7"
    dataset.PatientIdentityRemoved = "YES"
    assert identifying_tags(dataset) == ("PatientIdentityRemoved", "PatientName")


def test_signals_take_the_tags_of_every_file_with_the_picture(tmp_path: Path) -> None:
    shown = [
        Picture(encode_png(scene(seed)), "PNG", 96, 96, "s", f"o{number}", f"g{number}", "train", "MIT")
        for number, seed in enumerate([1, 1, 2, 3])
    ]
    folder = tmp_path / "data/images/s"
    write_images(folder, shown)
    said = [Identifying(("StudyDate",), False), Identifying(("PatientName",), True), Identifying((), False), None]
    write_identifying(folder, zip(shown, said, strict=True))
    (tmp_path / "data/samples/s").mkdir(parents=True)
    measured = measure_source("s", SIGNALS_PARAMS, tmp_path)
    rows = {row["image_id"]: row for row in pl.read_parquet(measured.folder / "images.parquet").to_dicts()}
    twice, once, none = (rows[shown[number].image_id] for number in (0, 2, 3))
    assert (twice["identifying_tags"], twice["burned_in_claimed"]) == (["PatientName", "StudyDate"], True)
    assert (once["identifying_tags"], once["burned_in_claimed"]) == ([], False)
    assert (none["identifying_tags"], none["burned_in_claimed"]) == (None, None)
