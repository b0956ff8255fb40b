"""Asking a model for verdicts: any engine, through the response store, which is the judge's cache by content.

A question to a judge is a question like any other: what was answered is never asked again, what failed is asked
again by the next run, and processes may share a store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.question import Question, Turn
from lingshu.inference.claims import Claims
from lingshu.inference.engine import Outcome, Response
from lingshu.inference.evaluate import LazyEngine, outcome_of
from lingshu.inference.identity import inquire
from lingshu.inference.models import ORDERS, Identity, Setup, identify
from lingshu.inference.run import Asking
from lingshu.inference.store import ResponseStore


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to be judged.

    Attributes:
        id: unique among the matters of one call.
        prompt_id: which wording; it stands in the store's rows.
        prompt: what the judge is asked.
        material: the model's text in it.
    """

    id: str
    prompt_id: str
    prompt: str
    material: str


@dataclass(frozen=True, slots=True)
class Replies:
    """What a judge said, one outcome a matter in their order; `digest` is of the model, `asked` counts calls now."""

    outcomes: list[Outcome]
    digest: str
    asked: int


def ask_judge(
    groups: Mapping[str, Sequence[Matter]],
    setup: Setup,
    store: Path,
    reminder: str,
    readable: Callable[[Matter, str], bool],
) -> dict[str, Replies]:
    """Return a judge's replies to each group of matters; one that is not `readable` is asked for once more.

    The second time the reply stands in the conversation, followed by `reminder`; whatever comes then is returned. The
    model is loaded once for all groups, and a budget is one for all of them.

    Raises:
        UserError: the judge can't be reached or asked, or has failed many times in a row; answers so far are kept.
    """
    identity = identify(setup)
    with ResponseStore(store) as kept, Claims(store) as claims, contextlib.ExitStack() as stack:
        # Files of answers are refused as judges, so no engine needs to know the questions beforehand.
        asking = Asking(kept, claims, LazyEngine(stack, setup, identity, ()), ORDERS.get(setup.spec.engine))
        bench = _Bench(setup, identity, asking, kept)
        return {name: _replies(name, matters, bench, reminder, readable) for name, matters in groups.items()}


@dataclass(frozen=True, slots=True)
class _Bench:
    """A judge at work: which model, and where its replies are kept."""

    setup: Setup
    identity: Identity
    asking: Asking
    store: ResponseStore


def _replies(
    group: str, matters: Sequence[Matter], bench: _Bench, reminder: str, readable: Callable[[Matter, str], bool]
) -> Replies:
    before = bench.asking.asked
    outcomes = _round(group, [_question(matter) for matter in matters], bench)
    again = {
        number: outcome.text
        for number, outcome in enumerate(outcomes)
        if isinstance(outcome, Response) and not readable(matters[number], outcome.text)
    }
    second = _round(group, [_question(matters[n], text, reminder) for n, text in again.items()], bench)
    for number, outcome in zip(again, second, strict=True):
        # A second call that fails leaves no verdict either way; the next run makes it again.
        outcomes[number] = outcome
    return Replies(outcomes, bench.identity.digest, bench.asking.asked - before)


def _question(matter: Matter, reply: str | None = None, reminder: str = "") -> Question:
    turns = [Turn("user", matter.prompt)]
    if reply is not None:
        # Some servers refuse an empty turn.
        turns += [Turn("assistant", reply.strip() or "…"), Turn("user", reminder)]
    return Question(matter.id, f"judge {matter.prompt_id}", "open", tuple(turns), (), "", None, "")


def _round(group: str, questions: Sequence[Question], bench: _Bench) -> list[Outcome]:
    setup = bench.setup
    settings, limit = setup.settings(), setup.decoding.max_new_tokens
    inquiries = [inquire(question, bench.identity.digest, settings, limit) for question in questions]
    bench.asking.ask(inquiries, f"judge {setup.spec.name}" + (f": {group}" if group else ""))
    return [outcome_of(inquiry, bench.store, bench.asking.failures) for inquiry in inquiries]
