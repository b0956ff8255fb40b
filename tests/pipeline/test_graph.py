"""Rules of the pipeline graph: DVC follows no imports, so these tests do."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from lingshu.commands.graph import Graph, Stage, feeds, has_key, read_graph
from lingshu.core import layout
from lingshu.core.params import read_yaml
from lingshu.signals.params import SignalsParams
from tests.pipeline.import_closure import import_closure

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
MINI = read_graph(ROOT)


def everything_on() -> Graph:
    """The graph with the stages that the mini recipe has of no source: each rule holds for them, too."""
    values = read_yaml(ROOT / "params.yaml")
    values["signals"]["embeddings"]["sources"] = values["sources"]["pulled"]
    values["sources"]["opt_in"] = ["iu_xray_reports"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "params.yaml").write_text(json.dumps(values), encoding="utf-8")
        shutil.copy(ROOT / "dvc.yaml", folder)
        return read_graph(Path(folder))


GRAPH = everything_on()
SCRIPTS = sorted({stage.script for stage in GRAPH.stages})
HEAVY = {
    "accelerate", "datasets", "dvc", "great_expectations", "matplotlib", "open_clip", "pandas", "peft", "sklearn",
    "timm", "torch", "torchvision", "transformers", "trl",
}  # fmt: skip
ALLOWED_HEAVY = {
    "stages/backbone.py": HEAVY,
    "stages/classify_modality.py": HEAVY,
    "stages/gate.py": {"great_expectations", "pandas"},
    "stages/predict.py": HEAVY,
    "stages/reinforce.py": HEAVY,
    "stages/report.py": {"matplotlib"},
    "stages/train.py": HEAVY,
}

LIGHT = [script for script in SCRIPTS if ALLOWED_HEAVY.get(script) != HEAVY]


@cache
def closure(script: str) -> frozenset[str]:
    return frozenset(f"src/{module}" for module in import_closure(ROOT / script, SRC))


def code_deps(stage: Stage) -> set[str]:
    return {dep for dep in stage.deps if dep.startswith("src/")}


def test_the_mini_recipe_stays_small() -> None:
    assert len(MINI.stages) <= 40
    opted_in = {"pull_opted_in", "normalize_opted_in", "measure_opted_in"}
    assert {stage.family for stage in GRAPH.stages} - {stage.family for stage in MINI.stages} == {"embed", *opted_in}


def test_the_switch_adds_the_stages_of_its_source_and_changes_no_other() -> None:
    """A source that is opted in is pulled, read and measured as an enabled one is; the rest of the graph stays."""
    values = read_yaml(ROOT / "params.yaml")
    assert values["sources"]["opt_in"] == []
    values["sources"]["opt_in"] = ["iu_xray_reports"]
    stages = read_graph(ROOT, values).stages
    added = [stage for stage in stages if stage.item == "iu_xray_reports"]
    assert [stage for stage in stages if stage not in added] == list(MINI.stages)
    values["sources"]["opt_in"] = []
    values["sources"]["pulled"].append("iu_xray_reports")
    values["sources"]["enabled"].append("iu_xray_reports")
    enabled = [stage for stage in read_graph(ROOT, values).stages if stage.item == "iu_xray_reports"]
    assert [(s.command.removesuffix(" --opted-in"), s.deps, s.params, s.outs) for s in added] == [
        (s.command, s.deps, s.params, s.outs) for s in enabled
    ]
    assert [s.command.endswith(" --opted-in") for s in added] == [True, False, False]


def test_neither_workers_nor_the_switch_pull_read_or_measure_again() -> None:
    compared = {(stage.family, param.key) for stage in MINI.stages for param in stage.params}
    assert {
        key for _, key in compared if key.endswith(".workers") or key in ("signals", "modality", "inference")
    } == set()
    assert {family for family, key in compared if key == "sources.opt_in"}.isdisjoint({"pull", "normalize", "measure"})
    others = {"signals.workers", "signals.embeddings"}
    measured = {key for family, key in compared if family == "measure"}
    assert measured == {f"signals.{name}" for name in SignalsParams.model_fields} - others
    for recipe in sorted((ROOT / "recipes").glob("*.yaml")):
        assert all(has_key(read_yaml(recipe), key) for key in measured), recipe.name


def test_deps_hold_the_import_closure() -> None:
    missed = {
        (stage.name, module)
        for stage in GRAPH.stages
        for module in {stage.script, *closure(stage.script)}
        if not any(Path(module).is_relative_to(dep) for dep in stage.deps) and not is_empty_package(ROOT / module)
    }
    assert missed == set()


def is_empty_package(path: Path) -> bool:
    """A package's `__init__.py` runs on import, but with nothing more than a docstring it holds no behaviour."""
    return path.name == "__init__.py" and not ast.parse(path.read_text(encoding="utf-8")).body[1:]


def test_no_code_dep_is_idle() -> None:
    """A folder that the script never imports would re-run the stage for nothing."""
    idle = {
        (stage.name, dep)
        for stage in GRAPH.stages
        for dep in code_deps(stage)
        if not any(Path(module).is_relative_to(dep) for module in closure(stage.script))
    }
    assert idle == set()


