"""Licences and attributions: who to thank for every part of the data, as the catalogue records it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.layout import CATALOG
from lingshu.core.params import read_yaml


@dataclass(frozen=True, slots=True)
class Notice:
    """One part (a package, or a whole generated source): its licence, what is in it, and whom to name."""

    source: str
    part: str
    licence: str
    visible: str
    attribution: str


def notices(root: Path, sources: list[str], encoder: str) -> list[Notice]:
    """Return the notices of the sources and of the vision encoder that tags modalities, in catalogue order."""
    records = {name: read_yaml(root / CATALOG / f"sources/{name}.yaml") for name in sources}
    found = [notice for name, record in records.items() for notice in _of_source(name, record)]
    record = read_yaml(root / CATALOG / "encoders.yaml")[encoder]
    package = record["package"]
    visible = f"{record['title']}; weights trained on {record['trained_on']}"
    return [*found, Notice("encoder", _label(package), str(package["licence"]), visible, str(record["citation"]))]


def _of_source(name: str, record: dict[str, Any]) -> list[Notice]:
    whom = str(record["citation"])
    packages = record.get("packages", [])
    if not packages:
        return [Notice(name, f"revision {record['revision']}", str(record["licence"]), str(record["title"]), whom)]
    return [Notice(name, _label(p), str(p["licence"]), str(p["visible"]), whom) for p in packages]


def _label(package: dict[str, Any]) -> str:
    return f"{package['name']} {package['version']}"
