"""Which data files of a project are absent, closed or damaged: looked for after a step has failed.

The libraries name none. A copy or a download that was cut leaves such files. Reading each of them twice in every run
would cost more than it tells.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from lingshu.core.errors import UserError

READERS = ("pyarrow", "polars")  # whose errors may come from a damaged file
FIX = "make it again with `dvc repro`, or fetch it with `dvc checkout` or `dvc pull`"
SHOWN = 3
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})  # polars gives its error no number


def data_fault(error: BaseException, folder: Path) -> UserError | None:
    """Return the error that tells a user which data files a step failed on, or None where that is not the reason.

    Args:
        error: what ended the step.
        folder: of the project's data.
    """
    if isinstance(error, FileNotFoundError):
        name = str(error.filename or str(error).rpartition(": ")[2])
        return UserError(f"{name}: no such file", FIX) if folder.name in Path(name).parts else None
    if not (isinstance(error, OSError) or type(error).__module__.startswith(READERS)):
        return None
    found = [f"{path}: damaged: {reason}" for path, reason in damaged_files(folder)]
    if not found:
        return None
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return UserError("\n  ".join(found[:SHOWN] + more), FIX)


def permission_fault(error: OSError, folder: Path) -> UserError | None:
    """Return the error that names what may not be read or written, or None where nobody can say.

    Args:
        error: of permissions. pyarrow and polars tell no name: then the folder is looked through.
        folder: of the project's data.
    """
    closed = (str(path) for path in sorted(folder.rglob("*")) if not os.access(path, os.R_OK))
    name = str(error.filename) if error.filename is not None else next(closed, None)
    if name is None:
        return None
    reason = os.strerror(error.errno or errno.EACCES)
    return UserError(f"{name}: {reason}", "let yourself read and write it, then run the same command")


def damaged_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the Parquet and Arrow files below a folder, but for `raw`, that can't be read to their ends, and why."""
    import pyarrow as pa  # noqa: PLC0415 (nothing was read where nothing failed)

    made = (path for path in folder.rglob("*") if path.suffix in (".parquet", ".arrow"))
    for path in sorted(path for path in made if path.relative_to(folder).parts[0] != "raw"):
        try:
            _read_through(path)
        except (pa.ArrowException, OSError) as error:
            yield path, (str(error).splitlines() or [type(error).__name__])[0]


def _read_through(path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if path.suffix == ".parquet":
        for _ in pq.ParquetFile(path).iter_batches(1 << 14):
            pass
        return
    with pa.OSFile(str(path)) as handle:
        reader = pa.ipc.open_file(handle)
        for number in range(reader.num_record_batches):
            reader.get_batch(number)
