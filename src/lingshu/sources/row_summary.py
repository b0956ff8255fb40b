"""What normalizing a source of rows found: counts for metrics, and lines for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lingshu.intake.errors import DataError, Reason

EXAMPLES = 3


@dataclass(slots=True)
class RowSummary:
    """Counts of one source.

    Attributes:
        name: of the source.
        form: name of the on-disk form that was read.
        checked: how that form was checked.
        rows: rows in.
        refused: rows that are no samples, by reason.
        examples: the first refused rows of each reason.
        splits: samples by split.
        tasks: samples by task.
        groups_cut: groups that the upstream's own splits cut (several splits hold rows of them).
        pictures_stored: distinct pictures.
        pictures_changed: pictures that are not stored byte for byte, by why.
        picture_bytes: of all distinct pictures.
        unknown_kinds: words for imaging kinds that the record does not translate.
        expected: rows that the record says there are; 0 where it does not.
        known: how it knows.
        left: names of files beside the tables that the form leaves out by its `file_pattern` or `columns`.
        empty: names of tables of which no row is of the source: they may be cut to nothing.
        absent: sets of files of which parts are missing.
        elsewhere: files of pictures that lie in other folders than the form's, or are spelt otherwise than in the rows.
    """

    name: str
    form: str
    checked: str
    rows: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, list[DataError]] = field(default_factory=dict)
    splits: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    groups_cut: int = 0
    pictures_stored: int = 0
    pictures_changed: Counter[str] = field(default_factory=Counter)
    picture_bytes: int = 0
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    known: str = ""
    left: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """Rows that became samples."""
        return self.splits.total()

    def refuse(self, error: DataError) -> None:
        """Count a refused row, and keep the first ones of its reason to show."""
        self.refused[error.reason] += 1
        shown = self.examples.setdefault(error.reason, [])
        if len(shown) < EXAMPLES and (error.where, error.detail) not in [(one.where, one.detail) for one in shown]:
            shown.append(error)

    def metrics(self) -> dict[str, Any]:
        """Return the counts; sections that would be empty are left out."""
        found: dict[str, Any] = {
            "form": self.form,
            "rows": {"in": self.rows, "kept": self.kept, "refused": _by_name(self.refused)},
            "splits": dict(sorted(self.splits.items())),
            "tasks": dict(sorted(self.tasks.items())),
            "groups_cut": self.groups_cut,
            "distinct_pictures": self.pictures_stored,
            "picture_bytes": self.picture_bytes,
            "pictures_changed": dict(sorted(self.pictures_changed.items())),
            "unknown_kinds": dict(sorted(self.unknown_kinds.items())),
        }
        return {key: value for key, value in found.items() if value}

    def lines(self, *, detailed: bool) -> list[str]:
        """Return the counts in words; `detailed` shows what refused rows say, which may be a patient's text."""
        lines = [
            f"{self.name}: {self.form} ({self.checked})",
            f"rows: {self.rows} in, {self.kept} kept, {self.refused.total()} refused",
        ]
        for reason, number in sorted(self.refused.items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"  {reason.name}: {number} ({reason})")
            for error in self.examples[reason]:
                lines.append(f"    {error.where}: {error.detail}" if detailed else f"    {error.where}")
        lines += [
            "splits: " + _counts(self.splits),
            "tasks: " + _counts(self.tasks),
            f"pictures: {self.pictures_stored} distinct, {self.picture_bytes / 1e6:.1f} MB",
        ]
        if self.pictures_changed:
            lines.append("  written anew: " + _counts(self.pictures_changed))
        if self.groups_cut:
            lines.append(f"note: upstream's splits cut {self.groups_cut} groups (rows of them are in several splits)")
        if self.left:
            lines.append(f"note: not read, as the form leaves them out: {len(self.left)} files, such as {self.left[0]}")
        if self.empty:
            lines.append(
                f"note: files without a row of it: {len(self.empty)}, such as {self.empty[0]}; they may be cut"
            )
        if self.elsewhere:
            example = f", such as {self.elsewhere[0]}" if detailed else ""
            lines.append(f"note: pictures found by the end of their path: {len(self.elsewhere)}{example}")
        if self.absent:
            lines.append(f"note: parts are missing: {', '.join(self.absent)}")
        if self.expected and self.rows != self.expected:
            lines.append(
                f"note: {self.rows} rows where the record has {self.expected} ({self.known}): not the whole set?"
            )
        if self.unknown_kinds:
            lines.append("note: imaging kinds without a word of ours: " + _counts(self.unknown_kinds))
        return lines


def _by_name(counts: Counter[Reason]) -> dict[str, int]:
    return {reason.name: number for reason, number in sorted(counts.items(), key=lambda item: item[0].name)}


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"
