"""Scoring what `lingshu eval` has written: each response file by strict and official rules, reports by text metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lingshu.commands import report_metrics, scoring
from lingshu.core.files import write_text
from lingshu.inference.record import BenchmarkRun, RunRecord

SCORES = "scores"
REPORT = "report"
METRICS = "metrics.json"
CONFIDENCE = 0.95
REPORT_SETTINGS: dict[str, Any] = {
    "metrics": report_metrics.ALL_TEXT, "form": "plain", "section": "both", "tokens": "rouge-score", "models": {},
}  # fmt: skip


def score_run(record: RunRecord, names: Sequence[str], out: Path) -> Iterator[str]:
    """Write `out/scores/` for the named benchmarks of a run and yield a line about each verdict.

    Answers go to `scores/<rules>/<benchmark>.jsonl` with a summary beside them, reports to
    `scores/report/<benchmark>/metrics.json`.

    Raises:
        UserError: a response file can't be read, or a result can't be written.
    """
    width = max(len(name) for name in names)
    for name in names:
        run = record.benchmarks[name]
        lines = [json.loads(line) for line in (out / run.file).read_text(encoding="utf-8").splitlines()]
        reports = [line for line in lines if line["kind"] == REPORT]
        told = [*(_answers(run, name, out) if len(reports) < len(lines) else ()), *_reports(reports, name, out)]
        for line in told:
            yield f"{name:<{width}}  {line}"


def _answers(run: BenchmarkRun, name: str, out: Path) -> Iterator[str]:
    for rules in ("strict", "official"):
        folder = out / SCORES / rules
        scored, summary = folder / f"{name}.jsonl", folder / f"{name}.summary.json"
        yield from scoring.score(out / run.file, rules, scored, summary, seed=0, confidence=CONFIDENCE)


def _reports(lines: list[dict[str, Any]], name: str, out: Path) -> Iterator[str]:
    """Score generated reports; one without an answer is left out on both sides, and counted."""
    if not lines:
        return
    answered = [line for line in lines if line["response"] is not None]
    missing = f", {len(lines) - len(answered)} without an answer" if len(answered) < len(lines) else ""
    if not answered:
        yield f"0 reports{missing}"
        return
    folder = out / SCORES / REPORT / name
    references, candidates, metrics = (folder / file for file in ("references.jsonl", "candidates.jsonl", METRICS))
    for path, key in ((references, "answer"), (candidates, "response")):
        rows = [json.dumps({"id": line["id"], "report": line[key]}, ensure_ascii=False) for line in answered]
        write_text(path, "".join(row + "\n" for row in rows))
    samples = folder / "samples.jsonl"
    report_metrics.score_files(
        references, candidates, REPORT_SETTINGS, written=report_metrics.Written(metrics, samples)
    )
    found = json.loads(metrics.read_text(encoding="utf-8"))["metrics"]
    shown = ", ".join(f"{key} {found[key]:.4f}" for key in ("rouge_l", "bleu_4", "cider_d"))
    yield f"{len(answered)} reports: {shown}{missing}"
