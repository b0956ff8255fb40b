"""`lingshu schema`: JSON schemas of the files that people edit, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lingshu.config import Recipe
from lingshu.core.files import write_text

SCHEMAS = Path("schemas")


def documents() -> dict[Path, str]:
    """Return what each generated schema file must hold."""
    return {SCHEMAS / "params.json": _text(_of_model(Recipe, "Lingshu params.yaml and recipes"))}


def write(root: Path) -> list[Path]:
    """Write the schemas under `root`; return the files that changed."""
    changed = []
    for path, text in documents().items():
        target = root / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_text(target, text)
            changed.append(path)
    return changed


def _of_model(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(), "title": title}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
