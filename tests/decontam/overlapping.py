"""What tests of `lingshu overlap` share: invented texts, files, and the command."""

import csv
import json
import os
import random
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from lingshu.cli import app

QUESTION = "A man of fifty years has had chest pain for two hours; which artery is most probably closed?"
RNG = random.Random(5)
VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "st", "l")]


def words(count: int) -> str:
    return " ".join(RNG.choices(VOCABULARY, k=count))


def lines(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def picture(path: Path, pixels: np.ndarray | Image.Image, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def overlap(out: Path, train: list[Path | str], against: list[Path | str], *options: str) -> list[dict[str, str]]:
    arguments = ["overlap", "--train", *map(str, train), "--against", *map(str, against), "--out", str(out), *options]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with (out / "pairs.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def found(rows: list[dict[str, str]], root: Path) -> set[tuple[str, str, str, str, float]]:
    cut = f"{root}{os.sep}"
    return {
        (r["train"].replace(cut, ""), r["against"].replace(cut, ""), r["kind"], r["method"], float(r["distance"]))
        for r in rows
    }
