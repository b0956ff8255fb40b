"""`lingshu data-docs`, `accept` and `data-report`: what the gate found, for people, and their assent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lingshu.core.errors import UserError
from lingshu.core.files import check_folder
from lingshu.core.layout import SIGNALS, verdict_file
from lingshu.core.params import load_section, load_sources, load_value
from lingshu.core.verdicts import read_verdicts
from lingshu.quality.drift import PICTURE_NUMBERS, TEXT_SHAPE, snapshot, write_snapshot
from lingshu.quality.inputs import Tables
from lingshu.quality.params import QualityParams


def data_docs(
    out: Annotated[Path, typer.Option(help="Folder for the pages, emptied before; open its index.html.")],
) -> None:
    """Write Great Expectations' Data Docs of the gate's suites on the data as they lie here."""
    _check_pages(out)
    from lingshu.quality.docs import gate_suites, write_docs  # noqa: PLC0415 (seconds of imports)

    sources = _gated()
    suites = gate_suites(sources, load_section("quality", QualityParams))
    page, failed = write_docs(suites, out)
    typer.echo(f"{page}: {len(suites)} suites, {failed} failed")


def accept() -> None:
    """Take this run's distributions as the accepted ones: writes the file that `quality.drift.accepted` names."""
    params = load_section("quality", QualityParams)
    if not params.drift.accepted:
        raise UserError("params.yaml: quality.drift.accepted names no file", "name one, as recipes/accepted/NAME.json")
    tables = Tables(Path(), tuple(_gated()))
    texts = {source: tables.texts(source, TEXT_SHAPE) for source in tables.sources}
    pictures = {source: tables.pictures(source, PICTURE_NUMBERS) for source in tables.sources}
    taken = snapshot(texts, pictures, read_verdicts(verdict_file("gate")))
    write_snapshot(Path(params.drift.accepted), taken)
    typer.echo(f"{params.drift.accepted}: {len(tables.sources)} sources; commit it")


def data_report(
    out: Annotated[Path, typer.Option(help="Folder for the pages, emptied before; open its index.html.")],
    *,
    number: Annotated[int, typer.Option(min=1, help="Kept and dropped samples shown of each source and step.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 17,
    picture_px: Annotated[int, typer.Option(min=32, help="Longest side of a picture.")] = 192,
) -> None:
    """Write pages that show, for each source and step, counts, reasons, and random kept and dropped samples."""
    _check_pages(out)
    from lingshu.report.data_report import DataReportSettings, build_data_report  # noqa: PLC0415 (jinja2)

    listed = load_value("sources.benchmark_splits_in_training", list[str])
    built = build_data_report(_gated(), DataReportSettings(number, seed, picture_px), out, listed=listed)
    typer.echo(f"{built.page}: {built.sources} sources, {built.shown:,} samples shown, {built.pictures:,} pictures")


def _check_pages(out: Path) -> None:
    """Find out that emptying `out` would delete what is no pages of an earlier call.

    Raises:
        UserError: it holds something else, or can't be written.
    """
    check_folder(out)
    if any(out.iterdir()) and not (out / "index.html").is_file():
        raise UserError(f"{out}: holds files, but no index.html: they would be deleted", "name a new or empty folder")


def _gated() -> list[str]:
    """Return the enabled sources.

    Raises:
        UserError: they have not been measured, or the gate has not run.
    """
    sources = load_sources()
    needed = [SIGNALS / source / "texts.parquet" for source in sources] + [verdict_file("gate")]
    for path in needed:
        if not path.exists():
            raise UserError(f"{path}: missing", "run `dvc repro gate`")
    return sources
