"""Near-duplicate texts by MinHash, beside rensa, datasketch and text-dedup: `python perf/texts.py PEERS_PYTHON`.

PEERS_PYTHON is the interpreter of an environment with rensa, datasketch, text-dedup and polars. Texts: about 95 words
(20 to 400) of 50,000 invented ones by Zipf's law, a third with one of 50 openings of 8 words; 5 % copies, 10 % copies
with one word in twenty replaced. All use 3-word shingles, 128 permutations, 16 bands. Peers get texts in normal form
and drop a text that shares a band with an earlier, kept one; ours makes the normal form itself, compares candidates
exactly and drops those of Jaccard 0.5 or more. Recall: share of exact and of edited copies that are dropped; false:
share of all others that are. text-dedup's sketches (`embed_func`) are timed alone. CPU seconds of one thread, without
imports; ratios turn by turn; growth of resident memory over what the texts take (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

PERMUTATIONS, BANDS, SHINGLE = 128, 16, 3
SAMPLES = {"lingshu": 100_000, "rensa": 100_000, "datasketch": 10_000, "text-dedup": 10_000}
ALONE, EXACT, NEAR = 0, 1, 2
WORDS = 50_000  # of the vocabulary


def make_texts(count: int) -> pl.DataFrame:
    """Return columns text and kind (alone, exact copy, near copy of an earlier text that is alone)."""
    rng = np.random.default_rng(0)
    vocabulary = pl.Series(
        ["".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(3, 11))) for _ in range(WORDS)]
    )
    chances = np.cumsum(1 / np.arange(1, WORDS + 1))
    kinds = rng.choice(3, count, p=(0.85, 0.05, 0.1))
    kinds[:100] = ALONE
    alone = np.flatnonzero(kinds == ALONE)
    lengths = np.clip(rng.lognormal(np.log(95) - 0.12, 0.5, len(alone)), 20, 400).astype(int)
    words = np.searchsorted(chances, rng.random(lengths.sum()) * chances[-1])
    starts = np.cumsum(lengths) - lengths
    opened = np.flatnonzero(rng.random(len(alone)) < 1 / 3)
    words[starts[opened][:, None] + np.arange(8)] = rng.integers(0, WORDS, (50, 8))[rng.integers(50, size=len(opened))]
    source = np.arange(count)
    source[alone] = np.arange(len(alone))
    copies = np.flatnonzero(kinds != ALONE)
    source[copies] = (rng.random(len(copies)) * np.searchsorted(alone, copies)).astype(int)
    sizes = lengths[source]
    at = np.arange(sizes.sum()) + np.repeat(starts[source] - (np.cumsum(sizes) - sizes), sizes)
    edited = np.repeat(kinds == NEAR, sizes) & (rng.random(len(at)) < 0.05)
    chosen = np.where(edited, rng.integers(0, WORDS, len(at)), words[at])
    rows = pl.DataFrame({"row": np.repeat(np.arange(count), sizes), "word": vocabulary.gather(chosen)})
    texts = rows.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))["word"]
    return pl.DataFrame({"text": texts, "kind": kinds})


def ours(texts: pl.Series) -> list[int]:
    """Return the rows to drop."""
    from lingshu.dedup.params import TextParams  # noqa: PLC0415 (peers' interpreters lack it)
    from lingshu.dedup.texts import text_copies  # noqa: PLC0415

    params = TextParams(
        shingle_words=SHINGLE, permutations=PERMUTATIONS, bands=BANDS, threshold=0.5, within_groups=True, seed=1
    )

    def read(wanted: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], pl.Series]]:
        for start in range(0, len(texts), 1 << 15):
            rows = np.arange(start, min(start + (1 << 15), len(texts)))
            yield rows[wanted[rows]], texts.gather(rows[wanted[rows]])

    dropped: list[int] = text_copies(read, np.ones(len(texts), dtype=np.bool_), None, params).rows.tolist()
    return dropped


def rensa_drops(texts: list[str]) -> list[int]:
    """Return the rows that share a band with an earlier, kept one, by rensa."""
    from rensa import RMinHash, RMinHashLSH  # noqa: PLC0415

    lsh = RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=BANDS)
    dropped = []
    for row, text in enumerate(texts):
        words = text.split()
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update([" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)])
        if lsh.query(sketch):
            dropped.append(row)
        else:
            lsh.insert(row, sketch)
    return dropped


def datasketch_drops(texts: list[str]) -> list[int]:
    """Return the rows that share a band with an earlier, kept one, by datasketch."""
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415

    lsh = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    dropped = []
    for row, text in enumerate(texts):
        words = text.split()
        sketch = MinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update_batch([" ".join(words[i : i + SHINGLE]).encode() for i in range(len(words) - SHINGLE + 1)])
        if lsh.query(sketch):
            dropped.append(row)
        else:
            lsh.insert(row, sketch)
    return dropped


def text_dedup_sketches(texts: list[str]) -> list[int]:
    """Make text-dedup's sketches; it has no entry that deduplicates a list, so nothing is returned."""
    from text_dedup.minhash import embed_func  # noqa: PLC0415
    from text_dedup.utils import xxh3_32hash  # noqa: PLC0415

    rng = np.random.default_rng(1)
    prime, rows = np.uint64((1 << 61) - 1), PERMUTATIONS // BANDS
    permutations = tuple(rng.integers(low, prime, size=PERMUTATIONS, dtype=np.uint64) for low in (1, 0))
    for row, text in enumerate(texts):
        embed_func(
            text,
            row,
            num_perm=PERMUTATIONS,
            ngram_size=SHINGLE,
            min_length=SHINGLE,
            hashranges=[(band * rows, (band + 1) * rows) for band in range(BANDS)],
            permutations=permutations,
            hash_func=xxh3_32hash,
            dtype=np.uint64,
            max_hash=np.uint64((1 << 32) - 1),
            modulo_prime=prime,
        )
    return []


