"""`lingshu overlap`: which of anyone's training data is in a benchmark, or in anything else (docs/check-overlap.md)."""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from lingshu.commands.option_class import command_of
from lingshu.core.errors import UserError
from lingshu.core.files import check_folder, write_json, write_text
from lingshu.core.progress import count

if TYPE_CHECKING:
    from lingshu.decontam.comparison import Comparison, Input
    from lingshu.decontam.fields import Fields
    from lingshu.decontam.reading import Reading
    from lingshu.decontam.records import Pair

PAIRS_FILE, SUMMARY_FILE, PROBLEMS_FILE = "pairs.csv", "summary.json", "problems.csv"
COLUMNS = ("train", "against", "kind", "method", "distance")
KINDS = ("texts", "pictures")
NAMED = 5  # problems that are told; all are in the file
MANY = ("--train", "--against", "--field", "--raw")
_PICTURES, _TEXTS = "Pictures", "Texts"


class ManyValues(TyperCommand):
    """An option that takes several values, as a shell's `*` gives them: `--train a.jsonl b.jsonl`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option's name before each of its values."""
        spread: list[str] = []
        option, fresh = "", False
        for argument in args:
            if argument.startswith("--"):
                option, fresh = (argument, True) if argument in MANY else ("", False)
                spread.append(argument)
            elif option and not fresh:
                spread += [option, argument]
            else:
                spread.append(argument)
                fresh = False
        return super().parse_args(ctx, spread)


@dataclass(frozen=True, kw_only=True)
class OverlapOptions:
    """One field an option, in the order of the help."""

    train: Annotated[list[str], typer.Option(help="Files or folders to check; several may follow.")]
    against: Annotated[list[str], typer.Option(help="Files, folders, or benchmarks by name; all: every benchmark.")]
    out: Annotated[Path, typer.Option(help="Folder for pairs.csv, summary.json and problems.csv.")]
    raw: Annotated[
        list[str] | None, typer.Option(help="Folder with a benchmark's files, or with a folder NAME for each.")
    ] = None
    field: Annotated[
        list[str] | None, typer.Option(help="ROLE=COLUMN: id, question, choices, answer, text or image.")
    ] = None
    radius: Annotated[
        int, typer.Option(min=0, max=16, help="Bits of 64 between perceptual hashes.", rich_help_panel=_PICTURES)
    ] = 10
    agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Least correlation of details.", rich_help_panel=_PICTURES)
    ] = 0.85
    crop_agreement: Annotated[
        float, typer.Option(min=0, max=1, help="The same for a crop, laid exactly.", rich_help_panel=_PICTURES)
    ] = 0.95
    turned: Annotated[
        bool, typer.Option("--turned/--no-turned", help="Turned, mirrored, negative.", rich_help_panel=_PICTURES)
    ] = True
    crops: Annotated[
        bool, typer.Option("--crops/--no-crops", help="Look for crops too.", rich_help_panel=_PICTURES)
    ] = True
    ngram: Annotated[int, typer.Option(min=2, max=64, help="Words of an n-gram.", rich_help_panel=_TEXTS)] = 13
    coverage: Annotated[
        float, typer.Option(min=0.01, max=1, help="Least share of an item's n-grams.", rich_help_panel=_TEXTS)
    ] = 0.5
    short_words: Annotated[
        int, typer.Option(min=2, max=64, help="Least words of a text that another may hold.", rich_help_panel=_TEXTS)
    ] = 8
    slices: Annotated[
        int, typer.Option(min=1, help="Of each plane of a volume, at most.", rich_help_panel=_PICTURES)
    ] = 200
    processes: Annotated[int, typer.Option(min=1, help="That decode pictures.")] = 1


def find_overlap(options: OverlapOptions) -> None:
    """Find training data that is in a benchmark: equal, near or cropped pictures, equal or contained texts."""
    fields = _fields(options)
    check_folder(options.out)
    with tempfile.TemporaryDirectory(prefix="lingshu-overlap-") as scratch:
        _compare(options, _reading(options, fields, Path(scratch)))


def _compare(options: OverlapOptions, how: Reading) -> None:
    from lingshu.commands.overlap_inputs import find_inputs  # noqa: PLC0415 - it takes a second

    inputs = find_inputs(options.train, options.against, options.raw or [], how)
    found: dict[Pair, tuple[str, str]] = {}
    with _comparison(options, inputs.against) as comparison:
        for one in inputs.train:
            for pair, label in comparison.pairs(_told(one, "train")):
                found.setdefault(pair, (one.label, label))
    rows = sorted(found, key=lambda p: (p.train, p.against, p.kind, p.method, p.distance))
    summary = _summary(rows, found, inputs.train, inputs.against)
    summary |= {
        "not_loaded": inputs.not_loaded,
        "template_questions": comparison.templates,
        "unlisted": comparison.unlisted,
    }
    _write(options.out, rows, summary, [*inputs.train, *inputs.against])
    _tell(options.out, summary, [*inputs.train, *inputs.against])
    _check_compared([*inputs.train, *inputs.against], how.fields)


overlap = command_of(OverlapOptions, find_overlap)


def _fields(options: OverlapOptions) -> Fields:
    from lingshu.decontam.fields import Fields  # noqa: PLC0415 - as above

    return Fields(_roles(options.field or []), options.short_words)


def _scan(path: Path, slices: int) -> Iterator[tuple[str, bytes]]:
    from lingshu.commands.overlap_scans import scan_pictures  # noqa: PLC0415 - as above, and few data need it

    return scan_pictures(path, slices)


