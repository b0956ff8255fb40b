from __future__ import annotations

from pathlib import Path

from lingshu.report.build import REINFORCE, TRAINED
from lingshu.report.training import read_series, rewards, stage_curves


def test_every_stage_has_its_curves_and_figures(run_tree: Path) -> None:
    found = {one.stage: one for one in stage_curves(run_tree, TRAINED)}
    assert list(found) == ["backbone", "shallow", "deep", "instruct", "reinforce"]
    assert [name for name, _ in found["deep"].charts] == ["loss"]
    assert [name for name, _ in found["reinforce"].charts] == ["reward", "kl"]
    assert found["deep"].figures == [("loss.first", 3.0), ("loss.last", 1.0), ("steps", 3)]


def test_a_table_becomes_a_series_for_each_column(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,epoch,loss,eval\n1,0.1,3.0,\n2,0.2,nan,0.5\n3,0.3,1.0,0.75\n")
    assert read_series(path) == {"loss": [(1.0, 3.0), (3.0, 1.0)], "eval": [(2.0, 0.5), (3.0, 0.75)]}


def test_a_table_without_steps_is_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "other.tsv"
    path.write_text("name\tvalue\na\t1\n")
    assert read_series(path) == {}


def test_rewards_carry_gain_and_verdict(run_tree: Path) -> None:
    prompts, parts = rewards(run_tree, REINFORCE)
    assert prompts == 7
    assert (parts[0].name, parts[0].gain["verdict"]) == ("total", "better")