def _kibibytes(key: str) -> int:
    """Return what Linux says of this process: VmRSS, resident now; VmHWM, at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def work(tool: str, path: Path, count: int) -> None:
    """Time one tool in this process and print what it dropped."""
    column = pl.read_parquet(path)["text"].head(count)
    texts = column.to_list() if tool != "lingshu" else []
    run = {"rensa": rensa_drops, "datasketch": datasketch_drops, "text-dedup": text_dedup_sketches}.get(tool)
    _ = ours(column[:200]) if run is None else run(texts[:200])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here on
    resident = _kibibytes("VmRSS")
    start = time.process_time()
    dropped = ours(column) if run is None else run(texts)
    seconds = time.process_time() - start
    grown = (_kibibytes("VmHWM") - resident) // 1024
    print(json.dumps({"seconds": seconds, "dropped": dropped, "grown": grown}))


def main() -> None:
    """Draw texts, run the tools by turns, print recall, CPU seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", help="interpreter with rensa, datasketch, text-dedup, polars")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=int, default=1_000_000, help="texts of the last run, ours alone; 0 for none")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        tool, path, count = options.worker
        work(tool, Path(path), int(count))
        return
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "texts.parquet"
        table = make_texts(max(options.large, *SAMPLES.values()))
        table.write_parquet(path)
        compare(path, table["kind"].to_numpy(), options.peers, options.repeats, options.large)


def compare(path: Path, kinds: NDArray[np.int64], peers: str, repeats: int, large: int) -> None:
    """See `main`. Each peer is compared with ours on the same texts."""
    for tool, count in {**SAMPLES, "lingshu large": large}.items():
        if count == 0:
            continue
        sides = ("lingshu", tool) if tool in SAMPLES and tool != "lingshu" else ("lingshu",)
        times: dict[str, list[float]] = {side: [] for side in sides}
        last: dict[str, dict[str, object]] = {}
        for _ in range(repeats if tool in SAMPLES else 1):
            for side in sides:
                python = sys.executable if side == "lingshu" else peers
                command = [python, __file__, peers, "--worker", side, str(path), str(count)]
                reply = subprocess.run(
                    command, capture_output=True, text=True, check=True, env={**os.environ, "POLARS_MAX_THREADS": "1"}
                )
                last[side] = json.loads(reply.stdout.splitlines()[-1])
                times[side].append(float(str(last[side]["seconds"])))
        for side in sides:
            value = statistics.median(times[side])
            dropped = np.zeros(count, dtype=np.bool_)
            dropped[np.array(last[side]["dropped"], dtype=np.int64)] = True
            exact, near, alone = (dropped[kinds[:count] == kind].mean() for kind in (EXACT, NEAR, ALONE))
            turns = [slow / quick for slow, quick in zip(times[side], times["lingshu"], strict=True)]
            print(
                f"{count:>10,} texts {side:12}{value:9.3f} CPU-s {count / value:10,.0f} texts/CPU-s"
                f"{min(turns):7.1f} to {max(turns):.1f}, median {statistics.median(turns):.1f} x ours"
                f"  exact {exact:.3f} near {near:.3f} false {alone:.5f}  grown {last[side]['grown']} MiB"
            )


if __name__ == "__main__":
    main()
