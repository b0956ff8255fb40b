"""Batches are planned from the requests alone; padding and batching do not change what a model says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.benchmark import built_benchmarks
from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.sample import read_samples
from lingshu.inference.echo import EchoEngine
from lingshu.inference.engine import Request, plan_batches
from lingshu.inference.questions import StoredPicture, ask


def request(number: int, length: int = 1, limit: int = 4) -> Request:
    message = {"role": "user", "content": [{"type": "text", "text": "x" * length}]}
    return Request(f"r{number:03d}", "closed", (message,), (), limit)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([2, 5])), max_size=40), st.integers(1, 7), st.randoms())
def test_a_plan_holds_every_request_once_whatever_their_order(shapes, size, random):
    requests = [request(n, *shape) for n, shape in enumerate(shapes)]
    plan = plan_batches(requests, size)
    assert sorted(r.id for batch in plan for r in batch) == [r.id for r in requests]
    assert all(len(batch) <= size and len({r.max_new_tokens for r in batch}) == 1 for batch in plan)
    shuffled = list(requests)
    random.shuffle(shuffled)
    assert plan_batches(shuffled, size) == plan


def test_echo_answers_by_its_rule_and_is_cut():
    answers = list(EchoEngine(lambda r: "one two three four five six").generate([request(1), request(2, limit=9)]))
    assert [(a.text, a.finish_reason, a.tokens) for a in answers] == [
        ("one two three four", "length", 4),
        ("one two three four five six", "stop", 6),
    ]


def test_a_batch_answers_like_its_members_alone(project, checkpoint, params):
    from lingshu.inference.transformers_engine import TransformersEngine

    settings = params().generation
    engine = TransformersEngine(checkpoint, settings)
    record = next(b for b in built_benchmarks() if b.name == "told")
    samples = read_samples([Path("data/benchmarks/told")])
    asked = ask(record, samples, settings.max_new_tokens, ImageStore([Path("data/images/drawn")]))
    requests = [question.request for question in asked]
    together = list(engine.generate(requests))
    alone = [next(iter(engine.generate([r]))) for r in requests]
    assert together == alone
    assert [r.id for r in together] == [r.id for r in requests]


def test_a_missing_picture_is_named(project, checkpoint, params):
    from lingshu.inference.transformers_engine import TransformersEngine

    engine = TransformersEngine(checkpoint, params().generation)
    message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what"}]}
    with pytest.raises(UserError, match="picture abc"):
        list(engine.generate([Request("r", "closed", (message,), (StoredPicture("abc", ImageStore([])),), 3)]))
