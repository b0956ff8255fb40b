"""A run as `lingshu compare` takes it: verdicts by benchmark and id, from scored lines or from responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.core.progress import track
from lingshu.evalkit.items import ResponseLine, numbered_lines, parsed_line
from lingshu.evalkit.params import Rules
from lingshu.evalkit.scored import ScoredLine, score_item

UNNAMED = "all"  # the benchmark of a single file that names none
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict (None: unscored) and the image or patient it belongs to ("" for none)."""

    correct: bool | None
    cluster: str


@dataclass(frozen=True, slots=True)
class RunVerdicts:
    """The verdicts of one run, by (benchmark, id)."""

    name: str
    answers: dict[Key, Answer]


def read_run(path: Path, rules: Rules, seed: int) -> RunVerdicts:
    """Return the verdicts of a file, or of all `*.jsonl` files of a folder; responses are scored on the fly.

    Of a folder that `lingshu eval` has written, its `responses/` are read.

    An item's benchmark is `meta.benchmark`, else in a folder its file's name.

    Raises:
        UserError: nothing to read, or a line that is neither a scored line nor a response, or comes twice (named).
    """
    folder = path / "responses" if (path / "run.json").is_file() else path
    files = sorted(folder.glob("*.jsonl")) if path.is_dir() else [path]
    answers: dict[Key, Answer] = {}
    for file in files:
        default = file.name.removesuffix(".jsonl") if path.is_dir() else UNNAMED
        for number, benchmark, identity, answer in _lines(file, rules, seed):
            key = benchmark or default, identity
            if key in answers:
                what = f"{file}:{number}: id {identity!r} of benchmark {key[0]!r} comes twice"
                raise UserError(
                    what, "give each item of a benchmark its own id, and each benchmark its own meta.benchmark"
                )
            answers[key] = answer
    if not answers:
        raise UserError(f"{path}: no scored lines or responses", "give a .jsonl file, or a folder that holds some")
    return RunVerdicts(str(path), answers)


def _lines(file: Path, rules: Rules, seed: int) -> Iterator[tuple[int, str, str, Answer]]:
    total = sum(1 for _ in numbered_lines(file))
    for number, raw in track(numbered_lines(file), f"read {file.name}", total):
        where = f"{file}:{number}"
        data = parsed_line(raw, where)
        if not isinstance(data, dict) or not {"correct", "response"} & data.keys():
            fix = "give lines that `lingshu score` reads or writes (docs/score-files.md)"
            raise UserError(f"{where}: neither a scored line nor a response", fix)
        if "correct" in data:
            line = validate(ScoredLine, data, where)
            yield number, str(line.meta.get("benchmark") or ""), line.id, Answer(line.correct, line.cluster)
        else:
            item = validate(ResponseLine, data, where).item()
            scored = score_item(item, rules, seed)
            answer = Answer(scored.score.correct, item.cluster)
            yield number, str(item.meta.get("benchmark") or ""), item.id, answer
