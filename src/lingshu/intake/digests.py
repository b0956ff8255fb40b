"""SHA-256 of many files, remembered by size and time of change, so that an unchanged file is not read again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType

from lingshu.core.files import write_text
from lingshu.core.ids import sha256_file
from lingshu.core.manifest import FileRecord
from lingshu.core.params import Strict

SECONDS_BETWEEN_SAVES = 10.0


class Seen(Strict):
    """One file as it was when its digest was computed."""

    bytes: int
    mtime_ns: int
    sha256: str


class Digests:
    """Digests of the files of one folder, as a context manager: leaving it, or a few seconds' work, saves them.

    Args:
        journal: file that remembers them.
        folder: that names are relative to.
    """

    def __init__(self, journal: Path, folder: Path) -> None:
        self._journal, self._folder = journal, folder
        kept = json.loads(journal.read_text(encoding="utf-8")) if journal.exists() else {}
        self._seen = {str(name): Seen.model_validate(value) for name, value in kept.items()}
        self._saved = time.monotonic()

    def __enter__(self) -> Digests:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._save()

    def remembered(self, name: str) -> str:
        """Return the digest that the file had when it was last looked at; "" if it never was."""
        return self._seen[name].sha256 if name in self._seen else ""

    def of(self, name: str, *, known: str = "") -> FileRecord:
        """Return size and digest of a file, read only if it changed since it was last looked at.

        Args:
            name: relative to the folder.
            known: its digest, if somebody has just computed it.
        """
        state = (self._folder / name).stat()
        seen = self._seen.get(name)
        if known or seen is None or (seen.bytes, seen.mtime_ns) != (state.st_size, state.st_mtime_ns):
            digest = known or sha256_file(self._folder / name)
            seen = self._seen[name] = Seen(bytes=state.st_size, mtime_ns=state.st_mtime_ns, sha256=digest)
            if time.monotonic() - self._saved > SECONDS_BETWEEN_SAVES:
                self._save()
        return FileRecord(bytes=seen.bytes, sha256=seen.sha256)

    def _save(self) -> None:
        self._saved = time.monotonic()
        write_text(self._journal, json.dumps({name: seen.model_dump() for name, seen in sorted(self._seen.items())}))
