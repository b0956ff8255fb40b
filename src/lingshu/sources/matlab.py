"""An array of a MATLAB file (level 5, as `scipy.io.savemat` writes it): masks of HoVer-Net and of sets made with it.

SciPy ends the process on some broken files instead of raising, so they are read in a child that can be replaced.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from lingshu.core.picture_errors import said
from lingshu.intake.errors import Reason, RowError
from lingshu.sources.crash_proof import survive
from lingshu.sources.frames import Refused
from lingshu.sources.stills import BROKEN


def matlab_array(data: bytes, array: str, name: str, most_values: int) -> NDArray[Any]:
    """Return the numbers of one array: (height, width), or (height, width, maps).

    Args:
        data: the file's bytes.
        array: the array's name in the file.
        name: of the file, for messages.
        most_values: an array that says to have more is not read.

    Raises:
        RowError: UNREADABLE_PICTURE (no such file, no such array, no numbers) or PICTURE_TOO_LARGE.
    """
    try:
        return survive(_read, data, (array, most_values))
    except Refused as error:
        reason = Reason.PICTURE_TOO_LARGE if error.reason == "TOO_LARGE" else Reason.UNREADABLE_PICTURE
        raise RowError(reason, f"{name}: {error.detail}"[:200]) from None


def _read(data: bytes, wanted: tuple[str, int]) -> NDArray[Any]:
    array, most_values = wanted
    try:
        shapes = {found: shape for found, shape, _ in whosmat(io.BytesIO(data))}
        if array not in shapes:
            raise Refused("UNDECODABLE", f"no array {array!r}, but {', '.join(shapes)}")
        if math.prod(shapes[array]) > most_values:
            raise Refused("TOO_LARGE", f"{array} has {shapes[array]} values")
        values = loadmat(io.BytesIO(data), variable_names=[array])[array]
    except (*BROKEN, MatReadError, NameError) as error:  # NameError: SciPy's own, for a class of array that is none
        raise Refused("UNDECODABLE", f"{type(error).__name__}: {said(error)}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim not in (2, 3):
        raise Refused("UNDECODABLE", f"{array} is no array of numbers")
    return values
