"""Loading many public benchmarks, of which some may be out of reach: credentials, or files that only the user has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lingshu.benchmarks.public.catalog import pick_public, read_public
from lingshu.benchmarks.public.load import Loaded, load
from lingshu.core.errors import UserError

EVERY = "all"


@dataclass(frozen=True, slots=True)
class Several:
    """What was loaded, and why each of the others was not, by name."""

    loaded: list[Loaded]
    absent: dict[str, str]


def load_several(
    names: Sequence[str], root_catalog: Path, files: str, *, may_be_absent: Sequence[str], accept_rows: Sequence[str]
) -> Several:
    """Load benchmarks by name.

    Args:
        names: of records; `all` for every one.
        root_catalog: folder of the catalogue.
        files: folder with a folder NAME of each one's files; one without is pulled by its record's places.
        may_be_absent: names of records that are listed, not refused, where they can't be loaded.
        accept_rows: names of records whose number of rows may be another than the record says.

    Raises:
        UserError: no such record, or one that may not be absent can't be loaded.
    """
    wanted = list(read_public(root_catalog)) if EVERY in names else list(dict.fromkeys(names))
    for name in (*wanted, *may_be_absent, *accept_rows):
        pick_public(name, root_catalog)
    result = Several([], {})
    for name in wanted:
        folder = Path(files) / name
        try:
            loaded = load(
                name,
                root_catalog=root_catalog,
                folder=folder if folder.is_dir() else None,
                accept_rows=name in accept_rows,
            )
            result.loaded.append(loaded)
        except UserError as error:
            if name not in may_be_absent:
                raise UserError(error.what, f"{error.fix}; or list {name!r} in decontam.public.may_be_absent") from None
            result.absent[name] = error.what.splitlines()[0]
    return result
