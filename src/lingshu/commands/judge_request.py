"""What `lingshu score` is told about judges; light, because the command line needs it before any judge is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What the command line says of judges.

    Attributes:
        models: as `--model` of `lingshu eval` names them.
        options: JSON objects of options of `lingshu eval` by name, and `schema`; one for all judges, or one each.
        store: folder of the judges' replies; None is `FILE.judge-store`.
        most: share of a judge's calls that may fail.
    """

    models: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    store: Path | None = None
    most: float = 0.01
