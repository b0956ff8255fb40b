"""Invented tables of any size in the pipeline's own schemas: samples, picture index, signals, benchmarks, verdicts.

Four sources of a row count N: two of captions (0.3 N and 0.2 N, a picture each), one of questions (0.25 N, two pictures
each) and one of texts (0.25 N), so N pictures. 8 % of pictures share another's perceptual hash and 12 % are 1 to 6 bits
from one; 10 % of texts are near copies (5 % of words replaced) and 5 % exact ones. Words are Zipf over 50,000
pseudo-words, about 60 a text. 10,000 rows are test rows and make two benchmarks, of which 250 texts leaked.
No pixels: the deciding steps read none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lingshu.core.images import INDEX_SCHEMA
from lingshu.core.layout import BENCHMARKS, IMAGES, MODALITY, SAMPLES, SIGNALS
from lingshu.core.params import load_section
from lingshu.core.sample import ROWS_PER_PART, SAMPLE_SCHEMA
from lingshu.core.tables import sample_table
from lingshu.signals.params import SignalsParams
from lingshu.signals.pictures import PICTURE_SCHEMA
from lingshu.signals.texts import measure_texts

VOCABULARY = 50_000
MODALITIES = ("x-ray", "ct", "mri", "ultrasound", "histopathology", "fundus", "dermoscopy", "endoscopy")
MODALITY_RATES = (0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02)
TEST_ROWS = 5_000  # of the sources that benchmarks are made from
LEAKED = 250
SIGNALS_PARAMS = load_section("signals", SignalsParams, Path(__file__).parents[1] / "params.yaml")


@dataclass(frozen=True, slots=True)
class Source:
    """An invented source: its share of all rows, task, topic, and pictures of each row."""

    name: str
    share: float
    task: str
    pictures: int
    benchmark: bool = False


SOURCES = (
    Source("captions_a", 0.30, "caption", 1),
    Source("captions_b", 0.20, "caption", 1),
    Source("questions", 0.25, "vqa_closed", 2, benchmark=True),
    Source("texts", 0.25, "text_qa", 0, benchmark=True),
)
NAMES = [source.name for source in SOURCES]


def make_tables(root: Path, rows: int, seed: int = 0) -> None:
    """Write everything that gate, deduplicate, decontaminate and mix read, under `root`."""
    words = _vocabulary()
    for number, source in enumerate(SOURCES):
        _make_source(root, source, round(rows * source.share), (seed, number), words)
    found = [pl.scan_parquet(root / SIGNALS / name / "images.parquet").select("image_id") for name in NAMES]
    predictions = pl.concat(found).with_columns(modality=pl.lit("ct"), abstained=pl.lit(False))
    (root / MODALITY).mkdir(parents=True, exist_ok=True)
    predictions.sink_parquet(root / MODALITY / "predictions.parquet")


def _vocabulary() -> pa.Array:
    rng = np.random.default_rng(1)
    letters = rng.integers(97, 123, (VOCABULARY, 8), dtype=np.uint8)
    lengths = rng.integers(3, 9, VOCABULARY)
    return pa.array([bytes(row[:length]).decode() for row, length in zip(letters, lengths, strict=True)])


def _make_source(root: Path, source: Source, rows: int, seed: tuple[int, int], words: pa.Array) -> None:
    folder, signals, index = (root / base / source.name for base in (SAMPLES, SIGNALS, IMAGES))
    for path in (folder, signals, index):
        path.mkdir(parents=True, exist_ok=True)
    parts = [min(ROWS_PER_PART, rows - start) for start in range(0, rows, ROWS_PER_PART)]
    writers: dict[Path, pq.ParquetWriter] = {}
    for number, size in enumerate(parts):
        made = _make_part(source, (*seed, number), size, len(parts), words)
        pq.write_table(made["samples"], folder / f"part-{number:05d}.parquet", compression="zstd")
        if source.benchmark and number == 0:
            held_out = root / BENCHMARKS / f"made_{source.name}"
            held_out.mkdir(parents=True)
            pq.write_table(made["samples"].slice(0, TEST_ROWS), held_out / "part-00000.parquet", compression="zstd")
        paths = {
            "texts": signals / "texts.parquet",
            "pictures": signals / "images.parquet",
            "index": index / "index.parquet",
        }
        for name, path in paths.items():
            if path not in writers:
                writers[path] = pq.ParquetWriter(path, made[name].schema, compression="zstd")
            writers[path].write_table(made[name])
    for writer in writers.values():
        writer.close()


def _make_part(source: Source, seed: tuple[int, ...], size: int, parts: int, words: pa.Array) -> dict[str, pa.Table]:
    rng = np.random.default_rng(seed)
    ids = pc.binary_join_element_wise(f"{source.name}:", _ids(rng, size, seed[-1] / parts, parts), "")
    replies, digests, lengths = _texts(source, rng, seed, size, words)
    shown = size * source.pictures
    image_ids = _hex(rng.bytes(32 * shown), 64)
    test = np.arange(size) < (TEST_ROWS if source.benchmark and seed[-1] == 0 else 0)
    splits = pa.array(np.where(test, "test", "train"))
    samples = _samples(source, rng, ids, splits, (replies, image_ids))
    texts = _measure_texts(source, ids, splits, digests, lengths)
    pictures = _picture_signals(rng, image_ids, shown)
    index = _constants(
        INDEX_SCHEMA, shown, {"image_id": image_ids, "source": source.name, "origin_id": image_ids,
        "group_id": image_ids, "split": "train", "licence": "CC0-1.0", "width": 512, "height": 512, "facts": "{}"},
    )  # fmt: skip
    return {"samples": samples, "texts": texts, "pictures": pictures, "index": index}


def _ids(rng: np.random.Generator, size: int, start: float, parts: int) -> pa.Array:
    """Return 20 hex digits a row, rising within and over the parts, as `write_samples` orders them."""
    high = np.sort(((start + rng.random(size) / parts) * 2.0**52).astype(np.uint64)) << np.uint64(12)
    raw = np.empty((size, 10), dtype=np.uint8)
    raw[:, :8] = high.astype(">u8").view(np.uint8).reshape(size, 8)
    raw[:, 8:] = rng.integers(0, 256, (size, 2), dtype=np.uint8)
    return _hex(raw.tobytes(), 20)


def _hex(data: bytes, digits: int) -> pa.Array:
    return pa.array(np.frombuffer(data.hex().encode(), dtype=f"S{digits}")).cast(pa.string())


def _word_rows(seed: tuple[int, ...], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return word numbers and row offsets; every seventh row or so is a near or exact copy of the row before it."""
    rng = np.random.default_rng((*seed, 7))
    lengths = np.clip(rng.lognormal(4.0, 0.5, size), 20, 400).astype(np.int64)
    kind = rng.random(size)
    kind[0] = 1.0
    kind[1:][kind[:-1] < 0.15] = 1.0  # no copies of copies
    copied = np.flatnonzero(kind < 0.15)
    lengths[copied] = lengths[copied - 1]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ranks = np.exp(rng.random(offsets[-1]) * np.log(VOCABULARY)).astype(np.int64) - 1
    for row in copied:
        mine, theirs = slice(offsets[row], offsets[row + 1]), slice(offsets[row - 1], offsets[row])
        if kind[row] < 0.05:
            ranks[mine] = ranks[theirs]
        else:
            ranks[mine] = np.where(rng.random(lengths[row]) < 0.05, ranks[mine], ranks[theirs])
    return ranks, offsets


