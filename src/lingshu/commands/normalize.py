"""`lingshu normalize`: a source of the catalogue from a folder that the user has, into samples and pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lingshu.commands.catalogue import find_catalog
from lingshu.commands.option_class import command_of
from lingshu.core.errors import UserError
from lingshu.core.files import check_folder, write_json
from lingshu.core.layout import IMAGES, SAMPLES
from lingshu.core.parallel import Workers
from lingshu.intake.archive_files import brought_files, unfinished
from lingshu.intake.locks import alone
from lingshu.intake.near import folder_near
from lingshu.intake.places import Files, FolderFiles
from lingshu.intake.rows import is_there
from lingshu.sources.catalog import SOURCES_FOLDER, SPLITS_FOLDER, SourceRecord, read_source
from lingshu.sources.params import RowParams


@dataclass(frozen=True, kw_only=True)
class NormalizeOptions:
    """One field an option, in the order of the help."""

    source: Annotated[str, typer.Option(help="Name of a record in catalog/sources.")]
    raw: Annotated[
        Path, typer.Option(help="Folder (or zip, or tar) with the source's files, in one of the record's forms.")
    ]
    out: Annotated[Path, typer.Option(help="Folder that gets samples/SOURCE and images/SOURCE.")]
    accept_rows: Annotated[
        bool,
        typer.Option(
            "--accept-rows/--whole", help="Keep what is there, or stop if it is not the record's number of rows."
        ),
    ] = True
    max_side: Annotated[int, typer.Option(min=32, max=16384, help="Longer side of a stored picture, in pixels.")] = 2048
    max_megapixels: Annotated[int, typer.Option(min=1, max=170, help="Refuse larger pictures.")] = 80
    max_picture_mb: Annotated[int, typer.Option(min=1, help="Refuse larger picture files.")] = 64
    max_row_mb: Annotated[int, typer.Option(min=1, help="Refuse larger rows.")] = 64
    threads: Annotated[int, typer.Option(min=1, help="That read pictures.")] = os.cpu_count() or 1

    def params(self) -> RowParams:
        """Return the limits of rows and pictures."""
        return RowParams(
            max_side_px=self.max_side,
            max_megapixels=self.max_megapixels,
            max_picture_mb=self.max_picture_mb,
            max_row_mb=self.max_row_mb,
            accept_rows=[self.source] if self.accept_rows else [],
        )


def normalize_folder(options: NormalizeOptions) -> None:
    """Turn your own copy of a source into samples and pictures, and say what was refused and why."""
    source, out = options.source, options.out
    check_folder(out)
    catalog = find_catalog()
    record = read_source(source, catalog / SOURCES_FOLDER.name)
    if not record.forms:
        raise UserError(
            f"{source}: a {record.kind} source is not read from a folder of rows", f"run `dvc repro normalize@{source}`"
        )
    beside = FolderFiles(catalog / SPLITS_FOLDER.name)
    brought = _brought(source, record, options.raw, beside)
    busy = UserError(f"{out}: another run writes {source} there", "wait for it, or give another folder")
    with alone(out / f".normalize_{source}.lock", busy):
        _write(options, record, brought, beside)


def _write(options: NormalizeOptions, record: SourceRecord, brought: Files, beside: Files) -> None:
    from lingshu.sources.rows import normalize_rows  # noqa: PLC0415 (readers of volumes bring scipy)

    source, out = options.source, options.out
    samples, images = out / SAMPLES.name / source, out / IMAGES.name / source
    try:
        summary = normalize_rows(
            source,
            record,
            brought,
            params=options.params(),
            samples=samples,
            images=images,
            accept_rows=options.accept_rows,
            workers=Workers(processes=options.threads),
            beside=beside,
        )
    except UserError as error:
        raise UserError("\n  ".join([error.what, *_unfinished(brought)]), error.fix) from None
    write_json(out / f"normalize_{source}.json", summary.metrics())
    for line in summary.lines(detailed=record.access == "open"):
        typer.echo(line)
    for line in _unfinished(brought):
        typer.echo(line)
    typer.echo(f"wrote {samples} and {images}")


def _unfinished(brought: Files) -> list[str]:
    halves = unfinished(brought)
    named = ", ".join(halves[:3])
    return [f"note: unfinished downloads, not read: {len(halves)}, such as {named}; get them again"] if halves else []


def _brought(source: str, record: SourceRecord, raw: Path, beside: Files) -> Files:
    """Return what the user brought: the folder or archive itself, or the one folder near it that has a form's files."""
    files = brought_files(raw)
    if not raw.is_dir() or any(is_there(files, form, beside) for form in record.forms):
        return files
    if (near := folder_near(source, raw, record.forms, beside)) is None:
        return files
    typer.echo(f"note: {raw} itself has no files of it; {near.label} is read")
    return near


normalize = command_of(NormalizeOptions, normalize_folder)
