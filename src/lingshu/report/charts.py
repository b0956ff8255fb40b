"""Charts as inline SVG: colours come from the page's style, so that they follow light and dark; no clock, no ids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 720
LABEL_WIDTH = 210
DOT_LABEL = 150
CURVE_WIDTH, CURVE_HEIGHT = 270, 170
END_WIDTH = 60
ROW_HEIGHT = 26
DOT_PITCH = 9
LABEL_CHAR = 7
SERIES_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar: its length, the CSS class that colours it, and what a pointer reads."""

    value: float
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Point:
    """One estimate of a row: value, its interval, the CSS class, and what a pointer reads."""

    value: float
    low: float
    high: float
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One stacked bar: its label, its parts, and the text at its end."""

    label: str
    parts: Sequence[Segment]
    end: str


def stacked_bars(bars: Sequence[Bar], title: str, width: int = WIDTH, label_width: int = LABEL_WIDTH) -> Markup:
    """Return horizontal stacked bars on a common scale from 0; sizes in px of the drawing's own scale."""
    largest = max((sum(part.value for part in bar.parts) for bar in bars), default=0) or 1
    plot = width - label_width - END_WIDTH
    body = []
    for number, bar in enumerate(bars):
        y = number * ROW_HEIGHT + 4
        body.append(_label(bar.label, y, label_width))
        x: float = label_width
        for part in bar.parts:
            length = plot * part.value / largest
            if length > 0:
                body.append(
                    f'<rect class="{part.style}" x="{x:.2f}" y="{y}" width="{length:.2f}" height="{ROW_HEIGHT - 8}">'
                    f"<title>{escape(part.title)}</title></rect>"
                )
            x += length
        body.append(f'<text class="value" x="{x + 6:.2f}" y="{y + 13}">{escape(bar.end)}</text>')
    return _svg(body, len(bars) * ROW_HEIGHT + 4, title, width)


def dot_rows(rows: Sequence[tuple[str, float | None, Sequence[Point]]], title: str) -> Markup:
    """Return one row per `(label, chance, points)` on a scale from 0 to 1: dots, intervals, chance."""
    plot = WIDTH - DOT_LABEL - 20
    drawn = []
    top = 4.0
    for label, chance, points in rows:
        height = max(ROW_HEIGHT, DOT_PITCH * (len(points) + 1)) - 6
        drawn.append(_label(label, top + height / 2 - 9, DOT_LABEL))
        if chance is not None:
            x = DOT_LABEL + plot * chance
            drawn.append(
                f'<line class="chance" x1="{x:.1f}" x2="{x:.1f}" y1="{top:g}" y2="{top + height:g}">'
                f"<title>chance {chance:.2f}</title></line>"
            )
        for place, point in enumerate(points):
            drawn.append(_dot(point, DOT_LABEL, plot, top + (place + 1) * height / (len(points) + 1)))
        top += height + 6
    return _svg([*_scale(DOT_LABEL, plot, top), *drawn], top + 20, title)


def _scale(left: float, plot: float, bottom: float) -> list[str]:
    """Return the grid and ticks of a scale from 0 to 1."""
    drawn = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + plot * tick
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom:g}"/>')
        drawn.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 14:g}" text-anchor="middle">{tick:g}</text>')
    return drawn


def _dot(point: Point, left: float, plot: float, y: float) -> str:
    low, high, middle = (left + plot * min(max(v, 0), 1) for v in (point.low, point.high, point.value))
    return (
        f'<g class="{point.style}"><title>{escape(point.title)}</title>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4"/></g>'
    )


def curves(series: Sequence[tuple[str, Sequence[tuple[float, float]]]], title: str, x_label: str) -> Markup:
    """Return line curves of `(name, [(x, y), …])` with axes and round ticks; a name stands at the end of its line.

    Points that are not finite are left out of the drawing.
    """
    height, left, right, bottom = CURVE_HEIGHT, 46, 90 if len(series) > 1 else 18, 32
    finite = [(name, [p for p in points if math.isfinite(p[0]) and math.isfinite(p[1])]) for name, points in series]
    flat = [point for _, points in finite for point in points]
    if not flat:
        return Markup("")
    x_ticks, y_ticks = _ticks([p[0] for p in flat]), _ticks([p[1] for p in flat])

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (point[1] - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return left + across * (CURVE_WIDTH - left - right), (height - bottom - 8) * (1 - up) + 8

    body = []
    for tick in y_ticks:
        _, y = place((x_ticks[0], tick))
        body.append(f'<line class="grid" x1="{left}" x2="{CURVE_WIDTH - right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{_tick_text(tick, y_ticks)}</text>'
        )
    for tick in x_ticks:
        x, _ = place((tick, y_ticks[0]))
        body.append(
            f'<text class="tick" x="{x:.1f}" y="{height - 16}" text-anchor="middle">{_tick_text(tick, x_ticks)}</text>'
        )
    centre = (left + CURVE_WIDTH - right) / 2
    body.append(f'<text class="tick" x="{centre:.0f}" y="{height - 2}" text-anchor="middle">{escape(x_label)}</text>')
    for number, (name, points) in enumerate(finite):
        if points:
            body.append(_curve(name if len(series) > 1 else "", [place(p) for p in points], number % SERIES_COLOURS))
    return _svg(body, height, title, width=CURVE_WIDTH)


def _curve(name: str, places: list[tuple[float, float]], colour: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    end_x, end_y = places[-1]
    return (
        f'<polyline class="curve c{colour}" points="{path}"/>'
        f'<text class="end c{colour}" x="{end_x + 5:.1f}" y="{end_y + 4:.1f}">{escape(name)}</text>'
    )


def _ticks(values: list[float]) -> list[float]:
    """Return three to six round numbers that enclose the values."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, last + 1)]


def _tick_text(tick: float, ticks: list[float]) -> str:
    """Return a tick with as many digits as tell it from its neighbours."""
    step = ticks[1] - ticks[0]
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
    if step * 10**decimals % 1 > 1e-6 and step * 10**decimals % 1 < 1 - 1e-6:
        decimals += 1
    return f"{tick + 0.0:,.{decimals}f}"


def number_text(value: float) -> str:
    """Return a number as people read it: thousands apart, no needless digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _label(text: str, y: float, label_width: int = LABEL_WIDTH) -> str:
    limit = label_width // LABEL_CHAR
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return f'<text class="label" x="{label_width - 8}" y="{y + 13}" text-anchor="end">{escape(shown)}</text>'


def _svg(body: list[str], height: float, title: str, width: int = WIDTH) -> Markup:
    inside = "".join(body)
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )
