"""Pulling a source from the places of its record: hub, URLs, PhysioNet, buckets, and folders that the user brings.

Downloads are kept in a cache by place and revision, so that a pull that was killed goes on from what came, and a second
one asks nobody. The list of files is kept there too: all parts of an interrupted pull are of one version. A file is
under its own name in the cache only when it is whole and right; `data/raw` shares its bytes.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_json
from lingshu.core.ids import content_id, sha256_file
from lingshu.core.layout import RAW
from lingshu.core.manifest import NAME, FileRecord, Manifest
from lingshu.intake.digests import Digests
from lingshu.intake.listing import Listing, Remote
from lingshu.intake.locks import alone
from lingshu.intake.place import Place, PlaceKind
from lingshu.intake.share import share
from lingshu.intake.transfer import fetch_all
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.fetch_brought import brought_origin
from lingshu.sources.pulled import BROUGHT, FILES, ORIGINS, Origin, Origins

UNVERSIONED = "unversioned"
DIGESTS = "digests.json"


@dataclass(frozen=True, slots=True)
class Pulling:
    """How a source is pulled.

    Attributes:
        cache: folder that keeps downloads.
        downloads: files that are downloaded at a time.
        refresh: ask the places again what they hold, though an earlier pull knows.
        root: where `data/` lies.
        endpoints: addresses of servers by kind of place, where they are not the usual ones.
    """

    cache: Path
    downloads: int = 4
    refresh: bool = False
    root: Path = Path()
    endpoints: dict[PlaceKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cached:
    """The part of the cache that holds one place, for all sources that take files of it.

    Attributes:
        source: name of the one that is pulled.
        place: of its record.
        base: folder of the place; the files of a revision have a folder of their own in it.
        known: the list of files, if an earlier pull got it.
    """

    source: str
    place: Place
    base: Path
    known: Listing | None

    @property
    def subject(self) -> str:
        """Source and place, for messages."""
        return f"{self.source}: {self.place.label}"

    def folder(self, listing: Listing) -> Path:
        """Return the folder of a revision."""
        return self.base / (listing.revision or UNVERSIONED)


def pull_places(name: str, record: SourceRecord, how: Pulling) -> Manifest:
    """Write a source's files to `data/raw/<name>/files`, with where they came from and a manifest.

    What an earlier pull left stays until all of the new one is there.

    Raises:
        UserError: a place can't be reached, says no or gives other files than it should; two places have a file of the
            same name; the disk is full; or what the user must bring is not there. Names source, file and fix.
    """
    target = how.root / RAW / name
    out = fresh_dir(target.with_name(f".{name}.new"))
    origins: list[Origin] = []
    for place in record.places:
        if place.optional and not (how.root / BROUGHT / name).is_dir():
            print(f"{name}: goes without what you may bring: {place.bring}", file=sys.stderr)
            continue
        origin = _origin(name, place, out, how)
        _check_names(name, origin, origins)
        origins.append(origin)
    write_json(out / ORIGINS, Origins(places=origins).model_dump())
    files = {f"{FILES}/{file}": r for o in origins if o.kind != "bring" for file, r in o.files.items()}
    files[ORIGINS] = FileRecord(bytes=(out / ORIGINS).stat().st_size, sha256=sha256_file(out / ORIGINS))
    counts = {origin.place: len(origin.files) for origin in origins}
    manifest = Manifest(stage="pull", rows=sum(counts.values()), counts=counts, files=files)
    write_json(out / NAME, manifest.model_dump())
    if target.exists():
        shutil.rmtree(target)
    out.rename(target)
    return manifest


def _origin(name: str, place: Place, out: Path, how: Pulling) -> Origin:
    """Return where a place's files came from, after those that are downloaded were put into `out`."""
    if place.kind == "bring":
        return brought_origin(name, place, how.cache, how.root)
    key = content_id(place.kind, place.model_dump(exclude={"files"})).rpartition(":")[2]
    base = how.cache / place.kind / key
    with alone(base.with_name(f"{key}.lock")):
        cached = Cached(name, place, base, None if how.refresh else _kept(_list_file(base, place)))
        remote = REMOTES[place.kind](cached, how)
        listing = cached.known or _listed(remote, cached)
        digests = _fetched(cached, remote, listing, how.downloads)
        for file in listing.files:
            share(cached.folder(listing) / FILES / file.name, out / FILES / file.name)
    return Origin(kind=place.kind, place=place.label, revision=listing.revision, files=digests)


