"""Burned-in text: which lines count as identifying, what a real engine reads, and that nothing read is kept."""

import io
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw, ImageFont

from lingshu.core.errors import UserError
from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.params import validate
from lingshu.signals.burned_in import _rapidocr, burned_in, identifying, reader
from lingshu.signals.measure import measure_source
from lingshu.signals.params import SignalsParams
from tests.corpora import SIGNALS_PARAMS

NAME, NUMBER = "ZZZINVENTED, MARY", "00047431395"


@pytest.mark.parametrize(
    "line",
    [
        "ZZZDOWNTIME,MARY",
        "SIMPSON^HOMER^J",
        "DOE~JANE",
        "Uploader:JaneRoe",
        "8:48:26 AM 4/14/2020",
        "03/02/201705:24:57PM",
        "DOB:08/29/1951 M",
        "12-Mar-2010",
        "12MAR10",
        "120907058",
        "Pat. ID",
        "ID: A1234",
        "CCHS CLEVELAND CLINIC",
        "BAPTIST MED CTR",
        "DR. OKONKWO",
        "姓名：王某",
        "人民医院",
        "2019年3月",
    ],
)
def test_lines_that_may_name_a_person(line: str) -> None:
    assert identifying([line]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "TIS0.0MI 0.6", "L12-5", "36Hz", "DynR58", "20dB/DR60", "19fps", "H4.00 MHz", "4.0cm-", "Sag Liver L-M", "IM=2",
        "TR 3000 TE 90", "SE: 3 IM: 12", "512 x 512", "W: 400 L: 40", "+2: 09: 04", "AXIAL T2 FLAIR", "左侧", "R",
    ],
)  # fmt: skip
def test_lines_of_settings(line: str) -> None:
    assert identifying([line]) == 0


def test_no_engine_measures_nothing() -> None:
    assert set(burned_in(reader("none"), np.zeros((20, 20, 3), dtype=np.uint8)).values()) == {None}


def test_share_is_of_the_area() -> None:
    corners = np.array([[0, 0], [50, 0], [50, 10], [0, 10]], dtype=np.float64)
    found = burned_in(lambda pixels: [(corners, "R"), (corners + 40, "4/14/2020")], np.zeros((100, 100, 3), np.uint8))
    assert found == {"burned_in_lines": 2, "burned_in_share": pytest.approx(0.1), "burned_in_identifiers": 1}


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    _rapidocr.cache_clear()
    with pytest.raises(UserError, match=r"signals.burned_in: rapidocr: .*\n  fix: run `make setup-ocr`"):
        reader("rapidocr")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(UserError, match=r"signals\.burned_in"):
        validate(SignalsParams, {**SIGNALS_PARAMS.model_dump(), "burned_in": "tesseract"}, "params: signals")


def screen(*lines: str, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """A dark picture with a bright ellipse and lines of text at the top left, as scanners write them."""
    picture = Image.new("L", size, 12)
    draw = ImageDraw.Draw(picture)
    draw.ellipse([size[0] // 4, size[1] // 3, 3 * size[0] // 4, size[1] - 20], fill=140)
    for number, line in enumerate(lines):
        draw.text((10, 6 + 34 * number), line, fill=235, font=ImageFont.load_default(26))
    return np.asarray(picture)


def test_the_engine_finds_names_and_numbers_and_only_those() -> None:
    read = reader("rapidocr")
    colour = np.stack([screen(NAME, NUMBER, "4/14/2020", "19fps")] * 3, axis=-1)
    named = burned_in(read, colour)
    assert named["burned_in_identifiers"] == 3
    assert named["burned_in_lines"] == 4
    assert 0.01 < named["burned_in_share"] < 0.2
    plain = burned_in(read, np.stack([screen("19fps", "L12-5")] * 3, axis=-1))
    assert (plain["burned_in_lines"], plain["burned_in_identifiers"]) == (2, 0)
    assert burned_in(read, np.stack([screen()] * 3, axis=-1))["burned_in_lines"] == 0
    assert burned_in(read, np.zeros((4, 300, 3), dtype=np.uint8))["burned_in_lines"] == 0


def test_what_was_read_stands_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pixels = screen(NAME, NUMBER)
    made = Picture(encode_png(pixels), "PNG", 640, 480, "s", "0", "g", "train", "MIT")
    write_images(tmp_path / "data/images/s", [made])
    (tmp_path / "data/samples/s").mkdir(parents=True)
    measured = measure_source("s", SIGNALS_PARAMS.model_copy(update={"burned_in": "rapidocr"}), tmp_path)
    table = pl.read_parquet(measured.folder / "images.parquet")
    assert table["burned_in_identifiers"].to_list() == [2]
    printed = "".join(capfd.readouterr())
    out = io.StringIO()
    table.write_json(out)
    for text in ("MARY", "INVENTED", NUMBER):
        assert text not in printed
        assert text not in out.getvalue()
