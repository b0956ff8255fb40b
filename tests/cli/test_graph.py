from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lingshu.commands.graph import ParamKey, feeds, read_graph
from lingshu.core.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
stages:
  # ---------------------------------------------------------------- first: where it starts
  pull:
    foreach: ${sources.pulled}
    do:
      cmd: python stages/pull.py ${item}
      deps:
        - stages/pull.py
      params:
        - catalog/sources.yaml:
            - ${item}
        - sources.size
      outs:
        - raw/${item}
  # ---------------------------------------------------------------- second: where it goes
  train:
    foreach:
      low:
        start: base
      high:
        start: low
    do:
      cmd: python stages/train.py ${key} models/${item.start}
      deps:
        - models/${item.start}
        - raw
      params:
        - catalog/all.yaml:
      outs:
        - models/${key}
      metrics:
        - metrics/${key}.json:
            cache: false
"""
PARAMS = {"sources": {"pulled": ["a", "b"], "size": 3}}


def small(tmp_path: Path, text: str = SMALL) -> Path:
    (tmp_path / "dvc.yaml").write_text(text)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return tmp_path


def test_lists_and_mappings_are_expanded(tmp_path: Path) -> None:
    graph = read_graph(small(tmp_path))
    assert [stage.name for stage in graph.stages] == ["pull@a", "pull@b", "train@low", "train@high"]
    pull, _, _, high = graph.stages
    assert pull.outs == ("raw/a",)
    assert pull.params == (ParamKey("catalog/sources.yaml", "a"), ParamKey("params.yaml", "sources.size"))
    assert high.command == "python stages/train.py high models/low"
    assert high.script == "stages/train.py"
    assert high.outs == ("models/high", "metrics/high.json")
    assert high.params == (ParamKey("catalog/all.yaml", ""),)


def test_banners_give_stages_their_area(tmp_path: Path) -> None:
    graph = read_graph(small(tmp_path))
    assert graph.banners == {"first": "where it starts", "second": "where it goes"}
    assert [stage.banner for stage in graph.stages] == ["first", "first", "second", "second"]


def test_unknown_reference_names_the_stage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dvc\.yaml: pull: \$\{sources\.colour\} has no value"):
        read_graph(small(tmp_path, SMALL.replace("stages/pull.py ${item}", "stages/pull.py ${sources.colour}")))


def test_missing_foreach_list_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pull: foreach: \$\{sources\.pushed\} has no value"):
        read_graph(small(tmp_path, SMALL.replace("${sources.pulled}", "${sources.pushed}")))


@pytest.mark.parametrize(
    ("out", "dep", "expected"),
    [
        ("data/a", "data/a", True),
        ("data/a", "data", True),
        ("data", "data/a", True),
        ("data/a", "data/ab", False),
        ("data/a", "models", False),
    ],
)
def test_feeds(out: str, dep: str, expected: bool) -> None:
    assert feeds(out, dep) is expected


def test_same_stages_as_dvc() -> None:
    """The real file is understood as DVC understands it: names, commands, deps and outputs."""
    from dvc.repo import Repo

    ours = {stage.name: (stage.command, sorted(stage.deps), sorted(stage.outs)) for stage in read_graph(ROOT).stages}
    with Repo(str(ROOT)) as repo:
        theirs = {
            stage.name: (
                stage.cmd,
                sorted(dep.def_path for dep in stage.deps if type(dep).__name__ == "Dependency"),
                sorted(out.def_path for out in stage.outs),
            )
            for stage in repo.index.stages
        }
    assert ours == theirs
