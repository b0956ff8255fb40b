"""`lingshu report-metrics --green-judge`: GREEN's prompts to a model, through the response store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.green import PROMPT_ID, REMINDER, AskGreen, Replies, read_green
from lingshu.inference.engine import Response
from lingshu.inference.judge_model import Matter, ask_judge
from lingshu.inference.setup import make_setup

GREEN = "green"
MAX_NEW_TOKENS = 2048  # GREEN's own limit, there of prompt and reply together


def green_asker(model: str, options: Mapping[str, Any], store: Path) -> AskGreen:
    """Return what asks `model`; `options` are those of `lingshu eval` by name.

    Raises:
        UserError: the model or an option is wrong.
    """
    try:
        setup = make_setup(model, {"max_new_tokens": MAX_NEW_TOKENS} | dict(options))
    except UserError as error:
        raise UserError(error.what.replace("--model", "--green-judge"), error.fix) from None
    if setup.spec.engine in ("responses", "echo"):
        raise UserError(f"--green-judge {model}: not a model that can judge", "name a server or a model")

    def ask(prompts: Sequence[str]) -> Replies:
        matters = [Matter(f"{GREEN}#{number}", PROMPT_ID, prompt, prompt) for number, prompt in enumerate(prompts)]
        found = ask_judge({GREEN: matters}, setup, store, REMINDER, _readable)[GREEN]
        texts = [one.text if isinstance(one, Response) else None for one in found.outcomes]
        record = {"judge": setup.spec.name, "model": found.digest, "settings": setup.settings()}
        return Replies(texts, record | {"asked_now": found.asked})

    return ask


def _readable(_: Matter, text: str) -> bool:
    return read_green(text) is not None
