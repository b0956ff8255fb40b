"""Packing side by side with TRL's best-fit-decreasing: `python perf/packing.py [samples] [capacity] [repeats]`.

Two fair pairs. Plan and gather: both sides turn the same Arrow table of token lists into packed lists. Plan alone: TRL
has no entry for it, so it gets the same lengths as lists of nulls, which leave nothing to gather. CPU seconds, runs
interleaved, medians; compiling (numba) and importing are outside the timed part.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from trl.data_utils import _pack_bfd

from lingshu.core.packing import plan_bins

MEAN_TOKENS = 671  # of the mixture that the goals were set on: log-normal, sigma 1


def make_lengths(samples: int, capacity: int) -> np.ndarray:
    """Return log-normal lengths in 1..capacity tokens, seeded."""
    drawn = np.random.default_rng(0).lognormal(np.log(MEAN_TOKENS) - 0.5, 1.0, samples)
    return np.clip(drawn.astype(np.int64), 1, capacity)


def make_table(lengths: np.ndarray, tokens: pa.Array) -> pa.Table:
    """Return a table of token lists with the given lengths."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.table({"input_ids": pa.ListArray.from_arrays(offsets, tokens)})


def pack_ours(table: pa.Table, lengths: np.ndarray, capacity: int) -> pa.ListArray:
    """Return the packed token lists by our plan: plan, then one gather."""
    bins, positions = plan_bins(lengths, capacity)
    order = np.lexsort((positions, bins))
    gathered = pc.take(table["input_ids"].combine_chunks(), pa.array(order))
    ends = np.cumsum(np.bincount(bins, weights=lengths).astype(np.int64))
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], ends]).astype(np.int32)), gathered.values)


def timed(function: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main(samples: int = 100_000, capacity: int = 8192, repeats: int = 3) -> None:
    """Print CPU seconds, samples a second, fill and ratio of both packers."""
    lengths = make_lengths(samples, capacity)
    table = make_table(lengths, pa.array(np.arange(int(lengths.sum()), dtype=np.int32)))
    bare = make_table(lengths, pa.nulls(int(lengths.sum())))
    plan_bins(lengths[:10], capacity)
    runs: dict[str, Callable[[], object]] = {
        "plan + gather, trl": lambda: _pack_bfd(table, capacity),
        "plan + gather, ours": lambda: pack_ours(table, lengths, capacity),
        "plan alone, trl": lambda: _pack_bfd(bare, capacity),
        "plan alone, ours": lambda: plan_bins(lengths, capacity),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            seconds[name].append(timed(run))
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    ideal = lengths.sum() / capacity
    fill = {"trl": ideal / len(_pack_bfd(table, capacity)), "ours": ideal / len(pack_ours(table, lengths, capacity))}
    print(f"{samples:,} samples, mean {lengths.mean():.0f} tokens, capacity {capacity:,}, median of {repeats}")
    for name, value in middle.items():
        work, side = name.split(", ")
        ratio = middle[f"{work}, trl"] / value
        print(f"{name:20} {value:9.4f} CPU-s {samples / value:14,.0f} samples/s  fill {fill[side]:.5f}  {ratio:7.1f}x")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
