"""Row checks of a table of signals, beside other libraries: `python perf/quality_checks.py --peers PYTHON [--rows N]`.

Eight checks (no nulls, unique, two sets, three ranges, a digest's form) on one Parquet file. Every contestant runs in a
child process of its own, imports and reading included, by turns; figures are CPU seconds of the child. `--peers` is a
Python with great-expectations, pandera[polars], duckdb and this project's polars; all contestants run in it. First the
verdicts are compared, on a clean file and on one with planted faults: who disagrees is not timed.
"""

# ruff: noqa: PLC0415 (each contestant imports its own libraries, in a process of its own)

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SRC = Path(__file__).parents[1] / "src"
CONTESTANTS = ("lingshu", "duckdb", "pandera-polars", "great-expectations")
TASKS = ["caption", "vqa_open", "vqa_closed", "mcq", "report", "text_qa"]
LANGUAGES = ["en", "zh", "other", "none"]
DIGEST = "[0-9a-f]{32}"
CHECKS = ("id not null", "id unique", "task", "language", "tokens", "repetition", "entropy", "digest")
FAULTS = {"id not null": 3, "task": 5, "language": 7, "tokens": 11, "repetition": 13, "entropy": 17, "digest": 19}
ROWS_COMPARED = 100_000
COPIES = 23  # rows whose id another row has


