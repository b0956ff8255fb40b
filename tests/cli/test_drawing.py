from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from lingshu.commands.drawing import drawings, families, mermaid, reduced_edges, write
from lingshu.commands.graph import Graph, Stage, feeds, read_graph

ROOT = Path(__file__).resolve().parents[2]


def stage(family: str, deps: tuple[str, ...], out: str, item: str = "") -> Stage:
    return Stage(family, item, f"python stages/{family}.py", deps, (), (out,), "area")


def graph(*stages: Stage) -> Graph:
    return Graph(stages, {"area": "all of it"})


def test_an_arrow_that_others_imply_is_left_out() -> None:
    chain = graph(stage("a", (), "x"), stage("b", ("x",), "y"), stage("c", ("x", "y"), "z"))
    assert reduced_edges(chain) == [("a", "b"), ("b", "c")]


def test_a_stage_that_reads_its_own_family_has_no_loop() -> None:
    loop = graph(stage("a", (), "m/1", "1"), stage("a", ("m/1",), "m/2", "2"), stage("b", ("m",), "z"))
    assert reduced_edges(loop) == [("a", "b")]


def test_every_family_and_item_is_drawn() -> None:
    text = mermaid(graph(stage("a", (), "x", "one"), stage("a", (), "y", "two")), [])
    assert 'a["<b>a</b><br/>one · two"]' in text


def test_reachability_survives_the_reduction() -> None:
    """In the real pipeline, what reads another's output can still be reached from it along drawn arrows."""
    real = read_graph(ROOT)
    after: dict[str, set[str]] = {}
    for left, right in reduced_edges(real):
        after.setdefault(left, set()).add(right)

    def reach(start: str) -> set[str]:
        return set().union(*({name} | reach(name) for name in after.get(start, set())), set())

    members = families(real)
    for name, writers in members.items():
        outs = [out for one in writers for out in one.outs]
        deps = {reader: [dep for one in stages for dep in one.deps] for reader, stages in members.items()}
        readers = {reader for reader, read in deps.items() if any(feeds(out, dep) for out in outs for dep in read)}
        assert readers - {name} <= reach(name)


def test_picture_is_well_formed_and_names_every_family() -> None:
    real = read_graph(ROOT)
    picture = drawings(real)[Path("docs/pipeline.svg")]
    root = ElementTree.fromstring(picture)
    words = {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert set(families(real)) <= words


def test_drawings_are_not_stale() -> None:
    for path, text in drawings(read_graph(ROOT)).items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is stale: run `lingshu draw`"


def test_second_writing_changes_nothing(checkout: Path) -> None:
    assert write(checkout) == [Path("docs/pipeline.md"), Path("docs/pipeline.svg")]
    assert write(checkout) == []


def test_a_star_stands_for_the_items_of_a_family() -> None:
    both = graph(
        stage("a", ("in/one", "same"), "out/one.json", "one"), stage("a", ("in/two", "same"), "out/two.json", "two")
    )
    page = drawings(both)[Path("docs/pipeline.md")]
    assert "| `a@{one,two}` | `in/*`, `same` | – | `out/*.json` |" in page
