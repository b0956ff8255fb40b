"""Filter, join and sample of millions of rows, side by side with HF datasets, pandas and DuckDB.

    python perf/tabular.py [--rows 5000000] [--repeats 3] [--peers pandas duckdb hf pandas-made duckdb-made hf-made]

The work is the mix's: of samples in Parquet parts of 100,000 rows take the split `train`, keep what `decontaminate`
kept and `classify_modality` did not drop, draw nine tenths of three groups by the stable hash of the id, order them by
another, and write the table of references. Ours is `mix.mixture.make_mixture` itself, hashes included, and so it is
compared in two ways. `pandas`, `duckdb` and `hf` get both hashes as columns that lie ready, so they do less; the
seconds that ours spends in hashing are shown for it. The sides `-made` hash their ids by hashlib themselves, as late as
they can. Each side must give the same rows in the same order, or nothing is timed. CPU seconds of a process of its own
for each run (all threads, imports included), by turns. HF datasets takes ten minutes of CPU a run at 5 million rows,
and so is asked for apart: `--peers hf hf-made --repeats 0`.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

GROUPS = {"captions": ["captions_a", "captions_b"], "questions": ["questions"], "texts": ["texts"]}
SEED = 23


def prepare(root: Path, rows: int) -> None:
    """Write samples (without texts: no side reads them), verdicts, and the hashes for the peers."""
    import numpy as np  # noqa: PLC0415 (each process imports what its own side needs)
    import polars as pl  # noqa: PLC0415

    from lingshu.core.id_hashes import stable_hashes  # noqa: PLC0415
    from lingshu.core.layout import MODALITY, SAMPLES, verdict_file  # noqa: PLC0415

    rng = np.random.default_rng(0)
    decided = []
    for name, share in {"captions_a": 0.3, "captions_b": 0.2, "questions": 0.25, "texts": 0.25}.items():
        size = round(rows * share)
        digits = rng.bytes(10 * size).hex()
        ids = pl.Series([f"{name}:{digits[20 * n : 20 * n + 20]}" for n in range(size)]).sort()
        split = np.where(rng.random(size) < 0.05, "test", "train")
        kind = rng.choice(["x-ray", "ct", "mri"], size)
        table = pl.DataFrame({"sample_id": ids, "split": split, "modality": kind}).with_columns(
            pl.concat_list("modality"), source=pl.lit(name), task=pl.lit("caption"), topic=pl.lit("all"),
            draw=stable_hashes(SEED, ids, before=("draw",)),
            order=stable_hashes(SEED, ids, before=("order", "deep"), after=("0",)),
        )  # fmt: skip
        folder = root / SAMPLES / name
        folder.mkdir(parents=True)
        for number, start in enumerate(range(0, size, 100_000)):
            table.slice(start, 100_000).write_parquet(folder / f"part-{number:05d}.parquet")
        decided.append(table.select("sample_id", "source").with_columns(keep=pl.Series(rng.random(size) < 0.85)))
    verdicts = pl.concat(decided)
    for path, dropped in ((verdict_file("decontaminate"), 0.0), (MODALITY / "verdicts.parquet", 0.02)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        keep = pl.col("keep") if not dropped else pl.Series("keep", rng.random(len(verdicts)) >= dropped)
        verdicts.with_columns(keep).write_parquet(root / path, row_group_size=1 << 20)
    left = pl.scan_parquet(root / SAMPLES / "*/*.parquet").filter(pl.col("split") == "train")
    kept = pl.scan_parquet(root / verdict_file("decontaminate")).filter("keep")
    gone = pl.scan_parquet(root / MODALITY / "verdicts.parquet").filter(~pl.col("keep"))
    eligible = left.join(kept, on="sample_id", how="semi").join(gone, on="sample_id", how="anti")
    counts = dict(eligible.group_by("source").len().collect().iter_rows())
    wanted = {group: sum(counts[source] for source in sources) * 9 // 10 for group, sources in GROUPS.items()}
    (root / "wanted.json").write_text(json.dumps(wanted))


def _wanted(root: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((root / "wanted.json").read_text())
    return found


def hashed(ids: Sequence[str], before: Sequence[str], after: Sequence[str] = ()) -> Any:
    """Return the stable hashes of ids as a NumPy array, by hashlib: what a user of the peers would write."""
    import numpy as np  # noqa: PLC0415

    head = "".join(f"{part}\x1f" for part in (str(SEED), *before))
    tail = "".join(f"\x1f{part}" for part in after)
    digests = [hashlib.blake2b(f"{head}{one}{tail}".encode(), digest_size=8).digest() for one in ids]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


DRAW = functools.partial(hashed, before=("draw",))
ORDER = functools.partial(hashed, before=("order", "deep"), after=("0",))


HASHES = ("draw", "order")


def run_ours(root: Path) -> Path:
    """Draw the mixture by the mix's own function."""
    from lingshu.core.corpus import MIXTURE_FILE  # noqa: PLC0415
    from lingshu.core.layout import MIXTURES  # noqa: PLC0415
    from lingshu.mix.mixture import make_mixture  # noqa: PLC0415
    from lingshu.mix.params import MixParams  # noqa: PLC0415

    groups = {
        name: {"samples": rows, "sources": GROUPS[name], "tasks": ["caption"]} for name, rows in _wanted(root).items()
    }
    params = MixParams.model_validate(
        {"seed": SEED} | dict.fromkeys(("shallow", "deep", "instruct", "reinforce"), groups)
    )
    make_mixture("deep", params, sorted({s for sources in GROUPS.values() for s in sources}), [], root)
    return root / MIXTURES / "deep" / MIXTURE_FILE


