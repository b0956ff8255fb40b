"""Scoring what `lingshu eval` has written: each response file by both rules and by judges, reports by text metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingshu.commands import report_metrics, scoring
from lingshu.core.files import write_bytes
from lingshu.evalkit.items import encoded, numbered_lines
from lingshu.inference.record import BenchmarkRun, RunRecord

if TYPE_CHECKING:
    from lingshu.commands.judge_request import JudgeRequest
    from lingshu.evalkit.items import Item
    from lingshu.evalkit.params import Rules
    from lingshu.inference.judging import Asked

SCORES = "scores"
JUDGE_STORE = "judge-store"
RULES: tuple[Rules, ...] = ("strict", "official")
REPORT = "report"
METRICS = "metrics.json"
CONFIDENCE = 0.95
REPORT_SETTINGS: dict[str, Any] = {
    "metrics": report_metrics.ALL_TEXT, "form": "plain", "section": "both", "tokens": "rouge-score", "models": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoredBenchmark:
    """What is to be said of a benchmark's scores, and what judges failed at beyond measure."""

    name: str
    lines: list[str]
    problems: list[str]


def score_run(
    record: RunRecord, names: Sequence[str], out: Path, judges: JudgeRequest | None = None
) -> Iterator[ScoredBenchmark]:
    """Write `out/scores/` for the named benchmarks of a run and yield what is to be said of each.

    Answers go to `scores/<rules>/<benchmark>.jsonl` with a summary beside them, reports to
    `scores/report/<benchmark>/metrics.json`. What needs no judge comes first, so that a judge that is out of reach
    keeps nothing else from being scored; its verdicts are the same under both rules.

    Raises:
        UserError: a response file can't be read, a judge can't be asked, or a result can't be written.
    """
    waiting = _for_judges(record, names, out) if judges is not None else {}
    for name in names:
        if name not in waiting:
            yield _scored(record.benchmarks[name], name, out)
    if judges is None or not waiting:
        return
    from lingshu.commands.judging import parse_judges  # noqa: PLC0415
    from lingshu.inference.judging import judge_items  # noqa: PLC0415

    asked = judge_items(waiting, parse_judges(judges), judges.store or out / JUDGE_STORE, judges.most)
    for name in waiting:
        yield _scored(record.benchmarks[name], name, out, asked[name])


def check_judges(judges: JudgeRequest) -> None:
    """Check what was typed about judges before the model is asked anything.

    Raises:
        UserError: a judge or an option is wrong.
    """
    from lingshu.commands.judging import parse_judges  # noqa: PLC0415

    parse_judges(judges)


def _for_judges(record: RunRecord, names: Sequence[str], out: Path) -> dict[str, list[Item]]:
    """Return the items of the benchmarks that hold open answers or rubrics."""
    from lingshu.evalkit.scorefile import checked_items  # noqa: PLC0415
    from lingshu.inference.judging import has_work  # noqa: PLC0415

    found = {name: checked_items(out / record.benchmarks[name].file) for name in names}
    return {name: items for name, items in found.items() if has_work(items)}


def _scored(run: BenchmarkRun, name: str, out: Path, asked: Asked | None = None) -> ScoredBenchmark:
    lines = [json.loads(line) for _, line in numbered_lines(out / run.file)]
    reports = [line for line in lines if line["kind"] == REPORT]
    told = [*(_answers(run, name, out, asked) if len(reports) < len(lines) else ()), *_reports(reports, name, out)]
    return ScoredBenchmark(name, told, asked.problems if asked else [])


def _answers(run: BenchmarkRun, name: str, out: Path, asked: Asked | None) -> Iterator[str]:
    for rules in RULES:
        folder = out / SCORES / rules
        scored, summary = folder / f"{name}.jsonl", folder / f"{name}.summary.json"
        told = scoring.score_judged(out / run.file, rules, scored, summary, seed=0, confidence=CONFIDENCE, asked=asked)
        # What judges say is the same under both rules: it is told once.
        yield from told if rules == RULES[0] else told[:1]


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
        write_bytes(path, b"".join(map(encoded, rows)))
    samples = folder / "samples.jsonl"
    report_metrics.score_files(
        references, candidates, REPORT_SETTINGS, written=report_metrics.Written(metrics, samples)
    )
    found = json.loads(metrics.read_text(encoding="utf-8"))["metrics"]
    shown = ", ".join(f"{key} {found[key]:.4f}" for key in ("rouge_l", "bleu_4", "cider_d"))
    yield f"{len(answered)} reports: {shown}{missing}"
