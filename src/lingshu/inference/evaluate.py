"""A model over benchmarks: one response file each, and `run.json`, which says how every answer came to be.

    OUT/responses/<benchmark>.jsonl    what `lingshu score` reads: one line a question, in the benchmark's order
    OUT/run.json                       the model, the settings, and of each benchmark revision, counts and failures
    OUT/store/                         every answer ever given to this folder (elsewhere with --store)

A failed call has `response: null` and an `error` with its reason: it is unscored, never wrong, and asked again by the
next run.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.files import write_bytes
from lingshu.core.ids import sha256_file
from lingshu.core.progress import track
from lingshu.core.question import Question
from lingshu.evalkit.items import encoded
from lingshu.inference.claims import Claims
from lingshu.inference.engine import Engine, Failure, Outcome, Response
from lingshu.inference.identity import PROMPT_VERSION, Inquiry, inquire
from lingshu.inference.lines import disk_full_said
from lingshu.inference.models import ORDERS, Identity, Setup, identify, open_engine
from lingshu.inference.record import BenchmarkRun, RunRecord, earlier_runs, library_versions, note
from lingshu.inference.run import Asking
from lingshu.inference.store import ResponseStore

RESPONSES = "responses"


@dataclass(frozen=True, slots=True)
class AskedBenchmark:
    """A benchmark's questions, and what its record says of where they are from (name, revision, split, limit, …).

    `place` is a folder below OUT that is a run of its own, "" for OUT itself.
    """

    name: str
    questions: Sequence[Question]
    record: dict[str, Any] = field(default_factory=dict)
    place: str = ""


def evaluate(benchmarks: Sequence[AskedBenchmark], setup: Setup, out: Path, store: Path | None = None) -> RunRecord:
    """Ask the model what the store has no answer to and write a response file for each benchmark; return `run.json`.

    Benchmarks of earlier runs of the same model and settings stay in `run.json`. A kill loses only what was on its way.
    Those with a `place` have a `run.json` of their own there; returned is that of `out`.

    Raises:
        UserError: two questions share an id, `out` holds another model's run, or nothing can be asked.
    """
    _check_ids(benchmarks)
    identity = identify(setup)
    empty = _record(setup, identity)
    for place in dict.fromkeys(["", *(benchmark.place for benchmark in benchmarks)]):
        earlier_runs(out / place, empty)
    store_folder = store or out / "store"
    questions = [question for benchmark in benchmarks for question in benchmark.questions]
    record = empty
    with ResponseStore(store_folder) as kept, Claims(store_folder) as claims, contextlib.ExitStack() as stack:
        asking = Asking(kept, claims, LazyEngine(stack, setup, identity, questions), ORDERS.get(setup.spec.engine))
        for benchmark in benchmarks:
            at = out / benchmark.place
            path = at / RESPONSES / f"{benchmark.name}.jsonl"
            before = asking.asked
            outcomes = _outcomes(benchmark, setup, identity, asking, kept)
            with disk_full_said(out):
                _write(path, benchmark.questions, outcomes)
                noted = note(at, empty, benchmark.name, _counted(benchmark, outcomes, asking.asked - before, path))
            record = record if benchmark.place else noted
    return record


@dataclass(slots=True)
class LazyEngine:
    """Opens the engine when it is first needed, and closes it with `stack`."""

    stack: contextlib.ExitStack
    setup: Setup
    identity: Identity
    questions: Sequence[Question]
    engine: Engine | None = None

    def __call__(self) -> Engine:
        """Return the engine.

        Raises:
            UserError: the model can't be loaded.
        """
        if self.engine is None:
            self.engine = self.stack.enter_context(open_engine(self.setup, self.identity, self.questions))
        return self.engine


def _outcomes(
    benchmark: AskedBenchmark, setup: Setup, identity: Identity, asking: Asking, store: ResponseStore
) -> list[Outcome]:
    """Return an outcome for each question, in their order, whatever the order in which answers came."""
    inquiries, unreadable = _inquiries(benchmark, setup, identity)
    place = f" ({benchmark.place})" if benchmark.place else ""
    asking.ask(inquiries.values(), f"{setup.spec.name}: {benchmark.name}{place}")
    return [
        unreadable[question.id]
        if question.id in unreadable
        else outcome_of(inquiries[question.id], store, asking.failures)
        for question in benchmark.questions
    ]


def _write(path: Path, questions: Sequence[Question], outcomes: Sequence[Outcome]) -> None:
    lines = [
        json.dumps(response_line(question, outcome), ensure_ascii=False)
        for question, outcome in zip(questions, outcomes, strict=True)
    ]
    write_bytes(path, b"".join(map(encoded, lines)))


def _inquiries(
    benchmark: AskedBenchmark, setup: Setup, identity: Identity
) -> tuple[dict[str, Inquiry], dict[str, Failure]]:
    """Return the questions that can be asked, and those that can't because a picture is missing or broken, by id."""
    decoding, settings = setup.decoding, setup.settings()
    found: dict[str, Inquiry] = {}
    unreadable: dict[str, Failure] = {}
    for question in track(benchmark.questions, f"{benchmark.name}: reading questions", len(benchmark.questions)):
        # A file answers by id, so that equal questions may have unequal answers; a model is asked an equal one once.
        decides = settings | {"id": question.id} if setup.spec.engine == "responses" else settings
        try:
            found[question.id] = inquire(
                question, identity.digest, decides, decoding.max_new_tokens, blind=not setup.looks
            )
        except UserError as error:
            unreadable[question.id] = Failure(question.id, "picture", error.line)
    return found, unreadable


