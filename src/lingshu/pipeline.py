"""The graph that `dvc.yaml` declares, read without importing DVC (which costs a second): stages, paths, order.

Understands what our `dvc.yaml` uses: plain stages and `foreach` over a list or a mapping, with `${item}`, `${key}`
and `${item.x}` inside, and `${section.key}` from `params.yaml`. A test compares the result with DVC's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.params import PARAMS_FILE, read_yaml

DVC_FILE = Path("dvc.yaml")
_REFERENCE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Stage:
    """One concrete stage. `params` are (file, dotted key) pairs; an empty key means the whole file."""

    name: str
    cmd: str
    deps: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    outs: tuple[str, ...]

    @property
    def script(self) -> str:
        """The stage script that `cmd` runs, as in `python stages/pull.py optical`."""
        return self.cmd.split()[1]


def load_pipeline(root: Path = Path()) -> dict[str, Stage]:
    """Return the concrete stages by name (`pull@optical`), in the order of `dvc.yaml`.

    Raises:
        UserError: `dvc.yaml` or `params.yaml` can't be read, or a `${…}` names nothing.
    """
    params = read_yaml(root / PARAMS_FILE)
    declared = read_yaml(root / DVC_FILE)
    if not isinstance(declared, dict) or not isinstance(declared.get("stages"), dict):
        raise UserError(f"{root / DVC_FILE}: no stages", "restore the file from Git")
    found = (stage for name, body in declared["stages"].items() for stage in _expand(name, body, params))
    return {stage.name: stage for stage in found}


def _expand(name: str, body: Mapping[str, Any], params: Any) -> Iterator[Stage]:
    if "foreach" not in body:
        yield _stage(name, _fill(body, params, name))
        return
    items = _fill(body["foreach"], params, name)
    pairs = items.items() if isinstance(items, Mapping) else ((item, item) for item in items)
    for key, item in pairs:
        scope = {**params, "key": key, "item": item}
        yield _stage(f"{name}@{key}", _fill(body["do"], scope, name))


def _fill(value: Any, scope: Any, stage: str) -> Any:
    """Return `value` with every `${…}` replaced by what it names in `scope`; a lone `${…}` keeps its type."""
    if isinstance(value, Mapping):
        return {_fill(key, scope, stage): _fill(inner, scope, stage) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, scope, stage) for inner in value]
    if not isinstance(value, str):
        return value
    if whole := _REFERENCE.fullmatch(value):
        return _look_up(whole[1], scope, stage)
    return _REFERENCE.sub(lambda match: str(_look_up(match[1], scope, stage)), value)


def _look_up(dotted: str, scope: Any, stage: str) -> Any:
    value = scope
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            raise UserError(f"{DVC_FILE}: stage {stage}: ${{{dotted}}} names nothing", f"add it to {PARAMS_FILE}")
        value = value[key]
    return value


def _stage(name: str, body: Mapping[str, Any]) -> Stage:
    outs = [path for kind in ("outs", "metrics", "plots") for path in _paths(body.get(kind, []))]
    return Stage(name, body["cmd"], tuple(body.get("deps", [])), tuple(_params(body.get("params", []))), tuple(outs))


def _paths(entries: Iterable[str | Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        yield from [entry] if isinstance(entry, str) else entry


def _params(entries: Iterable[str | Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if isinstance(entry, str):
            yield str(PARAMS_FILE), entry
            continue
        for file, keys in entry.items():
            yield from ((file, key) for key in keys or [""])


def covers(folder: str, path: str) -> bool:
    """Say whether `path` is `folder` or lies in it."""
    return Path(path).is_relative_to(folder)


def parents(stages: Mapping[str, Stage]) -> dict[str, set[str]]:
    """Return, for each stage, the stages that write what it reads (a dep holds, is, or lies in their out)."""
    return {
        name: {
            other
            for other, producer in stages.items()
            if any(covers(dep, out) or covers(out, dep) for dep in stage.deps for out in producer.outs)
        }
        for name, stage in stages.items()
    }


def downstream(stages: Mapping[str, Stage], changed: Iterable[str]) -> list[str]:
    """Return `changed` and all stages that depend on them, directly or not, in the order of `stages`."""
    reads_from = parents(stages)
    reached = set(changed)
    while grown := {name for name, sources in reads_from.items() if name not in reached and sources & reached}:
        reached |= grown
    return [name for name in stages if name in reached]
