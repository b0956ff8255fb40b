from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from lingshu.report.charts import Bar, Point, Segment, curves, dot_rows, number_text, stacked_bars

NS = "{http://www.w3.org/2000/svg}"


def parse(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_bar_lengths_are_in_proportion() -> None:
    bars = [
        Bar("a", [Segment(30, "kept", "k"), Segment(10, "dropped", "d")], "30"),
        Bar("b", [Segment(20, "kept", "k")], "20"),
    ]
    widths = [float(r.attrib["width"]) for r in parse(stacked_bars(bars, "t")).iter(f"{NS}rect")]
    assert math.isclose(widths[0], 3 * widths[1], rel_tol=0.01)
    assert math.isclose(widths[0], 1.5 * widths[2], rel_tol=0.01)


def test_names_are_escaped() -> None:
    root = parse(stacked_bars([Bar("<b>&", [Segment(1, "kept", '"<x>"')], "<1")], "t<&"))
    assert "<b>&" in {text.text for text in root.iter(f"{NS}text")}


def test_dots_stand_at_their_value_between_the_ends_of_the_interval() -> None:
    rows = [("q", 0.5, [Point(0.5, 0.25, 1.0, "c0", "p")])]
    root = parse(dot_rows(rows, "t"))
    dot = float(next(root.iter(f"{NS}circle")).attrib["cx"])
    chance = next(line for line in root.iter(f"{NS}line") if line.attrib.get("class") == "chance")
    interval = next(line for g in root.iter(f"{NS}g") for line in g.iter(f"{NS}line"))
    assert dot == float(chance.attrib["x1"])
    low, high = float(interval.attrib["x1"]), float(interval.attrib["x2"])
    assert math.isclose((dot - low) * 2, high - dot, abs_tol=0.2)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_curves_stay_inside_the_picture(points: list[tuple[float, float]]) -> None:
    drawing = curves([("loss", points)], "t", "step")
    root = parse(drawing)
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    for pair in re.findall(r'points="([^"]*)"', drawing)[0].split():
        x, y = (float(v) for v in pair.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_curves_leave_out_what_is_not_finite() -> None:
    assert curves([("loss", [(0.0, math.nan), (1.0, math.inf)])], "t", "step") == ""
    assert "nan" not in curves([("loss", [(0.0, math.nan), (1.0, 2.0), (2.0, 1.0)])], "t", "step")


def test_numbers_as_people_read_them() -> None:
    assert [number_text(v) for v in (0, 12, 1234567, 0.1234, 2.5)] == ["0", "12", "1,234,567", "0.123", "2.5"]
