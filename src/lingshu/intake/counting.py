"""What number the first option of a question has, where only the rows can tell.

A data set that was released twice, with options counted from 0 and from 1, is exported to tables of the same columns.
A wrong guess makes every answer wrong, so nothing is guessed: with n columns of options, a 0 is found only where they
count from 0, an n only where they count from 1.
"""

from __future__ import annotations

from typing import Literal

from lingshu.core.errors import UserError
from lingshu.intake.answers import number_of
from lingshu.intake.errors import RowError
from lingshu.intake.rows import F, Opened, data_rows
from lingshu.intake.shapes import Choices, Gold
from lingshu.intake.values import value_at


def told(source: Opened[F], gold: Gold | None, choices: Choices | None) -> Gold | None:
    """Return the gold spec with the first option's number as the rows tell it; what needs no telling as it is.

    Args:
        source: the files of a form.
        gold: of that form.
        choices: of that form; a column each.

    Raises:
        UserError: the rows don't tell, or contradict each other (names the files, the column and the numbers).
    """
    if gold is None or gold.first != "told":
        return gold
    rows = (raw.values for _, raw in data_rows(source) if not isinstance(raw.values, RowError))
    numbers = {number_of(value_at(row, gold.field, None)) for row in rows} - {None}
    low, high = 0 in numbers, len(choices.columns if choices else ()) in numbers
    if low == high:
        raise _untold(source, gold, {number for number in numbers if number is not None}, contradictory=low)
    first: Literal[0, 1] = 0 if low else 1
    return gold.model_copy(update={"first": first})


def _untold(source: Opened[F], gold: Gold, numbers: set[int], *, contradictory: bool) -> UserError:
    names = ", ".join(table.name for table in source.tables)
    shown = ", ".join(map(str, sorted(numbers)[:9])) or "no number"
    why = (
        "both 0 and the last option's number stand there"
        if contradictory
        else "neither 0 nor the last option's number stands there"
    )
    return UserError(
        f"{names}: column {gold.field!r} has {shown}: it can't be told whether options count from 0 or from 1 ({why})",
        "give all rows of the data set, or a form that says it: the files of the hub or of the authors",
    )
