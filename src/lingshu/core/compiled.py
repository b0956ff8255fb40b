"""Machine-code functions: numba's compiler behind a typed decorator, the result cached beside the source file.

A compiled function may call compiled functions of its own file only: numba renews a cached function when its file
changes, not when a callee's does. Values are copied in loops: to assign an array to a slice of another costs two to
four seconds of compiling, for the text of an error. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile `function` at its first call (numba, no Python objects) and keep the machine code in `__pycache__`."""
    return cast(F, numba.njit(cache=True)(function))
