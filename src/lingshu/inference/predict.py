"""One checkpoint over its benchmarks: ask, keep finished batches, write `data/responses/<checkpoint>/`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

from lingshu.core.benchmark import BuiltBenchmark, built_benchmarks
from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_text
from lingshu.core.ids import canonical_json, sha256_bytes, sha256_file
from lingshu.core.images import ImageStore
from lingshu.core.layout import BENCHMARKS, IMAGES, RESPONSES, WORK
from lingshu.core.manifest import write_manifest
from lingshu.core.parallel import Workers, in_order
from lingshu.core.progress import track
from lingshu.core.sample import read_samples
from lingshu.inference.echo import EchoEngine
from lingshu.inference.engine import Engine, Failure, Outcome, Request, Response, plan_batches
from lingshu.inference.journal import Journal
from lingshu.inference.params import GenerationParams, InferenceParams, TokenLimits
from lingshu.inference.questions import Question, ask, carrying_pictures, response_line

Asked = dict[str, list[Question]]


def predict(checkpoint: str, model: Path, params: InferenceParams) -> None:
    """Ask a checkpoint every benchmark of its suites and write one JSON-lines file each, sorted by id.

    Batches that an interrupted run with the same model, items, settings and code finished are not asked again; the
    result equals that of an uninterrupted run.

    Raises:
        UserError: params name no suite for the checkpoint, or no built benchmark belongs to its suites.
    """
    asked = _asked(_wanted(checkpoint, params), params.generation.max_new_tokens)
    journals = WORK / f"predict-{checkpoint}" / _fingerprint(model, asked, params.generation)
    work = partial(_answer, model, params.generation)
    out = fresh_dir(RESPONSES / checkpoint)
    kept = {name: Journal(journals / f"{name}.jsonl") for name in asked}
    # All benchmarks in one go: each worker loads the model once.
    batches = [
        (name, batch)
        for name, questions in asked.items()
        for batch in _missing(questions, kept[name], params.generation.batch_size)
    ]
    answers = _answers(work, [batch for _, batch in batches], params.workers)
    for (name, _), found in zip(batches, track(answers, checkpoint, len(batches)), strict=True):
        kept[name].add(_answered(outcome) for outcome in found)
    counts: dict[str, int] = {}
    for name, questions in asked.items():
        lines = [response_line(q, kept[name].responses[q.request.id], name, checkpoint) for q in questions]
        write_text(out / f"{name}.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        counts[name] = len(lines)
    write_manifest(out, f"predict@{checkpoint}", sum(counts.values()), counts)
    shutil.rmtree(journals.parent)


def _wanted(checkpoint: str, params: InferenceParams) -> list[BuiltBenchmark]:
    if checkpoint not in params.suites:
        raise UserError(
            f"params.yaml: inference.suites: {checkpoint!r} is missing", "name the suites the checkpoint is asked"
        )
    suites = params.suites[checkpoint]
    wanted = [benchmark for benchmark in built_benchmarks() if benchmark.suite in suites]
    if not wanted:
        raise UserError(
            f"params.yaml: inference.suites.{checkpoint}: no built benchmark belongs to {suites}",
            "add a suite, or enable such a benchmark under benchmarks.enabled",
        )
    return wanted


def _asked(benchmarks: list[BuiltBenchmark], limits: TokenLimits) -> Asked:
    samples = {benchmark.name: list(read_samples([BENCHMARKS / benchmark.name])) for benchmark in benchmarks}
    sources = sorted({sample.source for found in samples.values() for sample in found if sample.images})
    store = ImageStore([IMAGES / source for source in sources])
    return {benchmark.name: ask(benchmark, samples[benchmark.name], limits, store) for benchmark in benchmarks}


def _missing(questions: Sequence[Question], journal: Journal, batch_size: int) -> list[list[Request]]:
    """Return the batches that are not answered whole; they are the same whoever answers them."""
    batches = plan_batches([question.request for question in questions], batch_size)
    return [batch for batch in batches if any(request.id not in journal.responses for request in batch)]


def _answers(
    work: Callable[[list[Request]], list[Outcome]], batches: list[list[Request]], workers: Workers
) -> Iterator[list[Outcome]]:
    return in_order(work, map(carrying_pictures, batches), workers)


def _answer(model: Path, params: GenerationParams, batch: list[Request]) -> list[Outcome]:
    return list(_engine(model, params).generate(batch))


def _answered(outcome: Outcome) -> Response:
    """Return the answer; a pipeline's own model on its own pictures has no excuse for a failure."""
    if isinstance(outcome, Failure):
        raise UserError(f"{outcome.id}: {outcome.reason}: {outcome.detail}", "mend that, then run the same command")
    return outcome


@lru_cache(maxsize=1)
def _engine(model: Path, params: GenerationParams) -> Engine:
    """Return the engine, loaded once in each process that answers."""
    if params.engine == "echo":
        return EchoEngine()
    # Imported here: the echo engine must not wait for torch.
    from lingshu.inference.transformers_engine import TransformersEngine  # noqa: PLC0415

    return TransformersEngine(model, params)


def _fingerprint(model: Path, asked: Asked, params: GenerationParams) -> str:
    """Return a digest of everything that decides the responses: weights, requests, settings and code."""
    requests = {
        name: [[r.id, r.prompt(), *(picture.name for picture in r.pictures), r.max_new_tokens] for r in found]
        for name, found in ((name, [q.request for q in questions]) for name, questions in asked.items())
    }
    package = Path(__file__).parents[1]
    code = [*sorted((package / "inference").glob("*.py")), *sorted((package / "modeling").glob("*.py"))]
    weights = sorted(path for path in model.rglob("*") if path.is_file())
    return sha256_bytes(
        canonical_json(
            [[sha256_file(path) for path in (*weights, *code)], requests, params.model_dump(mode="json")]
        ).encode()
    )[:16]
