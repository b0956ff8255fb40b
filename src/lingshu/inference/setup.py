"""From a model and options by name, as `lingshu eval` and judges take them, to how the model is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lingshu.core.addresses import is_loopback
from lingshu.core.errors import UserError
from lingshu.core.params import validate
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


def _text_of(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{option} {path}: {error.strerror}", "name a Jinja file") from None


def _part(model: type[M], given: dict[str, Any]) -> M:
    return validate(model, {name: value for name, value in given.items() if name in model.model_fields}, "options: ")


def read_key(variable: str | None, file: Path | None) -> str | None:
    """Return the API key from an environment variable or a file; never from an argument, which `ps` shows to all.

    Raises:
        UserError: both are named, or the one named holds nothing.
    """
    if variable is not None and file is not None:
        raise UserError("--api-key-env and --api-key-file: two keys", "give one of them")
    if variable is not None:
        if not (key := os.environ.get(variable, "").strip()):
            raise UserError(f"--api-key-env: the environment has no {variable}", f"export {variable}=… first")
        return key
    if file is None:
        return None
    try:
        key = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"--api-key-file {file}: {error.strerror}", "name a file that holds the key alone") from None
    if not key or len(key.split()) != 1:
        raise UserError(f"--api-key-file {file}: not one word", "write the key alone into it")
    return key
