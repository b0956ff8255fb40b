"""Text and picture overlap of frames, and which overlaps training keeps."""

import polars as pl

from lingshu.decontam.overlap import closest, on_purpose
from lingshu.decontam.params import KeptOnPurpose
from lingshu.decontam.pictures import hash_overlaps
from lingshu.decontam.texts import ItemTexts


def train_texts(rows: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"train_id": [f"{i}" for i in range(len(rows))], "source": ["s"] * len(rows), "text": rows})


def item_texts(rows: list[str], benchmark: str) -> pl.DataFrame:
    number = [f"{i}" for i in range(len(rows))]
    return pl.DataFrame({"item_id": number, "text": rows, "benchmark": [benchmark] * len(rows)})


def test_short_texts_overlap_only_when_equal() -> None:
    train = train_texts(
        ["Is gastritis an inflammation? Yes", "is gastritis an inflammation yes it is in every case known"]
    )
    found = ItemTexts(item_texts(["is gastritis an inflammation\nyes"], "b"), 13).overlaps(train, 0.5)
    assert found.select("train_id", "method", "coverage").rows() == [("0", "exact", 1.0)]


def test_the_closest_item_of_a_benchmark_is_the_evidence() -> None:
    long = " ".join(f"x{i}" for i in range(40))
    items = pl.concat([item_texts(["a " * 15 + long, long], "one"), item_texts([long[: len(long) // 2]], "two")])
    found = ItemTexts(items, 13).overlaps(train_texts([long]), 0.1).filter(method="ngram")
    assert len(found) == 3
    evidence = closest(found).select("benchmark", "item_id", "coverage")
    assert evidence.rows() == [("one", "1", 1.0), ("two", "0", 1.0)]


def test_hashes_within_the_radius() -> None:
    hashes = pl.Series("phash", [0b1011, 0xFFFF << 40], dtype=pl.UInt64)
    train = pl.DataFrame({"train_id": ["a", "b"], "source": "s", "pixel_digest": "x", "phash": hashes})
    other = pl.Series("phash", [0b1000, 0b1011], dtype=pl.UInt64)
    items = pl.DataFrame({"benchmark": "t", "item_id": ["i", "j"], "pixel_digest": "y", "phash": other})
    found = hash_overlaps(train, items, 2).select("train_id", "item_id", "distance")
    assert sorted(found.rows()) == [("a", "i", 2), ("a", "j", 0)]


def test_what_is_kept_on_purpose() -> None:
    table = pl.DataFrame(
        {
            "source": ["s", "s", "s", "t"],
            "benchmark": ["b", "b", "c", "b"],
            "method": ["exact", "ngram", "exact", "exact"],
        }
    )
    some = KeptOnPurpose(source="s", benchmark="b", method="exact", why="a test")
    every = KeptOnPurpose(source="t", benchmark="any", method="any", why="a test")
    assert table.select(on_purpose([some, every])).to_series().to_list() == [True, False, False, True]
    assert table.select(kept=pl.lit(True) & on_purpose([])).to_series().to_list()[0] is False
