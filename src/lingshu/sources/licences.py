"""The licence gate: a recipe says which classes of licence it takes, and a source of another one is refused by name."""

from __future__ import annotations

from collections.abc import Collection

from lingshu.intake.licences import Terms, check_terms
from lingshu.sources.catalog import SourceRecord


def terms_of(record: SourceRecord) -> Terms:
    """Return what a record says of its licence."""
    return Terms(record.licence, record.licence_class)


def check_allowed(name: str, record: SourceRecord, allowed: Collection[str], opted_in: Collection[str] = ()) -> None:
    """Raise a `UserError` that names the source and the fix if the recipe does not take its class of licence.

    Args:
        name: of the source.
        record: its catalogue record.
        allowed: `sources.allowed_licences`.
        opted_in: `sources.opt_in`, sources that are taken whatever their class.
    """
    check_terms({name: terms_of(record)}, allowed, shared=False, opted_in=opted_in)
