"""The licence gate: a recipe says which classes of licence it takes, and a source of another one is refused by name."""

from __future__ import annotations

from collections.abc import Collection

from lingshu.core.errors import UserError
from lingshu.sources.catalog import SourceRecord


def check_allowed(name: str, record: SourceRecord, allowed: Collection[str]) -> None:
    """Raise a `UserError` that names the source and the fix if the recipe does not take its class of licence.

    Args:
        name: of the source.
        record: its catalogue record.
        allowed: `sources.allowed_licences`.
    """
    if record.licence_class in allowed:
        return
    raise UserError(
        f"{name}: its licence is {record.licence_class} ({record.licence}), and the recipe takes only "
        f"{', '.join(sorted(allowed)) or 'none'}",
        f"add {record.licence_class} to sources.allowed_licences if its terms suit you, or take {name} out of sources",
    )
