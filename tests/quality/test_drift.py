"""Drift from an accepted run: the index, the snapshot's file, and a gate that warns or stops."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.quality.drift import distances, psi, read_snapshot, snapshot, write_snapshot
from lingshu.quality.gate import gate
from lingshu.quality.params import DriftParams
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS

COUNTS = st.lists(st.integers(0, 10_000), min_size=4, max_size=4)


def test_the_index_is_the_definition() -> None:
    before, after = [50, 30, 20], [20, 30, 50]
    expected = 2 * (0.5 - 0.2) * math.log(0.5 / 0.2)
    assert psi(before, after) == pytest.approx(expected)


@given(COUNTS, COUNTS)
def test_the_index_is_a_distance(left: list[int], right: list[int]) -> None:
    assert psi(left, left) == 0
    assert psi(left, right) == pytest.approx(psi(right, left))
    assert 0 <= psi(left, right) < math.inf


def texts(lengths: list[int], task: str = "caption") -> dict[str, pl.DataFrame]:
    columns = {"prompt_tokens": lengths, "target_tokens": lengths, "repetition": [0.0] * len(lengths)}
    words = {"task": [task] * len(lengths), "language": ["en"] * len(lengths), "split": ["train"] * len(lengths)}
    return {"s": pl.DataFrame({**columns, **words})}


KEPT = pl.DataFrame({"source": ["s"], "reason": ["KEPT"]})


def test_the_same_run_does_not_drift_and_a_changed_one_does(tmp_path: Path) -> None:
    accepted = snapshot(texts(list(range(1000))), {}, KEPT)
    write_snapshot(tmp_path / "a.json", accepted)
    again = read_snapshot(tmp_path / "a.json")
    assert again == accepted
    assert distances(again, texts(list(range(1000))), {}, KEPT)["psi"].max() == 0
    half = distances(again, texts(list(range(0, 1000, 2))), {}, KEPT)
    assert half["psi"].max() < 0.01
    shifted = distances(again, texts([n + 400 for n in range(1000)], "report"), {}, KEPT)
    far = dict(shifted.filter(pl.col("psi") > 0.25).select("column", "psi").iter_rows())
    assert set(far) == {"prompt_tokens", "target_tokens", "task"}


def test_a_new_source_has_nothing_to_be_compared_with() -> None:
    accepted = snapshot(texts([1, 2, 3]), {}, KEPT)
    new = {"other": texts([7])["s"]}
    assert distances(accepted, new, {}, KEPT.with_columns(source=pl.lit("other"))).height == 0


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path)
    for seed in range(4):
        corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(seed)))
    return corpus


def test_a_gate_far_from_the_accepted_run_warns_or_stops(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    corpus.write()
    folder = corpus.root / "data/signals/scans"
    now = pl.read_parquet(folder / "texts.parquet"), pl.read_parquet(folder / "images.parquet")
    longer = now[0].with_columns(target_tokens=pl.col("target_tokens") + 500)
    kept = pl.DataFrame({"source": ["scans"] * 4, "reason": ["KEPT"] * 4})
    write_snapshot(corpus.root / "accepted.json", snapshot({"scans": longer}, {"scans": now[1]}, kept))
    params = PARAMS.model_copy(update={"drift": DriftParams(accepted="accepted.json")})
    assert gate(corpus.sources, params, corpus.root)["keep"].all()
    warned = capsys.readouterr().err
    assert "warning: gate: far from the accepted run accepted.json" in warned
    assert "column=target_tokens" in warned
    assert "column=prompt_tokens" not in warned
    stopping = params.model_copy(update={"drift": DriftParams(accepted="accepted.json", stop=True)})
    with pytest.raises(UserError, match=r"drift: expect_column_values_to_be_between [^|]*target_tokens"):
        gate(corpus.sources, stopping, corpus.root)


@pytest.mark.parametrize(
    ("text", "problem"), [(None, "no accepted run"), ("{", "not JSON"), ('{"tables": 3}', "tables")]
)
def test_a_broken_snapshot_is_named(tmp_path: Path, text: str | None, problem: str) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=problem):
        read_snapshot(path)
