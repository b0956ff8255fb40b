"""All pairs of hashes within 3 bits, beside faiss and comparing every pair: `python perf/pairs.py PEERS_PYTHON`.

PEERS_PYTHON is the interpreter of an environment with faiss-cpu and numpy. Hashes of 64 bits: 80 % random, 8 % copies,
12 % copies with 1 to 6 bits turned. Equality first: on 20,000 hashes the pairs are those of comparing every pair.
faiss's flat index (IndexBinaryFlat, range search) is asked for the neighbours of a sample of the same hashes, and its
time is multiplied up: all pairs of a million would take it most of an hour. Its multi-hash index likewise. CPU seconds,
one thread, imports and compiling outside the time; distinct hashes are found within it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RADIUS = 3
QUERIES = 1000


def make_hashes(count: int) -> NDArray[np.uint64]:
    """Return seeded hashes in random order."""
    rng = np.random.default_rng(0)
    alone = rng.integers(0, 2**64, int(count * 0.8), dtype=np.uint64)
    copies = rng.choice(alone, int(count * 0.08))
    near = rng.choice(alone, count - len(alone) - len(copies))
    bits = rng.integers(1, 7, len(near))
    for number in range(6):
        turned = near ^ (np.uint64(1) << rng.integers(0, 64, len(near), dtype=np.uint64))
        near = np.where(bits > number, turned, near)
    return rng.permutation(np.concatenate([alone, copies, near]))


def ours(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the pairs of distinct hashes."""
    from lingshu.core.hamming import near_pairs  # noqa: PLC0415 (peers' interpreters lack it)

    ordered = np.sort(hashes)
    distinct = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    pairs = near_pairs(distinct, RADIUS)
    return distinct[pairs.left], distinct[pairs.right]


def check(count: int = 20_000) -> int:
    """Assert that our pairs are those of comparing every pair; return how many there are."""
    hashes = make_hashes(count)
    distinct = np.unique(hashes)
    expected = set()
    for start in range(0, len(distinct), 1000):
        chunk = distinct[start : start + 1000]
        rows, columns = np.nonzero(np.bitwise_count(chunk[:, None] ^ distinct[None, :]) <= RADIUS)
        expected |= {(int(chunk[i]), int(distinct[j])) for i, j in zip(rows, columns, strict=True) if i + start < j}
    left, right = ours(hashes)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
    return len(expected)


def work(tool: str, path: Path) -> None:
    """Time one tool in this process and print `{"seconds": …, "found": …, "peak": MiB}`."""
    hashes = np.load(path)
    if tool == "lingshu":
        ours(hashes[:1000])
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        found = len(ours(hashes)[0])
        seconds = time.process_time() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
        print(json.dumps({"seconds": seconds, "found": found, "grown": grown // 1024}))
        return
    import faiss  # noqa: PLC0415 (only peers' interpreters have it)

    faiss.omp_set_num_threads(1)
    codes = hashes.view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64) if tool == "faiss flat" else faiss.IndexBinaryMultiHash(64, 4, 16)
    start = time.process_time()
    index.add(codes)
    added = time.process_time() - start
    start = time.process_time()
    if tool == "faiss flat":
        found = len(index.range_search(codes[:QUERIES], RADIUS + 1)[1])  # below the radius, not at it
    else:
        found = int((index.search(codes[:QUERIES], 10)[0] <= RADIUS).sum())
    asked = time.process_time() - start
    print(json.dumps({"seconds": added + asked * len(hashes) / QUERIES, "found": found, "grown": 0}))


def main() -> None:
    """Check equality, then print CPU seconds and ratios by number of hashes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", help="interpreter with faiss-cpu and numpy")
    parser.add_argument("--counts", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], Path(options.worker[1]))
        return
    print(f"20,000 hashes: {check():,} pairs, equal to comparing every pair")
    for count in options.counts:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "hashes.npy"
            np.save(path, make_hashes(count))
            tools = ["lingshu"] * options.repeats + (["faiss flat", "faiss multi-hash"] if count <= 1_000_000 else [])
            runs: dict[str, list[dict[str, float]]] = {tool: [] for tool in tools}
            for tool in tools:
                python = sys.executable if tool == "lingshu" else options.peers
                command = [python, __file__, options.peers, "--worker", tool, str(path)]
                reply = subprocess.run(command, capture_output=True, text=True, check=True)
                runs[tool].append(json.loads(reply.stdout.splitlines()[-1]))
        base = statistics.median(run["seconds"] for run in runs["lingshu"])
        for tool, results in runs.items():
            value = statistics.median(run["seconds"] for run in results)
            print(
                f"{count:>10,} {tool:18}{value:10.2f} CPU-s {value / base:9,.0f} x ours"
                f"  found {results[0]['found']:,}  grown {results[0]['grown']:,} MiB"
            )


if __name__ == "__main__":
    main()
