"""Mending `dvc.lock` after a kill: DVC 3.67 writes it in place, so a kill can leave it cut off in the middle.

The stages whose entries are lost are not run again: DVC finds their results in its run cache by their inputs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from lingshu.core.errors import UserError
from lingshu.core.files import write_text

LOCK = Path("dvc.lock")
HEAD = "schema: '2.0'\nstages:\n"
STAGE_LINE = re.compile(r"^  \S[^\n]*:\n", re.MULTILINE)


def mend_lock(path: Path = LOCK) -> bool:
    """Cut a damaged lock file back to its whole entries; return whether there was anything to mend.

    Raises:
        UserError: the file is damaged in another way than by a kill (a merge conflict, say).
    """
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    if is_whole(text):
        return False
    ends = [text.rfind("\n") + 1, *(match.start() for match in reversed(list(STAGE_LINE.finditer(text))))]
    kept = next((text[:end] for end in ends if is_whole(text[:end])), None)
    if kept is None and not (text.startswith(HEAD) or HEAD.startswith(text)):
        raise UserError(f"{path}: not a lock file that DVC wrote", f"restore it with `git checkout {path}`")
    if kept is None:
        path.unlink()
    else:
        write_text(path, kept)
    return True


def is_whole(text: str) -> bool:
    """Return whether `text` is a lock file whose every stage has its command and its outputs as DVC writes them."""
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    if not isinstance(data, dict) or not isinstance(data.get("stages"), dict) or not text.endswith("\n"):
        return False
    return all(_entry_is_whole(entry) for entry in data["stages"].values())


def _entry_is_whole(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("cmd"), str):
        return False
    outs = entry.get("outs")
    return isinstance(outs, list) and all(
        isinstance(out, dict) and isinstance(out.get("md5"), str) and isinstance(out.get("size"), int) for out in outs
    )