def main() -> None:
    """Compare verdicts, then time by turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", help="a Python that has the peers")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        counts = RUN[options.run](options.file)
        print(json.dumps({"counts": counts, "cpu": time.process_time(), "rss": _rss_mib()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        clean, faulty, large = (Path(folder) / f"{name}.parquet" for name in ("clean", "faulty", "large"))
        _write(clean, ROWS_COMPARED, faults=False)
        _write(faulty, ROWS_COMPARED, faults=True)
        _write(large, options.rows, faults=False)
        _compare(options.peers, clean, faulty)
        _time(options.peers, large, options.rows, options.repeats)


def _write(path: Path, rows: int, *, faults: bool) -> None:
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(3)
    ids = np.char.add("source:", np.char.mod("%032x", np.arange(rows)))
    digests = np.char.mod("%016x", rng.integers(0, 1 << 62, rows))
    frame = pl.DataFrame(
        {
            "id": ids,
            "task": rng.choice(TASKS, rows),
            "language": rng.choice(LANGUAGES, rows),
            "tokens": rng.integers(1, 4000, rows),
            "repetition": rng.random(rows),
            "entropy": rng.random(rows) * 8,
            "digest": np.char.add(digests, digests[::-1]),
        }
    )
    if faults:
        frame = _faulty(frame.with_row_index("row"))
    frame.write_parquet(path)


def _faulty(frame: Any) -> Any:
    """Return the frame with `FAULTS` and `COPIES` planted in rows of their own, spread over the table."""
    import polars as pl

    wrong = {"id not null": None, "task": "poem", "language": "tlh", "tokens": -4, "repetition": 1.5, "entropy": 9.0}
    wrong["digest"] = "0123456789abcdef0123456789abcdeX"
    row, start = pl.col("row"), 1000
    for name, number in FAULTS.items():
        column = name.split()[0]
        hit = (row >= start) & (row < start + number)
        frame = frame.with_columns(pl.when(hit).then(pl.lit(wrong[name])).otherwise(pl.col(column)).alias(column))
        start += 1000
    copied = (row >= start) & (row < start + COPIES)
    return frame.with_columns(
        pl.when(copied).then(pl.col("id").shift(COPIES)).otherwise(pl.col("id")).alias("id")
    ).drop("row")


def _compare(peers: str, clean: Path, faulty: Path) -> None:
    for path, faults in ((clean, {}), (faulty, FAULTS)):
        for name in CONTESTANTS:
            counts = _child(peers, name, path)["counts"]
            for check in CHECKS:
                expected = faults.get(check, 0) if check != "id unique" else (COPIES if faults else 0)
                # Libraries count copies differently (the second, or both), so only yes or no must agree.
                same = bool(counts[check]) == bool(expected) if check == "id unique" else counts[check] == expected
                if not same:
                    sys.exit(f"{name}: {path.stem}: {check}: {counts[check]} broken rows, planted {expected}")
    print(
        f"verdicts equal: {len(CHECKS)} checks, a clean file, one with {sum(FAULTS.values())} faults, {COPIES} copies",
        flush=True,
    )


def _time(peers: str, path: Path, rows: int, repeats: int) -> None:
    cpu: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    rss: dict[str, int] = dict.fromkeys(CONTESTANTS, 0)
    for _ in range(repeats):
        for name in CONTESTANTS:
            told = _child(peers, name, path)
            print(f"{name}: {told['cpu']:.2f} CPU s", file=sys.stderr, flush=True)
            cpu[name].append(told["cpu"])
            rss[name] = max(rss[name], told["rss"])
    own = cpu["lingshu"]
    print(
        f"{rows:,} rows, {repeats} runs by turns\n"
        "| | CPU s (min, median, max) | x lingshu (min, median, max) | peak MiB |"
        "\n|---|---|---|---|"
    )
    for name in CONTESTANTS:
        ratios = [mine / other for mine, other in zip(cpu[name], own, strict=True)]
        print(f"| {name} | {_spread(cpu[name])} | {_spread(ratios)} | {rss[name]} |")


def _spread(values: list[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in (min(values), statistics.median(values), max(values)))


def _child(peers: str, name: str, path: Path) -> dict[str, Any]:
    environment = {"PYTHONPATH": str(SRC), "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": ""}
    command = [peers, "-W", "ignore", __file__, "--run", name, "--file", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _rss_mib() -> int:
    # Not `ru_maxrss`: a child starts with its parent's.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _lingshu(path: Path) -> dict[str, int]:
    import polars as pl

    from lingshu.quality.checks import between, broken_counts, hex_digits, not_null, one_of, unique

    checks = [
        not_null("id"), unique("id"), one_of("task", TASKS), one_of("language", LANGUAGES), between("tokens", 1, 4096),
        between("repetition", 0, 1), between("entropy", 0, 8), hex_digits("digest", 32),
    ]  # fmt: skip
    row = broken_counts(pl.scan_parquet(path), checks).row(0, named=True)
    return {name: row[check.name] for name, check in zip(CHECKS, checks, strict=True)}


def _duckdb(path: Path) -> dict[str, int]:
    import duckdb

    tasks, languages = (", ".join(f"'{word}'" for word in words) for words in (TASKS, LANGUAGES))
    row = (
        duckdb.connect(config={"threads": 1})
        .execute(
            f"""SELECT count(*) - count(id), count(id) - count(DISTINCT id),
                count(*) FILTER (task NOT IN ({tasks})), count(*) FILTER (language NOT IN ({languages})),
                count(*) FILTER (tokens NOT BETWEEN 1 AND 4096), count(*) FILTER (repetition NOT BETWEEN 0 AND 1),
                count(*) FILTER (entropy NOT BETWEEN 0 AND 8),
                count(*) FILTER (NOT regexp_full_match(digest, '{DIGEST}'))
                FROM read_parquet('{path}')"""
        )
        .fetchone()
    )
    assert row is not None
    return dict(zip(CHECKS, row, strict=True))


def _pandera(path: Path) -> dict[str, int]:
    import pandera.polars as pa
    import polars as pl

    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(pl.String, nullable=False, unique=True),
            "task": pa.Column(pl.String, pa.Check.isin(TASKS)),
            "language": pa.Column(pl.String, pa.Check.isin(LANGUAGES)),
            "tokens": pa.Column(pl.Int64, pa.Check.in_range(1, 4096)),
            "repetition": pa.Column(pl.Float64, pa.Check.in_range(0, 1)),
            "entropy": pa.Column(pl.Float64, pa.Check.in_range(0, 8)),
            "digest": pa.Column(pl.String, pa.Check.str_matches(f"^{DIGEST}$")),
        }
    )
    counts = dict.fromkeys(CHECKS, 0)
    try:
        schema.validate(pl.read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as errors:
        for row in errors.failure_cases.iter_rows(named=True):
            check = str(row["check"])
            name = {"not_nullable": "id not null", "field_uniqueness": "id unique"}.get(check, str(row["column"]))
            counts[name] += 1
    return counts


def _great_expectations(path: Path) -> dict[str, int]:
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    gxe: Any = importlib.import_module("great_expectations.expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": pd.read_parquet(path)})
    wanted = [
        gxe.ExpectColumnValuesToNotBeNull(column="id"),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeInSet(column="task", value_set=TASKS),
        gxe.ExpectColumnValuesToBeInSet(column="language", value_set=LANGUAGES),
        gxe.ExpectColumnValuesToBeBetween(column="tokens", min_value=1, max_value=4096),
        gxe.ExpectColumnValuesToBeBetween(column="repetition", min_value=0, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="entropy", min_value=0, max_value=8),
        gxe.ExpectColumnValuesToMatchRegex(column="digest", regex=f"^{DIGEST}$"),
    ]
    counts = {}
    results = batch.validate(gx.ExpectationSuite("suite", expectations=wanted), result_format="BASIC").results
    kinds = {
        ("id", "expect_column_values_to_not_be_null"): "id not null",
        ("id", "expect_column_values_to_be_unique"): "id unique",
    }
    for result in results:
        config: Any = result.expectation_config
        column, kind = config.kwargs["column"], config.type
        counts[kinds.get((column, kind), column)] = int(result.result["unexpected_count"])
    return counts


RUN = {
    "lingshu": _lingshu,
    "duckdb": _duckdb,
    "pandera-polars": _pandera,
    "great-expectations": _great_expectations,
}

if __name__ == "__main__":
    main()