def _list_file(base: Path, place: Place) -> Path:
    """Return where the list of the files that these patterns choose is kept."""
    return base / f"listing-{content_id('files', place.files).rpartition(':')[2]}.json"


def _kept(path: Path) -> Listing | None:
    return Listing.model_validate_json(path.read_bytes()) if path.exists() else None


def _listed(remote: Remote, cached: Cached) -> Listing:
    """Return what the place holds now, and keep it; a file that is another one than an earlier list says is dropped."""
    listing, path = remote.listing(), _list_file(cached.base, cached.place)
    kept = _kept(path)
    before = {file.name: file for file in kept.files} if kept else {}
    for file in listing.files:
        if before.get(file.name, file) != file or not (file.sha256 or file.version):
            (cached.folder(listing) / FILES / file.name).unlink(missing_ok=True)
    write_json(path, listing.model_dump())
    return listing


def _fetched(cached: Cached, remote: Remote, listing: Listing, downloads: int) -> dict[str, FileRecord]:
    """Return the digests of all files, after the missing ones and those that changed on disk were downloaded.

    Raises:
        UserError: one can't be had, or comes as another one than when it was first pulled.
    """
    files, label = cached.folder(listing) / FILES, f"pull {cached.source}"
    missing = [file for file in listing.files if not (files / file.name).exists()]
    if missing:
        size = sum(file.bytes or 0 for file in missing)
        said = f", {size / 1e6:.1f} MB" if size else ""
        print(f"pull {cached.subject}: {len(missing)} of {len(listing.files)} files{said}", file=sys.stderr)
        fetch_all(label, remote, missing, files, downloads)
    fresh = {file.name for file in missing}
    with Digests(cached.folder(listing) / DIGESTS, files) as digests:
        right = {f.name: f.sha256 or ("" if f.name in fresh else digests.remembered(f.name)) for f in listing.files}
        found = {f.name: digests.of(f.name, known=f.sha256 if f.name in fresh else "") for f in listing.files}
        changed = [file for file in listing.files if right[file.name] and found[file.name].sha256 != right[file.name]]
        for file in changed:
            print(f"{files / file.name}: changed on disk, downloading it again", file=sys.stderr)
            (files / file.name).unlink()
        if changed:
            fetch_all(label, remote, changed, files, downloads)
        for file in changed:
            found[file.name] = digests.of(file.name)
            if found[file.name].sha256 != right[file.name]:
                raise UserError(
                    f"{cached.subject}: {file.name} is another file than when it was first pulled",
                    "run `lingshu pull` with --refresh to take what is there now",
                )
    return found


def _check_names(name: str, origin: Origin, earlier: list[Origin]) -> None:
    for other in earlier:
        if twice := sorted(other.files.keys() & origin.files.keys()):
            raise UserError(
                f"catalog/sources/{name}.yaml: places: {other.place} and {origin.place} both have {twice[0]}",
                "leave it out of one by `files`",
            )


def _hub(cached: Cached, how: Pulling) -> Remote:
    from lingshu.intake.hub import HubFiles, HubRemote  # noqa: PLC0415 - the client costs 0.3 s

    revision = cached.known.revision if cached.known else cached.place.revision
    client = cached.base.parent / "client"
    files = HubFiles(cached.source, cached.place.hub, revision, how.endpoints.get("hub"), client)
    return HubRemote(files, cached.subject, cached.place.files)


def _url(cached: Cached, _how: Pulling) -> Remote:
    from lingshu.intake.urls import UrlRemote  # noqa: PLC0415

    return UrlRemote(cached.source, cached.place)


def _physionet(cached: Cached, how: Pulling) -> Remote:
    from lingshu.intake.physionet import PHYSIONET, PhysioNetRemote  # noqa: PLC0415

    address = how.endpoints.get("physionet", PHYSIONET)
    return PhysioNetRemote(cached.source, cached.place, cached.base, address)


def _s3(cached: Cached, how: Pulling) -> Remote:
    from lingshu.intake.s3 import S3Remote  # noqa: PLC0415 - the client costs 0.3 s

    return S3Remote(cached.source, cached.place, how.downloads)


REMOTES: dict[str, Callable[[Cached, Pulling], Remote]] = {
    "hub": _hub,
    "url": _url,
    "physionet": _physionet,
    "s3": _s3,
}
