"""Running a stage script: errors a user can mend come without a traceback, and the time is noted outside DVC."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TypeGuard

import lingshu
from lingshu.core.damage import DENIED, data_fault, permission_fault
from lingshu.core.errors import UserError
from lingshu.core.files import DISK_FULL, write_json
from lingshu.core.layout import DATA, WORK

TIMINGS = WORK / "timings"
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
# Python looks for garbage after every 700 new objects, and what torch, transformers and TRL make of themselves is none:
# a tenth of the nine seconds that importing them takes.
gc.set_threshold(50_000)
# polars and safetensors raise their own errors with the system's text, torch.save a RuntimeError of its own.
_FULL_TEXTS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "file write failed",
    "iostream error",
)


_before = sys.excepthook


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say of Ctrl-C while Python still imports, 20 seconds of a stage with torch, what `run_stage` says of it later."""
    if not issubclass(kind, KeyboardInterrupt):
        _before(kind, error, trace)
        return
    print("interrupted; run the same command again to go on", file=sys.stderr)
    sys.exit(EXIT_INTERRUPTED)


sys.excepthook = _tell


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Call `main`; exit 2 with `error: …` on a user's mistake or a `machine_fault`, 130 on Ctrl-C; else note its cost.

    Timings go to `.work/timings/<name>.json` (`name` is the stage's name in DVC, as in `mix@deep`; seconds since this
    process began to import lingshu; CPU seconds and peak RSS in MiB, of its child processes too): outside DVC, because
    outputs must not depend on the clock.
    """
    try:
        main()
        # At its end Python looks through all objects for garbage, two seconds long with torch and transformers loaded.
        gc.freeze()
        _note_cost(name)
    except UserError as error:
        print(f"error: {name}: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        fault = machine_fault(error)
        if fault is None:
            raise
        print(f"error: {name}: {fault}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def _note_cost(name: str) -> None:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    divisor = 1024 * 1024 if sys.platform == "darwin" else 1024
    write_json(
        TIMINGS / f"{name}.json",
        {
            "seconds": round(time.monotonic() - lingshu.STARTED, 2),
            "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in usages), 2),
            "peak_rss_mib": round(max(usage.ru_maxrss for usage in usages) / divisor),
        },
    )


def machine_fault(error: BaseException) -> UserError | None:
    """Return what to tell of an error that is no defect.

    That is a full disk, what may not be read or written, or a data file that is absent or damaged.
    """
    if says_disk_full(error):
        return UserError("the disk is full, or a quota is used up", "free space, then run the same command")
    denied = next((cause for cause in _causes(error) if _is_denied(cause)), None)
    return data_fault(error, DATA) if denied is None else permission_fault(denied, DATA)


def says_disk_full(error: BaseException) -> bool:
    """Tell whether an error, or what led to it, is of a full disk, whichever library met it."""
    return any(_is_of_full_disk(cause) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_denied(error: BaseException) -> TypeGuard[OSError]:
    return isinstance(error, PermissionError) or (isinstance(error, OSError) and error.errno in DENIED)


def _is_of_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return True
    return any(text in str(error) for text in _FULL_TEXTS)
