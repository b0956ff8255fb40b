"""Licences and attributions: who to thank for every part of the data, and what the licences together ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.core.layout import CATALOG, METRICS
from lingshu.core.params import read_yaml
from lingshu.intake.licences import Conflict, conflicts, duties
from lingshu.report.used import used_sources


@dataclass(frozen=True, slots=True)
class Notice:
    """One part (a package, a place, or a whole generated source): its licence, what is in it, and whom to name."""

    source: str
    part: str
    licence: str
    visible: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Licences:
    """What the sources in the mixtures ask for together.

    Attributes:
        stages: training stages, in order.
        rows: of the mixtures, by source and training stage.
        classes: licence class by source.
        access: who may have it, by source.
        duties: (class, duty, sources).
        conflicts: why the mixtures may not be handed on.
        held_out: rows of held-out splits that were trained on, by training stage and `source/split`.
    """

    stages: list[str]
    rows: dict[str, dict[str, int]]
    classes: dict[str, str]
    access: dict[str, str]
    duties: list[tuple[str, str, list[str]]]
    conflicts: list[Conflict]
    held_out: dict[str, dict[str, int]]


def licences(root: Path, stages: list[str]) -> Licences:
    """Return what the licences of the sources in the mixtures of these training stages ask for."""
    rows = used_sources(root, stages)
    records = {name: _record(root, name) for name in rows}
    classes = {name: str(record["licence_class"]) for name, record in records.items()}
    access = {name: str(record["access"]) for name, record in records.items()}
    return Licences(stages, rows, classes, access, duties(classes), conflicts(classes), held_out(root, stages))


def notices(root: Path, sources: list[str], encoder: str | dict[str, Any]) -> list[Notice]:
    """Return the notices of the sources and of the vision encoder that tags modalities, in catalogue order."""
    found = [notice for name in sources for notice in _of_source(name, _record(root, name))]
    return [*found, _of_named(root, encoder) if isinstance(encoder, str) else _of_open_clip(root, encoder)]


def _of_named(root: Path, encoder: str) -> Notice:
    record = read_yaml(root / CATALOG / "encoders.yaml")[encoder]
    package = record["package"]
    visible = f"{record['title']}; weights trained on {record['trained_on']}"
    return Notice("encoder", _label(package), str(package["licence"]), visible, str(record["citation"]))


def _of_open_clip(root: Path, encoder: dict[str, Any]) -> Notice:
    if not encoder.get("hub"):
        return Notice("encoder", "a folder", "unstated", "an open_clip encoder of the user's", "its authors")
    part = f"{encoder['hub']} {encoder.get('revision') or ''}".strip()
    record = read_yaml(root / CATALOG / "open_clip.yaml").get(encoder["hub"])
    if record is None:
        return Notice("encoder", part, "unstated", "an open_clip encoder", f"the authors of {encoder['hub']}")
    visible = f"{record['title']}; weights trained on {record['trained_on']}"
    return Notice("encoder", part, str(record["licence"]), visible, str(record["citation"]))


def _record(root: Path, name: str) -> dict[str, Any]:
    record: dict[str, Any] = read_yaml(root / CATALOG / f"sources/{name}.yaml")
    return record


def _of_source(name: str, record: Mapping[str, Any]) -> list[Notice]:
    whom, licence, title = str(record["citation"]), str(record["licence"]), str(record["title"])
    if packages := record.get("packages", []):
        return [Notice(name, _label(p), str(p["licence"]), str(p["visible"]), whom) for p in packages]
    if places := record.get("places"):
        return [Notice(name, part, licence, title, whom) for part in map(_place, places)]
    return [Notice(name, f"revision {record['revision']}", licence, title, whom)]


def _place(place: Mapping[str, Any]) -> str:
    """Return a place in words, with its pinned revision; a brought folder by what was to be brought."""
    kind = next(key for key in ("hub", "url", "physionet", "s3", "bring") if place.get(key))
    return f"{place[kind]} {place.get('revision') or ''}".strip()


def _label(package: Mapping[str, Any]) -> str:
    return f"{package['name']} {package['version']}"


def held_out(root: Path, stages: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the rows of held-out splits in the mixtures that were drawn, by training stage and `source/split`."""
    found: dict[str, dict[str, int]] = {}
    for stage in stages:
        path = root / METRICS / "mix" / f"{stage}.json"
        metrics = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if "held_out_rows" in metrics:
            found[stage] = metrics["held_out_rows"]
    return found
