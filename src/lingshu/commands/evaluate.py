"""`lingshu eval`: from what is typed to a run over benchmarks, and what is said of it.

Nothing heavy is imported here: torch, transformers, vllm and httpx come in with the engine that needs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.commands.judge_request import JudgeRequest
from lingshu.commands.scored_run import SCORES, check_judges, score_run
from lingshu.commands.shuffles import ShuffleRequest, failed_shuffles, plan_shuffles, tell_position_bias
from lingshu.core.errors import UserError
from lingshu.core.files import check_folder
from lingshu.inference.evaluate import AskedBenchmark, evaluate
from lingshu.inference.models import Setup
from lingshu.inference.record import RUN_FILE, RunRecord, too_many_failed

SUITES = ("multimodal", "text", "report")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which questions are asked.

    Attributes:
        suites: all benchmarks of these suites, unless `benchmarks` names some.
        folders: where a benchmark's files lie, by its name; the others come from where their records say.
        limit: the first so many questions of each; None is all.
        with_pictures: pictures are sent, so that questions whose pictures are missing can't be asked.
    """

    suites: tuple[str, ...]
    benchmarks: tuple[str, ...] = ()
    folders: tuple[tuple[str, Path], ...] = ()
    limit: int | None = None
    accept_rows: bool = False
    reasoning: bool = False
    with_pictures: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """Benchmarks to ask, and a line for each one that could not be loaded."""

    benchmarks: Sequence[AskedBenchmark]
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One call of the command.

    Attributes:
        out: where response files and `run.json` go.
        store: folder of the response store; None is `out/store`.
        most: share of a benchmark's questions that may stay without an answer.
        judges: who decides open answers and rubrics; None leaves them unscored.
        shuffles: other orders of options that are asked too; None asks none.
    """

    setup: Setup
    out: Path
    store: Path | None = None
    most: float = 0.01
    judges: JudgeRequest | None = None
    shuffles: ShuffleRequest | None = None


def run(found: Found, job: Job) -> Iterator[str]:
    """Ask, write, score, and yield what there is to say: lines about each benchmark, then where the results are.

    Raises:
        UserError: there is no question to ask, a setting, model or judge is wrong, or a judge can't be asked.
        IncompleteRunError: a benchmark could not be loaded, or too many of its questions or of a judge's calls failed
            (what could be written is written).
    """
    names = [benchmark.name for benchmark in found.benchmarks]
    _check(found, names, job)
    plan = plan_shuffles(found.benchmarks, job.shuffles) if job.shuffles is not None else None
    more = plan.asked(found.benchmarks) if plan is not None else ()
    record = evaluate([*found.benchmarks, *more], job.setup, job.out, job.store)
    yield from summary(record, names)
    problems = [*found.problems, *too_many_failed(record, names, job.most, job.out)]
    width = max(map(len, names))
    for scored in score_run(record, names, job.out, job.judges):
        yield from (f"{scored.name:<{width}}  {line}" for line in scored.lines)
        problems += scored.problems
    # Imported here: its intervals need scipy, which no other command should wait for.
    from lingshu.commands.averages import tell_averages  # noqa: PLC0415

    yield from tell_averages(record, job.out)
    if plan is not None:
        yield from (f"{name:<{width}}  {line}" for name, line in tell_position_bias(plan, job.out))
        problems += failed_shuffles(plan, job.out, job.most)
    yield f"responses: {job.out / 'responses'}"
    yield f"scores:    {job.out / SCORES}"
    yield f"run:       {job.out / RUN_FILE}"
    if problems:
        raise IncompleteRunError(problems)


def _check(found: Found, names: Sequence[str], job: Job) -> None:
    """Find out, before anything is asked, what would keep the run from its end.

    Raises:
        UserError: see `run`.
    """
    if not any(benchmark.questions for benchmark in found.benchmarks):
        raise UserError("\n".join(["no question to ask", *found.problems]), "name --suite, --benchmarks or --questions")
    if len(set(names)) < len(names):
        raise UserError(f"two benchmarks share a name: {', '.join(names)}", "rename a file given by --questions")
    for folder in (job.out, job.store, job.judges.store if job.judges else None):
        if folder is not None:
            check_folder(folder)
    if job.judges is not None:
        check_judges(job.judges)
    if job.shuffles is not None and job.setup.spec.engine == "responses":
        raise UserError("--shuffles: a file of answers can't be asked in another order", "leave it out")


class IncompleteRunError(Exception):
    """The run is written but not whole.

    Args:
        problems: a line for each benchmark concerned.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def summary(record: RunRecord, names: Sequence[str]) -> Iterator[str]:
    """Yield a line a benchmark: answered, asked now, failed by reason, cut by the limit."""
    width = max(len(name) for name in names)
    for name in names:
        run = record.benchmarks[name]
        failed = "".join(f", {count} {reason}" for reason, count in run.failed.items())
        cut = run.finish_reasons.get("length", 0)
        notes = (f"; failed{failed[1:]}" if failed else "") + (f"; {cut} cut by the token limit" if cut else "")
        yield f"{name:<{width}}  {run.answered} of {run.questions} answered, {run.asked} asked now{notes}"


def parse_wanted(
    suite: str,
    benchmarks: str,
    folders: Sequence[str],
    *,
    limit: int | None = None,
    reasoning: bool = False,
    accept_rows: bool = False,
) -> Wanted:
    """Return which questions are asked, from comma-separated names and NAME=DIR pairs.

    Raises:
        UserError: an unknown suite, a pair without `=`, or a folder that is not there.
    """
    suites = _names(suite)
    for name in suites:
        if name not in SUITES:
            raise UserError(f"--suite: unknown suite {name!r}", f"use one of {', '.join(SUITES)}")
    pairs: list[tuple[str, Path]] = []
    for text in folders:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise UserError(f"--folder {text}: not of the form NAME=DIR", "as in --folder slake=/data/slake")
        if not Path(folder).is_dir():
            raise UserError(f"--folder {text}: no such folder", "name the folder of the benchmark's files")
        pairs.append((name, Path(folder)))
    return Wanted(suites, _names(benchmarks), tuple(pairs), limit, accept_rows, reasoning)


def parse_json(text: str | None, option: str) -> dict[str, Any] | None:
    """Return a JSON object typed as an option.

    Raises:
        UserError: it is none.
    """
    if text is None:
        return None
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UserError(f"{option}: not JSON: {error}", f"""as in {option} '{{"name": "value"}}'""") from None
    if not isinstance(value, dict):
        raise UserError(f"{option}: not a JSON object", f"""as in {option} '{{"name": "value"}}'""")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
