"""A command's options as a class: one field an option, so that the command itself is a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def command_of(kind: type[Options], call: Callable[[Options], None]) -> Callable[..., None]:
    """Return a command for typer whose options are the fields of the dataclass `kind`, and which calls `call`.

    The help is the docstring of `call`; fields are `Annotated[type, typer.Option(…)]`, with or without a default.
    """

    def command(**given: Any) -> None:
        call(kind(**given))

    hints = get_type_hints(kind, include_extras=True)
    parameters = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(kind)
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__name__, command.__doc__ = call.__name__, call.__doc__
    return command
