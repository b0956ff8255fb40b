"""Params: a user's mistake is named by file and key, with the closest key that exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from lingshu.core.errors import UserError
from lingshu.core.params import Strict, differences, load_section, load_value, read_yaml


class Inner(Strict):
    """A nested section."""

    threshold: float
    min_side_px: int = 8


class Section(Strict):
    """A section with a default and a nested one."""

    seed: int
    gate: Inner


GOOD = "seed: 3\nquality:\n  seed: 1\n  gate:\n    threshold: 0.5\n"


def params(tmp_path: Path, text: str = GOOD) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


def test_a_section_is_read_into_its_model(tmp_path: Path) -> None:
    assert load_section("quality", Section, params(tmp_path)) == Section(seed=1, gate=Inner(threshold=0.5))
    assert load_value("quality.gate.threshold", float, params(tmp_path)) == 0.5


def test_values_are_those_that_dvc_sees(tmp_path: Path) -> None:
    text = "answers: [no, off, 1e-3, 010, true]\n"
    path = params(tmp_path, text)
    assert read_yaml(path) == load_yaml(path) == {"answers": ["no", "off", 0.001, 10, True]}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("threshold:", "treshold:", "quality.gate.treshold: unknown key; did you mean 'threshold'?"),
        ("    threshold: 0.5\n", "    threshold: 0.5\n    min_side: 4\n", "did you mean 'min_side_px'?"),
        ("threshold: 0.5", "threshold: high", "quality.gate.threshold: Input should be a valid number"),
        ("threshold: 0.5", "threshold: high", "(got 'high')"),
        ("threshold: 0.5", "threshold: true", "quality.gate.threshold: Input should be a number (got True)"),
        ("  seed: 1\n", "  seed: false\n", "quality.seed: Input should be a number (got False)"),
        ("threshold: 0.5", "threshold: .inf", "quality.gate.threshold: Input should be a finite number"),
        ("  seed: 1\n", "", "quality.seed: Field required"),
        ("quality:", "qualty:", "section 'quality' is missing"),
        ("seed: 3", "seed: [3", "not valid YAML"),
        ("seed: 3", "seed: 3\nseed: 4", "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = params(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UserError) as caught:
        load_section("quality", Section, path)
    assert complaint in caught.value.what
    assert str(path) in caught.value.what
    assert caught.value.fix


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = params(tmp_path, "quality:\n  sed: 1\n  gate:\n    threshold: high\n")
    with pytest.raises(UserError) as caught:
        load_section("quality", Section, path)
    assert all(key in caught.value.what for key in ("quality.seed", "quality.sed", "quality.gate.threshold"))


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file") as caught:
        load_section("quality", Section, tmp_path / "params.yaml")
    assert "root" in caught.value.fix


@pytest.mark.parametrize(("key", "kind"), [("quality.gate.threshhold", float), ("quality.gate", float), ("sed", int)])
def test_a_missing_or_wrong_value_is_named(tmp_path: Path, key: str, kind: type) -> None:
    with pytest.raises(UserError) as caught:
        load_value(key, kind, params(tmp_path))
    assert key in caught.value.what


def test_models_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Section(seed=1, gate=Inner(threshold=1)).seed = 2


def test_differences_name_changed_added_and_removed_keys() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 1, "c": 3}, "e": None, "d": [1, 2]}
    assert differences(old, new) == [("a.c", 2, 3), ("d", [1], [1, 2])]