def _texts(
    source: Source, rng: np.random.Generator, seed: tuple[int, ...], size: int, words: pa.Array
) -> tuple[pa.Array, pa.Array, NDArray[np.int64]]:
    ranks, offsets = _word_rows(seed, size)
    texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), words.take(pa.array(ranks))), " ")
    if source.benchmark and source.pictures == 0 and seed[-1] == 1:
        leaked_ranks, leaked = _word_rows((*seed[:-1], 0), ROWS_PER_PART)
        known = pa.ListArray.from_arrays(
            pa.array(leaked[: LEAKED + 1], pa.int32()), words.take(pa.array(leaked_ranks[: leaked[LEAKED]]))
        )
        texts = pa.concat_arrays([pc.binary_join(known, " "), texts.slice(LEAKED)])
    lengths = pc.utf8_length(texts).to_numpy()
    if source.pictures:
        return texts, _hex(rng.bytes(16 * size), 32), lengths
    seen = pl.Series(texts).hash(1).to_numpy()  # equal texts have equal digests
    return texts, pc.binary_join_element_wise(_hex(seen.tobytes(), 16), _hex(seen.tobytes(), 16), ""), lengths


def _samples(
    source: Source, rng: np.random.Generator, ids: pa.Array, splits: pa.Array, texts: tuple[pa.Array, pa.Array]
) -> pa.Table:
    replies, image_ids = texts
    size, count = len(ids), source.pictures
    kinds = rng.choice(len(MODALITIES), size, p=MODALITY_RATES)
    untagged = rng.random(size) < 0.1
    tags = np.where(untagged | (count == 0), 0, 1)
    modality = pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(tags)]), pa.int32()),
        pa.array(np.array(MODALITIES)[kinds[tags > 0]], pa.string()),
    )
    refs = pa.StructArray.from_arrays(
        [image_ids, *(pa.array(np.full(len(image_ids), 512, np.int32)) for _ in "wh")], ["image_id", "width", "height"]
    )
    images = pa.ListArray.from_arrays(pa.array(np.arange(size + 1) * count, pa.int32()), refs)
    questions = pc.binary_join_element_wise("What does", ids, "show?", " ")
    answer = pa.nulls(size, SAMPLE_SCHEMA.field("answer").type)
    if source.task == "vqa_closed":
        text = pa.array(np.where(rng.random(size) < 0.5, "yes", "no"))
        none = pa.ListArray.from_arrays(pa.array(np.zeros(size + 1), pa.int32()), pa.array([], pa.string()))
        kind, label = (pa.array(np.full(size, value)) for value in ("yesno", ""))
        answer = pa.StructArray.from_arrays([kind, text, none, label], ["kind", "text", "choices", "label"])
        replies = text
    return _constants(
        SAMPLE_SCHEMA, size, {
            "sample_id": ids, "source": source.name, "split": splits, "revision": "1", "origin_id": ids,
            "group_id": ids, "task": source.task,
            "topic": source.task, "modality": modality, "body_part": "", "language": "en",
            "messages": _messages(questions, replies, count), "images": images, "answer": answer, "rationale": "",
            "licence": "CC0-1.0", "access": "open", "synthetic": pa.nulls(size, SAMPLE_SCHEMA.field("synthetic").type),
        },
    )  # fmt: skip


