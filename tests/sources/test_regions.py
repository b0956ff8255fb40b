"""Boxes around masks are the smallest ones: nothing marked lies outside, and no side can be drawn in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lingshu.intake.errors import RowError
from lingshu.sources.annotations import Annotations, Boxes, Label, Masks
from lingshu.sources.labels import row_boxes, row_facts
from lingshu.sources.regions import mask_regions, outline_region

small = arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.integers(0, 3))


def drawn(regions, shape):
    covered = np.zeros(shape, dtype=bool)
    for _, (left, top, right, bottom) in regions:
        covered[top:bottom, left:right] = True
    return covered


@settings(max_examples=200, deadline=None)
@given(small)
def test_every_marked_pixel_is_in_a_box_and_every_side_touches_one(mask):
    regions = mask_regions(mask, Masks(file="m", label="x", least_px=1))
    assert not ((mask > 0) & ~drawn(regions, mask.shape)).any()
    for _, (left, top, right, bottom) in regions:
        inside = mask[top:bottom, left:right] > 0
        assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


@settings(max_examples=100, deadline=None)
@given(small)
def test_whole_regions_have_one_box_each_of_their_own_value(mask):
    names = {"1": "one", "2": "two"}
    regions = mask_regions(mask, Masks(file="m", names=names, least_px=1, whole=True))
    assert [label for label, _ in regions] == [names[value] for value in "12" if (mask == int(value)).any()]
    for label, (left, top, right, bottom) in regions:
        rows, columns = np.nonzero(mask == {"one": 1, "two": 2}[label])
        assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@settings(max_examples=100, deadline=None)
@given(small)
def test_instances_are_counted_whatever_their_numbers_are(mask):
    numbers = mask.astype(np.int64) * 1000
    regions = mask_regions(numbers, Masks(file="m", label="x", kind="instances", least_px=1))
    assert len(regions) == len(set(np.unique(numbers)) - {0})


def test_specks_have_no_box_and_parts_that_touch_at_a_corner_are_one():
    mask = np.zeros((20, 20), dtype=np.uint8)
    mask[0, 0] = 1
    mask[5:8, 5:8] = mask[8:11, 8:11] = 1
    assert mask_regions(mask, Masks(file="m", label="x")) == [("x", (5, 5, 11, 11))]


@pytest.mark.parametrize(
    ("text", "kind", "box"),
    [
        ("1 2\n5.5 2\n5 9\n\n", "outline", (1.0, 2.0, 5.5, 9.0)),
        ("[[1, 2], [5, 2], [5, 9]]", "polygon", (1.0, 2.0, 5.0, 9.0)),
    ],
)
def test_outlines(text, kind, box):
    assert outline_region(text, Masks(file="m", label="x", kind=kind), "m") == [("x", box)]


@pytest.mark.parametrize("text", ["", "1 2", "a b\nc d\ne f", "[[1,2]", "{}", "1 2\nnan 3\n4 5", "1 2 3\n4 5 6"])
@pytest.mark.parametrize("kind", ["outline", "polygon"])
def test_what_is_no_outline_is_named(text, kind):
    if kind == "outline" and text == "1 2 3\n4 5 6":
        return  # six numbers are three points, however the lines are cut
    with pytest.raises(RowError, match="m is no outline"):
        outline_region(text, Masks(file="m", label="x", kind=kind), "m")


@pytest.mark.parametrize(
    ("label", "row", "found"),
    [
        (Label(field="a"), {"a": "x"}, ["x"]),
        (Label(field="a"), {"a": None}, None),
        (Label(field="a"), {"a": " "}, None),
        (Label(field="a", separator="|"), {"a": "x|y | "}, ["x", "y"]),
        (Label(field="a", names={"1": "one", "2": ""}), {"a": 1}, ["one"]),
        (Label(field="a", names={"1": "one", "2": ""}), {"a": "2"}, None),
        (Label(flags={"p": "pain", "q": "rest"}), {"p": "1.0", "q": "-1.0"}, ["pain"]),
        (Label(flags={"p": "pain"}, set=["Y"]), {"p": "Y"}, ["pain"]),
    ],
)
def test_labels(label, row, found):
    facts = row_facts(row, Annotations(labels={"sign": label}))
    assert facts == ({"labels": {"sign": found}} if found else {})


@pytest.mark.parametrize(
    ("name", "field", "row", "detail"),
    [
        ("sign", "a", {"b": 1}, "no field 'a'"),
        ("view", "a", {"a": "oblique"}, "fact 'view' is 'oblique'"),
        ("contrast", "a", {"a": "perhaps"}, "fact 'contrast' is 'perhaps'"),
        ("nuclei_count", "a", {"a": "-3"}, "fact 'nuclei_count' is '-3'"),
    ],
)
def test_what_the_vocabulary_does_not_allow_is_no_fact(name, field, row, detail):
    with pytest.raises(RowError, match=detail):
        row_facts(row, Annotations(labels={name: Label(field=field)}))


def test_flags_and_counts_of_the_vocabulary():
    spec = Annotations(labels={"contrast": Label(field="a"), "nuclei_count": Label(field="b")})
    assert row_facts({"a": "yes", "b": "12"}, spec) == {"contrast": True, "nuclei_count": 12}


@pytest.mark.parametrize("value", ["", "1, 2, 3", None, 7, [1, 2, 3, 4, 5]])
def test_boxes_without_four_numbers_are_named(value):
    with pytest.raises(RowError, match="not four numbers a box"):
        row_boxes({"a": value}, Boxes(field="a", label="x"))


def test_boxes_of_both_orders():
    assert row_boxes({"a": "1 2 3 4 5 6 7 8"}, Boxes(field="a", label="x")) == [
        ("x", (1, 2, 3, 4)),
        ("x", (5, 6, 7, 8)),
    ]
    assert row_boxes({"a": [1, 2, 3, 4]}, Boxes(field="a", label="x", order="xywh")) == [("x", (1, 2, 4, 6))]
