"""Where the catalogue lies for commands that need no project: around the current folder, else in the package.

`catalog/` beside this module holds links to the files that such commands read; a wheel holds the files.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from lingshu.core.layout import CATALOG

PUBLIC = "public_benchmarks.yaml"


def find_catalog() -> Path:
    """Return the catalogue of the project around the current folder, else the package's own."""
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / CATALOG / PUBLIC).is_file():
            return place / CATALOG
    return Path(str(resources.files("lingshu.commands") / "catalog"))
