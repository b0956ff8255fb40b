"""A model over benchmarks: one response file each, and `run.json`, which says how every answer came to be.

    OUT/responses/<benchmark>.jsonl    what `lingshu score` reads: one line a question, in the benchmark's order
    OUT/run.json                       the model, the settings, and of each benchmark revision, counts and failures
    OUT/store/                         every answer ever given to this folder (elsewhere with --store)

A failed call has `response: null` and a `failure` with its reason: it is unscored, never wrong, and asked again by the
next run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import write_json, write_text
from lingshu.core.ids import sha256_file
from lingshu.core.params import Strict, validate
from lingshu.core.progress import track
from lingshu.core.question import Question
from lingshu.inference.claims import Claims
from lingshu.inference.engine import Engine, Failure, Outcome, Response
from lingshu.inference.identity import PROMPT_VERSION, Inquiry, inquire
from lingshu.inference.models import ORDERS, Identity, Setup, identify, open_engine
from lingshu.inference.run import Asking
from lingshu.inference.store import ResponseStore

RUN_FILE = "run.json"
RUN_VERSION = 1
RESPONSES = "responses"
LIBRARIES = ("lingshu", "torch", "transformers", "vllm", "httpx", "pillow")


@dataclass(frozen=True, slots=True)
class AskedBenchmark:
    """A benchmark's questions, and what its record says of where they are from (name, revision, split, limit, …)."""

    name: str
    questions: Sequence[Question]
    record: dict[str, Any] = field(default_factory=dict)


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


def evaluate(benchmarks: Sequence[AskedBenchmark], setup: Setup, out: Path, store: Path | None = None) -> RunRecord:
    """Ask the model what the store has no answer to and write a response file for each benchmark; return `run.json`.

    Benchmarks of earlier runs of the same model and settings stay in `run.json`. A kill loses only what was on its way.

    Raises:
        UserError: two questions share an id, `out` holds another model's run, or nothing can be asked.
    """
    _check_ids(benchmarks)
    identity = identify(setup)
    empty = _record(setup, identity)
    _earlier(out, empty)
    store_folder = store or out / "store"
    questions = [question for benchmark in benchmarks for question in benchmark.questions]
    record = empty
    with ResponseStore(store_folder) as kept, Claims(store_folder) as claims, contextlib.ExitStack() as stack:
        asking = Asking(kept, claims, _Lazy(stack, setup, identity, questions), ORDERS.get(setup.spec.engine))
        for benchmark in benchmarks:
            done = _one_benchmark(benchmark, setup, identity, asking, kept, out)
            record = _note(out, empty, benchmark.name, done)
    return record


@dataclass(slots=True)
class _Lazy:
    """Opens the engine when it is first needed, and closes it with `stack`."""

    stack: contextlib.ExitStack
    setup: Setup
    identity: Identity
    questions: Sequence[Question]
    engine: Engine | None = None

    def __call__(self) -> Engine:
        if self.engine is None:
            self.engine = self.stack.enter_context(open_engine(self.setup, self.identity, self.questions))
        return self.engine


def _one_benchmark(
    benchmark: AskedBenchmark, setup: Setup, identity: Identity, asking: Asking, store: ResponseStore, out: Path
) -> BenchmarkRun:
    label = f"{setup.spec.name}: {benchmark.name}"
    inquiries, unreadable = _inquiries(benchmark, setup, identity)
    before = asking.asked
    asking.ask(inquiries.values(), label)
    outcomes: list[tuple[Question, Outcome]] = []
    for question in benchmark.questions:
        inquiry = inquiries.get(question.id)
        outcomes.append(
            (question, unreadable[question.id] if inquiry is None else _outcome(inquiry, store, asking.failures))
        )
    path = out / RESPONSES / f"{benchmark.name}.jsonl"
    lines = (json.dumps(response_line(question, outcome), ensure_ascii=False) for question, outcome in outcomes)
    write_text(path, "".join(f"{line}\n" for line in lines))
    return _counted(benchmark, [outcome for _, outcome in outcomes], asking.asked - before, path, out)


def _inquiries(
    benchmark: AskedBenchmark, setup: Setup, identity: Identity
) -> tuple[dict[str, Inquiry], dict[str, Failure]]:
    """Return the questions that can be asked, and those that can't because a picture is missing or broken, by id."""
    decoding, settings = setup.decoding, setup.settings()
    found: dict[str, Inquiry] = {}
    unreadable: dict[str, Failure] = {}
    for question in track(benchmark.questions, f"{benchmark.name}: reading questions", len(benchmark.questions)):
        try:
            found[question.id] = inquire(
                question, identity.digest, settings, decoding.max_new_tokens, blind=decoding.blind
            )
        except UserError as error:
            unreadable[question.id] = Failure(question.id, "picture", str(error))
    return found, unreadable


