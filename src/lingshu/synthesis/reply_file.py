"""Replies of a teacher as they come: a file of lines that only grows and outlives a kill at any moment."""

from __future__ import annotations

import json
import threading
from pathlib import Path


class ReplyFile:
    """Replies by the digest of what was asked; a line that a kill left unfinished is cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.open("r+b") as handle:
                handle.truncate(whole)
        for line in data[:whole].splitlines():
            mark, text = json.loads(line)
            self._known[mark] = text

    def get(self, mark: str) -> str | None:
        """Return the reply to a request, or None."""
        return self._known.get(mark)

    def add(self, mark: str, text: str) -> None:
        """Keep a reply."""
        line = json.dumps([mark, text], ensure_ascii=False) + "\n"
        with self._lock:
            with self._path.open("a", encoding="utf-8") as handle:
                handle.write(line)
            self._known[mark] = text
