"""Raw imaging sources: every form of every record gives pictures with the labels and boxes that its files state."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.parallel import Workers
from lingshu.core.sample import read_samples
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import check_facts, parsable
from lingshu.intake.places import FolderFiles
from lingshu.sources.catalog import SOURCES_FOLDER, read_source, read_sources
from lingshu.sources.params import RowParams
from lingshu.sources.rows import normalize_rows
from tests.sources.drawn_imaging import body, film, marks, mask, volume
from tests.sources.invented_files import put
from tests.sources.invented_imaging import MADE, SPOT, SPOT_BOX, Made, busi, nih, pad

ROOT = Path(__file__).parents[2]
LIMITS = RowParams(max_side_px=2048, max_megapixels=80, max_picture_mb=64, max_row_mb=64, accept_rows=[])
IMAGING = {n: r for n, r in read_sources(ROOT / SOURCES_FOLDER).items() if r.group == "imaging"}


def normalized(source: str, raw: Path, out: Path, limits: RowParams = LIMITS, threads: int = 1):
    record = read_source(source, ROOT / SOURCES_FOLDER)
    where = {"samples": out / "samples", "images": out / "images"}
    summary = normalize_rows(
        source, record, FolderFiles(raw), params=limits, accept_rows=True, workers=Workers(processes=threads), **where
    )
    index = pl.read_parquet(out / "images/index.parquet")
    return summary, index, list(read_samples([out / "samples"]))


def facts_of(index: pl.DataFrame) -> list[dict]:
    return [json.loads(text) for text in index["facts"]]


def test_every_form_of_every_record_is_tried() -> None:
    forms = {(name, form.name) for name, record in IMAGING.items() for form in record.forms}
    assert forms == {(made.source, made.form) for made in MADE}


def test_facts_and_counts_of_records_are_of_the_vocabulary() -> None:
    for name, record in IMAGING.items():
        for form in record.forms:
            check_facts(form.annotations.facts, f"{name}: {form.name}")
            assert form.annotations.facts["modality"] in record.modalities
            for spec in form.annotations.masks:
                if spec.count:
                    check_facts({spec.count: 0}, name)


@pytest.mark.parametrize("made", MADE, ids=lambda made: f"{made.source}: {made.form}")
def test_a_form_of_upstream_gives_its_labels_and_boxes(made: Made, tmp_path: Path) -> None:
    made.make(tmp_path)
    summary, index, samples = normalized(made.source, tmp_path, tmp_path / "out")
    assert summary.form == made.form
    assert (summary.rows, summary.kept, summary.refused.total()) == (made.rows, made.rows, 0)
    assert len(samples) == index.height == (made.pictures or made.rows)
    found = facts_of(index)
    assert made.facts in found
    for facts in found:
        check_facts(facts, made.source)
    assert set(index["split"]) == made.splits == {s.split for s in samples}
    if made.groups:
        assert index["group_id"].n_unique() == made.groups


@pytest.mark.parametrize("made", MADE, ids=lambda made: f"{made.source}: {made.form}")
def test_boxes_lie_in_the_stored_picture_and_captions_state_only_spoken_facts(made: Made, tmp_path: Path) -> None:
    made.make(tmp_path)
    _, index, samples = normalized(made.source, tmp_path, tmp_path / "out")
    store = ImageStore([tmp_path / "out/images"])
    for image_id, facts in zip(index["image_id"], facts_of(index), strict=True):
        wide, high = store.image(image_id).size
        for box in facts.get("boxes", []):
            assert box["box"][2] <= wide and box["box"][3] <= high
    known = {json.dumps(parsable(facts), sort_keys=True) for facts in facts_of(index)}
    for sample in samples:
        assert sample.task == "caption"
        assert sample.access == IMAGING[made.source].access
        assert json.dumps(facts_from_text(sample.target_text()), sort_keys=True) in known


def test_a_box_shrinks_with_its_picture(tmp_path: Path) -> None:
    nih(tmp_path)
    small = LIMITS.model_copy(update={"max_side_px": 48})
    _, index, _ = normalized("nih_chest_xray", tmp_path, tmp_path / "out", small)
    boxes = next(facts["boxes"] for facts in facts_of(index) if "boxes" in facts)
    assert boxes[0] == {"label": "Mass", "box": [15, 10, 30, 20]}
    assert set(index["width"]) == {48}


def test_a_plain_picture_keeps_its_bytes(tmp_path: Path) -> None:
    pad(tmp_path)
    _, index, _ = normalized("pad_ufes_20", tmp_path, tmp_path / "out")
    assert ImageStore([tmp_path / "out/images"]).data(index["image_id"][0]) == film()


def test_hounsfield_units_are_shown_through_the_window_of_the_row(tmp_path: Path) -> None:
    next(made for made in MADE if made.source == "deeplesion").make(tmp_path)
    _, index, _ = normalized("deeplesion", tmp_path, tmp_path / "out")
    pixels = np.asarray(ImageStore([tmp_path / "out/images"]).image(index["image_id"][0]))[..., 0]
    assert pixels[70, 90] == 0  # air, below the window of -175 to 275
    assert pixels[30, 40] == round((100 + 175) / 450 * 255)


def test_slices_are_those_that_the_mask_marks_with_square_pixels(tmp_path: Path) -> None:
    volume(tmp_path / "images/DUKE_001/duke_001_0001.nii.gz", body(), (2, 1, 5))
    volume(tmp_path / "segmentations/expert/duke_001.nii.gz", marks((1, SPOT)))
    _, index, samples = normalized("mama_mia", tmp_path, tmp_path / "out")
    assert sorted(origin.rpartition("#")[2] for origin in index["origin_id"]) == [
        f"axial-{n:03d}" for n in (8, 9, 10, 11)
    ]
    assert set(zip(index["width"], index["height"], strict=True)) == {(140, 80)}
    left, top, right, bottom = SPOT_BOX
    assert all(
        f["boxes"] == [{"label": "breast tumour", "box": [2 * left, top, 2 * right, bottom]}] for f in facts_of(index)
    )
    assert len({s.group_id for s in samples}) == 1


def test_the_result_does_not_depend_on_threads(tmp_path: Path) -> None:
    busi(tmp_path / "in")
    for threads in (1, 3):
        normalized("breast_ultrasound", tmp_path / "in", tmp_path / str(threads), threads=threads)
    for path in sorted(p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*.*")):
        assert (tmp_path / "1" / path).read_bytes() == (tmp_path / "3" / path).read_bytes()


def spoil_mask_size(folder: Path) -> None:
    put(folder / "Dataset_BUSI_with_GT/benign/benign (1)_mask.png", mask(size=(40, 40)))


def spoil_mask(folder: Path) -> None:
    for path in (folder / "Dataset_BUSI_with_GT/benign").glob("*_mask*.png"):
        path.unlink()


def spoil_picture(folder: Path) -> None:
    put(folder / "Dataset_BUSI_with_GT/benign/benign (1).png", film()[:-60])


@pytest.mark.parametrize(
    ("spoil", "reason", "detail"),
    [
        (spoil_mask_size, "UNREADABLE_PICTURE", "is (40, 40), the picture (80, 96)"),
        (spoil_mask, "MISSING_PICTURE", "no mask Dataset_BUSI_with_GT/benign/benign (1)_mask*.png"),
        (spoil_picture, "UNREADABLE_PICTURE", "benign (1).png"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_verdict(spoil, reason: str, detail: str, tmp_path: Path) -> None:
    busi(tmp_path)
    spoil(tmp_path)
    summary, index, _ = normalized("breast_ultrasound", tmp_path, tmp_path / "out")
    assert (summary.rows, summary.kept, index.height) == (3, 2, 2)
    verdicts = pl.read_parquet(tmp_path / "out/samples/verdicts.parquet")
    assert verdicts["reason"].to_list() == [reason]
    assert detail in verdicts["detail"][0]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("PAT_1,2,F,50,ARM,XYZ,PAT_1_2_4.png,F", "'diagnostic' is 'XYZ', not one of ACK"),
        ("PAT_1,2,F,50,ARM,NEV,../secret.png,F", "../secret.png is not in"),
    ],
)
def test_a_label_or_a_name_that_nobody_knows_is_no_silent_guess(text: str, detail: str, tmp_path: Path) -> None:
    pad(tmp_path / "in")
    put(tmp_path / "secret.png", film())
    put(tmp_path / "in/images/PAT_1_2_4.png", film(shade=61))
    with (tmp_path / "in/metadata.csv").open("a") as file:
        file.write(text + "\n")
    summary, _, _ = normalized("pad_ufes_20", tmp_path / "in", tmp_path / "out")
    verdicts = pl.read_parquet(tmp_path / "out/samples/verdicts.parquet")
    assert (summary.rows, summary.kept) == (2, 1)
    assert detail in verdicts["detail"][0]


def test_a_volume_whose_mask_has_another_shape_is_refused(tmp_path: Path) -> None:
    for case, mask_of in ((1, marks()[:60]), (2, marks((1, SPOT)))):
        volume(tmp_path / f"images/DUKE_00{case}/duke_00{case}_0001.nii.gz", body())
        volume(tmp_path / f"segmentations/expert/duke_00{case}.nii.gz", mask_of)
    summary, _, _ = normalized("mama_mia", tmp_path, tmp_path / "out")
    verdicts = pl.read_parquet(tmp_path / "out/samples/verdicts.parquet")
    assert (summary.rows, summary.kept) == (2, 1)
    assert "has shape (60, 80, 20), the volume (70, 80, 20)" in verdicts["detail"][0]
    assert not any("has shape" in line for line in summary.lines(detailed=False))


def test_arrays_of_other_lengths_are_named(tmp_path: Path) -> None:
    next(made for made in MADE if made.source == "mhsma").make(tmp_path)
    np.save(tmp_path / "y_tail_train.npy", np.zeros(5, dtype=np.uint8))
    with pytest.raises(UserError, match=r"y_tail_train\.npy: 5 rows, x_128_train\.npy has 2"):
        normalized("mhsma", tmp_path, tmp_path / "out")


def test_a_pickled_array_is_not_read(tmp_path: Path) -> None:
    next(made for made in MADE if made.source == "mhsma").make(tmp_path)
    np.save(tmp_path / "y_tail_train.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match=r"y_tail_train\.npy: not a NumPy array"):
        normalized("mhsma", tmp_path, tmp_path / "out")
