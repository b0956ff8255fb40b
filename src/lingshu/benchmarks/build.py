"""Building the held-out sets: rows of the test split, balanced over gold answers, with the chance level of each topic.

Chance is the accuracy of the better of two blind strategies, taken for each kind of answer alone: always the most
frequent gold answer, or a uniform guess among the options. A gold answer that only training groups show is listed, not
silently missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingshu.benchmarks.catalog import BenchmarkRecord, pick, read_benchmarks
from lingshu.benchmarks.params import BenchmarksParams
from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_json
from lingshu.core.ids import stable_hash
from lingshu.core.layout import BENCHMARKS, SAMPLES
from lingshu.core.manifest import write_manifest
from lingshu.core.sample import Sample, read_samples, write_samples

RECORD_FILE = "record.json"


def build_benchmarks(params: BenchmarksParams, sources: list[str], out: Path = BENCHMARKS) -> dict[str, Any]:
    """Write `out/<name>/{part-*.parquet, record.json, manifest.json}` for each enabled benchmark; return the metrics.

    Raises:
        UserError: an unknown benchmark, one whose source is not enabled, or one that no held-out row answers to.
    """
    records = pick(read_benchmarks(), params.enabled)
    check_sources(records, sources)
    samples = list(read_samples(SAMPLES / source for source in sources))
    fresh_dir(out)
    metrics: dict[str, Any] = {}
    for name, record in records.items():
        rows = [s for s in samples if matches(record, s)]
        chosen = choose([s for s in rows if s.split == record.split], params)
        if not chosen:
            raise UserError(
                f"catalog/benchmarks.yaml: {name}: no {record.split} row of {', '.join(record.sources)} matches",
                "correct tasks and topics of the record, or hold out more groups",
            )
        metrics[name] = summarise(record, chosen, [s for s in rows if s.split == "train"])
        write_samples(out / name, chosen)
        write_json(out / name / RECORD_FILE, {"name": name, **record.model_dump(), "topics": metrics[name]["topics"]})
        write_manifest(out / name, "benchmark", len(chosen))
    return metrics


def check_sources(records: dict[str, BenchmarkRecord], sources: list[str]) -> None:
    """Raise a `UserError` for a benchmark that takes rows of a source that is not enabled."""
    for name, record in records.items():
        if missing := [source for source in record.sources if source not in sources]:
            raise UserError(
                f"params.yaml: benchmarks.enabled: {name!r} needs source {missing[0]!r}, which is not enabled",
                f"add {missing[0]!r} to sources.enabled or remove {name!r}",
            )


def matches(record: BenchmarkRecord, sample: Sample) -> bool:
    """Return whether a sample of any split answers to the record."""
    return (
        sample.source in record.sources
        and sample.task in record.tasks
        and (not record.topics or sample.topic in record.topics)
    )


def choose(rows: Iterable[Sample], params: BenchmarksParams) -> list[Sample]:
    """Return up to `items_per_topic` rows of each topic, evenly over gold answers, by stable hash of the id.

    Raising `items_per_topic` only adds rows.
    """
    ranked = sorted(rows, key=lambda s: (stable_hash(params.seed, s.sample_id), s.sample_id))
    place: Counter[tuple[str, tuple[str, str]]] = Counter()
    by_topic: dict[str, list[tuple[int, Sample]]] = {}
    for sample in ranked:
        key = (sample.topic, gold(sample))
        by_topic.setdefault(sample.topic, []).append((place[key], sample))
        place[key] += 1
    chosen: list[Sample] = []
    for _, found in sorted(by_topic.items()):
        chosen += [s for _, s in sorted(found, key=lambda item: item[0])[: params.items_per_topic]]
    return chosen


def gold(sample: Sample) -> tuple[str, str]:
    """Return kind and gold answer as they are scored (the letter of a multiple-choice item, else the text)."""
    answer = sample.answer
    return ("", "") if answer is None else (answer.kind, answer.label or answer.text)


def chance(rows: list[Sample]) -> float | None:
    """Return the chance level of rows of one topic, or None where answers are free text (captions, reports)."""
    if any(s.answer is None or s.answer.kind == "open" for s in rows):
        return None
    right = 0.0
    for kind in sorted({s.answer.kind for s in rows if s.answer}):
        asked = [s.answer for s in rows if s.answer and s.answer.kind == kind]
        constant = max(Counter(a.label or a.text for a in asked).values())
        uniform = sum(1 / len(a.choices) for a in asked if a.choices)
        right += max(constant, uniform)
    return round(right / len(rows), 4)


def summarise(record: BenchmarkRecord, chosen: list[Sample], training: list[Sample]) -> dict[str, Any]:
    """Return rows, groups, chance and gold answers seen only in training, per topic."""
    topics: dict[str, Any] = {}
    for topic in sorted({s.topic for s in (*chosen, *training)}):
        rows = [s for s in chosen if s.topic == topic]
        held_out = {s.answer.text for s in rows if s.answer}
        only = {s.answer.text for s in training if s.topic == topic and s.answer} - held_out
        topics[topic] = {
            "rows": len(rows),
            "groups": len({s.group_id for s in rows}),
            "chance": chance(rows) if rows else None,
            "training_only": sorted(only) if record.scorer == "strict" else [],
        }
    return {
        "rows": len(chosen),
        "groups": len({s.group_id for s in chosen}),
        "images": len({i.image_id for s in chosen for i in s.images}),
        "topics": topics,
    }
