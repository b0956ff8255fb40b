"""The licence gate: a source of a class that the recipe does not take is refused by name, in check and in its stage."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from typer.testing import CliRunner

from lingshu.cli import app
from lingshu.commands.planning.command import mix_lines
from lingshu.commands.planning.mixtures import stage_plans
from lingshu.commands.references import problems
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.params import read_yaml
from lingshu.sources.catalog import read_source
from lingshu.sources.licences import check_allowed

ROOT = Path(__file__).parents[2]


def test_a_class_outside_the_recipe_is_refused_by_name():
    record = read_source("radiology", ROOT / "catalog/sources").model_copy(update={"licence_class": "no-derivatives"})
    check_allowed("radiology", record, ["permissive", "no-derivatives"])
    check_allowed("radiology", record, ["permissive"], ["radiology"])
    with pytest.raises(
        UserError, match=r"radiology: its licence is no-derivatives \(.*\), .* takes only permissive"
    ) as raised:
        check_allowed("radiology", record, ["permissive"])
    assert "add no-derivatives to sources.allowed_licences" in raised.value.fix


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose source `radiology` is share-alike."""
    for name in ("catalog", "recipes", "stages", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "catalog").unlink()
    (tmp_path / "catalog/sources").mkdir(parents=True)
    for path in (ROOT / "catalog").iterdir():
        if path.name != "sources":
            (tmp_path / "catalog" / path.name).symlink_to(path)
    for path in (ROOT / "catalog/sources").iterdir():
        (tmp_path / "catalog/sources" / path.name).write_text(path.read_text())
    changed = tmp_path / "catalog/sources/radiology.yaml"
    changed.write_text(changed.read_text().replace("licence_class: permissive", "licence_class: share-alike"))
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    return tmp_path


def found(checkout, **sources):
    values = read_yaml(checkout / "params.yaml")
    values["sources"] |= sources
    return [str(problem) for problem in problems(checkout, Recipe.model_validate(values))]


def test_check_names_the_source(checkout):
    assert ["radiology" in text and "share-alike" in text for text in found(checkout)] == [True]
    assert found(checkout, allowed_licences=["permissive", "share-alike"]) == []
    assert found(checkout, allowed_licences=["permissive", "share-alike"], shared=True) == []


def test_check_refuses_what_can_not_be_handed_on(checkout):
    path = checkout / "catalog/sources/optical.yaml"
    path.write_text(path.read_text().replace("licence_class: permissive", "licence_class: non-commercial"))
    allowed = ["permissive", "share-alike", "non-commercial"]
    assert found(checkout, allowed_licences=allowed) == []
    (problem,) = found(checkout, allowed_licences=allowed, shared=True)
    assert "a mix with radiology, optical may not be handed on" in problem


