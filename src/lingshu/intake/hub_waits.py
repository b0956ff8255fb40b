"""Bounds on how long the hub's client waits: it sleeps for whatever a server asks, and some calls listen for ever.

Its session is shared by all of a process and made anew now and then; hooks on it are httpx's own way to see requests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import httpx
from huggingface_hub import get_session
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]  # exported lazily

from lingshu.intake.http_wait import BUSY, LONGEST_WAIT_SECONDS, retry_after

SILENCE_SECONDS = 60.0  # without a byte, after which a call that would listen for ever is tried again
_asking: ContextVar[bool] = ContextVar("asking", default=False)


class RateLimitedError(Exception):
    """The hub asks to be left alone for `seconds`, with an answer of this status."""

    def __init__(self, seconds: float, status: int) -> None:
        self.seconds, self.status = seconds, status
        super().__init__(f"{status}: wait {seconds:.0f} s")


@contextlib.contextmanager
def bounded_waits() -> Iterator[None]:
    """Within this context no call of the client, of this thread, waits longer than a run sits through.

    Raises:
        RateLimitedError: it would.
    """
    session = get_session()
    hooks = session.event_hooks
    if _check_wait not in hooks["response"]:
        session.event_hooks = {
            "request": [*hooks["request"], _bound_silence],
            "response": [*hooks["response"], _check_wait],
        }
    token = _asking.set(True)
    try:
        yield
    finally:
        _asking.reset(token)


def wait_of(response: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait, by Retry-After or the hub's RateLimit header; None without."""
    limit = parse_ratelimit_headers(response.headers)
    asked = [retry_after(response.headers), limit.reset_in_seconds if limit and not limit.remaining else None]
    return max((seconds for seconds in asked if seconds is not None), default=None)


def _bound_silence(request: httpx.Request) -> None:
    timeout = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        phase: timeout.get(phase) or SILENCE_SECONDS for phase in ("connect", "read", "write", "pool")
    }


def _check_wait(response: httpx.Response) -> None:
    if _asking.get() and response.status_code in BUSY:
        seconds = wait_of(response) or 0.0
        if seconds > LONGEST_WAIT_SECONDS:
            raise RateLimitedError(seconds, response.status_code)