def _reading(options: OverlapOptions, fields: Fields, scratch: Path) -> Reading:
    from lingshu.decontam.files import Scratch  # noqa: PLC0415 - as above
    from lingshu.decontam.reading import Reading  # noqa: PLC0415 - as above

    results = frozenset((options.out / name).resolve() for name in (PAIRS_FILE, SUMMARY_FILE, PROBLEMS_FILE))
    return Reading(fields, Scratch(scratch), partial(_scan, slices=options.slices), results)


def _comparison(options: OverlapOptions, against: list[Input]) -> Comparison:
    from lingshu.decontam.comparison import Comparison  # noqa: PLC0415 - as above
    from lingshu.decontam.picture_index import PictureRule  # noqa: PLC0415 - as above
    from lingshu.decontam.text_index import TextRule  # noqa: PLC0415 - as above

    pictures = PictureRule(
        radius=options.radius,
        agreement=options.agreement,
        turned=options.turned,
        crops=options.crops,
        crop_agreement=options.crop_agreement,
    )
    short_words = min(options.short_words, options.ngram)
    texts = TextRule(ngram=options.ngram, coverage=options.coverage, short_words=short_words)
    return Comparison([_told(one, "against") for one in against], pictures, texts, options.processes)


def _roles(given: list[str]) -> dict[str, str]:
    roles: dict[str, str] = {}
    for text in given:
        role, equals, column = text.partition("=")
        if not equals or not column:
            raise UserError(f"--field {text}: not ROLE=COLUMN", "write for example --field question=Frage")
        roles[role] = column
    return roles


def _check_compared(inputs: list[Input], fields: Fields) -> None:
    """Raise a `UserError` where "no overlap" says nothing: of an input nothing was compared, or a column is wrong."""
    for one in inputs:
        if not one.tally.texts and not one.tally.pictures:
            first = "".join(f"; {problem.name}: {problem.reason}" for problem in one.tally.problems[:1])
            raise UserError(f"{one.label}: nothing of it could be compared{first}", "mend or replace what is named")
    for role, column in sorted(fields.unseen.items()):
        raise UserError(f"--field {role}={column}: no row has a column of this name", "correct it, or leave it out")


def _told(one: Input, side: str) -> Input:
    from lingshu.decontam.comparison import Input as Given  # noqa: PLC0415 - as above

    return Given(one.label, count(one.records, f"{side} {one.label}"), one.tally)


def _summary(
    rows: list[Pair], found: dict[Pair, tuple[str, str]], train: list[Input], against: list[Input]
) -> dict[str, Any]:
    """Return counts of pairs, of training rows for each pair of inputs, and of what was read on each side."""
    met = Counter((*labels, pair.train) for pair, labels in found.items())
    cells = Counter((source, benchmark) for source, benchmark, _ in met)
    sides = {"train": train, "against": against}
    return {
        "pairs": len(rows),
        "by_method": dict(sorted(Counter(f"{pair.kind}: {pair.method}" for pair in rows).items())),
        "matrix": {t.label: {a.label: cells[t.label, a.label] for a in against} for t in train},
        "read": {
            side: {
                one.label: {
                    "records": one.tally.records,
                    "texts": one.tally.texts,
                    "pictures": one.tally.pictures,
                    "problems": len(one.tally.problems),
                }
                for one in inputs
            }
            for side, inputs in sides.items()
        },
    }


def _write(out: Path, rows: list[Pair], summary: dict[str, Any], inputs: list[Input]) -> None:
    cells = ((p.train, p.against, p.kind, p.method, f"{round(p.distance, 6):g}") for p in rows)
    write_text(out / PAIRS_FILE, _csv(COLUMNS, cells))
    problems = ((problem.name, problem.reason) for one in inputs for problem in one.tally.problems)
    write_text(out / PROBLEMS_FILE, _csv(("name", "reason"), problems))
    write_json(out / SUMMARY_FILE, summary)


def _csv(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _tell(out: Path, summary: dict[str, Any], inputs: list[Input]) -> None:
    for side, found in summary["read"].items():
        for label, counts in found.items():
            typer.echo(f"{side} {label}: {counts['texts']} texts, {counts['pictures']} pictures")
    for source, benchmarks in summary["matrix"].items():
        for benchmark, number in benchmarks.items():
            typer.echo(f"{source} x {benchmark}: {number} training rows or pictures overlap")
    for method, number in summary["by_method"].items():
        typer.echo(f"  {method}: {number} pairs")
    if summary["template_questions"]:
        typer.echo(f"{summary['template_questions']} questions are asked of several pictures: not compared as texts")
    if summary["unlisted"]:
        typer.echo(
            f"{summary['unlisted']} items say or show what a hundred others of theirs do: not all pairs are listed"
        )
    if not any(all(sum(read[kind] for read in side.values()) for side in summary["read"].values()) for kind in KINDS):
        print("warning: one side has texts only, the other pictures only: nothing was compared", file=sys.stderr)
    for problem in summary["not_loaded"]:
        print(f"warning: {problem}", file=sys.stderr)
    problems = [problem for one in inputs for problem in one.tally.problems]
    for problem in problems[:NAMED]:
        print(f"warning: {problem.name}: {problem.reason}", file=sys.stderr)
    if problems:
        print(f"warning: {len(problems)} could not be compared; all are in {out / PROBLEMS_FILE}", file=sys.stderr)
    typer.echo(f"wrote {out / PAIRS_FILE}: {summary['pairs']} pairs")
