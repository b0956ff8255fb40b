"""Data Docs that need no network: Great Expectations' pages take styles, scripts and a logo from eleven hosts.

Everything from elsewhere is cut out of the pages, a style of our own is put in, and the index, which scripts would have
filled, is written as plain HTML.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lingshu.core.files import write_text

STYLE = """
:root { color-scheme: light dark; --line: #c9d2da; --soft: #eef2f6; --ink: #17212b; --page: #fff; --good: #2b7a4b; --bad: #b3452c }
@media (prefers-color-scheme: dark) {
  :root { --line: #2c3844; --soft: #1c2630; --ink: #e5ebf0; --page: #0f151b; --good: #6cc792; --bad: #ee9379 }
}
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.5rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif }
a { color: inherit } h4, h5, h6 { margin: 1.2rem 0 .4rem; font-size: 1.05rem } ol.breadcrumb { list-style: none; padding: 0 }
ol.breadcrumb li { display: inline } ol.breadcrumb li + li::before { content: " / " }
.row { display: flex; flex-wrap: wrap; gap: 0 2rem } .row > .col-12, .row > .table-responsive { flex: 1 1 100% }
.row > .col-lg-2 { flex: 0 0 15rem; font-size: .86rem } .row > .col-lg-10, .row > .col-md-10 { flex: 1 1 0; min-width: 0 }
.nav { list-style: none; padding: 0; margin: 0 } .card:has(.btn-group-toggle), a[data-toggle=collapse] { display: none }
table { border-collapse: collapse; width: 100%; margin: .3rem 0 1rem } th, td { border: 1px solid var(--line); padding: .3rem .6rem;
  text-align: left; vertical-align: top } thead th { background: var(--soft) } .scroll { overflow-x: auto }
.badge { background: var(--soft); border-radius: 4px; padding: 0 .35rem } .alert h5 { border-top: 1px solid var(--line); padding-top: .6rem }
.text-success, .good { color: var(--good) } .text-danger, .bad { color: var(--bad) } .good, .bad { white-space: nowrap } .number { text-align: right }
.fa-check-circle::before { content: "\\2713 holds" } .fa-times::before, .fa-times-circle::before { content: "\\2717 fails" }
.fa-exclamation-triangle::before { content: "! raised" } i { font-style: normal; white-space: nowrap }
.navbar { height: auto !important; margin-bottom: .8rem } td { overflow-wrap: anywhere }
@media (max-width: 48rem) {
  body { padding: .6rem .8rem; font-size: 14px } th, td { padding: .25rem .4rem }
  .row > .col-lg-2, .row > .col-lg-10, .row > .col-md-10, .row > .col-6 { flex: 1 1 100%; min-width: 0 }
}
"""  # noqa: E501 (a style sheet)
SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
LINKED = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
OWN_STYLES = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
LOGO = re.compile(r"<img\b[^>]*https?://[^>]*>", re.IGNORECASE)
FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE)
OUTWARD = re.compile(r'(?:src|href)\s*=\s*"https?://[^"]*"|url\([\'"]?https?://[^)]*\)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A validated suite: its name, how many expectations it has, and how many of them failed."""

    name: str
    expectations: int
    failed: int


def make_offline(folder: Path, outcomes: Sequence[Outcome]) -> Path:
    """Rewrite every page under `folder` and its index; return the index."""
    for path in sorted(folder.rglob("*.html")):
        write_text(path, offline(path.read_text(encoding="utf-8")))
    shutil.rmtree(folder / "static", ignore_errors=True)
    write_text(folder / "index.html", _index(folder, outcomes))
    return folder / "index.html"


def offline(page: str) -> str:
    """Return the page without scripts, linked files and whatever comes from another host, in our style."""
    for pattern in (SCRIPTS, LINKED, OWN_STYLES, FOOTER):
        page = pattern.sub("", page)
    page = OUTWARD.sub("", LOGO.sub("<strong>Data Docs</strong>", page))
    return page.replace("</head>", f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>', 1)


def _index(folder: Path, outcomes: Sequence[Outcome]) -> str:
    rows = "\n".join(_row(folder, one) for one in outcomes)
    failed = sum(one.failed > 0 for one in outcomes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Data Docs</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><h1>Data Docs</h1>'
        f"<p>{len(outcomes)} suites of the gate, {failed} with a failed check.</p>"
        '<div class="scroll"><table><thead><tr><th scope="col">suite and its result</th><th scope="col"></th>'
        '<th scope="col" class="number">checks</th><th scope="col" class="number">failed</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div></body></html>\n"
    )


def _row(folder: Path, one: Outcome) -> str:
    result, expectations = (_link(folder, kind, one.name) for kind in ("validations", "expectations"))
    verdict = '<span class="bad">fails</span>' if one.failed else '<span class="good">holds</span>'
    return (
        f'<tr><th scope="row"><a href="{result}">{escape(one.name)}</a></th><td>{verdict}</td>'
        f'<td class="number"><a href="{expectations}">{one.expectations}</a></td>'
        f'<td class="number">{one.failed}</td></tr>'
    )


def _link(folder: Path, kind: str, name: str) -> str:
    """Return the way to a suite's page: the name is the file's, or that of a folder above it."""
    paths = (path.relative_to(folder) for path in sorted((folder / kind).rglob("*.html")))
    return escape(next(path for path in paths if name in (path.stem, *path.parts)).as_posix())
