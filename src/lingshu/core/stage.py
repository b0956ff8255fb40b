"""Running a stage script: errors a user can mend come without a traceback, and the time is noted outside DVC."""

from __future__ import annotations

import errno
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.files import write_json

TIMINGS = Path(".work/timings")
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Call `main`; exit 2 with `error: …` on a user's mistake or a full disk, 130 on Ctrl-C; else note seconds and RSS.

    Timings go to `.work/timings/<name>.json` (seconds, CPU seconds, peak RSS in MiB): outside DVC, because outputs
    must not depend on the clock.
    """
    start = time.monotonic()
    try:
        main()
    except UserError as error:
        print(f"error: {name}: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"error: {name}: no space left on the disk", file=sys.stderr)
        print("  fix: free space, then run the same command", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    divisor = 1024 * 1024 if sys.platform == "darwin" else 1024
    write_json(
        TIMINGS / f"{name}.json",
        {
            "seconds": round(time.monotonic() - start, 2),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
            "peak_rss_mib": round(usage.ru_maxrss / divisor),
        },
    )
