"""`lingshu score` and `lingshu compare`: responses of any model, with no project around them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, check_files, write_bytes
from lingshu.core.ids import sha256_file
from lingshu.evalkit.items import encoded, escaped

if TYPE_CHECKING:
    from lingshu.commands.judge_request import JudgeRequest
    from lingshu.evalkit.params import Rules
    from lingshu.inference.judging import Asked


def score(
    file: Path,
    rules: Rules,
    out: Path | None,
    summary: Path | None,
    *,
    seed: int,
    confidence: float,
    judges: JudgeRequest | None = None,
) -> list[str]:
    """Score `file` to `out` (None: stdout), write its summary if asked for, and return lines about it.

    Raises:
        UserError: the input is not as the contract says, a judge can't be asked, or an output can't be written.
        IncompleteRunError: all is written, but too many calls of a judge have failed; holds the lines, too.
    """
    from lingshu.commands.evaluate import IncompleteRunError  # noqa: PLC0415

    check_files([out, summary], [file])
    asked = _asked(file, judges) if judges is not None else None
    lines = score_judged(file, rules, out, summary, seed=seed, confidence=confidence, asked=asked)
    if asked and asked.problems:
        raise IncompleteRunError([*lines, *(f"error: {problem}" for problem in asked.problems)])
    return lines


def score_judged(
    file: Path,
    rules: Rules,
    out: Path | None,
    summary: Path | None,
    *,
    seed: int,
    confidence: float,
    asked: Asked | None,
) -> list[str]:
    """Score `file` with what judges have said (None: none was asked) and return lines about it.

    Output is complete or absent: nothing is written if a line can't be read.

    Raises:
        UserError: the input is not as the contract says, or an output can't be written.
    """
    # scipy takes half a second to import; `lingshu --help` does not need it
    from lingshu.evalkit.scorefile import Settings, score_file  # noqa: PLC0415

    with _output(out) as handle:
        breakdown = score_file(file, Settings(rules, seed), handle, asked.judgements if asked else None)
        found = breakdown.summary(rules, seed, confidence) | ({"judges": asked.records} if asked else {})
        found["responses_sha256"] = sha256_file(file)
        if summary is not None:
            write_bytes(summary, _json(found))
    return [escaped(line) for line in (_sentence(found), *_judge_lines(found))]


def _json(found: dict[str, Any]) -> bytes:
    """Return indented JSON; what users call their benchmarks and topics may hold what UTF-8 has no form for."""
    return encoded(json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))


def _asked(file: Path, judges: JudgeRequest) -> Asked:
    from lingshu.commands.judging import parse_judges  # noqa: PLC0415
    from lingshu.evalkit.scorefile import checked_items  # noqa: PLC0415
    from lingshu.inference.judging import judge_items  # noqa: PLC0415

    found = parse_judges(judges)
    store = judges.store or file.with_name(f"{file.name}.judge-store")
    return judge_items({"": checked_items(file)}, found, store, judges.most)[""]


def _judge_lines(found: dict[str, Any]) -> Iterator[str]:
    for one in found.get("judges", []):
        without = "".join(f", {count} {reason}" for reason, count in one["without"].items())
        told = f"{one['verdicts']} verdicts on {one['questions']} questions, {one['asked_now']} asked now"
        yield f"judge {one['judge']}: {told}{without}"
        yield from (f"  {reason}, such as {example}" for reason, example in one.get("such_as", {}).items())
    for name, cell in found.get("rubric", {}).items():
        yield f"rubrics of {name}: score {cell['score']:.4f} ({cell['low']:.4f}–{cell['high']:.4f}) over {cell['n']}"
    for pair in found.get("agreement", []):
        kappa = "undefined" if pair["kappa"] is None else f"{pair['kappa']:.3f}"
        yield f"agreement of {' and '.join(pair['between'])} on {pair['on']}: kappa {kappa}, n {pair['n']}"


def _sentence(found: dict[str, Any]) -> str:
    unscored = found["unscored"]["total"]
    graded = f", {found['graded']} graded by rubrics" if found.get("graded") else ""
    tail = graded + (f", {unscored} unscored" if unscored else "")
    if not found["n"]:
        return f"{found['responses']} responses by the {found['rules']} rules: none scored{tail}"
    return (
        f"{found['responses']} responses by the {found['rules']} rules: accuracy {found['accuracy']:.4f} "
        f"({found['low']:.4f}–{found['high']:.4f}) over {found['n']}, no answer {found['no_answer']:.1%}{tail}"
    )


@contextlib.contextmanager
def _output(out: Path | None) -> Iterator[BinaryIO]:
    """Yield a file that becomes `out`, or is copied to stdout, only if the block ends without an error."""
    if out is not None:
        with atomic_path(out) as temporary, temporary.open("wb") as handle:
            yield handle
        return
    with _writing(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as handle:
        yield handle
        handle.seek(0)
        with _writing(Path("standard output")):
            _to_stdout(handle)


def _to_stdout(handle: BinaryIO) -> None:
    try:
        shutil.copyfileobj(handle, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        # Python flushes once more at exit, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # `… | head`: the reader has what it wants
            raise


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path}: can't be written: {error.strerror}", "free space there or give another path"
        ) from None


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """Options of `lingshu compare`."""

    rules: Rules
    common: bool
    seed: int
    resamples: int
    confidence: float
    power: float


def compare(run_a: Path, run_b: Path, options: CompareOptions, out: Path | None) -> list[str]:
    """Return the comparison of B with A as lines of a table, and write all of it to `out` if asked for.

    Raises:
        UserError: a run can't be read, the items differ, or an output can't be written.
    """
    from lingshu.evalkit.comparing import ComparisonSettings, compare_runs  # noqa: PLC0415
    from lingshu.evalkit.comparison_table import table  # noqa: PLC0415
    from lingshu.evalkit.runfiles import files_of, read_run  # noqa: PLC0415

    check_files([out], [file for run in (run_a, run_b) for file in files_of(run, options.rules)])
    runs = [read_run(path, options.rules, options.seed) for path in (run_a, run_b)]
    settings = ComparisonSettings(options.confidence, options.power, options.seed, options.resamples, options.common)
    found = compare_runs(runs[0], runs[1], settings)
    if out is not None:
        write_bytes(out, _json(found.as_json()))
    return [escaped(line) for line in table(found)]
