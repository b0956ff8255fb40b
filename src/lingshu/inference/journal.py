"""Responses on their way: an append-only file of finished batches that survives a kill at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from lingshu.inference.engine import Response
from lingshu.inference.lines import cut_torn_line


class Journal:
    """The finished responses of one benchmark; a batch is one line, so a batch is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.responses: dict[str, Response] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._load()

    def _load(self) -> None:
        """Read the whole lines; cut off one that a kill left unfinished."""
        with self._path.open("r+b") as handle:
            cut_torn_line(handle.fileno())
            for line in handle:
                self._remember(Response(**row) for row in json.loads(line))

    def add(self, batch: Iterable[Response]) -> None:
        """Append one finished batch."""
        responses = list(batch)
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps([asdict(response) for response in responses], ensure_ascii=False) + "\n")
        self._remember(responses)

    def _remember(self, responses: Iterable[Response]) -> None:
        self.responses.update((response.id, response) for response in responses)
