"""Making the report: gathers what the areas wrote, renders the page, writes it with its pictures and plot tables."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lingshu.report.charts import number_text
from lingshu.report.pictures import thumbnail_name

PICTURES = "pictures"


def environment() -> Environment:
    """Return the template environment: everything is escaped, and an unknown name is an error."""
    loader = PackageLoader("lingshu.report")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {
        "number": number_text,
        "flat": flat,
        "kind": kind,
        "thumbnail": lambda i: f"{PICTURES}/{thumbnail_name(i)}",
    }
    return made


def flat(text: str, limit: int) -> str:
    """Return the text on one line, cut with an ellipsis after `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def kind(modality: str) -> str:
    """Return a modality as people write it: abbreviations in capitals."""
    return modality.upper() if modality in {"ct", "mri"} else modality


def render(context: dict[str, Any]) -> str:
    """Return the page."""
    made = environment()
    assert made.loader is not None
    style = made.loader.get_source(made, "style.css")[0]
    return made.get_template("report.html").render(style=Markup(style), **context)
