"""One response line: the file contract that `predict` writes, the scorers read, and users may write themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from lingshu.core.errors import UserError
from lingshu.core.params import validate

Kind = Literal["mcq", "yesno", "closed", "open", "caption", "report"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Item:
    """One question, its gold answer and a model's response.

    Args:
        kind: what the answer is; decides the scorer.
        choices: option strings as shown (with or without their letters), or None.
        answer: gold letter or text; a tuple where several are right together.
        cluster: image or patient the item belongs to; items of one cluster are not independent.
        meta: anything to break scores down by (benchmark, topic, modality, language).
    """

    id: str
    kind: str
    question: str
    choices: tuple[str, ...] | None
    answer: str | tuple[str, ...]
    response: str
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


class ResponseLine(BaseModel):
    """The JSON form of a line; other keys (prompt, finish reason, tokens) are the writer's and ignored here."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    kind: Kind
    question: str
    choices: list[str] | None = None
    answer: str | list[str]
    response: str
    cluster: str = ""
    meta: dict[str, Any] = {}

    def item(self) -> Item:
        """Return the line as the slotted type that scorers take."""
        return Item(
            id=self.id,
            kind=self.kind,
            question=self.question,
            choices=None if self.choices is None else tuple(self.choices),
            answer=self.answer if isinstance(self.answer, str) else tuple(self.answer),
            response=self.response,
            cluster=self.cluster,
            meta=self.meta,
        )


def read_items(path: Path) -> Iterator[Item]:
    """Yield the items of a JSON-lines file in file order.

    Raises:
        UserError: the file is missing, a line is not JSON, breaks the contract, or repeats an id (names the line).
    """
    if not path.exists():
        raise UserError(f"{path}: no such file", "give the path of a JSON-lines file of responses")
    seen: dict[str, int] = {}
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            item = validate(ResponseLine, _parsed(line, where), where).item()
            if item.id in seen:
                raise UserError(
                    f"{where}: id {item.id!r} stands in line {seen[item.id]} too", "give each line its own id"
                )
            seen[item.id] = number
            yield item


def _parsed(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON: {error}", "write one JSON object on each line") from None
