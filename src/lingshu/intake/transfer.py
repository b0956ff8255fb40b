"""Several files at a time: the first failure stops the others, and what came of each is kept."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lingshu.core.daemon_threads import run_tasks
from lingshu.core.errors import UserError
from lingshu.intake.download import size_of
from lingshu.intake.listing import Remote, RemoteFile
from lingshu.intake.meter import metered


class _StoppedError(Exception):
    """Another file failed, or the user stopped the run."""


def fetch_all(label: str, remote: Remote, files: Sequence[RemoteFile], folder: Path, downloads: int) -> None:
    """Download files to `folder/<name>`, `downloads` at a time.

    Raises:
        UserError: the first file that can't be had, or there is not enough space for all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = sum(size_of(folder / f"{file.name}.part") for file in files)
    sizes = [file.bytes for file in files]
    total = sum(size or 0 for size in sizes)
    _check_space(label, folder, total - done)
    stop = threading.Event()
    with metered(label, done, None if None in sizes else total) as shown:

        def moved(number: int) -> None:
            if stop.is_set():
                raise _StoppedError
            shown(number)

        tasks = [partial(remote.fetch, file, folder / file.name, moved) for file in files]
        errors = run_tasks(tasks, downloads, stop, all_of_them=False)
    for error in sorted(errors, key=lambda error: isinstance(error, _StoppedError)):
        raise error


def _check_space(label: str, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{label}: {needed / 1e9:.2f} GB are still to come, {folder} has room for {free / 1e9:.2f} GB",
            "free space, or name a cache on another disk with --cache",
        )