def _outcome(inquiry: Inquiry, store: ResponseStore, failures: dict[str, Failure]) -> Outcome:
    key, request_id = inquiry.asked.key, inquiry.request.id
    answer = store.answer(key, request_id)
    if answer is not None:
        return answer
    # A failure of this run says more than one that an earlier run has left in the store.
    failure = failures.get(key) or store.failure(key, request_id)
    return failure or Failure(request_id, "lost", "neither an answer nor a failure was kept")


def response_line(question: Question, outcome: Outcome) -> dict[str, Any]:
    """Return one line of a response file: the contract of `lingshu score`, and how the response came to be."""
    answered = isinstance(outcome, Response)
    line: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "choices": None if question.choices is None else list(question.choices),
        "answer": question.answer if isinstance(question.answer, str) else list(question.answer),
        "response": outcome.text if answered else None,
        "cluster": question.cluster,
        "meta": {"benchmark": question.benchmark} | dict(question.meta),
        "prompt": "\n".join(turn.text for turn in question.turns),
        "finish_reason": outcome.finish_reason if answered else None,
        "tokens": outcome.tokens if answered else None,
        "prompt_tokens": outcome.prompt_tokens if answered else None,
        "seconds": outcome.seconds if answered else None,
    }
    if not answered:
        line["failure"] = {"reason": outcome.reason, "detail": outcome.detail}
    return line


def _counted(benchmark: AskedBenchmark, outcomes: Sequence[Outcome], asked: int, path: Path, out: Path) -> BenchmarkRun:
    answers = [outcome for outcome in outcomes if isinstance(outcome, Response)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return BenchmarkRun(
        record=benchmark.record,
        file=path.relative_to(out).as_posix(),
        sha256=sha256_file(path),
        questions=len(outcomes),
        answered=len(answers),
        asked=asked,
        failed=dict(sorted(Counter(failure.reason for failure in failures).items())),
        finish_reasons=dict(sorted(Counter(answer.finish_reason for answer in answers).items())),
        tokens=sum(answer.tokens or 0 for answer in answers),
        prompt_tokens=sum(answer.prompt_tokens or 0 for answer in answers),
        seconds=round(sum(answer.seconds or 0.0 for answer in answers), 3),
        served_by=sorted({answer.served_by for answer in answers if answer.served_by}),
    )


def too_many_failed(record: RunRecord, names: Sequence[str], most: float) -> list[str]:
    """Return a line for each benchmark of `names` of which a share above `most` has no answer."""
    lines: list[str] = []
    for name in names:
        run = record.benchmarks[name]
        missing = run.questions - run.answered
        if missing > most * run.questions:
            reasons = ", ".join(f"{count} {reason}" for reason, count in run.failed.items())
            lines.append(f"{name}: {missing} of {run.questions} questions have no answer ({reasons})")
    return lines


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
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}", "delete it, then run the same command") from None
    return validate(RunRecord, data, f"{path}: ")


def _record(setup: Setup, identity: Identity) -> RunRecord:
    execution = setup.limits if setup.spec.engine == "openai" else setup.execution
    return RunRecord(
        model=setup.spec.name,
        digest=identity.digest,
        revision=identity.revision,
        prompt_version=PROMPT_VERSION,
        settings=setup.settings(),
        execution=execution.model_dump(mode="json"),
        libraries=_versions(),
        benchmarks={},
    )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):  # vllm is on few machines
            found[name] = metadata.version(name)
    return found


def _note(out: Path, empty: RunRecord, name: str, done: BenchmarkRun) -> RunRecord:
    """Put a finished benchmark into `run.json`, beside those that other runs and processes have put there."""
    with _locked(out):
        earlier = _earlier(out, empty)
        benchmarks = dict(sorted((earlier | {name: done}).items()))
        record = empty.model_copy(update={"benchmarks": benchmarks})
        write_json(out / RUN_FILE, record.model_dump(mode="json"))
    return record


def _earlier(out: Path, empty: RunRecord) -> dict[str, BenchmarkRun]:
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


def _check_ids(benchmarks: Sequence[AskedBenchmark]) -> None:
    for benchmark in benchmarks:
        counts = Counter(question.id for question in benchmark.questions)
        doubled = [name for name, count in counts.items() if count > 1]
        if doubled:
            raise UserError(
                f"{benchmark.name}: {len(doubled)} ids stand twice: {', '.join(doubled[:3])}",
                "give each question its own id",
            )
