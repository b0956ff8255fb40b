"""From a model and options by name, as `lingshu eval` and judges take them, to how the model is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lingshu.core.addresses import is_loopback
from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.evalkit.items import escaped
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.settings import Decoding, EngineName, LocalExecution, ServerLimits

COMMON = frozenset({"temperature", "top_p", "seed", "max_new_tokens", "min_pixels", "max_pixels", "blind"})
_LOCAL = {"engine", "revision", "dtype", "template", "chat_template", "trust_remote_code"}
USED: dict[EngineName, frozenset[str]] = {
    "transformers": frozenset(_LOCAL | {"device", "threads", "batch_size"}),
    "vllm": frozenset(_LOCAL | {"tensor_parallel", "max_model_len", "gpu_memory"}),
    "openai": frozenset({"revision", "body", "api_key_env", "api_key_file", *ServerLimits.model_fields}),
}
"""Options beside the common ones, by engine; any other would do nothing and is refused."""
M = TypeVar("M", bound=BaseModel)
_OF_EACH_QUESTION = ("messages", "model", "stream")


def make_setup(model: str, options: dict[str, Any]) -> Setup:
    """Return how the model is asked; `options` are those typed, by name, None for those that were not.

    Raises:
        UserError: an option is of a wrong value or does nothing with this kind of model, or the key can't be read.
    """
    given = {name: value for name, value in options.items() if value is not None}
    local: EngineName = given.get("engine", "transformers")
    spec = parse_model(model, local)
    for name in given:
        if name not in COMMON | USED.get(spec.engine, frozenset()):
            raise UserError(f"--{name.replace('_', '-')} does nothing with --model {model}", "leave it out")
    _check_texts(model, given)
    if spec.path is not None and "revision" in given:
        raise UserError("--revision does nothing with a folder", "leave it out: the files themselves are told apart")
    key = read_key(given.get("api_key_env"), given.get("api_key_file"))
    if key is not None and spec.url.startswith("http:") and not is_loopback(spec.url):
        raise UserError(f"{spec.url}: the key would travel unencrypted", "use https, or a tunnel to localhost")
    if "chat_template" in given:
        given["chat_template"] = _text_of(given["chat_template"], "--chat-template")
    if given.get("temperature") == "none":
        given["temperature"] = None
    return Setup(
        spec,
        _part(Decoding, given),
        _part(LocalExecution, given),
        _part(ServerLimits, given),
        key,
        given.get("revision"),
    )


def _check_texts(model: str, given: dict[str, Any]) -> None:
    """Raise a `UserError` for what would tell models apart and can't, or would undo what each question says."""
    for option, text in (("--model", model), ("--revision", given.get("revision", "-"))):
        if not text or escaped(text) != text:
            what = "empty" if not text else "not UTF-8"
            raise UserError(f"{option} {escaped(text)}: {what}", "name it, or give its folder another name")
    for name in _OF_EACH_QUESTION:
        if name in given.get("body", {}):
            raise UserError(f"--body: {name!r} is set by each request", "leave it out")


def _text_of(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{option} {path}: {error.strerror}", "name a Jinja file") from None
    except UnicodeDecodeError:
        raise UserError(f"{option} {path}: not UTF-8", "name a Jinja file") from None


def _part(model: type[M], given: dict[str, Any]) -> M:
    named = {name: value for name, value in given.items() if name in model.model_fields}
    return validate(model, named, "options: ", "correct the option named above")


def read_key(variable: str | None, file: Path | None) -> str | None:
    """Return the API key from an environment variable or a file; never from an argument, which `ps` shows to all.

    Raises:
        UserError: both are named, or the one named holds nothing that is a key. What it holds is not shown.
    """
    if variable is not None and file is not None:
        raise UserError("--api-key-env and --api-key-file: two keys", "give one of them")
    if variable is not None:
        if not (key := os.environ.get(variable, "").strip()):
            raise UserError(f"--api-key-env: the environment has no {variable}", f"export {variable}=… first")
        if not _is_key(key):
            raise UserError(f"--api-key-env {variable}: not one word of plain characters", "export the key alone")
        return key
    if file is None:
        return None
    try:
        key = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"--api-key-file {file}: {error.strerror}", "name a file that holds the key alone") from None
    except UnicodeDecodeError:
        key = ""
    if not _is_key(key):
        raise UserError(f"--api-key-file {file}: not one word of plain characters", "write the key alone into it")
    return key


def _is_key(text: str) -> bool:
    """Tell whether a header can carry the text as a bearer token (RFC 9110, 5.5, without blanks)."""
    return bool(text) and all("!" <= character <= "~" for character in text)
