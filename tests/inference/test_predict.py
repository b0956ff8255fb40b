"""Prediction asks every item once, as in training, survives kills, and repeats exactly."""

import json
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.manifest import read_manifest
from lingshu.core.sample import read_samples
from lingshu.evalkit.items import read_items
from lingshu.inference import predict as step
from lingshu.inference.echo import EchoEngine
from lingshu.inference.predict import predict
from lingshu.modeling.template import user_text


@pytest.fixture
def echo(params):
    return params(engine="echo")


def files(name: str = "all") -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(Path("data/responses", name).glob("*.jsonl"))}


def lines(benchmark: str, name: str = "all") -> list[dict]:
    return [json.loads(line) for line in files(name)[f"{benchmark}.jsonl"].splitlines()]


def test_every_item_of_the_suites_is_answered_once_and_sorted(project, echo):
    predict("all", Path("none"), echo)
    assert sorted(files()) == ["read.jsonl", "seen.jsonl", "told.jsonl", "traced.jsonl"]
    for name in ("read", "seen", "told", "traced"):
        expected = sorted(s.sample_id for s in read_samples([Path("data/benchmarks", name)]))
        assert [line["id"] for line in lines(name)] == expected
    assert read_manifest(Path("data/responses/all")).counts == {"read": 5, "seen": 6, "told": 4, "traced": 3}


def test_only_the_suites_of_the_checkpoint_are_asked(project, echo):
    predict("told_only", Path("none"), echo)
    assert sorted(files("told_only")) == ["told.jsonl"]


def test_lines_obey_the_contract_and_ask_as_training_does(project, echo):
    predict("all", Path("none"), echo)
    items = {item.id: item for item in read_items(Path("data/responses/all/seen.jsonl"))}
    prompts = {line["id"]: line["prompt"] for line in lines("seen")}
    for sample in read_samples([Path("data/benchmarks/seen")]):
        item = items[sample.sample_id]
        assert prompts[item.id] == user_text(sample)
        assert item.kind == sample.answer.kind
        assert item.answer == ("A" if item.kind == "mcq" else "yes")
        assert item.response == ("A" if item.kind == "mcq" else "yes")
        assert item.cluster == sample.group_id
        assert item.meta["topic"] == "side"


def test_a_think_benchmark_asks_for_tags_and_a_caption_has_its_text_as_gold(project, echo):
    predict("all", Path("none"), echo)
    assert all("<think>...</think><answer>...</answer>" in line["prompt"] for line in lines("traced"))
    assert {line["kind"] for line in lines("traced")} == {"yesno"}
    assert {(line["kind"], line["answer"]) for line in lines("told")} == {("caption", "A drawn film.")}


def test_the_model_repeats_itself_and_is_cut_at_the_limit(project, checkpoint, params):
    predict("all", checkpoint, params())
    first = files()
    predict("all", checkpoint, params())
    assert files() == first
    limits = {"seen": 3, "read": 3, "told": 6, "traced": 8}
    for name, limit in limits.items():
        for line in lines(name):
            assert line["tokens"] <= limit
            assert (line["finish_reason"] == "length") == (line["tokens"] == limit) or line["finish_reason"] == "stop"


class Dying:
    """An engine that is killed in its second batch."""

    def __init__(self, engine, calls):
        self.engine, self.calls = engine, calls

    def generate(self, requests):
        self.calls.append(tuple(r.id for r in requests))
        if len(self.calls) == 2:
            raise KeyboardInterrupt
        yield from self.engine.generate(requests)


def test_an_interrupted_run_goes_on_and_ends_as_an_uninterrupted_one(project, checkpoint, monkeypatch, params):
    predict("all", checkpoint, params())
    whole = files()
    calls: list = []
    real = step._engine
    monkeypatch.setattr(step, "_engine", lambda *args: Dying(real(*args), calls))
    with pytest.raises(KeyboardInterrupt):
        predict("all", checkpoint, params())
    journal = next(Path(".work/predict-all").glob("*/*.jsonl"))
    with journal.open("a") as handle:
        handle.write('[{"id": "half a li')  # what a kill in the middle of a write leaves
    predict("all", checkpoint, params())
    assert files() == whole
    assert len(calls) == len(set(calls)) + 1  # only the batch that died was asked again
    assert not Path(".work/predict-all").exists()


def test_other_settings_do_not_meet_the_kept_batches(project, monkeypatch, echo, params):
    calls: list = []
    monkeypatch.setattr(step, "_engine", lambda *args: Dying(EchoEngine(), calls))
    with pytest.raises(KeyboardInterrupt):
        predict("all", Path("none"), echo)
    predict("all", Path("none"), params(engine="echo", batch_size=1))
    assert len(calls) == 2 + 18


def test_mistakes_name_the_key(project, echo, params):
    with pytest.raises(UserError, match=r"inference\.suites: 'other' is missing"):
        predict("other", Path("none"), echo)
    with pytest.raises(UserError, match=r"inference\.suites\.none"):
        predict("none", Path("none"), echo)
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        predict("all", Path("nowhere"), params())