def run_pandas(root: Path, *, made: bool = False) -> Path:
    """Do the same with pandas."""
    import pandas as pd  # noqa: PLC0415

    columns = ["sample_id", "split", "source", *([] if made else HASHES)]
    parts = sorted((root / "data/samples").glob("*/part-*.parquet"))
    rows = pd.concat([pd.read_parquet(path, columns=columns) for path in parts], ignore_index=True)
    kept = pd.read_parquet(root / "data/verdicts/decontaminate/verdicts.parquet", columns=["sample_id", "keep"])
    gone = pd.read_parquet(root / "data/modality/verdicts.parquet", columns=["sample_id", "keep"])
    rows = rows[rows["split"] == "train"]
    rows = rows.merge(kept.loc[kept["keep"], ["sample_id"]], on="sample_id")
    rows = rows[~rows["sample_id"].isin(gone.loc[~gone["keep"], "sample_id"])]
    if made:
        rows["draw"] = DRAW(rows["sample_id"])
    drawn = []
    for name, size in _wanted(root).items():
        pool = rows[rows["source"].isin(GROUPS[name])]
        drawn.append(pool.sort_values(["draw", "sample_id"]).head(size).assign(group=name))
    together = pd.concat(drawn)
    if made:
        together["order"] = ORDER(together["sample_id"])
    ordered = together.sort_values(["order", "sample_id"]).reset_index(drop=True)
    ordered["position"] = ordered.index
    ordered["folder"] = "data/samples/" + ordered["source"]
    path = root / "pandas.parquet"
    ordered[["position", "sample_id", "group", "source", "folder"]].to_parquet(path, compression="zstd", index=False)
    return path


def _on_arrow(hashes: Callable[[Sequence[str]], Any]) -> Callable[[Any], Any]:
    import pyarrow as pa  # noqa: PLC0415

    def run(ids: Any) -> Any:
        return pa.array(hashes(ids.to_pylist()))

    return run


def run_duckdb(root: Path, *, made: bool = False) -> Path:
    """Do the same with one DuckDB query."""
    import duckdb  # noqa: PLC0415

    path = root / "duckdb.parquet"
    cases = " ".join(f"when source in ({', '.join(map(repr, s))}) then '{g}'" for g, s in GROUPS.items())
    limits = " ".join(f"when '{group}' then {size}" for group, size in _wanted(root).items())
    connection = duckdb.connect(config={"threads": 2})
    draw, order, kept = "draw", '"order"', '"order"'
    if made:
        draw, order, kept = "draw_of(sample_id)", "order_of(sample_id)", "0 as none"
        for name, hashes in (("draw_of", DRAW), ("order_of", ORDER)):
            connection.create_function(name, _on_arrow(hashes), ["VARCHAR"], "UBIGINT", type="arrow")
    connection.execute(
        f"""
        copy (
          with pool as (
            select sample_id, source, {draw} as draw, {kept}, case {cases} end as "group"
            from read_parquet('{root}/data/samples/*/part-*.parquet') rows
            where split = 'train'
              and sample_id in (select sample_id from '{root}/data/verdicts/decontaminate/verdicts.parquet' where keep)
              and sample_id not in (select sample_id from '{root}/data/modality/verdicts.parquet' where not keep)
          ), ranked as (
            select *, row_number() over (partition by "group" order by draw, sample_id) as rank from pool
          )
          select row_number() over (order by {order}, sample_id) - 1 as position, sample_id, "group", source,
            'data/samples/' || source as folder
          from ranked where rank <= case "group" {limits} end
          order by position
        ) to '{path}' (format parquet, compression zstd)
        """
    )
    return path


