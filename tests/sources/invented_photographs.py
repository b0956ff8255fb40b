"""Invented files of fundus photographs and of tissue under the microscope, in the shape of their sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from tests.sources.drawn_imaging import HIGH, WIDE, film
from tests.sources.invented_files import put


def save(path: Path, values: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)


def retinopathy_2015(folder: Path) -> None:
    put(folder / "trainLabels.csv", "image,level\n10_left,0\n10_right,2\n")
    put(folder / "train/10_left.jpeg", film("JPEG"))
    put(folder / "train/10_right.jpeg", film("JPEG", 61))


def retinopathy_2019(folder: Path) -> None:
    put(folder / "train.csv", "id_code,diagnosis\n000c1434d8d7,4\n")
    put(folder / "train_images/000c1434d8d7.png", film())


def retinopathy_resized(folder: Path) -> None:
    put(folder / "labels/trainLabels15.csv", "image,level\n10_left,0\n10_right,2\n")
    put(folder / "labels/testLabels15.csv", "image,level,Usage\n1_left,4,Private\n")
    put(folder / "labels/trainLabels19.csv", "id_code,diagnosis\n000c1434d8d7,1\n")
    put(folder / "labels/traintestLabels15_trainLabels19.csv", "image,level\n10_left,0\n000c1434d8d7,1\n")
    for place, name in enumerate(("10_left", "10_right", "1_left", "000c1434d8d7")):
        put(folder / f"resized_traintest15_train19/{name}.jpg", film("JPEG", 60 + place))


def snow(pictures: str, masks: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        nuclei = np.zeros((HIGH, WIDE), np.int32)
        nuclei[10:20, 30:45], nuclei[20:30, 45:60] = 7, 9
        for place in range(2):
            put(folder / f"SNOW_Dataset_20k/{pictures}/seed000{place}.png", film(shade=50 + place))
            held = {"inst_map": nuclei * place, "inst_type": np.array([[7, 1], [9, 1]])}
            (folder / f"SNOW_Dataset_20k/{masks}").mkdir(parents=True, exist_ok=True)
            savemat(folder / f"SNOW_Dataset_20k/{masks}/seed000{place}.mat", held, do_compression=bool(place))

    return make


def cpd(folder: Path) -> None:
    put(folder / "cpd.csv", "image,staining,nuclei_score\na.png,CPD,0.25\nb,p53,0.5\n")
    put(folder / "images/a.png", film())
    put(folder / "images/b.jpg", film("JPEG", 61))


def pannuke(folder: Path) -> None:
    pictures = np.full((2, 96, 96, 3), 200.0)
    pictures[1] -= 10
    nuclei = np.zeros((2, 96, 96, 6))
    nuclei[0, 10:20, 30:45, 0] = 7
    nuclei[0, 20:30, 45:60, 0] = 9
    nuclei[0, 60:70, 5:15, 1] = 3
    nuclei[..., 5] = 1
    for name, values in (("images/fold1/images", pictures), ("masks/fold1/masks", nuclei)):
        save(folder / f"Fold 1/{name}.npy", values)
    save(folder / "Fold 1/images/fold1/types.npy", np.array(["Breast", "Bile-duct"]))


def mhsma(folder: Path) -> None:
    for place, (split, number) in enumerate((("train", 2), ("valid", 1), ("test", 1))):
        cells = np.random.default_rng(place).integers(0, 255, (number, 128, 128), dtype=np.uint8)
        save(folder / f"x_128_{split}.npy", cells)
        for part in ("acrosome", "head", "vacuole", "tail"):
            save(folder / f"y_{part}_{split}.npy", np.arange(number, dtype=np.uint8) % 2)
