"""From questions to outcomes: look in the store, ask the engine for what is missing, keep each outcome as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lingshu.core.errors import UserError
from lingshu.core.progress import track
from lingshu.inference.claims import Claims
from lingshu.inference.engine import Engine, Failure, Outcome, Request, Response
from lingshu.inference.identity import Inquiry
from lingshu.inference.store import ResponseStore

GIVE_UP_AFTER = 20
"""So many failures of the server in a row end the run: the next ones would fail too, each after all its tries."""
NEVER_SENT = {"budget", "picture"}
SERVER_REASONS = {"timeout", "rate_limit", "server_error", "connection", "malformed"}


class Asking:
    """One model being asked; what it answered is in the store, what failed in this run also in `failures`, by key.

    Args:
        engine: called once, when the first question is missing: a run that finds all answers loads no model.
        order: sorts requests so that the engine works fastest; None leaves their order.
    """

    def __init__(
        self,
        store: ResponseStore,
        claims: Claims,
        engine: Callable[[], Engine],
        order: Callable[[Request], object] | None = None,
    ) -> None:
        self._store, self._claims, self._engine, self._order = store, claims, engine, order
        self.failures: dict[str, Failure] = {}
        self.asked = 0
        self._in_a_row = 0

    def ask(self, inquiries: Iterable[Inquiry], label: str) -> None:
        """Ask what has no answer yet, each key once; what another process is asking is waited for.

        Raises:
            UserError: the engine can answer nothing, or has failed many times in a row.
        """
        self._store.refresh()
        missing = {inquiry.asked.key: inquiry for inquiry in inquiries if inquiry.asked.key not in self._store}
        todo = list(missing.values())
        if self._order is not None:
            order = self._order
            todo.sort(key=lambda inquiry: order(inquiry.request))  # type: ignore[arg-type, return-value]
        for _ in track(self._passes(todo), label, len(todo)):
            pass

    def _passes(self, todo: list[Inquiry]) -> Iterator[None]:
        """Yield once for each inquiry that is settled."""
        while todo:
            waiting: list[Inquiry] = []
            yield from self._one_pass(todo, waiting)
            for inquiry in waiting:
                self._claims.wait(inquiry.asked.key)
            todo = waiting

    def _one_pass(self, todo: Sequence[Inquiry], waiting: list[Inquiry]) -> Iterator[None]:
        pending: dict[str, Inquiry] = {}
        settled: list[Inquiry] = []
        engine = self._engine()
        try:
            for outcome in engine.generate(self._offered(todo, pending, waiting, settled)):
                self._keep(pending.pop(outcome.id), outcome)
                yield
                yield from _drained(settled)
        finally:
            for inquiry in pending.values():
                self._claims.release(inquiry.asked.key)
        yield from _drained(settled)
        for inquiry in pending.values():
            self.failures[inquiry.asked.key] = Failure(
                inquiry.request.id, "lost", "the engine ended without an answer to this request"
            )
            yield

    def _offered(
        self, todo: Sequence[Inquiry], pending: dict[str, Inquiry], waiting: list[Inquiry], settled: list[Inquiry]
    ) -> Iterator[Request]:
        """Yield the requests that this process has claimed; sort the others into `waiting` and `settled`."""
        for inquiry in todo:
            key = inquiry.asked.key
            claimed = self._claims.take(key)
            self._store.refresh()
            if key in self._store:
                if claimed:
                    self._claims.release(key)
                settled.append(inquiry)
            elif claimed:
                pending[inquiry.request.id] = inquiry
                self.asked += 1
                yield inquiry.request
            else:
                waiting.append(inquiry)

    def _keep(self, inquiry: Inquiry, outcome: Outcome) -> None:
        key = inquiry.asked.key
        if isinstance(outcome, Response):
            self._store.add(inquiry.asked, outcome)
            self.failures.pop(key, None)
            self._in_a_row = 0
        else:
            self.failures[key] = outcome
            if outcome.reason in NEVER_SENT:
                self.asked -= 1
            if outcome.reason != "budget":
                self._store.add(inquiry.asked, outcome)
            self._count(outcome)
        self._claims.release(key)

    def _count(self, failure: Failure) -> None:
        self._in_a_row = self._in_a_row + 1 if failure.reason in SERVER_REASONS else self._in_a_row
        if self._in_a_row >= GIVE_UP_AFTER:
            raise UserError(
                f"{self._in_a_row} requests in a row have failed; the last one: {failure.reason}: {failure.detail}",
                "mend the server, then run the same command: what is answered is kept",
            )


def _drained(settled: list[Inquiry]) -> Iterator[None]:
    while settled:
        settled.pop()
        yield
