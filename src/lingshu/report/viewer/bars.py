"""Accuracies as bars with their intervals, as inline SVG that follows the page's colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, END, TOP = 720, 48, 4
BAR, GAP = 13, 12
LABEL_CHARS, CHAR, WIDE, PAD = 27, 8, 13, 12  # pixels of a character at the label's size, of a Han one, and around


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """One bar: accuracy and interval in [0, 1], the CSS classes that colour it, and what a pointer reads."""

    value: float
    low: float
    high: float
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class BarGroup:
    """The bars of one benchmark or modality; `chance` is the accuracy of a guess, if there is one."""

    label: str
    chance: float | None
    bars: Sequence[IntervalBar]


def interval_bars(groups: Sequence[BarGroup], title: str) -> Markup:
    """Return groups (at least one) of horizontal bars on a scale from 0 to 1."""
    left = PAD + max(_pixels(_cut(group.label)) for group in groups)
    plot = WIDTH - left - END
    drawn: list[str] = []
    top = float(TOP)
    for group in groups:
        height = BAR * len(group.bars)
        drawn.append(_label(group.label, left, top + height / 2 + 4))
        for place, bar in enumerate(group.bars):
            drawn.append(_bar(bar, top + place * BAR, left, plot))
        if group.chance is not None:
            x = left + plot * group.chance
            drawn.append(
                f'<line class="chance" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2:g}" y2="{top + height + 2:g}">'
                f"<title>chance {group.chance:.1%}</title></line>"
            )
        top += height + GAP
    body = "".join([*_scale(left, plot, top), *drawn])
    return Markup(
        f'<svg class="chart" viewBox="0 0 {WIDTH} {top + 16:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def _bar(bar: IntervalBar, y: float, left: float, plot: float) -> str:
    low, high, end = (plot * min(max(value, 0.0), 1.0) for value in (bar.low, bar.high, bar.value))
    middle = y + (BAR - 2) / 2
    return (
        f'<g><title>{escape(bar.title)}</title><rect class="{bar.style}" x="{left}" y="{y:g}" '
        f'width="{max(end, 1):.1f}" height="{BAR - 2}"/>'
        f'<path class="whisker" d="M{left + low:.1f} {middle:g}H{left + high:.1f}'
        f'M{left + low:.1f} {middle - 3:g}v6M{left + high:.1f} {middle - 3:g}v6"/>'
        f'<text class="value" x="{left + max(high, end) + 6:.1f}" y="{middle + 4:g}">{100 * bar.value:.1f}</text></g>'
    )


def _scale(left: float, plot: float, bottom: float) -> list[str]:
    drawn = []
    for tick in (0, 25, 50, 75, 100):
        x = left + plot * tick / 100
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom:g}"/>')
        drawn.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 13:g}" text-anchor="middle">{tick}</text>')
    return drawn


def _label(text: str, left: float, y: float) -> str:
    return (
        f'<text class="label" x="{left - 8}" y="{y:g}" text-anchor="end">{escape(_cut(text))}'
        f"<title>{escape(text)}</title></text>"
    )


def _cut(text: str) -> str:
    return text if len(text) <= LABEL_CHARS else text[: LABEL_CHARS - 1] + "…"


def _pixels(text: str) -> int:
    return sum(WIDE if unicodedata.east_asian_width(char) in "WF" else CHAR for char in text)
