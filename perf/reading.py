"""Reading training pictures in shuffled order, side by side with webdataset, HF datasets and MDS.

    python perf/reading.py [--pictures 4000] [--repeats 5] [--peers webdataset hf hf-views mds] [--store FOLDER …]

Every store holds the same pictures (JPEG, about 120 KB; or those of real stores) with half a kilobyte of JSON each and
is read once from the page cache, whole, in a shuffled order, JSON parsed, nothing decoded. A byte of every page is
looked at on every side: a view that nobody looked at was not read yet. Ours is `core.images.ImageStore` with the JSON
in a Parquet column, as samples lie; full random order, as HF's map style; webdataset and MDS shuffle as they recommend.
`views` are views of the mapped file, as `ImageStore.image` hands them to the decoder (of a PNG, Pillow makes a copy,
which counts as decoding); `copies` is the same with a copy of every picture, as the peers make one. Each side must hand
out every picture once, byte for byte, or nothing is timed. CPU seconds, by turns; rates and ratios are of the quickest
runs, and of each turn the smallest and the median. The last lines are the store's share of a loader's work, and what
both cost together, as training does them and as Pillow does from a peer's bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from lingshu.core.images import ImageStore, Picture, decoded, write_images

Pair = tuple[bytes | memoryview, dict[str, object]]
SHARD = 500  # pictures of a tar


def draw(number: int) -> bytes:
    """Return a JPEG of about 120 KB: smooth fields and noise, as in the measurements of the goals."""
    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)).resize(
        (640, 560), Image.Resampling.BICUBIC
    )
    noisy = np.clip(np.asarray(coarse, np.int16) + rng.normal(0, 9, (560, 640, 1)).astype(np.int16), 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def said(number: int) -> str:
    """Return the JSON of a sample."""
    words = " ".join(f"word{(number * 31 + n) % 997}" for n in range(60))
    return json.dumps({"id": number, "question": "What is shown?", "answer": words})


def write_ours(folder: Path, pictures: list[bytes]) -> None:
    """Write an Arrow store and a Parquet table of ids and JSON."""
    made = [
        Picture(data, "JPEG", 640, 560, "made", str(n), str(n), "train", "CC0-1.0") for n, data in enumerate(pictures)
    ]
    write_images(folder, made)
    table = pl.DataFrame({"image_id": [one.image_id for one in made], "json": [said(n) for n in range(len(made))]})
    table.write_parquet(folder / "samples.parquet")


def read_views(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield all pictures in random order, as views of the mapped file: what a decoder reads."""
    store = ImageStore([folder])
    table = pl.read_parquet(folder / "samples.parquet").sample(fraction=1.0, shuffle=True, seed=seed)
    for image_id, text in table.iter_rows():
        yield store.view(image_id), json.loads(text)


def read_copies(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield the same as bytes of their own, as the peers do."""
    for data, found in read_views(folder, seed):
        yield bytes(data), found


def write_webdataset(folder: Path, pictures: list[bytes]) -> None:
    """Write tars."""
    import webdataset  # noqa: PLC0415 (a peer may be absent)

    with webdataset.ShardWriter(str(folder / "part-%05d.tar"), maxcount=SHARD, verbose=0) as writer:
        for number, data in enumerate(pictures):
            writer.write({"__key__": f"{number:08d}", "jpg": data, "json": said(number).encode()})


def read_webdataset(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield all pictures, shards shuffled and a buffer of 500 samples."""
    import webdataset  # noqa: PLC0415

    shards = sorted(str(path) for path in folder.glob("*.tar"))
    random.Random(seed).shuffle(shards)
    for sample in webdataset.WebDataset(shards, shardshuffle=False).shuffle(500, seed=seed):
        yield sample["jpg"], json.loads(sample["json"])


def write_hf(folder: Path, pictures: list[bytes]) -> None:
    """Write an Arrow data set."""
    import datasets  # noqa: PLC0415

    datasets.disable_progress_bars()
    rows = {"data": pictures, "json": [said(number) for number in range(len(pictures))]}
    datasets.Dataset.from_dict(rows).save_to_disk(str(folder))


def read_hf(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield all rows of the shuffled map-style data set."""
    import datasets  # noqa: PLC0415

    for row in datasets.load_from_disk(str(folder)).shuffle(seed=seed):
        yield row["data"], json.loads(row["json"])


def read_hf_views(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield the same as views of the mapped file, by the Arrow format."""
    import datasets  # noqa: PLC0415

    for row in datasets.load_from_disk(str(folder)).shuffle(seed=seed).with_format("arrow").iter(1):
        yield memoryview(row.column("data")[0].as_buffer()), json.loads(row.column("json")[0].as_py())


def write_mds(folder: Path, pictures: list[bytes]) -> None:
    """Write MosaicML's shards."""
    from streaming import MDSWriter  # noqa: PLC0415

    with MDSWriter(out=str(folder), columns={"data": "bytes", "json": "str"}) as writer:
        for number, data in enumerate(pictures):
            writer.write({"data": data, "json": said(number)})


def read_mds(folder: Path, seed: int) -> Iterator[Pair]:
    """Yield all samples, shuffled as the library does by default."""
    from streaming import StreamingDataset  # noqa: PLC0415
    from streaming.base.util import clean_stale_shared_memory  # noqa: PLC0415

    clean_stale_shared_memory()
    for row in StreamingDataset(local=str(folder), shuffle=True, shuffle_seed=seed, batch_size=1):
        yield row["data"], json.loads(row["json"])


SIDES: dict[str, tuple[Callable[[Path, list[bytes]], None], Callable[[Path, int], Iterator[Pair]]]] = {
    "views": (write_ours, read_views),
    "copies": (write_ours, read_copies),
    "webdataset": (write_webdataset, read_webdataset),
    "hf": (write_hf, read_hf),
    "hf-views": (write_hf, read_hf_views),
    "mds": (write_mds, read_mds),
}


def digests(pairs: Iterator[Pair]) -> set[tuple[str, object]]:
    """Return what was read, whatever its order: digest and number of each picture."""
    return {(hashlib.sha256(data).hexdigest(), found["id"]) for data, found in pairs}


PAGE = 4096


def timed(read: Callable[[Path, int], Iterator[Pair]], folder: Path, seed: int) -> float:
    """Return the CPU seconds of reading all once, opening included."""
    start = time.process_time()
    for data, _ in read(folder, seed):
        bytes(memoryview(data)[::PAGE])
    return time.process_time() - start


def chosen(stores: list[Path], number: int) -> tuple[list[bytes], list[bytes]]:
    """Return some pictures to decode, and all to read: made ones, or those of the stores."""
    if stores:
        store = ImageStore(stores)
        found = [store.data(image_id) for image_id in store.ids()[:number]]
        return found[:200], found
    drawn = [draw(n) for n in range(min(number, 200))]
    # A comment behind the end of each copy makes the bytes differ without drawing thousands.
    return drawn, [drawn[n % len(drawn)] + n.to_bytes(4, "big") for n in range(number)]


def main() -> None:
    """Write the stores, check them, time them and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--store", type=Path, nargs="+", default=[], help="picture folders, data/images/radiology say")
    parser.add_argument("--peers", nargs="*", choices=list(SIDES)[2:], default=list(SIDES)[2:])
    asked = parser.parse_args()
    drawn, pictures = chosen(asked.store, asked.pictures)
    expected = {(hashlib.sha256(data).hexdigest(), number) for number, data in enumerate(pictures)}
    with tempfile.TemporaryDirectory() as name:
        folders = {side: Path(name) / side for side in ("views", "copies", *asked.peers)}
        for side, folder in folders.items():
            folder.mkdir()
            SIDES[side][0](folder, pictures)
            if digests(SIDES[side][1](folder, 0)) != expected:
                sys.exit(f"{side} does not hand out every picture once, byte for byte")
        seconds: dict[str, list[float]] = {side: [] for side in folders}
        for repeat in range(asked.repeats):
            for side, folder in folders.items():
                seconds[side].append(timed(SIDES[side][1], folder, repeat))
    size = statistics.mean(map(len, pictures)) / 1e3
    print(f"{len(pictures):,} pictures of {size:.0f} KB, all read on every side, {asked.repeats} turns")
    for side, found in seconds.items():
        print(
            f"{side:12} {min(found):8.3f} CPU-s {len(pictures) / min(found):10,.0f} pictures/CPU-s  "
            f"{ratios(found, seconds['copies'])} x copies, {ratios(found, seconds['views'])} x views"
        )
    print_overhead(drawn, {side: min(found) / len(pictures) for side, found in seconds.items()})


def ratios(theirs: list[float], own: list[float]) -> str:
    """Return how many times the seconds of ours theirs are: of the quickest runs, and (min, median) over the turns."""
    by_turn = sorted(a / b for a, b in zip(theirs, own, strict=True))
    return f"{min(theirs) / min(own):6.1f} ({by_turn[0]:.1f}, {statistics.median(by_turn):.1f})"


def print_overhead(drawn: list[bytes], reading: dict[str, float]) -> None:
    """Print the time of reading a picture as a share of decoding it, and the time of both."""
    ways: dict[str, Callable[[bytes], Image.Image]] = {
        "views": lambda data: decoded(memoryview(data)),
        "others": by_pillow,
    }
    decoding = dict.fromkeys(ways, math.inf)
    for _ in range(5):
        for way, decode in ways.items():
            start = time.process_time()
            for data in drawn:
                decode(data)
            decoding[way] = min(decoding[way], (time.process_time() - start) / len(drawn))
    for side, seconds in reading.items():
        after = decoding.get(side, decoding["others"])
        print(
            f"{side:12} reading {seconds * 1e6:4.0f} us a picture, decoding {after * 1e6:5.0f} us "
            f"({seconds / after:.2%}), both {(seconds + after) / (reading['views'] + decoding['views']):.2f} x views"
        )


def by_pillow(data: bytes) -> Image.Image:
    """Return the picture in RGB, decoded by Pillow."""
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB")


if __name__ == "__main__":
    main()
