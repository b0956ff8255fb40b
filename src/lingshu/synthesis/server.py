"""Questions to a model behind an OpenAI-compatible server: `POST <url>/chat/completions`, several at a time.

Nothing here knows pictures, schemas or the store, so a part of the questions may be asked from another machine.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Self

import httpx

from lingshu.core.addresses import is_loopback
from lingshu.core.daemon_threads import run_tasks
from lingshu.core.errors import UserError
from lingshu.synthesis.params import ServerParams

TRY_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
STOPS = {
    401: "give a valid key in the variable that synthesis.teacher.server.key_variable names",
    402: "pay the provider's bill, then run the same command",
    403: "check what the key may use",
    404: "check synthesis.teacher.server.model, and that url ends in /v1",
}
SHOWN = 200  # characters of a server's message
WAIT_S, LONGEST_WAIT_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, and the digest under which the reply is kept."""

    mark: str
    body: dict[str, Any]


def key_of(params: ServerParams) -> str:
    """Return the key from this machine's environment, "" where the server asks for none.

    Raises:
        UserError: the variable is not set.
    """
    key = os.environ.get(params.key_variable, "") if params.key_variable else ""
    if params.key_variable and not key:
        raise UserError(
            f"no key: {params.key_variable} is not set",
            "set it (with engine ray, on every machine before `ray start`), or leave key_variable empty",
        )
    return key


class Server:
    """A server being asked; use it as a context manager."""

    def __init__(self, params: ServerParams) -> None:
        self._params, self._key = params, key_of(params)
        self._answered_once = False
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(params.timeout_s),
            trust_env=not is_loopback(params.url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def ask(self, questions: Sequence[Question], keep: Callable[[str, str], None]) -> None:
        """Ask all of them, even after an error, and hand on the mark and words of each answer as it comes.

        Args:
            questions: asked several at a time.
            keep: called from several threads; a question without words in all tries is left out.

        Raises:
            UserError: no question can be answered: no server, no such model, a wrong key.
            KeyboardInterrupt: Ctrl-C was pressed; questions under way are given up.
        """
        stop = threading.Event()
        tasks = [partial(self._answer, question, keep, stop) for question in questions]
        for error in run_tasks(tasks, self._params.concurrency, stop, all_of_them=True):
            raise error

    def _answer(self, question: Question, keep: Callable[[str, str], None], stop: threading.Event) -> None:
        if (words := self._words(question.body, stop)) is not None:
            keep(question.mark, words)

    def _words(self, body: dict[str, Any], stop: threading.Event) -> str | None:
        problem = ""
        for attempt in range(self._params.tries):
            if attempt:
                stop.wait(min(LONGEST_WAIT_S, WAIT_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
            if stop.is_set():
                return None
            try:
                reply = self._client.post(f"{self._params.url.rstrip('/')}/chat/completions", json=body)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            problem = ""
            if (text := self._text(reply)) is not None:
                self._answered_once = True
                return text
            if reply.status_code not in TRY_AGAIN and reply.status_code != 200:
                return None  # this question can't be answered as it is: too long, or refused by a filter
            stop.wait(_asked_wait(reply))
        if problem and not self._answered_once:
            raise UserError(f"{self._params.url}: no answer: {problem}", "start the server, or mend the address")
        return None

    def _text(self, reply: httpx.Response) -> str | None:
        if reply.status_code in STOPS:
            shown = self._hide(reply.text[:SHOWN])
            raise UserError(f"{self._params.url}: {reply.status_code}: {shown}", STOPS[reply.status_code])
        return _text_of(reply) if reply.status_code == 200 else None

    def _hide(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def ask_part(params: ServerParams, part: Sequence[Question]) -> tuple[dict[str, str], UserError | None]:
    """Return the answers to a part of the questions by mark, and an error, if there was one.

    For workers: what was answered beside an error goes back to the stage, which keeps it.
    """
    found: dict[str, str] = {}
    try:
        _server(params).ask(part, found.__setitem__)
    except UserError as error:
        return found, error
    return found, None


@lru_cache(maxsize=1)
def _server(params: ServerParams) -> Server:
    """Return the server, whose connections live as long as the worker's process."""
    return Server(params)


def _text_of(reply: httpx.Response) -> str | None:
    try:
        text = reply.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return text if isinstance(text, str) and text.strip() else None


def _asked_wait(reply: httpx.Response) -> float:
    """Return the seconds that the server asks to wait."""
    asked = reply.headers.get("retry-after", "")
    return min(int(asked), LONGEST_WAIT_S) if asked.isdigit() else 0.0
