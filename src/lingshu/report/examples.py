"""Example answers: what the last checkpoint said right and wrong, beside the untrained one and the gold answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lingshu.core.ids import stable_hash
from lingshu.core.layout import BENCHMARKS, RESPONSES, SCORES
from lingshu.core.tables import sample_table
from lingshu.report.results import Table


@dataclass(frozen=True, slots=True)
class Example:
    """One response; `before` is the first checkpoint's to the same item, or None if it was not asked."""

    benchmark: str
    sample_id: str
    image_id: str
    topic: str
    question: str
    gold: str
    checkpoint: str
    response: str
    before: str | None
    before_checkpoint: str
    score: float
    right: bool


def examples(root: Path, found: list[Table], seed: int, number: int) -> list[Example]:
    """Return up to `number` responses of each benchmark's last checkpoint, half of them right, drawn by a stable hash.

    Graded responses (captions, reports) count as right from their median score upwards.
    """
    scores = pl.read_parquet(root / SCORES / "scores.parquet")
    return [example for table in found for example in _of_benchmark(root, table, scores, seed, number)]


def _of_benchmark(root: Path, table: Table, scores: pl.DataFrame, seed: int, number: int) -> Iterator[Example]:
    last, first = table.checkpoints[-1], table.checkpoints[0]
    mine = scores.filter(pl.col("benchmark") == table.name, pl.col("checkpoint") == last)
    strict = table.scorer == "strict"
    values = _values(mine, "correct" if strict else "score")
    said = _responses(root, last, table.name)
    before = _responses(root, first, table.name) if first != last else {}
    shown = _images(root / BENCHMARKS / table.name)
    for sample_id, right in _drawn(values, strict, seed, number):
        line = said[sample_id]
        yield Example(
            benchmark=table.name,
            sample_id=sample_id,
            image_id=shown.get(sample_id, ""),
            topic=str(line["meta"]["topic"]),
            question=_question(line),
            gold=_gold(line),
            checkpoint=last,
            response=str(line["response"]),
            before=str(before[sample_id]["response"]) if sample_id in before else None,
            before_checkpoint=first,
            score=values[sample_id],
            right=right,
        )


def _values(rows: pl.DataFrame, column: str) -> dict[str, float]:
    """Return `{sample_id: verdict or graded score, from 0 to 1}` of the rows that have one."""
    decided = rows.filter(pl.col(column).is_not_null()).select("sample_id", pl.col(column).cast(pl.Float64))
    return dict(decided.sort("sample_id").iter_rows())


def _drawn(values: dict[str, float], strict: bool, seed: int, number: int) -> list[tuple[str, bool]]:
    """Return `(sample_id, right)` of the drawn responses, right ones first; one kind fills up for the other."""
    ordered = sorted(values, key=lambda sample_id: stable_hash(seed, sample_id))
    limit = 1.0 if strict or not values else sorted(values.values())[len(values) // 2]
    right = [sample_id for sample_id in ordered if values[sample_id] >= limit]
    wrong = [sample_id for sample_id in ordered if values[sample_id] < limit]
    num_wrong = min(len(wrong), number - min(len(right), number - number // 2))
    kept = right[: number - num_wrong]
    return [(sample_id, True) for sample_id in kept] + [(sample_id, False) for sample_id in wrong[:num_wrong]]


def _question(line: dict[str, Any]) -> str:
    """Return the question with its options."""
    options = " ".join(f"{chr(ord('A') + place)}. {text}" for place, text in enumerate(line["choices"] or []))
    return f"{line['question']} {options}".strip()


def _gold(line: dict[str, Any]) -> str:
    answer = line["answer"]
    return ", ".join(answer) if isinstance(answer, list) else str(answer)


def _responses(root: Path, checkpoint: str, benchmark: str) -> dict[str, dict[str, Any]]:
    path = root / RESPONSES / checkpoint / f"{benchmark}.jsonl"
    # Not `str.splitlines`: it also cuts at U+2028 and the like, which JSON allows inside a string.
    with path.open("rb") as handle:
        lines = [json.loads(line) for line in handle]
    return {line["id"]: line for line in lines}


def _images(folder: Path) -> dict[str, str]:
    """Return the first picture of each item that has one."""
    rows = sample_table([folder]).select("sample_id", "image_ids").iter_rows()
    return {sample_id: image_ids[0] for sample_id, image_ids in rows if image_ids}
