"""Asking a model for verdicts: any engine, through the response store, which is the judge's cache by content.

A question to a judge is a question like any other: what was answered is never asked again, what failed is asked
again by the next run, and processes may share a store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
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
    """

    id: str
    prompt_id: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Replies:
    """What a judge said, one outcome a matter in their order; `digest` is of the model, `asked` counts calls now."""

    outcomes: list[Outcome]
    digest: str
    asked: int


def ask_judge(
    matters: Sequence[Matter], setup: Setup, store: Path, reminder: str, readable: Callable[[int, str], bool]
) -> Replies:
    """Return a judge's replies; one that is not `readable` (number of its matter, text) is asked for once more.

    The second time the reply stands in the conversation, followed by `reminder`; whatever comes then is returned.

    Raises:
        UserError: the judge can't be reached or asked, or has failed many times in a row; answers so far are kept.
    """
    identity = identify(setup)
    with ResponseStore(store) as kept, Claims(store) as claims, contextlib.ExitStack() as stack:
        # Files of answers are refused as judges, so no engine needs to know the questions beforehand.
        asking = Asking(kept, claims, LazyEngine(stack, setup, identity, ()), ORDERS.get(setup.spec.engine))
        outcomes = _round([_question(matter) for matter in matters], setup, identity, asking, kept)
        again = {
            number: outcome.text
            for number, outcome in enumerate(outcomes)
            if isinstance(outcome, Response) and not readable(number, outcome.text)
        }
        second = _round(
            [_question(matters[n], text, reminder) for n, text in again.items()], setup, identity, asking, kept
        )
        for number, outcome in zip(again, second, strict=True):
            # A second call that fails leaves no verdict either way; the next run makes it again.
            outcomes[number] = outcome
        return Replies(outcomes, identity.digest, asking.asked)


def _question(matter: Matter, reply: str | None = None, reminder: str = "") -> Question:
    turns = [Turn("user", matter.prompt)]
    if reply is not None:
        # Some servers refuse an empty turn.
        turns += [Turn("assistant", reply.strip() or "…"), Turn("user", reminder)]
    return Question(matter.id, f"judge {matter.prompt_id}", "open", tuple(turns), (), "", None, "")


def _round(
    questions: Sequence[Question], setup: Setup, identity: Identity, asking: Asking, store: ResponseStore
) -> list[Outcome]:
    settings, limit = setup.settings(), setup.decoding.max_new_tokens
    inquiries = [inquire(question, identity.digest, settings, limit) for question in questions]
    asking.ask(inquiries, f"judge {setup.spec.name}")
    return [outcome_of(inquiry, store, asking.failures) for inquiry in inquiries]
