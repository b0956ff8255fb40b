"""Asking an OpenAI-compatible server or API: one event loop, one client, as many requests at a time as it bears."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from lingshu.core.addresses import is_loopback
from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Outcome, Request, Response
from lingshu.inference.openai_replies import Again, Meaning, Refused, Stop, meaning
from lingshu.inference.pacing import Budget, Pace, retry_after, wait_before
from lingshu.inference.pixels import openai_messages
from lingshu.inference.settings import Decoding, ServerLimits
from lingshu.inference.stepped_loop import SteppedLoop

RETRY_AFTER_LIMIT = 600.0
"""Seconds; a server that asks for a longer wait (a day's quota is used up) fails the request instead."""
REFUSALS_BEFORE_STOP = 3
FIRST_CONTACT_TRIES = 4


class OpenAIEngine:
    """A model behind `POST <url>/chat/completions`; use it as a context manager.

    Args:
        model: its name on the server.
        url: base address, usually ending in `/v1`.
        key: sent as a bearer token; None sends none. It is shown and kept nowhere.
    """

    def __init__(self, model: str, url: str, key: str | None, decoding: Decoding, limits: ServerLimits) -> None:
        self._model, self._url, self._key = model, url.rstrip("/"), key
        self._decoding, self._limits = decoding, limits
        self._pace = Pace(limits.concurrency)
        self._budget = Budget(limits.max_requests, limits.max_tokens)
        self._loop = SteppedLoop()
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=limits.concurrency, max_keepalive_connections=limits.concurrency),
            timeout=None,  # the whole of a try is timed, not each of its reads
            trust_env=not is_loopback(self._url),
        )
        self._answered = 0
        self._refused = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.end(self._client.aclose())

    def generate(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """Yield one outcome a request, as they come in; may be called again, on the same loop and client.

        Raises:
            UserError: the server can't be reached, knows no such model, refuses the key or the first requests.
            KeyboardInterrupt: Ctrl-C was pressed; what had been answered by then has been yielded.
        """
        source = iter(requests)
        more = True
        try:
            while True:
                while more and self._loop.running < self._pace.allowed:
                    request = next(source, None)
                    if request is None:
                        more = False
                    else:
                        self._loop.start(self._ask(request))
                if not self._loop.running:
                    return
                yield from _results(self._loop.first())
                self._loop.raise_if_interrupted()
        finally:
            self._loop.cancel()

    async def _ask(self, request: Request) -> Outcome:
        try:
            body = self._body(request)
        except UserError as error:
            return Failure(request.id, "picture", error.line)
        retry = 0
        while True:
            await self._pace.ready()
            if not self._budget.take():
                return Failure(request.id, "budget", "the run's budget is spent")
            found, wait = await self._try(request.id, body)
            outcome = self._settled(request.id, found)
            if outcome is not None:
                return outcome
            assert isinstance(found, Again)
            retry += 1
            tries = self._limits.tries if self._answered else min(FIRST_CONTACT_TRIES, self._limits.tries)
            if retry >= tries or (wait or 0.0) > RETRY_AFTER_LIMIT:
                return self._given_up(request.id, found, retry)
            if wait is not None:
                self._pace.hold(wait)
            await asyncio.sleep(wait_before(retry, self._limits) if wait is None else 0.0)

    async def _try(self, request_id: str, body: bytes) -> tuple[Meaning, float | None]:
        """Return what one try led to, and the seconds that the server asks to wait."""
        start = time.monotonic()
        headers = {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(self._limits.timeout):
                reply = await self._client.post(f"{self._url}/chat/completions", content=body, headers=headers)
        except TimeoutError:
            return Again("timeout", f"no answer in {self._limits.timeout:g} s", overloaded=True), None
        except httpx.TransportError as error:
            return Again("connection", f"{type(error).__name__}: {error}"), None
        except httpx.DecodingError as error:  # a body that is not compressed as its head says
            return Again("malformed", f"{type(error).__name__}: {error}"), None
        found = meaning(request_id, reply.status_code, reply.content)
        if isinstance(found, Response):
            seconds = round(time.monotonic() - start, 4)
            found = Response(
                found.id, found.text, found.finish_reason, found.tokens, found.prompt_tokens, seconds, found.served_by
            )
        return found, retry_after(reply.headers.get("retry-after"))

    def _settled(self, request_id: str, found: Meaning) -> Outcome | None:
        """Return the outcome, or None to try again.

        Raises:
            UserError: no request can be answered.
        """
        if isinstance(found, Again):
            if found.overloaded:
                self._pace.overloaded()
            return None
        if isinstance(found, Stop):
            raise UserError(self._hide(f"{self._url}: {self._model}: {found.detail}"), found.fix)
        if isinstance(found, Refused):
            return self._refusal(request_id, found)
        if isinstance(found, Response):
            self._answered += 1
            self._pace.went_well()
            self._count(found)
        return found

    def _refusal(self, request_id: str, found: Refused) -> Failure:
        """Count a refused request: one may be odd; the first ones all refused means that the settings are wrong."""
        self._refused += 1
        if not self._answered and self._refused >= REFUSALS_BEFORE_STOP:
            raise UserError(
                self._hide(f"{self._url}: {self._model}: the first requests are refused: {found.detail}"),
                "change the setting that the server names (--temperature none, --token-field, --body)",
            )
        return Failure(request_id, "bad_request", self._hide(found.detail))

    def _given_up(self, request_id: str, found: Again, tries: int) -> Failure:
        if found.reason == "connection" and not self._answered:
            raise UserError(f"{self._url}: no server answers: {found.detail}", "start it, or mend the address")
        return Failure(request_id, found.reason, self._hide(f"{found.detail} (after {tries} tries)"))

    def _count(self, response: Response) -> None:
        if response.tokens is None or response.prompt_tokens is None:
            if self._budget.tokens is not None:
                raise UserError(
                    f"{self._url}: the server does not tell how many tokens it used, so --max-tokens can't be kept",
                    "use --max-requests instead",
                )
            return
        self._budget.spend(response.tokens + response.prompt_tokens)

    def _body(self, request: Request) -> bytes:
        decoding = self._decoding
        body: dict[str, Any] = {
            "model": self._model,
            "messages": openai_messages(request, decoding),
            self._limits.token_field: request.max_new_tokens,
        }
        for name in ("temperature", "top_p", "seed"):
            if (value := getattr(decoding, name)) is not None:
                body[name] = value
        return json.dumps(body | decoding.body).encode()

    def _hide(self, text: str) -> str:
        """Return a server's message without the key, which some repeat."""
        return text.replace(self._key, "***") if self._key else text


def _results(done: set[asyncio.Task[Outcome]]) -> Iterator[Outcome]:
    """Yield what finished tasks led to; an error among them comes last, so that no answer is lost."""
    errors = [error for task in done if (error := task.exception()) is not None]
    for task in done:
        if task.exception() is None:
            yield task.result()
    if errors:
        raise errors[0]
