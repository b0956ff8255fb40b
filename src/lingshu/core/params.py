"""Reading one section of `params.yaml` (or of a catalogue file) into a strict model, with errors that name the key."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lingshu.core.errors import UserError

PARAMS_FILE = Path("params.yaml")


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


_CHECK = {"type": "no-info", "function": _no_boolean}


def _refuse_booleans_for_numbers(schema: Any) -> None:
    """Put a check before each number of a pydantic core schema, in place: pydantic itself takes true for 1."""
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if not isinstance(part, dict | list):
            continue
        if isinstance(part, dict) and part.get("type") in ("int", "float"):
            schema[key] = no_info_before_validator_function(_no_boolean, cast(CoreSchema, part))
        elif not (isinstance(part, dict) and part.get("type") == "function-before" and part["function"] == _CHECK):
            _refuse_booleans_for_numbers(part)


class Strict(BaseModel):
    """Base of every model filled from a file: frozen; unknown keys, true for 1, nan and infinity are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _refuse_booleans_for_numbers(schema)
        return schema


M = TypeVar("M", bound=BaseModel)


def read_yaml(path: Path) -> Any:
    """Return the file as DVC parses it: YAML 1.2, in which `no` is a word and `1e-3` a number.

    Raises:
        UserError: the file is missing or is not YAML, or has a key twice (names file, line and column).
    """
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", f"run in the repository's root, where {path.name} lies") from None
    except YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}", "mend the line named above") from None


CORRECT_KEYS = "correct the keys named above; `lingshu check` validates without running"


def validate(model: type[M], data: Any, where: str, fix: str = CORRECT_KEYS) -> M:
    """Return `data` as `model`; `where` (file and key) prefixes every complaint, `fix` says what to do about it.

    Raises:
        UserError: names each wrong key, what was expected, and the closest known key for an unknown one.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_complaint(model, item, where) for item in error.errors()]
        raise UserError("\n  ".join(lines), fix) from None


def _complaint(model: type[BaseModel], item: Any, where: str) -> str:
    """Return one line for one of pydantic's errors; `where` ends with a colon if the keys are the file's top level."""
    path = ".".join(str(key) for key in item["loc"])
    place = f"{where.rstrip()} {path}" if where.rstrip().endswith(":") else f"{where}.{path}" if path else where
    if item["type"] == "extra_forbidden":
        unknown = str(item["loc"][-1])
        close = difflib.get_close_matches(unknown, sorted(_all_keys(model) - {unknown}), n=1)
        return f"{place}: unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    if item["type"] == "missing":
        return f"{place}: {item['msg']}"
    if item["type"] == "model_type":
        return f"{place}: should be an object with keys and values (got {item['input']!r:.80})"
    return f"{place}: {item['msg']} (got {item['input']!r:.80})"


def _all_keys(model: type[BaseModel]) -> set[str]:
    keys: set[str] = set()
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        keys.update(part.get("properties", {}))
    return keys


def load_section(name: str, model: type[M], path: Path = PARAMS_FILE) -> M:
    """Return section `name` of the params file as `model`.

    Raises:
        UserError: the file or section is missing, or a key is unknown or of the wrong type.
    """
    data = read_yaml(path)
    if not isinstance(data, dict) or name not in data:
        fix = f"add it, or restore {path} with `make recipe NAME=mini`"
        raise UserError(f"{path}: section {name!r} is missing", fix)
    return validate(model, data[name], f"{path}: {name}")


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one `{dotted.key: value}`; lists and scalars are values."""
    if not isinstance(values, dict):
        return {prefix: values}
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def differences(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Return `(dotted key, old value, new value)` for each value that differs, sorted; an absent one is None."""
    left, right = flatten(old), flatten(new)
    keys = sorted(left.keys() | right.keys())
    return [(key, left.get(key), right.get(key)) for key in keys if left.get(key) != right.get(key)]


V = TypeVar("V")


def load_value(key: str, kind: type[V], path: Path = PARAMS_FILE) -> V:
    """Return the one value at dotted `key`, of type `kind`, for a stage that needs no more of that section.

    Raises:
        UserError: the key is missing or its value is of another type.
    """
    value = read_yaml(path)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise UserError(f"{path}: {key!r} is missing", f"add it, or restore {path} with `make recipe NAME=mini`")
        value = value[part]
    try:
        return TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        complaint = f"{path}: {key}: {error.errors()[0]['msg']} (got {value!r:.80})"
        raise UserError(complaint, "correct the value") from None


def load_sources(path: Path = PARAMS_FILE) -> list[str]:
    """Return the sources in use: `sources.enabled`, then those that the switch `sources.opt_in` lets in.

    Raises:
        UserError: as `load_value`.
    """
    return load_value("sources.enabled", list[str], path) + load_value("sources.opt_in", list[str], path)