def outcome_of(inquiry: Inquiry, store: ResponseStore, failures: dict[str, Failure]) -> Outcome:
    """Return what a question led to: its answer from the store, else why there is none (`failures`: of this run)."""
    key, request_id = inquiry.asked.key, inquiry.request.id
    answer = store.answer(key, request_id)
    if answer is not None:
        return answer
    # A failure of this run says more than one that an earlier run has left in the store.
    failure = failures.get(key) or store.failure(key, request_id)
    return failure or Failure(request_id, "lost", "neither an answer nor a failure was kept")


def response_line(question: Question, outcome: Outcome) -> dict[str, Any]:
    """Return one line of a response file: the contract of `lingshu score`, and how the response came to be."""
    asked: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "choices": None if question.choices is None else list(question.choices),
        "answer": question.answer if isinstance(question.answer, str) else list(question.answer),
        "cluster": question.cluster,
        "meta": {"benchmark": question.benchmark} | dict(question.meta) | _conversation(question),
        "prompt": "\n".join(turn.text for turn in question.turns),
    }
    if isinstance(outcome, Failure):
        return asked | {"response": None, "error": f"{outcome.reason}: {outcome.detail}"}
    return asked | {
        "response": outcome.text,
        "finish_reason": outcome.finish_reason,
        "tokens": outcome.tokens,
        "prompt_tokens": outcome.prompt_tokens,
        "seconds": outcome.seconds,
    }


def _conversation(question: Question) -> dict[str, Any]:
    """Return the turns that a judge of rubrics has to see, which `question` alone does not hold."""
    if question.kind != "rubric":
        return {}
    return {"conversation": [{"role": turn.role, "content": turn.text} for turn in question.turns]}


def _counted(benchmark: AskedBenchmark, outcomes: Sequence[Outcome], asked: int, path: Path) -> BenchmarkRun:
    answers = [outcome for outcome in outcomes if isinstance(outcome, Response)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return BenchmarkRun(
        record=benchmark.record,
        file=f"{RESPONSES}/{path.name}",
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


def _record(setup: Setup, identity: Identity) -> RunRecord:
    execution = setup.limits if setup.spec.engine == "openai" else setup.execution
    return RunRecord(
        model=setup.spec.name,
        digest=identity.digest,
        revision=identity.revision,
        prompt_version=PROMPT_VERSION,
        settings=setup.settings(),
        execution=execution.model_dump(mode="json"),
        libraries=library_versions(),
        benchmarks={},
    )


def _check_ids(benchmarks: Sequence[AskedBenchmark]) -> None:
    for benchmark in benchmarks:
        counts = Counter(question.id for question in benchmark.questions)
        doubled = [name for name, count in counts.items() if count > 1]
        if doubled:
            raise UserError(
                f"{benchmark.name}: {len(doubled)} ids stand twice: {', '.join(doubled[:3])}",
                "give each question its own id",
            )
