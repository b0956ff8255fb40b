"""`lingshu schema`: JSON schemas of the files that people edit, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from lingshu.benchmarks.catalog import BenchmarkRecord
from lingshu.benchmarks.public.catalog import PublicBenchmark
from lingshu.commands.catalogue import PUBLIC
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.files import write_text
from lingshu.core.layout import CATALOG
from lingshu.core.params import PARAMS_FILE
from lingshu.modality.prompts import Prompts
from lingshu.sources.catalog import EncoderRecord, OpenClipRecord, SourceRecord
from lingshu.sources.notes import Note

SCHEMAS = Path("schemas")


def documents() -> dict[Path, str]:
    """Return what each generated schema file must hold."""
    return {
        SCHEMAS / "params.json": _text(Recipe, "Lingshu: params.yaml and recipes"),
        SCHEMAS / "notes.json": _text(dict[str, list[Note]], "Lingshu: catalog/notes"),
        SCHEMAS / "source.json": _text(SourceRecord, "Lingshu: catalog/sources"),
        SCHEMAS / "encoders.json": _text(dict[str, EncoderRecord], "Lingshu: catalog/encoders.yaml"),
        SCHEMAS / "modality_prompts.json": _text(Prompts, "Lingshu: catalog/modality_prompts.yaml"),
        SCHEMAS / "open_clip.json": _text(dict[str, OpenClipRecord], "Lingshu: catalog/open_clip.yaml"),
        SCHEMAS / "benchmarks.json": _text(dict[str, BenchmarkRecord], "Lingshu: catalog/benchmarks.yaml"),
        SCHEMAS / "public_benchmarks.json": _text(
            dict[str, PublicBenchmark], "Lingshu: catalog/public_benchmarks.yaml"
        ),
    }


def write(root: Path) -> list[Path]:
    """Write the schemas under `root`, a checkout; return the files that changed.

    Raises:
        UserError: `root` is no checkout of Lingshu, whose files the schemas are of.
    """
    if not all((root / file).is_file() for file in (PARAMS_FILE, CATALOG / PUBLIC)):
        raise UserError(
            f"{root.resolve()}: no checkout of Lingshu: no {PARAMS_FILE} beside {CATALOG / PUBLIC}",
            "run it in the repository's root, or name a folder for the schemas with --out",
        )
    changed = []
    for path, text in documents().items():
        target = root / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_text(target, text)
            changed.append(path)
    return changed


def write_apart(folder: Path) -> list[Path]:
    """Write the schemas right into `folder`, wherever it is, and return the files.

    Raises:
        UserError: the folder can't be written.
    """
    files = {folder / path.name: text for path, text in documents().items()}
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def _text(kind: Any, title: str) -> str:
    """Return the JSON schema of a type as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(kind).json_schema(),
        "title": title,
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
