"""Who judges: from a model and options by name to judges that have each a name of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, StrictBool

from lingshu.core.errors import UserError
from lingshu.core.params import Strict, validate
from lingshu.evalkit.llm_judge import prompts
from lingshu.evalkit.llm_judge.agreement import RULES
from lingshu.evalkit.llm_judge.rulings import MAJORITY
from lingshu.inference.models import Setup
from lingshu.inference.setup import make_setup

MAX_NEW_TOKENS = 4096  # as MedEvalKit gives its judges
PICTURES = ("min_pixels", "max_pixels", "blind")


class JudgeOptions(Strict):
    """Those of a judge's options that nothing behind checks; the others are checked with the model's settings.

    Attributes:
        schema_requested: `schema` in the JSON; ask servers for a reply of the form that the prompt describes.
    """

    schema_requested: StrictBool = Field(default=True, alias="schema")
    engine: Literal["transformers", "vllm"] | None = None
    revision: str | None = None
    api_key_env: str | None = None
    api_key_file: Path | None = None
    chat_template: Path | None = None
    body: dict[str, Any] | None = None


CHECKED = frozenset(JudgeOptions.model_fields) - {"schema_requested"} | {"schema"}


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge and the name it has in the output."""

    name: str
    setup: Setup


def judge_setup(model: str, options: Mapping[str, Any]) -> Setup:
    """Return how one judge is asked; `model` is as `--model` of `lingshu eval`, `options` are its options by name.

    Raises:
        UserError: the model is none that can judge, or an option is wrong or does nothing.
    """
    for name in PICTURES:
        if name in options:
            raise UserError(f"--judge-options: {name} does nothing: a judge sees no pictures", "leave it out")
    checked = validate(JudgeOptions, {name: options[name] for name in options if name in CHECKED}, "--judge-options: ")
    others = {name: value for name, value in options.items() if name not in CHECKED}
    given = (
        {"max_new_tokens": MAX_NEW_TOKENS}
        | others
        | checked.model_dump(exclude_none=True, exclude={"schema_requested"})
    )
    if model.startswith("openai:") and checked.schema_requested:
        given["body"] = prompts.RESPONSE_FORMAT | (checked.body or {})
    try:
        setup = make_setup(model, given)
    except UserError as error:
        raise UserError(error.what.replace("--model", "--judge"), error.fix) from None
    if setup.spec.engine in ("responses", "echo"):
        raise UserError(f"--judge {model}: not a model that can judge", "name a server or a model")
    return setup


def named_judges(models: Sequence[str], setups: Sequence[Setup]) -> list[Judge]:
    """Return the judges; those of one name, or of a name that the output uses, are told apart by their addresses.

    Raises:
        UserError: a judge is named twice.
    """
    if len(set(models)) < len(models):
        raise UserError("--judge: the same judge twice", "its second vote would be its first: name each once")
    names = Counter(setup.spec.name for setup in setups) + Counter(dict.fromkeys((MAJORITY, RULES), 1))
    return [
        Judge(setup.spec.name if names[setup.spec.name] == 1 else model.removeprefix("openai:"), setup)
        for model, setup in zip(models, setups, strict=True)
    ]
