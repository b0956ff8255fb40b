"""What the viewer writes, and what it says of bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.breakdown import Tally
from lingshu.report.viewer.build import Surroundings, ViewerSettings, build_viewer
from lingshu.report.viewer.chunks import CHUNK_CHARS
from lingshu.report.viewer.published import PublishedRow
from lingshu.report.viewer.rows import RunInput, read_rows
from lingshu.report.viewer.scores import BenchmarkFacts, mean, suites
from tests.report.viewer_runs import HOSTILE, ROWS, mcq, write_judged, write_lines, write_other, write_run, write_scored

SETTINGS = ViewerSettings(picture_px=32)


def run_input(run: Path, label: str = "mine") -> RunInput:
    files = sorted((run / "responses").glob("*.jsonl"), reverse=True)
    reports = {path.name: path for path in (run / "scores" / "report").glob("*")}
    return RunInput(label, tuple(files), run / "scores" / "strict", reports)


def data_of(out: Path, name: str) -> Any:
    """Return what a data file hands to the page."""
    text = (out / "data" / f"{name}.js").read_text(encoding="utf-8")
    found = re.fullmatch(r"lingshuPut\((\".*?\"), (.*)\);\n", text, re.DOTALL)
    assert found is not None
    assert json.loads(found[1]) == name
    return json.loads(found[2])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path)


def test_rows_come_in_order_with_both_verdicts(run: Path, tmp_path: Path) -> None:
    built = build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")
    assert (built.rows, built.pictures) == (6 + ROWS, 1)
    rows = {row["id"]: row for row in data_of(tmp_path / "out", "g000/c00000")}
    assert rows["nodule"]["first"]["correct"] is True
    assert rows["nodule"]["first"]["parsed"] == "yes"
    assert rows["nodule"]["official"]["correct"] is False
    assert rows["open"]["first"]["rule"] == "judge:big"
    assert [(judge["name"], judge["verdict"]) for judge in rows["open"]["judges"]] == [("big", True)]
    assert rows["failed"]["error"] == "timeout: no answer in 60 s"
    assert rows["failed"]["first"]["correct"] is None
    assert rows["hostile"]["response"] == HOSTILE
    index = data_of(tmp_path / "out", "g001/index")
    assert index["starts"] == [0, 200]
    assert [row["id"] for row in data_of(tmp_path / "out", "g001/c00001")] == index["ids"][200:]
    # MedEvalKit takes "I think it is C." for B, the option that is most similar letter by letter.
    assert index["bits"] == [0 | 1 << 2, 1 | 1 << 2] * (ROWS // 2)


def test_pictures_are_reduced_and_those_that_are_missing_are_told(run: Path, tmp_path: Path) -> None:
    built = build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 1
    advice = "put it where `pictures` of the line says, or pass --questions FILE or --folder NAME=DIR"
    assert built.problems == [f"short, empty: gone.png: No such file or directory: {advice}"]
    page = built.page.read_text(encoding="utf-8")
    assert "gone.png" in page
    assert str(tmp_path) not in page


def test_a_benchmark_without_its_pictures_says_what_to_pass(run: Path, tmp_path: Path) -> None:
    around = Surroundings(advice={"short": "never said: it has one", "long": "pass --folder", "other": "not asked"})
    built = build_viewer([run_input(run)], around, SETTINGS, tmp_path / "out")
    assert built.problems[1:] == ["long: pass --folder"]


def test_judges_decide_open_answers_and_rubrics_and_nothing_else(tmp_path: Path) -> None:
    build_viewer([run_input(write_judged(tmp_path))], Surroundings(), SETTINGS, tmp_path / "out")
    rows = {row["id"]: row for row in data_of(tmp_path / "out", "g000/c00000")}
    assert {name: (row["first"]["correct"], row["first"]["rule"]) for name, row in rows.items()} == {
        "several": (True, "judge:majority"),
        "silent": (False, "no_answer"),
        "down": (None, "judge_failed"),
        "graded": (None, "judge:big"),
        "report": (None, "report"),
    }
    assert "timeout: 60 s" in rows["down"]["first"]["reason"]
    assert [judge["name"] for judge in rows["several"]["judges"]] == ["big", "small", "tiny", "majority"]
    assert [judge["text"] for judge in rows["several"]["judges"]] == ["It is one.", "Yes.", "Hm.", ""]
    assert rows["graded"]["first"]["score"] == 1.0
    for row in rows.values():  # judges say the same under both rules
        assert (row["official"]["correct"], row["official"]["rule"]) == (row["first"]["correct"], row["first"]["rule"])
    assert [(one["points"], one["met"]) for one in rows["graded"]["criteria"]] == [(6.0, True), (-2.0, False)]
    assert rows["report"]["metrics"]["rouge_l"] == pytest.approx(1 / 3)  # one word in order, of four and of two


def test_rubrics_and_reports_have_their_own_numbers(tmp_path: Path) -> None:
    build_viewer([run_input(write_judged(tmp_path))], Surroundings(), SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "rubric score 100.0, n 1" in page
    assert "Reports of care" in page
    assert "rouge_l_coco" in page


def test_numbers_that_cannot_be_compared_are_marked_and_explained(run: Path, tmp_path: Path) -> None:
    inputs = [run_input(run, "one"), RunInput("two", (run / "responses" / "short.jsonl",))]
    row = PublishedRow(model="Big", benchmark="SHORT", score=91.5, metric="accuracy", protocol="p", source="table 1")
    around = Surroundings({"short": BenchmarkFacts("text", "Short", "SHORT")}, [row])
    build_viewer(inputs, around, SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    told = re.findall(r"<li><b>(\w+)</b>, (\w+): (\d[^<]*)</li>", page)
    assert [(benchmark, label) for benchmark, label, _ in told] == [("short", "two")]  # run one has a judge for both
    assert told[0][2].startswith("1 of 6 answers are open: official counts one as right only if it equals")
    assert page.count("†</sup>") == 1
    assert "not where † stands" in page


def test_a_suite_without_verdicts_says_why_instead_of_a_table(tmp_path: Path) -> None:
    rows = [mcq(str(n), "a film", kind=kind, choices=None) for n, kind in enumerate(["caption", "caption", "report"])]
    path = write_lines(tmp_path / "told.jsonl", rows)
    build_viewer([RunInput("r", (path,))], Surroundings(), SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "None of these 3 answers is right or wrong by rules" in page
    assert "stage scores captions (2)" in page
    assert "Leaderboard" not in page


def test_judgements_of_other_responses_are_refused(run: Path, tmp_path: Path) -> None:
    responses = run / "responses" / "short.jsonl"
    responses.write_bytes(responses.read_bytes() + b"\n")
    with pytest.raises(UserError, match=r"short\.jsonl: judges saw other responses than .*short\.jsonl holds"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")
    (run / "scores" / "strict" / "short.summary.json").unlink()
    with pytest.raises(UserError, match=r"short\.summary\.json: no such file"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")


def test_scores_that_no_judge_saw_are_not_needed(run: Path, tmp_path: Path) -> None:
    """Rules decide anew: scores of an older version, or of fewer responses, change nothing."""
    line = {"id": "plain", "kind": "mcq", "correct": False, "rule": "old"}
    write_lines(run / "scores" / "strict" / "short.jsonl", [line])
    build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")
    rows = {row["id"]: row["first"] for row in data_of(tmp_path / "out", "g000/c00000")}
    assert (rows["plain"]["correct"], rows["open"]["rule"]) == (True, "unjudged")


def test_broken_report_scores_are_named(tmp_path: Path) -> None:
    run = write_judged(tmp_path)
    (run / "scores" / "report" / "care" / "metrics.json").write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(UserError, match=r"metrics\.json: format"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / "out")


def test_the_page_escapes_what_models_and_users_write(run: Path, tmp_path: Path) -> None:
    build_viewer([run_input(run, HOSTILE.replace("\ud83e", ""))], Surroundings(), SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script>window" not in page
    assert "onerror='" not in page
    assert page.count("<script") == 2  # the manifest and viewer.js


def test_published_rows_stand_apart(run: Path, tmp_path: Path) -> None:
    facts = {"short": BenchmarkFacts("text", "Short", "SHORT", 0.25), "long": BenchmarkFacts("text", "", "LONG")}
    rows = [
        PublishedRow(model="Big", benchmark=name, score=score, metric="accuracy", protocol="theirs", source="table 1")
        for name, score in (("SHORT", 91.5), ("LONG", 81.5), ("ELSE", 71.5))
    ]
    build_viewer([run_input(run)], Surroundings(facts, rows), SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    ours, _, theirs = page.partition('<details class="published">')
    assert "91.5" not in ours
    published = theirs.partition("</details>")[0]
    assert re.findall(r'"number">([\d.]+)<', published) == ["91.5", "81.5", "86.5"]
    assert "Protocol: theirs" in published
    assert "not where † stands" not in published


def test_a_scored_file_and_a_second_run(run: Path, tmp_path: Path) -> None:
    inputs = [run_input(run), RunInput("other", (write_other(tmp_path),)), RunInput("given", (write_scored(tmp_path),))]
    build_viewer(inputs, Surroundings(), SETTINGS, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    manifest = json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    assert [entry["tracks"] for entry in manifest["runs"]] == [["strict", "official"]] * 2 + [["as scored"]]
    assert [(entry["run"], entry["benchmark"]) for entry in manifest["groups"]] == [
        (0, "short"), (0, "long"), (1, "short"), (2, "short"),
    ]  # fmt: skip


def test_long_rows_make_short_chunks(tmp_path: Path) -> None:
    rows = [mcq(str(n), "word " * (CHUNK_CHARS // 12)) for n in range(5)]
    path = write_lines(tmp_path / "long.jsonl", rows)
    build_viewer([RunInput("r", (path,))], Surroundings(), SETTINGS, tmp_path / "out")
    assert data_of(tmp_path / "out", "g000/index")["starts"] == [0, 2, 4]


def test_only_a_viewer_is_replaced(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    build_viewer([run_input(run)], Surroundings(), SETTINGS, out)
    build_viewer([RunInput("other", (write_other(tmp_path),))], Surroundings(), SETTINGS, out)
    assert not (out / "data" / "g001").exists()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="holds something that is no viewer"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, out)
    with pytest.raises(UserError, match="holds something"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, run)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(UserError, match=r"^\.: is the folder that you are in"):
        build_viewer([run_input(run)], Surroundings(), SETTINGS, Path())
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_scored_lines_stand_under_the_rules_that_they_name(tmp_path: Path) -> None:
    line = {"kind": "mcq", "correct": True, "rule": "letter"}
    said = write_lines(tmp_path / "said.jsonl", [line | {"id": "1", "rules": "official"}, line | {"id": "2"}])
    rows = list(read_rows(RunInput("said", (said,)), 0))
    assert [row.track for row in rows] == ["as scored, official", "as scored"]


def test_a_link_to_a_folder_is_followed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("real", "new"):
        (tmp_path / f"link to {name}").symlink_to(name)
        for _ in range(2):
            built = build_viewer([run_input(run)], Surroundings(), SETTINGS, tmp_path / f"link to {name}")
            assert built.page == tmp_path / f"link to {name}" / "index.html"
        assert (tmp_path / f"link to {name}").is_symlink()
        assert (tmp_path / name / "index.html").is_file()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no responses"),
        ("[]\n", "bad.jsonl:1: neither a response nor a scored line"),
        ("{\n", "bad.jsonl:1: not JSON"),
        ('{"id": "a", "kind": "mcq", "question": "", "response": "x"}\n', "bad.jsonl:1.*`answer` is missing"),
        ('{"id": "a", "correct": "yes"}\n', r"bad.jsonl:1\.correct"),
        ('{"id": "a", "correct": null, "score": NaN}\n', r"bad.jsonl:1\.score"),
        ('{"id": "a", "correct": true}\n' * 2, "bad.jsonl:2: id 'a'"),
    ],
)
def test_bad_lines_are_named_and_leave_nothing(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=what):
        build_viewer([RunInput("bad", (path,))], Surroundings(), SETTINGS, tmp_path / "out")
    assert [found.name for found in tmp_path.iterdir()] == ["bad.jsonl"]


def test_means_and_their_intervals(run: Path) -> None:
    cells = [{"accuracy": 0.5, "low": 0.4, "high": 0.7, "n": 10}, {"accuracy": 0.9, "low": 0.6, "high": 1.0, "n": 30}]
    found = mean(cells)
    assert found is not None
    assert (found["accuracy"], found["of"], found["n"]) == (pytest.approx(0.7), 2, 40)
    assert found["low"] == pytest.approx(0.7 - (0.1**2 + 0.3**2) ** 0.5 / 2)
    assert found["high"] == pytest.approx(0.7 + (0.2**2 + 0.1**2) ** 0.5 / 2)
    weighted = mean(cells, [10, 30])
    assert weighted is not None
    assert weighted["accuracy"] == pytest.approx(0.8)
    assert mean([]) is None
    assert mean(cells[:1]) | {"of": 0} == cells[0] | {"of": 0}
    tally = Tally()
    for row in read_rows(run_input(run), 0):
        tally.add(row.first)
    assert (len(tally.values), tally.reasons.total()) == (5 + ROWS, 1)


def test_suites_follow_the_catalogue() -> None:
    facts = {"b": BenchmarkFacts("text"), "a": BenchmarkFacts("text"), "c": BenchmarkFacts("report")}
    assert suites(["z", "a", "c", "b", "a"], facts) == {"text": ["b", "a"], "report": ["c"], "other": ["z"]}
