"""How fast a server is asked: concurrency that follows its answers, waits between tries, and a budget."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lingshu.inference.settings import ServerLimits

FIRST_CONCURRENCY = 4.0
SECONDS_BETWEEN_CUTS = 1.0


@dataclass(slots=True)
class Pace:
    """Additive increase, multiplicative decrease (as TCP does it) of the number of requests at a time.

    Args:
        most: requests at a time that are never exceeded.
    """

    most: int
    _allowed: float = field(init=False)
    _last_cut: float = field(default=float("-inf"), init=False)
    _not_before: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._allowed = min(FIRST_CONCURRENCY, float(self.most))

    @property
    def allowed(self) -> int:
        """Requests at a time, at least one."""
        return int(self._allowed)

    def went_well(self) -> None:
        """Allow one more request a round of answers."""
        self._allowed = min(float(self.most), self._allowed + 1 / self._allowed)

    def overloaded(self) -> None:
        """Halve the number; the answers of one burst count once."""
        now = time.monotonic()
        if now - self._last_cut >= SECONDS_BETWEEN_CUTS:
            self._last_cut, self._allowed = now, max(1.0, self._allowed / 2)

    def hold(self, seconds: float) -> None:
        """Send nothing for that long, whatever the request: the server has asked for it."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def ready(self) -> None:
        """Return once sending is allowed again."""
        while (left := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(left)


def wait_before(retry: int, limits: ServerLimits) -> float:
    """Return the seconds before try `retry` + 1 (from 1): doubling, capped, drawn so that clients spread out."""
    whole = min(limits.longest_wait, limits.first_wait * 2.0 ** (retry - 1))
    return whole * random.uniform(0.5, 1.0)


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header (a number, or an HTTP date: RFC 9110, 10.2.3), None for none."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


@dataclass(slots=True)
class Budget:
    """What this run may still spend; None is no limit."""

    requests: int | None
    tokens: int | None

    def take(self) -> bool:
        """Spend one request; False if nothing is left."""
        if (self.requests is not None and self.requests <= 0) or (self.tokens is not None and self.tokens <= 0):
            return False
        if self.requests is not None:
            self.requests -= 1
        return True

    def spend(self, tokens: int) -> None:
        """Spend the tokens of an answer."""
        if self.tokens is not None:
            self.tokens -= tokens