def test_plan_and_the_mix_stage_refuse_what_check_refuses(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    values = yaml.safe_load((checkout / "params.yaml").read_text())
    values["sources"] |= {"allowed_licences": ["permissive", "share-alike", "non-commercial"], "shared": True}
    path = checkout / "catalog/sources/optical.yaml"
    path.write_text(path.read_text().replace("licence_class: permissive", "licence_class: non-commercial"))
    for change, told in (
        ({}, "a mix with radiology, optical may not be handed on"),
        ({"allowed_licences": ["permissive"]}, "radiology: its licence is share-alike"),
    ):
        values["sources"] |= change
        (checkout / "params.yaml").write_text(yaml.safe_dump(values))
        for command in (["plan"], ["plan", "mix"]):
            with pytest.raises(UserError) as refused:  # that `main` of the command line prints
                CliRunner().invoke(app, command, catch_exceptions=False)
            assert told in str(refused.value)
        stage = [sys.executable, "stages/mix.py", "shallow"]
        done = subprocess.run(stage, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert told in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    assert not (checkout / "data").exists()


def test_the_documented_command_switches_the_iu_reports_on_and_shared_refuses_them(tmp_path):
    line = next(one for one in (ROOT / "docs/pull.md").read_text().splitlines() if one.startswith("dvc exp run "))
    overrides = [word for word in shlex.split(line.removeprefix("dvc exp run ")) if word != "-S"]
    assert len(overrides) == 1
    params = tmp_path / "params.yaml"
    params.write_text((ROOT / "params.yaml").read_text())
    off = Recipe.model_validate(read_yaml(params))
    assert "iu_xray_reports" not in off.sources.in_use
    assert "iu_reports" not in off.mix.instruct.switched(off.sources.in_use).groups
    apply_overrides(params, overrides)  # as `dvc exp run -S` does
    values = read_yaml(params)
    on = Recipe.model_validate(values)
    assert list(problems(ROOT, on)) == []
    assert on.sources.allowed_licences == ["permissive"]
    assert on.mix.instruct.switched(on.sources.in_use).groups["iu_reports"].samples == 300
    assert off.mix.instruct.left_out(off.sources.in_use) == {"iu_reports": ["iu_xray_reports"]}
    values["sources"]["shared"] = True
    (problem,) = problems(ROOT, Recipe.model_validate(values))
    assert "a mix with iu_xray_reports may not be handed on" in str(problem)


def test_plan_shows_both_positions_of_the_switch():
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    off = "\n".join(mix_lines(ROOT, "params.yaml"))
    assert "left out: iu_reports, until sources.opt_in names iu_xray_reports" in off
    assert "NOT TO BE HANDED ON" not in off
    values["sources"]["opt_in"] = ["iu_xray_reports"]
    recipe = Recipe.model_validate(values)
    with_reports = {line.group: line for plan in stage_plans(recipe, ROOT) for line in plan.lines}
    assert (with_reports["iu_reports"].sources, with_reports["iu_reports"].rows) == (("iu_xray_reports",), 300)
    assert len(with_reports) == 1 + len({line.group for line in lines_of(ROOT)})


def lines_of(root):
    recipe = Recipe.model_validate(read_yaml(root / "params.yaml"))
    return [line for plan in stage_plans(recipe, root) for line in plan.lines]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"opt_in": ["radiology"]}, "must name each source once"),
        ({"opt_in": ["iu_xray_report"]}, "catalog/sources"),
        ({"opt_in": ["iu_xray_reports", "medquad"]}, "no group of mix shows ['medquad']"),
    ],
)
def test_check_names_what_is_wrong_with_the_switch(change, told):
    values = read_yaml(ROOT / "params.yaml")
    values["sources"] |= change
    try:
        said = " ".join(str(problem) for problem in problems(ROOT, Recipe.model_validate(values)))
    except ValueError as error:
        said = str(error)
    assert told in said


def test_a_group_that_no_switch_can_let_in_is_named():
    values = read_yaml(ROOT / "params.yaml")
    values["mix"]["instruct"]["iu_reports"]["sources"] = ["iu_xray_report"]
    (problem,) = problems(ROOT, Recipe.model_validate(values))
    assert "mix.instruct.iu_reports.sources: ['iu_xray_report'] are not in catalog/sources" in str(problem)


def test_plan_says_what_may_not_be_handed_on_where_nothing_is(checkout):
    values = yaml.safe_load((checkout / "params.yaml").read_text())
    values["sources"]["allowed_licences"] = ["permissive", "restricted"]
    path = checkout / "catalog/sources/radiology.yaml"
    path.write_text(path.read_text().replace("licence_class: share-alike", "licence_class: restricted"))
    lines = "\n".join(mix_lines(checkout, written(checkout, values)))
    assert "NOT TO BE HANDED ON (sources.shared is false): radiology: " in lines


def written(checkout, values):
    (checkout / "other.yaml").write_text(yaml.safe_dump(values))
    return "other.yaml"


def test_check_names_a_held_out_split_of_no_source(checkout):
    (problem,) = found(
        checkout, allowed_licences=["permissive", "share-alike"], benchmark_splits_in_training=["vqa_rad/test"]
    )
    assert "'vqa_rad/test' is of no enabled source" in problem


@pytest.mark.parametrize(("stage", "source"), [("pull", "radiology"), ("generate", "phantom")])
def test_the_first_stage_of_a_source_refuses_it(checkout, stage, source):
    values = yaml.safe_load((checkout / "params.yaml").read_text())
    values["sources"]["allowed_licences"] = ["non-commercial"]
    (checkout / "params.yaml").write_text(yaml.safe_dump(values))
    command = [sys.executable, str(ROOT / f"stages/{stage}.py"), source]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"error: {stage}@{source}: {source}: its licence is" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / "data").exists()
