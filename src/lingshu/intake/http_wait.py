"""How long a busy server asks to be left alone: the Retry-After header, and our own back-off where there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lingshu.intake.meter import Moved, silent

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers after which the same request may succeed
LONGEST_WAIT_SECONDS = 120.0  # that a run sits through; what asks for more is told to the user


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` (RFC 9110, section 10.2.3: a number or a date) asks for; None without."""
    given = headers.get("Retry-After", "").strip()
    if given.isdecimal():
        return float(given)
    if not given:
        return None
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def pause(seconds: float, moved: Moved = silent) -> None:
    """Sleep, telling `moved` of no bytes twice a second; a function of its own so that a test need not wait."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        moved(0)
        time.sleep(min(left, 0.5))
