"""Reading dvc.yaml as data: every concrete stage with its script, inputs, outputs and parameter keys, without DVC.

Only what this repository's dvc.yaml uses is understood: `foreach` over a list, a mapping or `${section.key}`, and
`${item}`, `${item.x}`, `${key}` inside a stage. `read_graph` names anything else instead of guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.params import PARAMS_FILE, read_yaml

DVC_FILE = Path("dvc.yaml")
_REFERENCE = re.compile(r"\$\{([^}]+)\}")
_BANNER = re.compile(r"^ *# -{8,} ([a-z]+): (.+)$")
_STAGE = re.compile(r"^  ([a-z_]+):")


@dataclass(frozen=True, slots=True)
class ParamKey:
    """A key that a stage reads: `key` is dotted, and empty when the stage reads the whole file."""

    file: str
    key: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One concrete stage. `name` is `family@item` for a foreach stage; `item` is empty for a plain one."""

    family: str
    item: str
    command: str
    deps: tuple[str, ...]
    params: tuple[ParamKey, ...]
    outs: tuple[str, ...]
    banner: str

    @property
    def name(self) -> str:
        """The name that `dvc repro -s` takes."""
        return f"{self.family}@{self.item}" if self.item else self.family

    @property
    def script(self) -> str:
        """The Python script that the command runs, relative to the root; empty if it runs none."""
        words = self.command.split()
        return next((word for word in words if word.endswith(".py")), "")


@dataclass(frozen=True, slots=True)
class Graph:
    """All stages in the order of dvc.yaml, and what each banner says (`{area: sentence}`, in order)."""

    stages: tuple[Stage, ...]
    banners: dict[str, str]


def read_graph(root: Path, params: Any = None) -> Graph:
    """Return the pipeline of `root`, foreach resolved against `params` (default: `root/params.yaml`).

    Raises:
        UserError: dvc.yaml is missing, is not YAML, or refers to a value that params do not have.
    """
    values = read_yaml(root / PARAMS_FILE) if params is None else params
    document = read_yaml(root / DVC_FILE)
    if not isinstance(document, dict) or not isinstance(document.get("stages"), dict):
        raise UserError(f"{DVC_FILE}: no `stages:`", f"restore it with `git checkout {DVC_FILE}`")
    banners, places = _banners((root / DVC_FILE).read_text(encoding="utf-8"))
    stages = [
        stage
        for family, body in document["stages"].items()
        for stage in _expand(family, body, values, banner=places.get(family, ""))
    ]
    return Graph(tuple(stages), banners)


def _banners(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the banners of the file, and under which banner each stage family stands."""
    banners: dict[str, str] = {}
    places: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        if found := _BANNER.match(line):
            current = found[1]
            banners[current] = found[2].strip()
        elif found := _STAGE.match(line):
            places[found[1]] = current
    return banners, places


def _expand(family: str, body: dict[str, Any], params: Any, *, banner: str) -> Iterator[Stage]:
    if "foreach" not in body:
        yield _stage(family, "", body, _section(params), banner)
        return
    items = body["foreach"]
    if isinstance(items, str):
        items = _look_up(items.removeprefix("${").removesuffix("}"), params, f"{DVC_FILE}: {family}: foreach")
    pairs = items.items() if isinstance(items, dict) else ((str(item), item) for item in items)
    for key, value in pairs:
        scope = {**_section(params), "key": key, "item": value}
        yield _stage(family, str(key), body["do"], scope, banner)


def _section(params: Any) -> dict[str, Any]:
    return params if isinstance(params, dict) else {}


def _stage(family: str, item: str, body: dict[str, Any], scope: dict[str, Any], banner: str) -> Stage:
    where = f"{DVC_FILE}: {family}"

    def fill(text: str) -> str:
        return _REFERENCE.sub(lambda found: str(_look_up(found[1], scope, where)), text)

    outs = [fill(name) for kind in ("outs", "metrics", "plots") for name, _ in _entries(body.get(kind))]
    return Stage(
        family=family,
        item=item,
        command=fill(str(body.get("cmd", ""))),
        deps=tuple(fill(name) for name, _ in _entries(body.get("deps"))),
        params=tuple(ParamKey(file, fill(key)) for file, key in _param_keys(body.get("params"))),
        outs=tuple(outs),
        banner=banner,
    )


def _entries(listed: Any) -> Iterator[tuple[str, Any]]:
    """Yield `(name, options)` of a DVC list whose entries are strings or one-key mappings."""
    for entry in listed or []:
        if isinstance(entry, dict):
            yield from ((str(name), options) for name, options in entry.items())
        else:
            yield str(entry), None


def _param_keys(listed: Any) -> Iterator[tuple[str, str]]:
    for name, keys in _entries(listed):
        if isinstance(keys, list):
            yield from ((name, str(key)) for key in keys)
        elif name.endswith((".yaml", ".json", ".toml")):
            yield name, ""
        else:
            yield str(PARAMS_FILE), name


def _look_up(dotted: str, values: Any, where: str) -> Any:
    """Return the value at a dotted key.

    Raises:
        UserError: there is no such key.
    """
    found = values
    for part in dotted.split("."):
        if not isinstance(found, dict) or part not in found:
            raise UserError(f"{where}: ${{{dotted}}} has no value", f"add {dotted} to {PARAMS_FILE}")
        found = found[part]
    return found


def has_key(values: Any, dotted: str) -> bool:
    """Return whether a dotted key exists in parsed YAML (its value may be null)."""
    found = values
    for part in dotted.split("."):
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


def feeds(out: str, dep: str) -> bool:
    """Return whether an output path is a dependency path, lies inside it, or holds it."""
    left, right = Path(out), Path(dep)
    return left == right or left in right.parents or right in left.parents
