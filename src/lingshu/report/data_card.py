"""The data card and the NOTICE of what was trained on: sources, licences, duties, and what may not be handed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lingshu.report.notices import Licences, Notice


def data_card(recipe: str, found: Licences, notices: Sequence[Notice]) -> str:
    """Return the data card in Markdown.

    Args:
        recipe: its name.
        found: of the sources in the mixtures.
        notices: of these sources and more; only those in the mixtures are shown.
    """
    parts = [notice for notice in notices if notice.source in found.rows]
    lines = [
        f"# Data card: recipe {recipe}",
        "",
        "What the mixtures hold. A synthetic row counts for the sources that it was made from; a repeated row counts",
        "each time.",
        "",
        *_sources(found),
        "## Parts",
        "",
        *_table(
            ["source", "part", "licence", "what was taken"], ([n.source, n.part, n.licence, n.visible] for n in parts)
        ),
        "## Duties",
        "",
        *(f"- **{kind}** ({', '.join(sources)}): {duty}." for kind, duty, sources in found.duties),
        "",
        "## May it be handed on?",
        "",
        *_conflicts(found),
        "",
        "## Held-out rows in training",
        "",
        *_held_out(found),
        "",
        "## Attribution",
        "",
        *(f"- {source}: {whom}" for source, whom in _thanks(parts)),
        "",
    ]
    return "\n".join(lines)


def notice_text(recipe: str, found: Licences, notices: Sequence[Notice]) -> str:
    """Return a NOTICE to go with mixtures or models; arguments as `data_card`.

    It has parts, licences, attributions, duties, and which rows of benchmarks were trained on.
    The encoder's notice is in it too: what it saw shaped the vision tower.
    """
    parts = [notice for notice in notices if notice.source in found.rows or notice.source == "encoder"]
    lines = [f"Lingshu, recipe {recipe}", "", "Trained on or made with:"]
    lines += [f"  {n.source}: {n.part}. Licence: {n.licence}" for n in parts]
    lines += ["", "Attribution:", *(f"  {source}: {whom}" for source, whom in _thanks(parts)), "", "Duties:"]
    lines += [f"  {kind} ({', '.join(sources)}): {duty}" for kind, duty, sources in found.duties]
    if trained := [(stage, name, rows) for stage, name, rows in _listed(found) if rows]:
        lines += ["", "Held-out rows that were trained on (scores on these benchmarks say nothing about new data):"]
        lines += [f"  {stage}: {rows} rows of {name}" for stage, name, rows in trained]
    if found.conflicts:
        lines += ["", "Not to be handed on:"]
        lines += [f"  {', '.join(conflict.sources)}: {conflict.reason}" for conflict in found.conflicts]
    return "\n".join([*lines, ""])


def _sources(found: Licences) -> Iterator[str]:
    header = ["source", *(f"rows, {stage}" for stage in found.stages), "licence class", "access"]
    yield from _table(
        header,
        (
            [name, *(str(rows.get(stage, 0)) for stage in found.stages), found.classes[name], found.access[name]]
            for name, rows in found.rows.items()
        ),
    )


def _conflicts(found: Licences) -> Iterator[str]:
    if not found.conflicts:
        yield "Yes, by the licence classes of its sources, if the duties above are met."
    for conflict in found.conflicts:
        yield f"- **No**, because of {', '.join(conflict.sources)}: {conflict.reason}."


def _listed(found: Licences) -> list[tuple[str, str, int]]:
    return [(stage, name, rows) for stage, named in found.held_out.items() for name, rows in named.items()]


def _held_out(found: Licences) -> Iterator[str]:
    listed = _listed(found)
    if not listed:
        yield "None: test and validation rows of sources were left out."
    for stage, name, rows in listed:
        if rows:
            yield f"- {stage}: {rows} rows of {name}. Scores on that benchmark say nothing about new data."
        else:
            yield f"- {stage}: none of {name}, though sources.benchmark_splits_in_training lets its rows in."


def _thanks(parts: Iterable[Notice]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((notice.source, notice.attribution) for notice in parts))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(header)
    yield _row(["---"] * len(header))
    for row in rows:
        yield _row(row)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '&#124;') for cell in cells)} |"
