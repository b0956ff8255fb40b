"""A run as `lingshu compare` takes it: verdicts by benchmark and id, from scored lines or from responses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.params import validate
from lingshu.core.progress import track
from lingshu.evalkit.items import MEND_LINE, RUBRIC, ResponseLine, numbered_lines, parsed_line
from lingshu.evalkit.params import Rules
from lingshu.evalkit.scored import ScoredLine, score_item

JUDGED_KINDS = ("open", RUBRIC)  # all others are decided by rules
UNNAMED = "all"  # the benchmark of a single file that names none
RUN = "run.json"  # of a folder that `lingshu eval` has written
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, or the score of a graded rubric, and the image or patient that it belongs to ("" for none).

    Attributes:
        correct: None where there is no verdict; always of a rubric.
        graded: a rubric item; its value is its score.
        score: of a rubric item, not clipped; None if it has none.
    """

    correct: bool | None
    cluster: str
    graded: bool = False
    score: float | None = None

    @property
    def value(self) -> float | None:
        """What is compared: 1 for right and 0 for wrong, or the rubric's score; None if the item is unscored."""
        if self.graded:
            return self.score
        return None if self.correct is None else float(self.correct)


class ScoresOf(BaseModel):
    """What a summary says of the scores beside it, as far as comparing needs it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    responses_sha256: str = ""
    judges: list[dict[str, Any]] = []


class SuiteOf(BaseModel):
    """The suite that a benchmark's record names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    suite: str = ""


class BenchmarkOf(BaseModel):
    """What `run.json` says of a benchmark, as far as comparing needs it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record: SuiteOf = SuiteOf()


class RunOf(BaseModel):
    """What `run.json` says, as far as comparing needs it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    benchmarks: dict[str, BenchmarkOf] = {}


@dataclass(frozen=True, slots=True)
class RunVerdicts:
    """The verdicts of one run, by (benchmark, id).

    Attributes:
        suites: of benchmarks, as far as `run.json` says.
        rules: what the verdicts were scored by, as far as lines say (those of earlier releases don't).
    """

    name: str
    answers: dict[Key, Answer]
    suites: dict[str, str] = field(default_factory=dict)
    rules: frozenset[Rules] = frozenset()


def read_run(path: Path, rules: Rules, seed: int) -> RunVerdicts:
    """Return the verdicts of a file, or of all `*.jsonl` files of a folder; responses are scored on the fly.

    Of a folder that `lingshu eval` has written, its `responses/` are read, and what judges said of them from `scores/`.

    An item's benchmark is `meta.benchmark`, else in a folder its file's name.

    Raises:
        UserError: nothing to read, or a line that is neither a scored line nor a response, or comes twice (named).
    """
    evaluated = (path / RUN).is_file()
    files = _line_files(path)
    answers: dict[Key, Answer] = {}
    scored_by: set[Rules] = set()
    for file in files:
        default = file.name.removesuffix(".jsonl") if path.is_dir() else UNNAMED
        judged = _judged(_scores_of(path, rules, file), file) if evaluated else {}
        for number, benchmark, identity, answer, by in _lines(file, rules, seed):
            key = benchmark or default, identity
            scored_by |= {by} if by else set()
            if key in answers:
                what = f"{file}:{number}: id {identity!r} of benchmark {key[0]!r} comes twice"
                raise UserError(
                    what, "give each item of a benchmark its own id, and each benchmark its own meta.benchmark"
                )
            answers[key] = judged.get(identity, answer)
    if not answers:
        raise UserError(f"{path}: no scored lines or responses", "give a .jsonl file, or a folder that holds some")
    suites = _suites(path / RUN) if evaluated else {}
    return RunVerdicts(str(path), answers, suites, frozenset(scored_by))


def files_of(path: Path, rules: Rules) -> list[Path]:
    """Return the files that `read_run` reads of a run, whether they are there or not."""
    files = _line_files(path)
    if not (path / RUN).is_file():
        return files
    scores = [_scores_of(path, rules, file) for file in files]
    return [path / RUN, *files, *scores, *map(_summary_of, scores)]


def _line_files(path: Path) -> list[Path]:
    folder = path / "responses" if (path / RUN).is_file() else path
    return sorted(folder.glob("*.jsonl")) if path.is_dir() else [path]


def _scores_of(run: Path, rules: Rules, responses: Path) -> Path:
    return run / "scores" / rules / responses.name


def _summary_of(scores: Path) -> Path:
    return scores.with_name(scores.name.removesuffix(".jsonl") + ".summary.json")


def _suites(file: Path) -> dict[str, str]:
    again = "run the same `lingshu eval` again, which says what to do: what is answered is not asked twice"
    try:
        data = parsed_line(file.read_bytes(), str(file))
    except UserError as error:
        raise UserError(error.what, again) from None
    found = validate(RunOf, data, f"{file}: ", again)
    return {name: run.record.suite for name, run in found.benchmarks.items() if run.record.suite}


def _lines(file: Path, rules: Rules, seed: int) -> Iterator[tuple[int, str, str, Answer, Rules | None]]:
    total = sum(1 for _ in numbered_lines(file))
    for number, raw in track(numbered_lines(file), f"read {file.name}", total):
        where = f"{file}:{number}"
        data = parsed_line(raw, where)
        if not isinstance(data, dict) or not {"correct", "response"} & data.keys():
            fix = "give lines that `lingshu score` reads or writes (docs/score-files.md)"
            raise UserError(f"{where}: neither a scored line nor a response", fix)
        if "correct" in data:
            line = validate(ScoredLine, data, where, MEND_LINE)
            yield number, str(line.meta.get("benchmark") or ""), line.id, _answer(line), line.rules
        else:
            item = validate(ResponseLine, data, where, MEND_LINE).item()
            scored = score_item(item, rules, seed)
            answer = Answer(scored.score.correct, item.cluster, item.kind == RUBRIC)
            yield number, str(item.meta.get("benchmark") or ""), item.id, answer, rules


def _answer(line: ScoredLine) -> Answer:
    graded = line.kind == RUBRIC
    return Answer(line.correct, line.cluster, graded, line.score if graded else None)


def _judged(scores: Path, responses: Path) -> dict[str, Answer]:
    """Return by id what a judged run says of a response file's open answers and rubrics, and warn if that is stale.

    An open answer that is empty is wrong there without a judge. What rules decide is always decided anew, so that both
    runs are judged by the same rules.
    """
    summary = _summary_of(scores)
    if not (scores.is_file() and summary.is_file()):
        return {}
    found = validate(ScoresOf, parsed_line(summary.read_bytes(), str(summary)), f"{summary}: ")
    if not found.judges:
        return {}
    lines = [
        validate(ScoredLine, parsed_line(raw, f"{scores}:{number}"), f"{scores}:{number}")
        for number, raw in numbered_lines(scores)
    ]
    judged = {line.id: _answer(line) for line in lines if line.kind in JUDGED_KINDS}
    if found.responses_sha256 == sha256_file(responses):
        return judged
    print(
        f"warning: {scores}: {len(judged)} open answers or rubrics do not count, as judges saw other responses than "
        f"{responses} holds; run the same `lingshu eval --judge` again: what was judged is not asked twice",
        file=sys.stderr,
    )
    return {}
