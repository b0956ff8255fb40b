"""Who judges: from models and options, typed or in params.yaml, to judges that have each a name of their own."""

from __future__ import annotations

import re
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
from lingshu.evalkit.params import ModelJudge, ModelJudging
from lingshu.inference.models import ModelSpec, Setup
from lingshu.inference.setup import make_setup

MAX_NEW_TOKENS = 4096  # as MedEvalKit gives its judges
_WHERE = "params.yaml: evalkit.judge.judges"
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
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
    if len({_place(model, setup.spec) for model, setup in zip(models, setups, strict=True)}) < len(models):
        raise UserError("--judge: the same judge twice", "its second vote would be its first: name each once")
    names = Counter(setup.spec.name for setup in setups) + Counter(dict.fromkeys((MAJORITY, RULES), 1))
    return [
        Judge(setup.spec.name if names[setup.spec.name] == 1 else _address(model, setup.spec), setup)
        for model, setup in zip(models, setups, strict=True)
    ]


def _place(model: str, spec: ModelSpec) -> str:
    """Return where a judge is, equal however that was typed ("…/v1" and "…/v1/", "models/a" and "./models/a")."""
    return str(spec.path.resolve()) if spec.path else _address(model, spec)


def _address(model: str, spec: ModelSpec) -> str:
    return f"{spec.name}@{spec.url}" if spec.url else model


def judges_of_params(params: ModelJudging, *, with_keys: bool = True) -> list[Judge]:
    """Return the judges of the pipeline; without `with_keys` no key is read, to check what is written alone.

    Raises:
        UserError: names the judge in params.yaml, and what is wrong.
    """
    setups = [_setup_of(number, judge, with_keys=with_keys) for number, judge in enumerate(params.judges)]
    try:
        return named_judges([judge.model for judge in params.judges], setups)
    except UserError as error:
        raise UserError(f"{_WHERE}: {_as_key(error.what)}", _as_key(error.fix)) from None


def _setup_of(number: int, judge: ModelJudge, *, with_keys: bool) -> Setup:
    if "api_key_file" in judge.options:
        raise UserError(
            f"{_WHERE}.{number}.options: api_key_file: a pipeline's keys come from the environment",
            "export the key and name the variable by api_key_env",
        )
    left_out = () if with_keys else ("api_key_env",)
    try:
        return judge_setup(judge.model, {name: judge.options[name] for name in judge.options if name not in left_out})
    except UserError as error:
        raise UserError(f"{_WHERE}.{number}: {_as_key(error.what)}", _as_key(error.fix)) from None


def _as_key(text: str) -> str:
    """Return a message about the command line's options as one about the keys of params.yaml."""
    text = text.replace("--judge-options: ", "options: ").replace("--judge", "model")
    return _OPTION.sub(lambda found: found[1].replace("-", "_"), text)
