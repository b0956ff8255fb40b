"""Rows of NumPy arrays: the first axis counts the rows, and arrays beside the first one complete them.

Arrays are mapped into memory, not read: a row's part is copied when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError

ARRAY = "array"


@dataclass(frozen=True, slots=True)
class ArrayPart:
    """One row of an array that has more than one axis: a picture or a mask.

    Attributes:
        name: file and row, for messages and ids.
        index: of the row.
        array: that it is part of.
    """

    name: str
    index: int
    array: NDArray[Any] = field(repr=False)

    def read(self) -> NDArray[Any]:
        """Return a copy of the part."""
        return np.array(self.array[self.index])


def array_rows(name: str, path: Path, beside: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Yield a row for each entry of the array at `path`: `array`, `index`, and the same entry of each array beside it.

    Entries of arrays with one axis are values, others `ArrayPart`.

    Raises:
        UserError: a file is no plain array (pickled objects are not read), or is shorter or longer than the first.
    """
    arrays = {ARRAY: _mapped(path, name)} | {key: _mapped(other, str(other)) for key, other in beside.items()}
    number = len(arrays[ARRAY])
    for key, array in arrays.items():
        if len(array) != number:
            raise UserError(f"{beside[key]}: {len(array)} rows, {path.name} has {number}", "get the files again")
    for index in range(number):
        yield {"index": index} | {key: _entry(array, index, f"{name}#{index}") for key, array in arrays.items()}


def _mapped(path: Path, name: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{name}: not a NumPy array: {error}", "get the file again") from None
    if array.ndim == 0:
        raise UserError(f"{name}: a single value, not rows", "get the file that the record names")
    return array


def _entry(array: NDArray[Any], index: int, name: str) -> Any:
    return array[index].item() if array.ndim == 1 else ArrayPart(name, index, array)
