"""The response store: an append-only file of answers and failures that outlives kills and that processes may share.

A row is one line of JSON that begins with its key, so that opening a store means finding line ends, not parsing. A key
says all that decides an answer (`identity.answer_key`): what was asked of what, how. Rows are never changed; the first
answer of a key stands, and a failure stands only until there is an answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, FailureReason, FinishReason, Outcome, Response
from lingshu.inference.lines import cut_torn_line, disk_full_said, end_of_whole_lines

FILE = "responses-1.jsonl"  # the number is the version of the row
KEY_DIGITS = 32
_HEAD, _ANSWERED, _FAILED = b'{"key":"', b'","answered":true,', b'","answered":false,'
_KEY_END = len(_HEAD) + KEY_DIGITS
_HEAD_BYTES = _KEY_END + len(_FAILED)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row keeps of the request, for people: the key alone finds it."""

    key: str
    id: str
    benchmark: str
    model: str
    question: str
    prompt_version: int
    settings: dict[str, Any]
    prompt: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    length: int


class ResponseStore:
    """The rows of one folder; use it as a context manager, one object a process.

    Raises:
        UserError: the folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._answers: dict[bytes, _Place] = {}
        self._failures: dict[bytes, _Place] = {}
        self._read = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise UserError(f"{self.path}: {error.strerror}", "name a folder you may write with --store") from None
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Make the rows outlive a power cut too, and close the file."""
        try:
            with disk_full_said(self.path):
                os.fsync(self._file)
        finally:
            os.close(self._file)

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self._answers)

    def __contains__(self, key: str) -> bool:
        """Tell whether there is an answer."""
        return key.encode() in self._answers

    def refresh(self) -> None:
        """Take in the rows that other processes have added."""
        if os.fstat(self._file).st_size > self._read:
            self._index(end_of_whole_lines(self._file))

    def answer(self, key: str, request_id: str) -> Response | None:
        """Return the answer kept under `key` as one to `request_id`, or None.

        Raises:
            UserError: the row is damaged (names file and byte).
        """
        place = self._answers.get(key.encode())
        if place is None:
            return None
        row = self._row(place)
        reason: FinishReason = row["finish_reason"]
        return Response(
            request_id,
            row["response"],
            reason,
            row["tokens"],
            row["prompt_tokens"],
            row["seconds"],
            row["served_by"],
        )

    def failure(self, key: str, request_id: str) -> Failure | None:
        """Return the latest failure kept under `key`, or None; it says nothing once there is an answer.

        Raises:
            UserError: the row is damaged (names file and byte).
        """
        place = self._failures.get(key.encode())
        if place is None or key in self:
            return None
        row = self._row(place)
        reason: FailureReason = row["reason"]
        return Failure(request_id, reason, row["detail"])

    def add(self, asked: Asked, outcome: Outcome) -> None:
        """Append one outcome; an answer to what another process has answered meanwhile is let go.

        Raises:
            UserError: the disk is full; nothing that was kept is lost.
        """
        line = _line(asked, outcome)
        with self._locked():
            self.refresh()
            if asked.key in self:
                return
            if os.fstat(self._file).st_size > self._read:
                cut_torn_line(self._file)  # what a killed process has left; all before it is read
            self._append(line, self._read)
            self._note(line[:_HEAD_BYTES], _Place(self._read, len(line)))
            self._read += len(line)

    def _append(self, line: bytes, start: int) -> None:
        with disk_full_said(self.path):
            try:
                written = 0
                while written < len(line):
                    written += os.write(self._file, line[written:])
            except OSError:
                os.ftruncate(self._file, start)
                raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _index(self, end: int) -> None:
        """Note where the rows between what has been read and `end` (after a line feed) lie."""
        if end <= self._read:
            return
        with mmap.mmap(self._file, end, access=mmap.ACCESS_READ) as data:
            start = self._read
            while start < end:
                stop = data.find(b"\n", start, end) + 1
                head = data[start : min(stop, start + _HEAD_BYTES)]
                if head.strip():  # who deletes a damaged line may leave an empty one
                    self._note(head, _Place(start, stop - start))
                start = stop
        self._read = end

    def _note(self, head: bytes, place: _Place) -> None:
        key, state = head[len(_HEAD) : _KEY_END], head[_KEY_END:]
        if not head.startswith(_HEAD) or not state.startswith((_ANSWERED, _FAILED)):
            raise self._damaged(place)
        if state.startswith(_ANSWERED):
            self._answers.setdefault(key, place)
        else:
            self._failures[key] = place

    def _row(self, place: _Place) -> dict[str, Any]:
        try:
            row = json.loads(os.pread(self._file, place.length, place.start))
        except ValueError:
            raise self._damaged(place) from None
        assert isinstance(row, dict)
        return row

    def _damaged(self, place: _Place) -> UserError:
        return UserError(
            f"{self.path}: the row at byte {place.start} ({place.length} bytes) is damaged",
            "delete that line (its question is then asked again), or name another folder with --store",
        )


def _line(asked: Asked, outcome: Outcome) -> bytes:
    assert len(asked.key) == KEY_DIGITS
    row: dict[str, Any] = {"key": asked.key, "answered": isinstance(outcome, Response)}
    row |= {name: value for name, value in asdict(asked).items() if name != "key"}
    if isinstance(outcome, Response):
        row |= {
            "response": outcome.text,
            "finish_reason": outcome.finish_reason,
            "tokens": outcome.tokens,
            "prompt_tokens": outcome.prompt_tokens,
            "seconds": outcome.seconds,
            "served_by": outcome.served_by,
        }
    else:
        row |= {"reason": outcome.reason, "detail": outcome.detail}
    # surrogatepass: a model may end inside a character; what it said is kept as it was.
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "surrogatepass")
