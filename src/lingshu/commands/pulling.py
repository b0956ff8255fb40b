"""`lingshu pull SOURCE`: download a source, or take in a folder that you have, without DVC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lingshu.core.errors import UserError
from lingshu.core.layout import RAW
from lingshu.core.params import load_value
from lingshu.sources.catalog import read_source
from lingshu.sources.fetch import pull
from lingshu.sources.fetch_brought import bring
from lingshu.sources.fetch_packages import CACHE
from lingshu.sources.fetch_places import Pulling
from lingshu.sources.licences import check_allowed
from lingshu.sources.pulled import read_origins


def pull_source(
    source: Annotated[str, typer.Argument(help="A record of catalog/sources.")],
    *,
    cache: Annotated[Path, typer.Option(help="Keeps downloads, so that a second pull needs no network.")] = CACHE,
    raw: Annotated[Path | None, typer.Option(help="Your folder of a source that you must bring.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask what the place holds now.")] = False,
) -> None:
    """Pull a source to data/raw/SOURCE; kill it and run it again to go on."""
    record = read_source(source)
    typer.echo(f"{source}: {record.licence} ({record.licence_class}), {record.access}", err=True)
    allowed, opted_in = load_value("sources.allowed_licences", list[str]), load_value("sources.opt_in", list[str])
    try:
        check_allowed(source, record, allowed, opted_in)
    except UserError as refusal:
        typer.echo(f"note: `dvc repro` would refuse it: {refusal}", err=True)
    if raw is not None:
        if not any(place.kind == "bring" for place in record.places):
            raise UserError(
                f"{source}: nothing of it is to be brought",
                f"pull it without --raw; `lingshu normalize --source {source} --raw {raw} --out DIR` reads your copy",
            )
        bring(source, raw)
    manifest = pull(source, record, Pulling(cache, load_value("sources.downloads", int), refresh=refresh))
    for origin in read_origins(source).places if record.places else ():
        revision = f" at {origin.revision}" if origin.revision else ""
        typer.echo(f"{source}: {len(origin.files)} files from {origin.place}{revision}")
    typer.echo(f"{RAW / source}: complete, {manifest.rows} files")
