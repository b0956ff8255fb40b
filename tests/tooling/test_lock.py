"""The lock agrees with pyproject.toml: what is declared is locked, at one version, hashed, and nothing else is."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SETS = ("core", "dev", "gpu", "ocr", "ray")
ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "platform_machine": machine,
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python in ("3.11", "3.12")
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
]
each_environment = pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda e: f"{e['python_version']}-{e['sys_platform']}-{e['platform_machine']}"
)
each_set = pytest.mark.parametrize("name", SETS)


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package: its requirement (`name==version ; marker`) and how many digests follow."""

    requirement: Requirement
    hashes: int

    @property
    def version(self) -> str:
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return specifier.version


def declared(name: str) -> list[Requirement]:
    """Return the direct dependencies of a set: the core, and the extra it is named after."""
    extra = PROJECT["optional-dependencies"].get(name, [])
    return [Requirement(text) for text in [*PROJECT["dependencies"], *extra]]


@cache
def pins(name: str) -> list[Pin]:
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        lines = [line.strip().removesuffix("\\").strip() for line in block.splitlines()]
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines[1:]), lines[0]
        found.append(Pin(Requirement(lines[0]), len(lines) - 1))
    return found


def locked(name: str, environment: dict[str, str]) -> dict[str, str]:
    """Return `{package: version}` of a set on one platform."""
    found: dict[str, str] = {}
    for pin in pins(name):
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(environment):
            package = canonicalize_name(pin.requirement.name)
            assert package not in found, f"{package} has two versions on one platform"
            found[package] = pin.version
    return found


@each_environment
@each_set
def test_every_dependency_is_locked_at_an_allowed_version(name: str, environment: dict[str, str]) -> None:
    versions = locked(name, environment)
    for requirement in declared(name):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


@each_environment
def test_the_sets_share_their_versions(environment: dict[str, str]) -> None:
    core, *others = (locked(name, environment) for name in SETS)
    assert all(core.items() <= other.items() for other in others)
    for one, other in itertools.combinations(others, 2):
        assert {package for package in one.keys() & other.keys() if one[package] != other[package]} == set()


@pytest.mark.parametrize("name", (*SETS, "uv"))
def test_every_pin_is_hashed_and_no_line_names_an_address(name: str) -> None:
    assert all(pin.hashes > 0 for pin in pins(name))
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", text)


def test_the_lock_holds_the_whole_closure_and_nothing_else() -> None:
    """Followed through the metadata of what is installed here: everything needed is locked, nothing more is."""
    here = locked("dev", {})
    needed = closure(declared("dev"))
    assert needed - here.keys() == set()
    assert here.keys() - needed == set()


def test_the_environment_is_the_lock() -> None:
    assert {package: metadata.version(package) for package in locked("dev", {})} == locked("dev", {})


def closure(requirements: Iterable[Requirement]) -> set[str]:
    reached: set[tuple[str, str]] = set()
    waiting = [(r, "") for r in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        package = canonicalize_name(requirement.name)
        for wanted in {"", *requirement.extras}:
            if (package, wanted) not in reached:
                reached.add((package, wanted))
                needs = metadata.requires(package) or []
                waiting.extend((Requirement(text), wanted) for text in needs)
    return {package for package, _ in reached}
