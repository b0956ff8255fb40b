"""Small invented runs for the viewer, with a model that answers with markup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.inference.invented import png

HOSTILE = (
    "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    '<a href="javascript:window.hacked = 3">\u2028 \ud83e {{ 7 * 7 }} & "B"'
)
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
    judged = {"id": "open", "kind": "open", "correct": True, "rule": "judge:big", "judge": "big", "verdict": True}
    write_lines(run / "scores" / "judged" / "short.jsonl", [judged | {"judge_text": f"It is one. {HOSTILE}", "meta": {}}])
    (root / "run" / "pictures").mkdir()
    (root / "run" / "pictures" / "scan.png").write_bytes(png(1).data)
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
