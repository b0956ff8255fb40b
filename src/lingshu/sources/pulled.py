"""What `pull` left of a source that is not of a package registry: its files, and where each came from.

`data/raw/<source>/files/` holds what was downloaded, `data/raw/<source>/origins.json` the revision of each place, and
`manifest.json` the digests. What the user brought is not copied: it stays in `data/brought/<source>`, a folder or a
link to one, and its digests are recorded.
"""

from __future__ import annotations

import json
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.layout import RAW
from lingshu.core.manifest import FileRecord, read_manifest
from lingshu.core.params import Strict
from lingshu.intake.place import PlaceKind
from lingshu.intake.places import ChainedFiles, Files, FolderFiles

BROUGHT = Path("data/brought")
FILES = "files"
ORIGINS = "origins.json"


class Origin(Strict):
    """One place that files came from.

    Attributes:
        kind: of the place.
        place: in words.
        revision: commit or version, where the place has one.
        files: digests by name.
    """

    kind: PlaceKind
    place: str
    revision: str = ""
    files: dict[str, FileRecord]


class Origins(Strict):
    """Where the files of a source came from, place by place."""

    places: list[Origin]


def read_origins(source: str, root: Path = Path()) -> Origins:
    """Return where the files of a pulled source came from.

    Raises:
        UserError: it is not pulled completely.
    """
    read_manifest(root / RAW / source)
    return Origins.model_validate(json.loads((root / RAW / source / ORIGINS).read_text(encoding="utf-8")))


def pulled_files(source: str, root: Path = Path()) -> Files:
    """Return the files of a pulled source, downloaded and brought ones together, or those of its packages.

    Raises:
        UserError: it is not pulled completely, or a brought file was removed or changed in size since.
    """
    read_manifest(root / RAW / source)
    if not (root / RAW / source / ORIGINS).exists():
        return FolderFiles(root / RAW / source)
    found: list[Files] = []
    for origin in read_origins(source, root).places:
        if origin.kind == "bring":
            _check_brought(source, origin, root / BROUGHT / source)
            found.append(FolderFiles(root / BROUGHT / source))
    if (root / RAW / source / FILES).is_dir():
        found.insert(0, FolderFiles(root / RAW / source / FILES))
    return ChainedFiles(found)


def _check_brought(source: str, origin: Origin, folder: Path) -> None:
    for name, record in origin.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != record.bytes:
            raise UserError(
                f"{path}: {'changed' if path.is_file() else 'is gone'} since {source} was pulled",
                f"bring it back, or run `dvc repro --force --single-item pull@{source}` to take the folder as it is",
            )