def _messages(questions: pa.Array, replies: pa.Array, pictures: int) -> pa.Array:
    """Return two turns a row: the pictures' slots and the question, and the reply."""
    size, width = len(questions), pictures + 2
    places = np.full((size, width), -1)
    places[:, pictures], places[:, pictures + 1] = np.arange(size), np.arange(size) + size
    chosen = pa.array(places.reshape(-1), mask=places.reshape(-1) < 0)
    text = pa.concat_arrays([questions, replies]).take(chosen)
    kind = pa.array(np.tile(["image"] * pictures + ["text", "text"], size))
    slots = np.tile([*range(pictures), -1, -1], size).astype(np.int32)
    parts = pa.StructArray.from_arrays([kind, text, pa.array(slots, mask=slots < 0)], ["type", "text", "image_index"])
    ends = np.cumsum(np.tile([pictures + 1, 1], size))
    content = pa.ListArray.from_arrays(pa.array(np.concatenate([[0], ends]), pa.int32()), parts)
    turns = pa.StructArray.from_arrays([pa.array(np.tile(["user", "assistant"], size)), content], ["role", "content"])
    return pa.ListArray.from_arrays(pa.array(np.arange(size + 1) * 2, pa.int32()), turns)


def _measure_texts(
    source: Source, ids: pa.Array, splits: pa.Array, digests: pa.Array, letters: NDArray[np.int64]
) -> pa.Table:
    tokens = (letters // 6 + 4).astype(np.uint32)
    values: dict[str, Any] = {
        "sample_id": ids, "source": source.name, "split": splits, "task": source.task, "images": source.pictures,
        "prompt_tokens": 8, "target_tokens": tokens, "characters": letters + 24, "target_characters": letters,
        "language": "en", "repetition": 0.0, "text_digest": digests,
    }  # fmt: skip
    schema = measure_texts(sample_table([]), SIGNALS_PARAMS).to_arrow().schema  # whatever is measured: 0 where not made
    zeros = {field.name: 0 for field in schema if field.name not in values}
    return _constants(schema, len(ids), zeros | values)


def _picture_signals(rng: np.random.Generator, image_ids: pa.Array, shown: int) -> pa.Table:
    hashes = rng.integers(0, 1 << 63, shown, dtype=np.uint64)
    kind, other = rng.random(shown), rng.integers(0, max(shown, 1), shown)
    exact, near = np.flatnonzero(kind < 0.08), np.flatnonzero((kind >= 0.08) & (kind < 0.2))
    hashes[exact] = hashes[other[exact]]
    flips = np.zeros(len(near), dtype=np.uint64)
    for bit in range(6):
        wanted = rng.integers(1, 7, len(near)) > bit
        flips |= np.where(wanted, np.uint64(1) << rng.integers(0, 63, len(near), dtype=np.uint64), np.uint64(0))
    hashes[near] = hashes[other[near]] ^ flips
    side = np.where(rng.random(shown) < 0.03, 48, 512).astype(np.int32)  # 3 % are too small for the gate
    names = ("sharpness", "entropy", "blank_share", "border_share", "colour_share")
    drawn = {name: rng.random(shown) * (8 if name == "entropy" else 0.9) for name in names}
    values = {"image_id": image_ids, "width": 512, "height": side, "min_side": side, "phash": hashes, "dhash": hashes}
    absent = {field.name: None for field in PICTURE_SCHEMA if field.name not in values | drawn}
    digests = pc.utf8_slice_codeunits(image_ids, 0, 32)
    return _constants(PICTURE_SCHEMA, shown, absent | values | drawn | {"pixel_digest": digests})


def _constants(schema: pa.Schema, size: int, values: dict[str, Any]) -> pa.Table:
    """Return a table of arrays, and of single values repeated."""

    def columns() -> Iterator[pa.Array]:
        for field in schema:
            value = values[field.name]
            if value is None or isinstance(value, str | int | float):
                yield pa.repeat(pa.scalar(value, field.type), size)
            else:
                yield (value if isinstance(value, pa.Array) else pa.array(value)).cast(field.type)

    return pa.Table.from_arrays(list(columns()), schema=schema)
