"""A JSON array or object of any size, one value at a time: what is held in memory is one value and a chunk."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

CHUNK_BYTES = 1 << 20
_BLANK = re.compile(r"[ \t\n\r]*")
_AT_END = 16  # an error this close to the end of what was read may be a value that is cut there


class JsonStreamError(Exception):
    """What was read is not JSON, or a value is `too_large`; `line` counts from 1."""

    def __init__(self, line: int, problem: str, *, too_large: bool = False) -> None:
        self.line = line
        self.problem = problem
        self.too_large = too_large
        super().__init__(f"line {line}: {problem}")


class JsonStream:
    """Reads values off a stream of UTF-8 bytes.

    Args:
        handle: the bytes.
        limit: most characters of one value.
    """

    def __init__(self, handle: IO[bytes], limit: int) -> None:
        self._handle = handle
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._place = self._lines = 0
        self._ended = False
        self.size = (
            0  # characters of the last value: one over the limit may be read whole, and is the caller's to refuse
        )

    def first(self) -> str:
        """Return the first character that is not blank, "" if there is none; it is not read off."""
        self._skip_blank()
        return self._text[self._place : self._place + 1]

    def array(self) -> Iterator[Any]:
        """Yield the values of an array, to the end of the stream.

        Raises:
            JsonStreamError: it is not JSON, or a value is over the limit.
            UnicodeDecodeError: it is not UTF-8.
        """
        self._take("[")
        if not self._taken("]"):
            yield self._value()
            while self._taken(","):
                yield self._value()
            self._take("]")
        self._finish()

    def values(self) -> Iterator[Any]:
        """Yield values that stand one after another (JSON lines), to the end of the stream; errors as `array`."""
        while self.first():
            yield self._value()

    def pairs(self) -> Iterator[tuple[str, Any]]:
        """Yield the pairs of an object, to the end of the stream; errors as `array`."""
        self._take("{")
        if not self._taken("}"):
            yield self._pair()
            while self._taken(","):
                yield self._pair()
            self._take("}")
        self._finish()

    def _pair(self) -> tuple[str, Any]:
        key = self._value()
        if not isinstance(key, str):
            raise self._error("a key is not a text")
        self._take(":")
        return key, self._value()

    def _value(self) -> Any:
        self._skip_blank()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                cut = error.pos > len(self._text) - _AT_END or error.msg.startswith("Unterminated string")
                if self._ended or not cut:
                    raise JsonStreamError(self._line_at(error.pos), error.msg) from None
            except ValueError:
                raise self._error("a number of more digits than can be read") from None
            except RecursionError:
                raise self._error("nested too deeply") from None
            else:
                # What is read of a number at the end may be its beginning: `1`, and `.5` is to come.
                open_end = isinstance(value, int | float) and len(self._text) - end < _AT_END
                if self._ended or (end < len(self._text) and not open_end):
                    self.size, self._place = end - self._place, end
                    return value
            if len(self._text) - self._place > self._limit:
                problem = f"a value of more than {self._limit} characters"
                raise JsonStreamError(self._line_at(self._place), problem, too_large=True)
            self._more()

    def _more(self) -> None:
        """Read as much again as is waiting, so that a long value is not scanned over and over."""
        data = self._handle.read(max(CHUNK_BYTES, len(self._text) - self._place))
        self._lines += self._text.count("\n", 0, self._place)
        self._text = self._text[self._place :] + self._decoder.decode(data, final=not data)
        self._place = 0
        self._ended = not data

    def _skip_blank(self) -> None:
        while True:
            found = _BLANK.match(self._text, self._place)
            self._place = found.end() if found else self._place
            if self._place < len(self._text) or self._ended:
                return
            self._more()

    def _taken(self, mark: str) -> bool:
        if self.first() != mark:
            return False
        self._place += 1
        return True

    def _take(self, mark: str) -> None:
        if not self._taken(mark):
            raise self._error(f"Expecting {mark!r}")

    def _finish(self) -> None:
        if self.first():
            raise self._error("Extra data")

    def _line_at(self, place: int) -> int:
        return self._lines + self._text.count("\n", 0, place) + 1

    def _error(self, problem: str) -> JsonStreamError:
        return JsonStreamError(self._line_at(self._place), problem)
