"""Benchmarks hold held-out rows only, balanced over gold answers, with the chance level of a blind strategy."""

import json
from pathlib import Path

import pytest
import yaml

from lingshu.benchmarks.build import build_benchmarks, chance, choose
from lingshu.benchmarks.params import BenchmarksParams
from lingshu.core.errors import UserError
from lingshu.core.sample import Answer, Sample, read_samples, turn, write_samples

RECORD = {
    "title": "t",
    "suite": "text",
    "sources": ["words"],
    "tasks": ["text_qa"],
    "topics": ["letter"],
    "scorer": "strict",
    "generated": False,
    "licence": "CC0-1.0",
}


def ask(number: int, gold: str, split: str = "test", topic: str = "letter", choices: tuple[str, ...] = ()) -> Sample:
    answer = Answer("mcq", choices[0], choices, "A") if choices else Answer("closed", gold)
    return Sample(
        source="words",
        split=split,
        revision="1",
        origin_id=str(number),
        group_id=f"g{number // 2}",
        task="text_qa",
        topic=topic,
        messages=turn(f"question {number}", gold),
        licence="CC0-1.0",
        answer=answer,
    ).with_id()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("catalog").mkdir()
    Path("catalog/benchmarks.yaml").write_text(yaml.safe_dump({"letters": RECORD}))
    rows = [ask(n, "ab"[n % 10 == 0]) for n in range(40)]
    rows += [ask(100 + n, "abc"[n % 3], split="train") for n in range(30)]
    rows += [ask(200 + n, "a", topic="other") for n in range(5)]
    write_samples(Path("data/samples/words"), rows)
    return tmp_path


PARAMS = BenchmarksParams(seed=1, enabled=["letters"], items_per_topic=8)


def test_rows_are_held_out_of_the_topic_and_balanced(project):
    metrics = build_benchmarks(PARAMS, ["words"])
    rows = list(read_samples([Path("data/benchmarks/letters")]))
    assert {s.split for s in rows} == {"test"}
    assert {s.topic for s in rows} == {"letter"}
    assert sorted(s.target_text() for s in rows) == ["a"] * 4 + ["b"] * 4
    assert metrics["letters"]["topics"]["letter"] == {
        "rows": 8,
        "groups": len({s.group_id for s in rows}),
        "chance": 0.5,
        "training_only": ["c"],
    }
    assert json.loads(Path("data/benchmarks/letters/record.json").read_text())["topics"]["letter"]["chance"] == 0.5


def test_more_items_only_adds():
    rows = [ask(n, "abc"[n % 3]) for n in range(60)]
    few = choose(rows, PARAMS)
    more = choose(rows, PARAMS.model_copy(update={"items_per_topic": 20}))
    assert {s.sample_id for s in few} < {s.sample_id for s in more}


def test_chance_is_the_better_blind_strategy():
    assert chance([ask(n, "a" if n < 7 else "b") for n in range(10)]) == 0.7
    assert chance([ask(n, "A", choices=("w", "x", "y", "z")) for n in range(4)]) == 1.0
    mixed = [ask(1, "x", choices=("w", "x")), *[ask(n, gold) for n, gold in enumerate("aab", start=2)]]
    assert chance(mixed) == pytest.approx((1 + 2) / 4)


@pytest.mark.parametrize(
    ("record", "enabled", "named"),
    [
        ({"topics": ["lettre"]}, ["letters"], "no test row of words"),
        ({"sources": ["absent"]}, ["letters"], "needs source 'absent'"),
        ({"scorer": "magic"}, ["letters"], "letters.scorer"),
        ({}, ["lettres"], "'lettres' is not in"),
    ],
)
def test_a_wrong_record_is_named(project, record, enabled, named):
    Path("catalog/benchmarks.yaml").write_text(yaml.safe_dump({"letters": RECORD | record}))
    with pytest.raises(UserError, match=named):
        build_benchmarks(PARAMS.model_copy(update={"enabled": enabled}), ["words"])
