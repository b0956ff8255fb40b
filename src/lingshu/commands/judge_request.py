"""What `lingshu score` and `lingshu eval` are told about judges; light, for the command line needs it at each start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lingshu.core.errors import UserError


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What the command line says of judges.

    Attributes:
        models: as `--model` of `lingshu eval` names them.
        options: JSON objects of options of `lingshu eval` by name, and `schema`; one for all judges, or one each.
        store: folder of the judges' replies; None is `FILE.judge-store`, or `OUT/judge-store` of a whole run.
        most: share of a judge's calls that may fail.
    """

    models: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    store: Path | None = None
    most: float = 0.01


def judge_request(
    models: list[str] | None, options: list[str] | None, store: Path | None, most: float
) -> JudgeRequest | None:
    """Return what was typed about judges, or None if no judge is asked.

    Raises:
        UserError: options of a judge without a judge.
    """
    if models:
        return JudgeRequest(tuple(models), tuple(options or ()), store, most)
    if options or store:
        raise UserError("--judge-options and --judge-store do nothing without --judge", "name a judge")
    return None
