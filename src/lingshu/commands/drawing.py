"""`lingshu draw`: docs/pipeline.md and docs/pipeline.svg, both made from dvc.yaml alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lingshu.commands.graph import Graph, Stage, feeds, read_graph
from lingshu.commands.picture import svg
from lingshu.core.files import write_text
from lingshu.core.params import PARAMS_FILE

DOCUMENT = Path("docs/pipeline.md")
PICTURE = Path("docs/pipeline.svg")
_HEAD = """# The pipeline

<!-- Made from dvc.yaml by `lingshu draw`; a test fails when it is stale. Edit dvc.yaml, not this page. -->

{count} stages, in the order of `dvc.yaml`. An arrow means "reads what the other writes"; arrows that follow from
others are left out. The same drawing as a picture: [pipeline.svg](pipeline.svg).

"""


def write(root: Path) -> list[Path]:
    """Write the drawing of `root`'s dvc.yaml; return the files that changed."""
    changed = []
    for path, text in drawings(read_graph(root)).items():
        target = root / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_text(target, text)
            changed.append(path)
    return changed


def drawings(graph: Graph) -> dict[Path, str]:
    """Return what each generated file must hold."""
    edges = reduced_edges(graph)
    page = (
        _HEAD.format(count=len(graph.stages)) + f"```mermaid\n{mermaid(graph, edges)}```\n\n" + "".join(_tables(graph))
    )
    return {DOCUMENT: page, PICTURE: svg(graph, edges)}


def families(graph: Graph) -> dict[str, list[Stage]]:
    """Return the stages by family (`train` for train@shallow, …), in the order of dvc.yaml."""
    result: dict[str, list[Stage]] = {}
    for stage in graph.stages:
        result.setdefault(stage.family, []).append(stage)
    return result


def reduced_edges(graph: Graph) -> list[tuple[str, str]]:
    """Return the edges between families, less those that a longer way implies (the transitive reduction)."""
    members = families(graph)
    direct = {
        name: {other for other in members if other != name and _reads(members[name], members[other])}
        for name in members
    }
    closure: dict[str, set[str]] = {}

    def ancestors(name: str) -> set[str]:
        if name not in closure:
            closure[name] = set().union(*({parent} | ancestors(parent) for parent in direct[name]), set())
        return closure[name]

    kept = []
    for name, parents in direct.items():
        implied = set().union(*(ancestors(parent) for parent in parents), set())
        kept += [(parent, name) for parent in members if parent in parents - implied]
    return kept


def _reads(readers: list[Stage], writers: list[Stage]) -> bool:
    outs = {out for stage in writers for out in stage.outs}
    deps = {dep for stage in readers for dep in stage.deps}
    return any(feeds(out, dep) for out in outs for dep in deps)


def mermaid(graph: Graph, edges: list[tuple[str, str]]) -> str:
    """Return the drawing as mermaid text: a box per family, a frame per banner."""
    lines = ["flowchart TD"]
    members = families(graph)
    for banner, sentence in graph.banners.items():
        lines.append(f'  subgraph area_{banner}["{banner}: {sentence}"]')
        for name, stages in members.items():
            if stages[0].banner == banner:
                items = " · ".join(stage.item for stage in stages if stage.item)
                lines.append(f'    {name}["<b>{name}</b>{"<br/>" + items if items else ""}"]')
        lines.append("  end")
    lines += [f"  {left} --> {right}" for left, right in edges]
    return "\n".join(lines) + "\n"


def _tables(graph: Graph) -> Iterator[str]:
    members = families(graph)
    for banner, sentence in graph.banners.items():
        yield f"## {banner.capitalize()}\n\n{sentence[0].upper() + sentence[1:]}.\n\n"
        yield "| stage | reads | knobs | writes |\n|---|---|---|---|\n"
        for name, stages in members.items():
            if stages[0].banner == banner:
                yield _row(name, stages)
        yield "\n"


def _row(name: str, stages: list[Stage]) -> str:
    items = [stage.item for stage in stages]
    label = f"{name}@{{{','.join(items)}}}" if items[0] else name
    reads = [dep for stage in stages for dep in stage.deps if not dep.startswith(("src/", "stages/"))]
    params = [key for stage in stages for key in stage.params]
    knobs = [key.key if key.key and key.file == str(PARAMS_FILE) else key.file for key in params]
    writes = [out for stage in stages for out in stage.outs]
    return f"| `{label}` | {_names(reads, items)} | {_names(knobs, items)} | {_names(writes, items)} |\n"


def _names(listed: list[str], items: list[str]) -> str:
    """Return the names once each, a star standing for the stages' items where several have the same pattern."""
    words = "|".join(re.escape(item) for item in items if item)
    patterns: dict[str, list[str]] = {}
    for name in dict.fromkeys(listed):
        pattern = re.sub(rf"(?<=[/.])(?:{words})(?=$|[/.])", "*", name) if words else name
        patterns.setdefault(pattern, []).append(name)
    shown = [pattern if len(names) > 1 else names[0] for pattern, names in patterns.items()]
    return ", ".join(f"`{name}`" for name in shown) or "–"
