"""A list of turns: LLaVA's `{from, value}`, the chat form `{role, content}`, or texts by turns of user and assistant.

Markers stand where pictures do.
"""

from __future__ import annotations

from typing import Any

from lingshu.core.sample import Message, Part, image_part, text_part
from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row, value_at
from lingshu.sources.adapters.spoken import Spoken, checked_text, with_pictures
from lingshu.sources.forms import SourceForm

ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant",
    "chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "system": "system",
}  # fmt: skip
KEYS = (("from", "value"), ("role", "content"))


def conversation(form: SourceForm, row: Row, identity: str, num_pictures: int) -> Spoken:  # noqa: ARG001 - one signature
    """Return the turns at `question`.

    Pictures stand where the markers are; without any marker they stand before the first request.

    Raises:
        RowError: it is no list of turns, ends without a reply, or has markers for another number of pictures.
    """
    given = value_at(row, form.question)
    if not isinstance(given, list) or not given:
        raise RowError(Reason.NO_TURNS, f"{form.question!r} is {given!r:.60}, not a list of turns")
    turns = [_turn(item, form.question, place) for place, item in enumerate(given)]
    if form.rubrics and turns[-1][0] == "user":
        turns.append(("assistant", _criteria(value_at(row, form.rubrics), form.rubrics)))
    if form.system and turns[0][0] != "system":
        turns.insert(0, ("system", form.system))
    roles = [role for role, _ in turns if role != "system"]
    if roles[:1] != ["user"] or turns[-1][0] != "assistant" or "system" in [role for role, _ in turns[1:]]:
        raise RowError(Reason.NO_TURNS, f"its turns are {', '.join(role for role, _ in turns)[:80]}")
    messages = tuple(_placed(turns, form.marker, num_pictures))
    return Spoken(form.task or "dialogue", "dialogue", messages)


def _criteria(rubrics: Any, path: str) -> str:
    """Return the criteria that earn points, a line each.

    Raises:
        RowError: there is none.
    """
    given = rubrics if isinstance(rubrics, list) else []
    earn = [item for item in given if isinstance(item, dict) and isinstance(item.get("points"), int | float)]
    lines = [checked_text(str(item.get("criterion", "")), path) for item in earn if item["points"] > 0]
    if not lines:
        raise RowError(Reason.NO_RUBRIC, f"{path!r} is {rubrics!r:.60}")
    return "\n".join(lines)


def _turn(item: Any, path: str, place: int) -> tuple[str, str]:
    if isinstance(item, str):
        return ("assistant" if place % 2 else "user"), checked_text(item, path)
    for who, what in KEYS:
        if isinstance(item, dict) and isinstance(item.get(who), str) and isinstance(item.get(what), str):
            role = ROLES.get(item[who].strip().lower())
            if role is None:
                raise RowError(Reason.NO_TURNS, f"{path!r} has a turn of {item[who]!r:.40}")
            return role, checked_text(item[what], path)
    raise RowError(Reason.NO_TURNS, f"{path!r} has {item!r:.60}, not a turn")


def _placed(turns: list[tuple[str, str]], marker: str, num_pictures: int) -> list[Message]:
    """Return the messages, with a slot for each picture."""
    markers = sum(text.count(marker) for _, text in turns)
    if markers not in (0, num_pictures):
        raise RowError(Reason.PICTURE_COUNT, f"{markers} of {marker} in the turns, {num_pictures} pictures in the row")
    messages: list[Message] = []
    used = 0
    for role, text in turns:
        here = text.count(marker)
        content = with_pictures(text, marker, used, here)
        if markers == 0 and role == "user" and used < num_pictures:
            slots: tuple[Part, ...] = tuple(image_part(index) for index in range(num_pictures))
            content, here = (*slots, text_part(text)), num_pictures
        if not any(part.type == "text" for part in content) and role == "assistant":
            raise RowError(Reason.NO_TEXT, "a reply of nothing but a picture")
        used += here
        messages.append(Message(role, content))
    return messages