def test_paths_exist_or_are_written_by_a_stage() -> None:
    outs = [out for stage in GRAPH.stages for out in stage.outs]
    nowhere = {
        (stage.name, dep)
        for stage in GRAPH.stages
        for dep in stage.deps
        if not (ROOT / dep).exists() and not any(feeds(out, dep) for out in outs)
    }
    assert nowhere == set()


def test_params_exist() -> None:
    files = {param.file: read_yaml(ROOT / param.file) for stage in GRAPH.stages for param in stage.params}
    unknown = {
        (stage.name, param)
        for stage in GRAPH.stages
        for param in stage.params
        if param.key and not has_key(files[param.file], param.key)
    }
    assert unknown == set()


def test_sections_that_a_script_loads_are_declared() -> None:
    """Every `load_section("x")` or `load_value("x.y")` has its key, one above or below it, or the file in dvc.yaml."""
    undeclared = {
        (stage.name, key)
        for stage in GRAPH.stages
        for key in loaded_keys(ROOT / stage.script)
        if "params.yaml" not in stage.deps
        and not any(
            f"{param.key}.".startswith(f"{key}.") or f"{key}.".startswith(f"{param.key}.")
            for param in stage.params
            if param.file == "params.yaml"
        )
    }
    assert undeclared == set()


def loaded_keys(script: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in {"load_section", "load_value"}
        and isinstance(call.args[0], ast.Constant)
    }
    if any(isinstance(call.func, ast.Name) and call.func.id == "load_sources" for call in calls):
        named |= {"sources.enabled", "sources.opt_in"}
    return named


def test_no_two_outs_overlap() -> None:
    outs = [(out, stage.name) for stage in GRAPH.stages for out in stage.outs]
    clashes = [(left, right) for i, left in enumerate(outs) for right in outs[i + 1 :] if feeds(left[0], right[0])]
    assert clashes == []


def test_outs_lie_where_layout_says() -> None:
    folders = {
        value.as_posix() for name, value in vars(layout).items() if isinstance(value, Path) and name.isupper()
    } - {layout.CATALOG.as_posix(), layout.WORK.as_posix()}
    outs = {out for stage in GRAPH.stages for out in stage.outs}
    assert {out for out in outs if not any(Path(out).is_relative_to(folder) for folder in folders)} == set()
    assert {folder for folder in folders if not any(Path(out).is_relative_to(folder) for out in outs)} == set()


def test_every_script_is_a_stage() -> None:
    assert sorted(f"stages/{path.name}" for path in (ROOT / "stages").glob("*.py")) == SCRIPTS


def test_scripts_are_thin() -> None:
    lengths = {script: len((ROOT / script).read_text(encoding="utf-8").splitlines()) for script in SCRIPTS}
    assert {script for script, length in lengths.items() if length > 40} == set()


@pytest.fixture(scope="module")
def heavy() -> dict[str, list[str]]:
    """The heavy libraries that loading each light script brings, beyond those before it; those with some come last."""
    code = (
        "import json, runpy, sys\n"
        "before, found = set(), {}\n"
        "for script in sys.argv[2:]:\n"
        "    runpy.run_path(script, run_name='imported')\n"
        "    now = {name.partition('.')[0] for name in sys.modules} & set(json.loads(sys.argv[1]))\n"
        "    found[script], before = sorted(now - before), now\n"
        "print(json.dumps(found))"
    )
    scripts = sorted(LIGHT, key=lambda script: (script in ALLOWED_HEAVY, script))
    command = [sys.executable, "-c", code, json.dumps(sorted(HEAVY)), *scripts]
    found: dict[str, list[str]] = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    return found


@pytest.mark.parametrize("script", LIGHT)
def test_heavy_libraries_stay_out_of_light_stages(script: str, heavy: dict[str, list[str]]) -> None:
    """Each import costs seconds, and a pipeline of 40 stages pays 40 times."""
    assert set(heavy[script]) <= ALLOWED_HEAVY.get(script, set())


def test_a_missing_dep_is_noticed(tmp_path: Path) -> None:
    """The closure sees imports inside functions, through packages and by `from package import module`."""
    for file, text in {
        "lingshu/__init__.py": "",
        "lingshu/core/__init__.py": "",
        "lingshu/core/files.py": "import json\n",
        "lingshu/area/__init__.py": "",
        "lingshu/area/deep.py": "def late():\n    from lingshu.core import files\n    return files\n",
        "lingshu/area/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lingshu.area.deep\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    script = tmp_path / "stage.py"
    script.write_text("from lingshu.area.deep import late\n")
    assert import_closure(script, tmp_path) == {
        "lingshu/area/__init__.py", "lingshu/area/deep.py", "lingshu/core/__init__.py", "lingshu/core/files.py",
    }  # fmt: skip
    script.write_text("import lingshu.area.typed\n")
    assert import_closure(script, tmp_path) == {"lingshu/area/__init__.py", "lingshu/area/typed.py"}


def test_evaluation_code_reaches_no_training_and_training_code_no_data() -> None:
    """What the issue promises: editing `evalkit` re-runs no training, editing `training` re-runs no data stage."""
    assert touched("src/lingshu/evalkit") & {"backbone", "train"} == set()
    assert touched("src/lingshu/training") <= {"train"}
    assert touched("src/lingshu/quality") == {"gate"}


def touched(folder: str) -> set[str]:
    return {stage.family for stage in GRAPH.stages if any(feeds(dep, folder) for dep in code_deps(stage))}
