"""The averages at the end of `lingshu eval`, over the whole run and by suite, and in `lingshu compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lingshu.commands.averages import tell_averages
from lingshu.evalkit.comparing import ComparisonSettings, compare_runs
from lingshu.evalkit.comparison_table import table
from lingshu.evalkit.power import multiple
from lingshu.evalkit.runfiles import read_run as read_verdicts
from lingshu.evalkit.statistics import detectable
from lingshu.inference.record import BenchmarkRun, RunRecord

CELLS = {
    "vqa_rad": ("multimodal", "VQA-RAD", 0.5, 100),
    "slake": ("multimodal", "SLAKE", 0.8, 300),
    "medbullets_op4": ("text", "Medbullets", 0.4, 100),
    "medbullets_op5": ("text", "Medbullets", 0.6, 300),
    "medqa_usmle": ("text", "MedQA-USMLE", 0.7, 200),
    "mmlu_med": ("text", "MMLU-Med", 0.7, 200),
    "pubmedqa": ("text", "PubMedQA", 0.7, 200),
    "medmcqa": ("text", "MedMCQA", 0.7, 200),
    "medxpertqa_text": ("text", "MedXpertQA-Text", 0.7, 200),
    "supergpqa_med": ("text", "SuperGPQA-Med", 0.7, 200),
    "cmb": ("text", "", 0.1, 200),
}


def whole_run(out: Path, names: dict[str, tuple[str, str, float, int]] = CELLS) -> RunRecord:
    runs = {}
    for name, (suite, paper, accuracy, n) in names.items():
        for rules in ("strict", "official"):
            cell = {"accuracy": accuracy, "low": accuracy - 0.06, "high": accuracy + 0.08, "n": n}
            path = out / "scores" / rules / f"{name}.summary.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(cell | {"minimum_detectable": 0.1, "responses_sha256": f"of {name}"}))
        runs[name] = BenchmarkRun(
            record={"suite": suite, "paper": paper}, file="", sha256=f"of {name}", questions=n, answered=n, asked=n,
            failed={}, finish_reasons={}, tokens=0, prompt_tokens=0, seconds=0.0, served_by=[],
        )  # fmt: skip
    return RunRecord(
        model="m", digest="d", revision="1", prompt_version=1, settings={}, execution={}, libraries={}, benchmarks=runs
    )


def test_means_over_benchmarks_over_items_and_over_the_papers_columns(tmp_path) -> None:
    lines = list(tell_averages(whole_run(tmp_path), tmp_path))
    assert lines[0].startswith("multimodal, strict: mean over 2 benchmarks 0.6500 (")
    assert "over 400 items 0.7250 (" in lines[0]
    lacking = "PathVQA, PMC-VQA, OmniMedVQA, MMMU-Med, MedXpertQA-MM"
    assert lines[0].endswith(f"no mean as the paper takes it: {lacking} not asked")
    found = json.loads((tmp_path / "scores/averages.json").read_text())["suites"]
    text = found["text"]["official"]
    assert text["over_benchmarks"]["accuracy"] == pytest.approx((0.4 + 0.6 + 6 * 0.7 + 0.1) / 9, abs=1e-6)
    # seven columns: the two files of Medbullets are one of 400 questions, and CMB is none
    assert text["as_the_paper"]["accuracy"] == pytest.approx((0.55 + 6 * 0.7) / 7, abs=1e-6)
    assert found["multimodal"]["strict"]["as_the_paper"] is None
    # independent benchmarks: squares of half-widths add up
    low = text["over_benchmarks"]["accuracy"] - text["over_benchmarks"]["low"]
    assert low == pytest.approx(0.06 / 9**0.5, abs=1e-6)
    assert "vqa_rad 0.1000" in lines[-1]


def test_scores_of_other_responses_do_not_count(tmp_path) -> None:
    record = whole_run(tmp_path, {"vqa_rad": ("multimodal", "", 0.5, 10), "slake": ("multimodal", "", 0.5, 10)})
    (tmp_path / "scores/strict/slake.summary.json").write_text('{"n": 9, "responses_sha256": "of others"}')
    assert not [line for line in tell_averages(record, tmp_path) if line.startswith("multimodal, strict")]


def test_compare_averages_each_suite(tmp_path) -> None:
    for folder, wrong in (("a", 2), ("b", 5)):
        record = {name: {"record": {"suite": suite}} for name, suite in (("x", "text"), ("y", "text"), ("z", "image"))}
        (tmp_path / folder / "responses").mkdir(parents=True)
        (tmp_path / folder / "run.json").write_text(json.dumps({"benchmarks": record}))
        for name, count in (("x", 20), ("y", 40), ("z", 10)):
            lines = [
                {"id": str(n), "kind": "yesno", "question": "Is it?", "answer": "yes", "response": "yes"}
                | ({"response": "no"} if n < wrong else {})
                for n in range(count)
            ]
            path = tmp_path / folder / "responses" / f"{name}.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    runs = [read_verdicts(tmp_path / folder, "strict", 0) for folder in "ab"]
    found = compare_runs(*runs, ComparisonSettings(resamples=1000))
    assert [(one.suite, one.benchmarks) for one in found.suites] == [("image", 1), ("text", 2)]
    text = found.suites[1]
    assert text.over_benchmarks.difference == pytest.approx(-(3 / 20 + 3 / 40) / 2)
    assert text.over_items.difference == pytest.approx(-6 / 60)
    assert any(line.startswith("text: over 2 benchmarks") for line in table(found))


def test_what_a_benchmark_could_show() -> None:
    values, alone = [1.0] * 60 + [0.0] * 40, [str(n) for n in range(100)]
    share = 62 / 104
    assert detectable(values, alone, 0.95, 0.8) == pytest.approx(
        2.8016 * (2 * share * (1 - share) / 100) ** 0.5, rel=1e-4
    )
    pairs = [str(n // 2) for n in range(100)]
    assert detectable(values, pairs, 0.95, 0.8) == pytest.approx(
        2**0.5 * multiple(50.0, 0.05, 0.8) / 2.8016 * detectable(values, alone, 0.95, 0.8), rel=0.03
    )
    assert detectable([1.0] * 100, alone, 0.95, 0.8) > 0.05
    assert detectable(values, ["p"] * 100, 0.95, 0.8) == 1.0
    assert detectable(values, [str(n % 5) for n in range(100)], 0.95, 0.8) == 1.0  # p ≥ 1/16, whatever they show
