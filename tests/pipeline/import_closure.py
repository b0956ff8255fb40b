"""Which of our own modules a script may import: read from the syntax, imports inside functions included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def import_closure(script: Path, src: Path) -> set[str]:
    """Return every module file under `src` that running `script` may import, as paths relative to `src`.

    The package's root `__init__.py` is left out: it holds a version and a clock, no behaviour.
    """
    reached: set[str] = set()
    waiting = list(_imported(script, src))
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        waiting.extend(_imported(src / module, src))
    return reached - {"lingshu/__init__.py"}


def _imported(file: Path, src: Path) -> Iterator[str]:
    for node in _running_nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name, src)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import; write the full name"
            assert node.module is not None
            yield from _files(node.module, src)
            for alias in node.names:
                yield from _files(f"{node.module}.{alias.name}", src)


def _running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those under `if TYPE_CHECKING:`, which never run."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield from _running_nodes(child)


def _files(dotted: str, src: Path) -> Iterator[str]:
    """Yield the files that importing `dotted` runs: each package's `__init__.py` on the way, and the module."""
    parts = dotted.split(".")
    for end in range(1, len(parts) + 1):
        base = "/".join(parts[:end])
        for candidate in (f"{base}/__init__.py", f"{base}.py"):
            if (src / candidate).is_file():
                yield candidate
