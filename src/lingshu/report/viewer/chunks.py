"""The rows of one run and benchmark as scripts that the page loads when it needs them.

    data/gNNN/index.js     of each row its id, a number of verdict bits and its modality; where each chunk begins
    data/gNNN/cNNNNN.js    the rows themselves, `ROWS` or about `CHUNK_CHARS` a file

Scripts, because a page that is opened from the disk may load scripts but no data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lingshu.core.files import write_bytes
from lingshu.evalkit.items import RUBRIC, encoded
from lingshu.evalkit.scored import JUDGE_PREFIX, Scored, plain_meta
from lingshu.report.viewer.report_scores import Values
from lingshu.report.viewer.rows import Row
from lingshu.report.viewer.scored_lines import VoteLine

ROWS = 200
CHUNK_CHARS = 1 << 19
WRONG, RIGHT, UNSCORED, ABSENT = range(4)
OFFICIAL_SHIFT = 2  # bits 0 and 1: the first verdict; 2 and 3: the official one
NO_ANSWER, FAILED, JUDGED = 16, 32, 64


@dataclass(slots=True)
class GroupWriter:
    """Writes the files of one group; holds one chunk and the index."""

    folder: Path
    number: int
    ids: list[str] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    modality: list[int] = field(default_factory=list)
    _combinations: dict[tuple[str, ...], int] = field(default_factory=dict)
    _starts: list[int] = field(default_factory=list)
    _rows: list[str] = field(default_factory=list)
    _chars: int = 0

    def add(self, row: Row, pictures: list[str], metrics: Values) -> None:
        """Take one row; `pictures` are addresses from the page, `metrics` those of a report (empty for none)."""
        text = json.dumps(row_json(row, pictures, metrics), ensure_ascii=False, allow_nan=False)
        if self._rows and (len(self._rows) == ROWS or self._chars + len(text) > CHUNK_CHARS):
            self._flush()
        if not self._rows:
            self._starts.append(len(self.ids))
        self._rows.append(text)
        self._chars += len(text)
        self.ids.append(row.item.id)
        self.bits.append(verdict_bits(row))
        names = modalities(row)
        self.modality.append(self._combinations.setdefault(names, len(self._combinations)))

    def close(self) -> None:
        """Write the last chunk and the index."""
        self._flush()
        index = {
            "ids": self.ids,
            "bits": self.bits,
            "modality": self.modality,
            "modalities": [list(names) for names in self._combinations],
            "starts": self._starts,
        }
        self._write("index", json.dumps(index, ensure_ascii=False))

    def _flush(self) -> None:
        if self._rows:
            self._write(f"c{len(self._starts) - 1:05d}", "[" + ",\n".join(self._rows) + "]")
            self._rows, self._chars = [], 0

    def _write(self, name: str, text: str) -> None:
        path = f"g{self.number:03d}/{name}"
        script = f"lingshuPut({json.dumps(path)}, {text});"
        write_bytes(
            self.folder / f"{path}.js", encoded(script.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
        )


def modalities(row: Row) -> tuple[str, ...]:
    """Return the modalities that the row's `meta` names."""
    value = row.item.meta.get("modality")
    values = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(str(name) for name in values if name is not None and name != ""))


def verdict_bits(row: Row) -> int:
    """Return the number that the page filters by."""
    official = ABSENT if row.official is None else _verdict(row.official)
    bits = _verdict(row.first) | official << OFFICIAL_SHIFT
    bits |= NO_ANSWER if row.first.score.no_answer else 0
    bits |= FAILED if row.item.error else 0
    return bits | (JUDGED if row.judged or row.first.score.rule.startswith(JUDGE_PREFIX) else 0)


def _verdict(scored: Scored) -> int:
    correct = scored.score.correct
    return UNSCORED if correct is None else RIGHT if correct else WRONG


def row_json(row: Row, pictures: list[str], metrics: Values) -> dict[str, Any]:
    """Return what the page shows of a row; keys without a value are left out."""
    item, told = row.item, row.told
    shown: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind,
        "question": item.question,
        "choices": None if item.choices is None else list(item.choices),
        "answer": [item.answer] if isinstance(item.answer, str) else list(item.answer),
        "response": item.response,
        "error": item.error,
        "prompt": told.prompt if told.prompt != item.question else None,
        "pictures": pictures,
        "cluster": item.cluster,
        "meta": {key: value for key, value in plain_meta(item.meta).items() if key != "benchmark"},
        "first": _verdict_json(row.first),
        "official": None if row.official is None else _verdict_json(row.official),
        "judges": _judges_json(row),
        "criteria": _criteria_json(row),
        "metrics": metrics,
        "finish": told.finish_reason,
        "tokens": told.tokens,
        "seconds": told.seconds,
    }
    return {key: value for key, value in shown.items() if value not in (None, "", [], [""], {})}


def _verdict_json(scored: Scored) -> dict[str, Any]:
    score = scored.score
    shown = {"correct": score.correct, "parsed": score.parsed, "rule": score.rule, "reason": scored.reason}
    graded = scored.kind == RUBRIC and score.score is not None
    return shown | ({"score": score.score} if graded else {})


def _judges_json(row: Row) -> list[dict[str, Any]]:
    """Return what the judges of an open answer said, the ruling of several last."""
    line = row.judged
    if line is None or line.criteria:
        return []
    ruling = {"name": line.judge, "verdict": line.verdict, "text": "" if line.judges else line.judge_text}
    return [*(_vote_json(vote) for vote in line.judges), ruling]


def _criteria_json(row: Row) -> list[dict[str, Any]]:
    if row.judged is None:
        return []
    return [
        {"text": one.criterion, "points": one.points, "met": one.met, "judges": [_vote_json(v) for v in one.judges]}
        for one in row.judged.criteria
    ]


def _vote_json(vote: VoteLine) -> dict[str, Any]:
    why = ": ".join(filter(None, (vote.reason, vote.detail)))
    return {"name": vote.judge, "verdict": vote.verdict, "text": vote.text or why}