def run_hf(root: Path, *, made: bool = False) -> Path:
    """Do the same with Hugging Face datasets: filters by set membership, sorts, concatenation."""
    import datasets  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    datasets.disable_progress_bars()
    parts = [str(path) for path in sorted((root / "data/samples").glob("*/part-*.parquet"))]
    with tempfile.TemporaryDirectory() as cache:
        columns = ["sample_id", "split", "source", *([] if made else HASHES)]
        rows = datasets.load_dataset("parquet", data_files=parts, split="train", cache_dir=cache, columns=columns)
        kept = pq.read_table(root / "data/verdicts/decontaminate/verdicts.parquet", filters=[("keep", "=", True)])
        gone = pq.read_table(root / "data/modality/verdicts.parquet", filters=[("keep", "=", False)])
        wanted, dropped = set(kept["sample_id"].to_pylist()), set(gone["sample_id"].to_pylist())
        rows = rows.filter(
            lambda splits, ids: [
                s == "train" and i in wanted and i not in dropped for s, i in zip(splits, ids, strict=True)
            ],
            input_columns=["split", "sample_id"], batched=True,
        )  # fmt: skip
        if made:
            rows = rows.map(lambda ids: {"draw": DRAW(ids)}, input_columns=["sample_id"], batched=True)
        drawn = []
        for name, size in _wanted(root).items():
            own = set(GROUPS[name])
            pool = rows.filter(lambda found, own=own: [s in own for s in found], input_columns=["source"], batched=True)
            chosen = pool.sort(["draw", "sample_id"]).select(range(size))
            drawn.append(chosen.add_column("group", [name] * size))
        together = datasets.concatenate_datasets(drawn)
        if made:
            together = together.map(lambda ids: {"order": ORDER(ids)}, input_columns=["sample_id"], batched=True)
        ordered = together.sort(["order", "sample_id"])
        ordered = ordered.add_column("position", list(range(len(ordered))))
        ordered = ordered.add_column("folder", [f"data/samples/{source}" for source in ordered["source"]])
        path = root / "hf.parquet"
        ordered.select_columns(["position", "sample_id", "group", "source", "folder"]).to_parquet(str(path))
    return path


SIDES: dict[str, Callable[[Path], Path]] = {
    "ours": run_ours,
    "pandas": run_pandas,
    "duckdb": run_duckdb,
    "hf": run_hf,
    "pandas-made": functools.partial(run_pandas, made=True),
    "duckdb-made": functools.partial(run_duckdb, made=True),
    "hf-made": functools.partial(run_hf, made=True),
}
hashing: list[float] = []  # CPU seconds of each time that ours hashes


def _timed(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        start = time.process_time()
        found = function(*given, **named)
        hashing.append(time.process_time() - start)
        return found

    return run


def measured(side: str, root: Path) -> None:
    """Run one side in this process; print CPU seconds, growth of memory, rows, and a digest of the rows in order."""
    before = _resident()
    start = time.process_time()
    if side == "ours":
        from lingshu.core.id_hashes import stable_hashes  # noqa: PLC0415
        from lingshu.mix import plan  # noqa: PLC0415

        vars(plan)["stable_hashes"] = _timed(stable_hashes)
    path = SIDES[side](root)
    cpu, grown = time.process_time() - start, _resident() - before
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(path, columns=["position", "sample_id", "group", "source", "folder"]).sort_by("position")
    state = hashlib.sha256()
    for column in table.columns[1:]:
        state.update("\n".join(column.to_pylist()).encode())
    found = {"cpu": cpu, "hashing": sum(hashing), "mib": grown, "rows": table.num_rows, "digest": state.hexdigest()}
    print(json.dumps(found))


def _resident() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def once(side: str, root: Path) -> dict[str, Any]:
    """Run a side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--folder", str(root)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(root: Path, rows: int, sides: list[str], repeats: int) -> None:
    """Check that all sides give the same rows, then time them by turns and print a line each.

    With no repeats the first runs are those that count, but for ours, which may have to compile.
    """
    prepare(root, rows)
    once("ours", root)
    first = {side: once(side, root) for side in sides}  # fills the page cache
    if len({found["digest"] for found in first.values()}) > 1:
        sys.exit(f"not the same rows: {[(side, found['rows'], found['digest'][:12]) for side, found in first.items()]}")
    runs = {side: [] if repeats else [found] for side, found in first.items()}
    for _ in range(repeats):
        for side in sides:
            runs[side].append(once(side, root))
    middle = {side: statistics.median(run["cpu"] for run in found) for side, found in runs.items()}
    spent = statistics.median(run["hashing"] for run in runs["ours"])
    print(f"{rows:,} rows, {first['ours']['rows']:,} drawn, the same on every side; median of {max(repeats, 1)}")
    print(f"ours spends {spent:.2f} CPU-s in hashing, loading of the compiled functions included")
    for side, cpu in middle.items():
        ratios = sorted(run["cpu"] / own["cpu"] for run, own in zip(runs[side], runs["ours"], strict=True))
        memory = statistics.median(run["mib"] for run in runs[side])
        print(
            f"{side:12} {cpu:8.2f} CPU-s {rows / cpu:12,.0f} rows/CPU-s  +{memory:6.0f} MiB  "
            f"{cpu / middle['ours']:6.2f} x ours ({ratios[0]:.2f} to {ratios[-1]:.2f}), "
            f"{cpu / (middle['ours'] - spent):6.2f} x ours without hashing",
            flush=True,
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each side after its first; 0: the first")
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=[side for side in SIDES if side != "ours"],
        default=["pandas", "duckdb", "pandas-made", "duckdb-made"],
    )
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side is not None:
        measured(asked.side, asked.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), asked.rows, ["ours", *asked.peers], asked.repeats)


if __name__ == "__main__":
    main()
