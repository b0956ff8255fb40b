"""Small invented runs for the viewer, with a model that answers with markup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingshu.commands import report_metrics
from lingshu.commands.scored_run import REPORT_SETTINGS
from lingshu.core.files import write_json
from lingshu.core.ids import sha256_file
from lingshu.evalkit.llm_judge.rubrics import Criterion
from lingshu.evalkit.llm_judge.rulings import NOTHING_TO_JUDGE, Grades, Vote, decide, failed_vote
from lingshu.evalkit.scorefile import Judgements, Settings, score_file
from tests.inference.invented import png

HOSTILE = (
    "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    '<a href="javascript:window.hacked = 3">\u2028 \ud83e {{ 7 * 7 }} & "B"'
)
LONG = "https://host.example/" + "qwen2.5-vl-7b-instruct_lora_r64_epoch4_checkpoint-12000_" * 2  # no place to break at
ROWS = 250  # of the long benchmark: two chunks


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write rows as JSON lines and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def mcq(name: str, response: str | None, **more: Any) -> dict[str, Any]:
    """Return a response line of a question with four options, of which B is right."""
    choices = ["A. left lung", "B. right lung", "C. heart", "D. liver"]
    row = {"id": name, "kind": "mcq", "question": f"Which organ is shown in {name}?", "choices": choices, "answer": "B"}
    return row | {"response": response, "meta": {"modality": "CT"}} | more


def short_rows() -> list[dict[str, Any]]:
    """Return one row of each sort."""
    yes_no = {"kind": "yesno", "choices": None, "answer": "yes", "meta": {"modality": ["MRI", "CT"]}}
    return [
        mcq("plain", "B", pictures=["../pictures/scan.png"], prompt="Look and answer with the letter."),
        mcq("nodule", "Yes, there is a nodule.", **yes_no),
        mcq("empty", "", pictures=["../pictures/gone.png"]),
        mcq("failed", None, error="timeout: no answer in 60 s"),
        mcq("open", "a stone", kind="open", choices=None, answer="gallstone"),
        mcq("hostile", HOSTILE, question=HOSTILE, meta={"modality": HOSTILE, "subject": HOSTILE}),
    ]


def write_run(root: Path) -> Path:
    """Write a folder of responses to two benchmarks, with a judge's verdict, and return it."""
    run = root / "run"
    write_lines(run / "responses" / "short.jsonl", short_rows())
    long = [mcq(f"item{n:03d}", "B" if n % 2 else "I think it is C.", meta={}) for n in range(ROWS)]
    write_lines(run / "responses" / "long.jsonl", long)
    judge(run, "short", Judgements({"open": decide([Vote("big", True, f"It is one. {HOSTILE}")])}))
    (root / "run" / "pictures").mkdir()
    (root / "run" / "pictures" / "scan.png").write_bytes(png(1).data)
    return run


def judge(run: Path, benchmark: str, judgements: Judgements) -> None:
    """Write what `lingshu eval --judge` would of a benchmark's responses."""
    responses, out = run / "responses" / f"{benchmark}.jsonl", run / "scores" / "strict" / f"{benchmark}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as handle:
        score_file(responses, Settings(), handle, judgements)
    write_json(out.with_name(f"{benchmark}.summary.json"), {"responses_sha256": sha256_file(responses)})


def write_judged(root: Path) -> Path:
    """Write a run with reports, and with open answers and a rubric that judges saw, and return it."""
    run = root / "judges"
    rubrics = [
        {"criterion": "names a doctor", "points": 6, "tags": []},
        {"criterion": HOSTILE, "points": -2, "tags": []},
    ]
    plain = {"kind": "open", "choices": None, "answer": "gallstone", "meta": {}}
    rows = [
        mcq("several", "a stone", **plain),
        mcq("silent", "", **plain),
        mcq("down", "a stone", **plain),
        mcq("graded", "See a doctor.", kind="rubric", choices=None, answer=None, meta={"rubrics": rubrics}),
        mcq("report", "The lungs are clear.", kind="report", choices=None, answer="Clear lungs.", meta={}),
    ]
    write_lines(run / "responses" / "care.jsonl", rows)
    criteria = tuple(Criterion(one["criterion"], one["points"], ()) for one in rubrics)
    told = [Vote("big", True, "It is one."), Vote("small", True, "Yes."), Vote("tiny", None, "Hm.", "unreadable")]
    judged = {
        "several": decide(told),
        "silent": NOTHING_TO_JUDGE,
        "down": decide([failed_vote("big", "timeout: 60 s")]),
        "graded": Grades(criteria, (decide([Vote("big", True, "It does.")]), decide([Vote("big", False, HOSTILE)]))),
    }
    judge(run, "care", Judgements(judged))
    folder = run / "scores" / "report" / "care"
    references = write_lines(folder / "references.jsonl", [{"id": "report", "report": rows[4]["answer"]}])
    candidates = write_lines(folder / "candidates.jsonl", [{"id": "report", "report": rows[4]["response"]}])
    metrics, samples = folder / "metrics.json", folder / "samples.jsonl"
    written = report_metrics.Written(out=metrics, per_sample=samples)
    report_metrics.score_files(references, candidates, REPORT_SETTINGS, written=written)
    return run


def write_long_names(root: Path) -> Path:
    """Write a run whose benchmark, modality, break-down, judge and reasons have names without a blank."""
    run, name = root / "names", "benchmark_" * 6
    about = {"modality": LONG, LONG: LONG}
    rows = [
        mcq(LONG, "a stone", kind="open", choices=None, answer="gallstone", meta=about),
        mcq("failed", None, error=LONG, meta=about),
        mcq("right", LONG, meta=about, choices=[LONG, "lung", "heart", "liver"]),
    ]
    write_lines(run / "responses" / f"{name}.jsonl", rows)
    judge(run, name, Judgements({LONG: decide([Vote(LONG, True, LONG), Vote("b", None, LONG, "failed", LONG)])}))
    return run


def write_other(root: Path) -> Path:
    """Write a single file with responses to the same items of `short`, all wrong, and return it."""
    rows = [mcq(row["id"], "D", meta={"benchmark": "short"}) for row in short_rows()]
    return write_lines(root / "other.jsonl", rows)


def write_scored(root: Path) -> Path:
    """Write a scored file, which holds no response, and return it."""
    line = {
        "id": "s1",
        "kind": "mcq",
        "correct": True,
        "score": 1.0,
        "parsed": "B",
        "rule": "letter",
        "no_answer": False,
    }
    return write_lines(root / "scored.jsonl", [line | {"cluster": "", "meta": {"benchmark": "short"}}])
