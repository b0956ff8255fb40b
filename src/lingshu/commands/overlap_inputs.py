"""What `lingshu overlap` compares: paths of the user's, and benchmarks by the names of their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lingshu.benchmarks.public.catalog import pick_public, read_public
from lingshu.benchmarks.public.load import Loaded, load
from lingshu.commands.catalogue import find_catalog
from lingshu.core.errors import UserError
from lingshu.core.layout import BENCHMARKS
from lingshu.decontam.comparison import Input
from lingshu.decontam.questions import question_record
from lingshu.decontam.reading import Reading, read_input
from lingshu.decontam.records import Record, Tally
from lingshu.intake.values import printable

EVERY = "all"


@dataclass(slots=True)
class Inputs:
    """Both sides, and the benchmarks that `all` names but that can't be had here, each with the reason."""

    train: list[Input]
    against: list[Input]
    not_loaded: list[str] = field(default_factory=list)


def find_inputs(train: list[str], against: list[str], raw: list[str], how: Reading) -> Inputs:
    """Return the inputs of both sides; benchmarks are loaded at once, files as they are read.

    Args:
        train: paths.
        against: paths, names of benchmarks (of the catalogue, or built by the project here), or `all` of the catalogue.
        raw: folders that hold files of benchmarks.
        how: what is needed to read files.

    Raises:
        UserError: no such path or benchmark, or a named benchmark can't be loaded.
    """
    found = Inputs([_path(given, how) for given in dict.fromkeys(train)], [])
    folders = [Path(given) for given in raw]
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"--raw {folder}: no such folder", "give a folder that holds benchmark files")
    for name in dict.fromkeys(against):
        if Path(name).exists():
            found.against.append(_path(name, how))
        elif name == EVERY:
            _add_all(found, folders)
        elif (BENCHMARKS / name).is_dir():
            found.against.append(_path(str(BENCHMARKS / name), how, name))
        elif "/" in name or "." in name:
            raise UserError(f"{name}: no such file or folder", "correct the path, or name a benchmark of the catalogue")
        else:
            pick_public(name, find_catalog())
            found.against.append(_benchmark(name, folders, alone=len(against) == 1))
    if not found.against:
        raise UserError("none of the benchmarks can be had here", "give their files with --raw, or go online")
    return found


def _path(given: str, how: Reading, label: str = "") -> Input:
    if not Path(given).exists():
        raise UserError(f"{given}: no such file or folder", "correct the path")
    tally = Tally()
    return Input(label or printable(given), read_input(Path(given), how, tally), tally)


def _add_all(found: Inputs, folders: list[Path]) -> None:
    for name in read_public(find_catalog()):
        try:
            found.against.append(_benchmark(name, folders, alone=False))
        except UserError as error:
            found.not_loaded.append(f"{name}: not compared: {' '.join(error.what.split())}")


def _benchmark(name: str, folders: list[Path], *, alone: bool) -> Input:
    folder = next((raw / name for raw in folders if (raw / name).is_dir()), folders[0] if folders and alone else None)
    try:
        loaded = load(name, root_catalog=find_catalog(), folder=folder, accept_rows=True)
    except UserError as error:
        if folder is not None or not folders:
            raise
        raise UserError(error.what, f"put its files into a folder {folders[0] / name}, or {error.fix}") from None
    tally = Tally()
    for fault in loaded.data_errors:
        tally.problem(f"{name}: {fault.where}", f"{fault.reason}: {fault.detail}")
    return Input(name, _counted(loaded, tally), tally)


def _counted(loaded: Loaded, tally: Tally) -> Iterator[Record]:
    for question in loaded.questions:
        tally.records += 1
        yield question_record(question)
