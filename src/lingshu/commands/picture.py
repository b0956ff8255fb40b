"""The pipeline as an SVG picture: a frame per banner, a box per stage family, an arrow per edge."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from lingshu.commands.graph import Graph

COLUMNS = 4
BOX_WIDTH, BOX_HEIGHT = 192, 58
PAD, TITLE, MARGIN = 14, 28, 8
GAP_X, GAP_Y = 14, 40
PITCH_X = BOX_WIDTH + 2 * PAD + GAP_X
PITCH_Y = TITLE + BOX_HEIGHT + PAD + GAP_Y
ITEM_CHARS = 30
PORT_PX = 14
_STYLE = """
  text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #16202b }
  .frame { fill: #f3f6f9; stroke: #d3dce5 } .box { fill: #ffffff; stroke: #2f6f8f }
  .area { font-size: 13px; font-weight: 600; fill: #1f5573 }
  .name { font-size: 14px; font-weight: 600 } .items { font-size: 11px; fill: #4a5b6b }
  .edge { fill: none; stroke: #6b8193; stroke-width: 1.5; stroke-linejoin: round } .head { fill: #6b8193 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .frame { fill: #161d25; stroke: #313d49 } .box { fill: #0d1117; stroke: #5aa5c7 }
    .items { fill: #9fb0bf } .area { fill: #8cc7e2 } .edge { stroke: #8296a8 } .head { fill: #8296a8 }
  }
"""


@dataclass(frozen=True, slots=True)
class _Box:
    """A stage family in the grid; x and y are its top left corner in px."""

    name: str
    items: str
    row: int
    column: int

    @property
    def x(self) -> float:
        return MARGIN + self.column * PITCH_X + PAD

    @property
    def y(self) -> float:
        return MARGIN + self.row * PITCH_Y + TITLE

    @property
    def middle(self) -> float:
        return self.x + BOX_WIDTH / 2


@dataclass(frozen=True, slots=True)
class _Frame:
    area: str
    row: int
    column: int
    columns: int


def svg(graph: Graph, edges: list[tuple[str, str]]) -> str:
    """Return the picture; it follows the reader's light or dark setting and carries a text for screen readers."""
    boxes, frames = _place(graph, edges)
    width = 2 * MARGIN + COLUMNS * PITCH_X - GAP_X
    height = 2 * MARGIN + (1 + max((frame.row for frame in frames), default=0)) * PITCH_Y - GAP_Y
    drawn = [_frame(frame) for frame in frames] + _edges(boxes, edges) + [_box(box) for box in boxes.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="title">\n<title id="title">The pipeline: {escape(", ".join(boxes))}</title>\n'
        f"<style>{_STYLE}</style>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _place(graph: Graph, edges: list[tuple[str, str]]) -> tuple[dict[str, _Box], list[_Frame]]:
    """Give every banner a frame and every family a cell; neighbouring banners share a row while they fit."""
    items: dict[str, list[str]] = defaultdict(list)
    members: dict[str, list[str]] = {banner: [] for banner in graph.banners}
    for stage in graph.stages:
        items[stage.family].append(stage.item)
        if stage.family not in members[stage.banner]:
            members[stage.banner].append(stage.family)
    boxes: dict[str, _Box] = {}
    frames: list[_Frame] = []
    row, column = -1, COLUMNS
    for banner, names in members.items():
        if column + len(names) > COLUMNS:
            row, column = row + 1, 0
        frames.append(_Frame(banner, row, column, len(names)))
        for name in _in_reading_order(names, edges):
            boxes[name] = _Box(name, " · ".join(item for item in items[name] if item), row, column)
            column += 1
    return boxes, frames


def _in_reading_order(names: list[str], edges: list[tuple[str, str]]) -> list[str]:
    """Return the names with each stage right after the neighbour it reads from, far-reaching roots last."""
    places = {right: place for place, (_, right) in enumerate(edges)}
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in names and name not in ordered:
            ordered.append(name)
            for left, right in edges:
                if left == name:
                    visit(right)

    roots = [name for name in names if not any(right == name and left in names for left, right in edges)]
    for name in sorted(
        roots, key=lambda root: min((places[right] for left, right in edges if left == root), default=0)
    ):
        visit(name)
    return ordered


def _frame(frame: _Frame) -> str:
    x, y = MARGIN + frame.column * PITCH_X, MARGIN + frame.row * PITCH_Y
    width, height = frame.columns * PITCH_X - GAP_X, TITLE + BOX_HEIGHT + PAD
    return (
        f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>'
        f'<text class="area" x="{x + PAD}" y="{y + 19}">{escape(frame.area)}</text>'
    )


def _box(box: _Box) -> str:
    lines = _wrapped(box.items)
    name_y = box.y + {0: 34, 1: 27, 2: 22}[len(lines)]
    anchor = f'x="{box.middle:g}" text-anchor="middle"'
    name = f'<text class="name" {anchor} y="{name_y:g}">{escape(box.name)}</text>'
    items = "".join(
        f'<text class="items" {anchor} y="{name_y + 15 + 13 * line:g}">{escape(text)}</text>'
        for line, text in enumerate(lines)
    )
    return (
        f'<rect class="box" x="{box.x:g}" y="{box.y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>{name}{items}'
    )


def _wrapped(items: str) -> list[str]:
    """Return the items in lines of at most `ITEM_CHARS` characters; what two lines do not hold is counted."""
    names = items.split(" · ") if items else []
    lines: list[str] = []
    for number, word in enumerate(names):
        if lines and len(lines[-1]) + 3 + len(word) <= ITEM_CHARS:
            lines[-1] += f" · {word}"
        elif len(lines) == 2:
            lines[-1] += f" + {len(names) - number}"
            break
        else:
            lines.append(word)
    return lines


def _edges(boxes: dict[str, _Box], edges: list[tuple[str, str]]) -> list[str]:
    """Return the arrows: straight to the right-hand neighbour, else down, along a lane between rows, and down."""
    lanes: dict[int, list[str]] = defaultdict(list)
    ports: dict[str, list[str]] = defaultdict(list)
    downward = [(left, right) for left, right in edges if not _beside(boxes[left], boxes[right])]
    for left, right in sorted(downward, key=lambda edge: boxes[edge[0]].column):
        if left not in lanes[boxes[left].row]:
            lanes[boxes[left].row].append(left)
        ports[right].append(left)
    drawn = []
    for left, right in edges:
        start, end = boxes[left], boxes[right]
        if _beside(start, end):
            path = f"M{start.x + BOX_WIDTH:g} {start.y + BOX_HEIGHT / 2:g} H{end.x - 2:g}"
        else:
            row = lanes[start.row]
            bottom = start.y + BOX_HEIGHT
            lane = bottom + PAD + GAP_Y * (row.index(left) + 1) / (len(row) + 1)
            entry = end.middle + PORT_PX * (ports[right].index(left) - (len(ports[right]) - 1) / 2)
            path = f"M{start.middle:g} {bottom:g} V{lane:g} H{entry:g} V{end.y - 2:g}"
        drawn.append(f'<path class="edge" d="{path}" marker-end="url(#head)"/>')
    return drawn


def _beside(left: _Box, right: _Box) -> bool:
    return left.row == right.row and right.column == left.column + 1
