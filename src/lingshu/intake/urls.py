"""A file behind a URL as a place to download from."""

from __future__ import annotations

from pathlib import Path

from lingshu.intake.download import download
from lingshu.intake.listing import Listing, RemoteFile
from lingshu.intake.meter import Moved
from lingshu.intake.place import Place


class UrlRemote:
    """See `Remote`; the record alone says which file it is."""

    def __init__(self, source: str, place: Place) -> None:
        self._source, self._place = source, place

    def listing(self) -> Listing:
        """See `Remote.listing`; the server is not asked."""
        file = RemoteFile(name=self._place.file, bytes=self._place.bytes, sha256=self._place.sha256)
        return Listing(place=self._place.label, files=[file])

    def fetch(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """See `Remote.fetch`."""
        download(self._place.url, target, file.sha256, size=file.bytes, moved=moved, subject=f"{self._source}: ")
