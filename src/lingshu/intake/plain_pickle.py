"""Python pickles that hold nothing but lists, mappings, texts and numbers; one that would call anything is refused."""

from __future__ import annotations

import pickle
from typing import IO, Any


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it would call {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to {pid!r:.40}, which is elsewhere")


def read_plain_pickle(handle: IO[bytes]) -> Any:
    """Return what the pickle holds.

    Raises:
        ValueError: it holds, or would call, anything but plain values, or is broken.
    """
    try:
        return _Plain(handle, encoding="utf-8").load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise ValueError(str(error) or type(error).__name__) from None
