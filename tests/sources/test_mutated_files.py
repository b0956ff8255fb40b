"""Mutated pictures and tables: each is read, refused by reason, or an error that names it; nothing else comes out."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.intake.errors import RowError
from lingshu.intake.places import FolderFiles
from lingshu.intake.rows import data_rows, find_source
from lingshu.intake.shapes import TableForm
from lingshu.sources.stills import StillLimits, still_of, still_of_array
from tests.benchmarks.public_made import as_csv, as_json, as_lines, as_parquet, as_zip
from tests.sources.row_forms import NPZ, open_i, picture, tgz

LIMITS = StillLimits(max_side=128, max_pixels=1 << 20, max_bytes=1 << 20)
KINDS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")
ROWS = [{"id": str(n), "text": "drawn", "more": [n, None, {"a": 1.5}]} for n in range(5)]
TABLES = {
    "a.json": as_json(ROWS), "b.jsonl": as_lines(*ROWS), "c.csv": as_csv(["id", "text"], ["1", 'a "b", c'], ["2", "d"]),
    "d.xml": open_i("CXR1", "Clear.", "Normal.", ("x",)), "e.txt": b"FINDINGS: clear\n", "f.pickle": pickle.dumps(ROWS),
    "g.parquet": as_parquet([{"image": picture(1), "id": "1"}, {"image": picture(2), "id": "2"}], ("image",)),
    "h.jsonl.gz": gzip.compress(as_lines(*ROWS)), "i.zip": as_zip({"x/b.jsonl": as_lines(*ROWS)}),
    "j.tgz": tgz({"x/b.jsonl": as_lines(*ROWS)}), "k.tar": gzip.decompress(tgz({"x/b.jsonl": as_lines(*ROWS)})),
}  # fmt: skip


@pytest.fixture
def mutations(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("mutations")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some changed, cut, doubled or blown up."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(made) or 1)
        kind = chance.randrange(5)
        if kind == 0 and made:
            made[place] = chance.randrange(256)
        elif kind == 1:
            del made[place : place + chance.randint(1, 40)]
        elif kind == 2:
            made[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        elif kind == 3:
            made[place : place + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"{[\"'"])
        else:
            made = made[:place] if chance.random() < 0.3 else made
    return bytes(made)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures(kind: str, mutations: int) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 44, 3), dtype=np.uint8)).save(buffer, format=kind)
    chance = random.Random(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(mutations):
            try:
                still = still_of(mutated(buffer.getvalue(), chance), "x", LIMITS)
            except RowError:
                continue
            assert still.width * still.height <= LIMITS.max_pixels
            Image.open(io.BytesIO(still.data)).load()  # what is stored can be read


def test_arrays(mutations: int) -> None:
    chance = random.Random(1)
    for _ in range(mutations):
        try:
            still_of_array(mutated(NPZ.getvalue(), chance), "slo_fundus", "x", LIMITS)
        except RowError:
            continue


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str, mutations: int, tmp_path: Path) -> None:
    kind = name.split(".")[1].replace("txt", "text")
    inside = f"{name}!/**/*.jsonl" if kind in ("zip", "tgz", "tar") else name
    form = TableForm.model_validate(
        {
            "name": "made", "checked": "written format", "tables": [inside],
            "format": "jsonl" if inside != name else kind, "pictures": {"fields": ["image"], "embedded": True},
        }
    )  # fmt: skip
    chance = random.Random(name)
    for _ in range(mutations):
        (tmp_path / name).write_bytes(mutated(TABLES[name], chance))
        try:
            source = find_source(FolderFiles(tmp_path), [form])
            for _, raw in data_rows(source, 1 << 16) if source else ():
                if not isinstance(raw.values, RowError) and raw.values.get("image") is not None and kind == "parquet":
                    raw.values["image"].read()
        except UserError as error:
            assert name in error.what
