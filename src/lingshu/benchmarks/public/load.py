"""Loading one public benchmark: find its files, read its rows, make its questions, and check the number of rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lingshu.benchmarks.public.catalog import PublicBenchmark, pick_public, read_public
from lingshu.benchmarks.public.forms import Form
from lingshu.benchmarks.public.questions import Asker
from lingshu.core.errors import UserError
from lingshu.core.question import Question
from lingshu.intake.counting import told
from lingshu.intake.errors import DataError, Reason, RowError
from lingshu.intake.hub import HubFiles
from lingshu.intake.near import folder_near
from lingshu.intake.pictures import PictureFinder
from lingshu.intake.places import ChainedFiles, Files, FolderFiles, UrlFiles, matching
from lingshu.intake.rows import Opened, data_rows, files_of, find_alone, find_source, row_identity

SHOWN_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Loaded:
    """A benchmark as it was loaded.

    Attributes:
        name: of its record.
        record: how it is asked and scored.
        questions: in the order of the files.
        data_errors: rows that are no questions, each with file, row and reason.
        rows: of the benchmark in the files, `questions` and `data_errors` together; fewer are made with `limit`.
        form: name of the on-disk form that was read.
        revisions: commit of each hub repository that was read.
        absent_meta: questions without a value for a break-down, by its name.
        notes: what a user should know of how the files were found.
        chance: accuracy of a uniform guess over the questions that have options or are yes/no; None if none has.
    """

    name: str
    record: PublicBenchmark
    questions: tuple[Question, ...]
    data_errors: tuple[DataError, ...]
    rows: int
    form: str
    revisions: Mapping[str, str] = field(default_factory=dict)
    absent_meta: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def chance(self) -> float | None:
        """See the class."""
        guesses = [0.5 if q.kind == "yesno" else 1 / len(q.choices or "?") for q in self.questions if _guessable(q)]
        return sum(guesses) / len(guesses) if guesses else None

    def error_counts(self) -> dict[str, int]:
        """Return the number of data errors by reason."""
        return dict(sorted(Counter(str(error.reason) for error in self.data_errors).items()))


def _guessable(question: Question) -> bool:
    return question.kind == "yesno" or question.choices is not None


def load(
    name: str,
    *,
    root_catalog: Path,
    folder: Path | None = None,
    endpoint: str | None = None,
    accept_rows: bool = False,
    reasoning: bool = False,
    limit: int | None = None,
    cache: Path | None = None,
    with_pictures: bool = True,
) -> Loaded:
    """Load the benchmark called `name`.

    Args:
        name: of a record in `root_catalog/public_benchmarks.yaml`.
        root_catalog: folder of the catalogue.
        folder: holds the benchmark's files in one of the record's forms; replaces hub and URLs, and needs no network.
        endpoint: address of the hub, if not the client's default.
        accept_rows: load although the number of rows is not the record's (a slice, a newer release).
        reasoning: ask in the official reasoning mode (the answer in `\\boxed{}`).
        limit: make questions of the first rows only; all rows are counted all the same.
        cache: folder for downloads; the hub client's default and `$XDG_CACHE_HOME/lingshu` if None.
        with_pictures: a question whose picture is missing can't be asked; False if none is sent (a blind run).

    Raises:
        UserError: no such benchmark, its files can't be had or read, the number of rows is not the record's, or not a
            single row could be asked. Single rows that can't be asked are `data_errors` of the result.
    """
    record = pick_public(name, root_catalog)
    files, hubs = _files(name, record, folder, endpoint, cache)
    notes: tuple[str, ...] = ()
    source = find_source(files, record.forms)
    if source is None and folder is not None and (near := folder_near(name, folder, record.forms)):
        files, source = near, find_source(near, record.forms)
        notes = (f"{name}: {folder} itself has no files of it; {near.label} is read",)
    elif source is None and folder is not None:
        source = _alone(name, record, files, read_public(root_catalog))
        notes = (_taken(name, source),) if source else ()
    if source is None:
        raise _no_form(name, record, files)
    gold = told(source, source.form.gold, source.form.choices)
    source = replace(source, form=source.form.model_copy(update={"gold": gold}))
    finder = _finder(source.form, files, needed=with_pictures)
    loaded = _read(name, record, source, finder, reasoning=reasoning, limit=limit, hubs=hubs)
    if finder is not None and finder.absent:
        notes += (f"{name}: {len(finder.absent)} of its pictures not in {files.label}; none is sent",)
    loaded = replace(loaded, notes=(*notes, *_without_breakdowns(loaded)))
    _check_rows(loaded, accept_rows=accept_rows)
    _check_askable(loaded)
    return loaded


def _files(
    name: str, record: PublicBenchmark, folder: Path | None, endpoint: str | None, cache: Path | None
) -> tuple[Files, list[tuple[str, HubFiles]]]:
    if folder is not None:
        return FolderFiles(folder), []
    if brought := [place.bring for place in record.where if place.bring]:
        raise UserError(f"{name}: its files are not for download: {brought[0]}", "pass the folder that holds them")
    hubs = [
        (place.hub, HubFiles(name, place.hub, place.revision, endpoint, None if cache is None else cache / "hub"))
        for place in record.where
        if place.hub
    ]
    urls = [place for place in record.where if place.url]
    places: list[Files] = [hub for _, hub in hubs]
    if urls:
        places.append(UrlFiles(urls, (cache or _default_cache()) / "files" / name))
    return ChainedFiles(places), hubs


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lingshu"


def _alone(
    name: str, record: PublicBenchmark, files: Files, records: Mapping[str, PublicBenchmark]
) -> Opened[Form] | None:
    """Return the source of a folder whose one file bears a name of its own.

    Raises:
        UserError: the name is that of another benchmark's file.
    """
    source = next(filter(None, (find_alone(files, form) for form in record.forms)), None)
    if source is None:
        return None
    file = source.tables[0].name
    for other, its in records.items():
        for form in its.forms:
            if form.alone and any(matching([file], pattern) for pattern in form.tables):
                raise UserError(f"{name}: {files.label} holds {file}, a file of {other}", f"ask {other}, or rename it")
    return source


def _taken(name: str, source: Opened[Form]) -> str:
    form = source.form
    return f"{name}: no file {' or '.join(form.tables)}; {source.tables[0].name}, the only {form.alone}, is read"


def _no_form(name: str, record: PublicBenchmark, files: Files) -> UserError:
    forms = "\n  ".join(f"{form.name}: {_patterns(form)}" for form in record.forms)
    here = sorted({file for form in record.forms if form.alone for file in files.match(form.alone)})
    found = f"\n  it has {', '.join(here)}" if here else ""
    urls = "".join(f"; {place.file} is at {place.url}" for place in record.where if place.url)
    brought = "".join(f"; {place.bring}" for place in record.where if place.bring)
    return UserError(
        f"{name}: {files.label} has the files of no known form:\n  {forms}{found}",
        f"give a folder with the files of one form{urls}{brought}",
    )


def _patterns(form: Form) -> str:
    return f"{files_of(form)}, or in a folder the only {form.alone}" if form.alone else files_of(form)


def _read(
    name: str,
    record: PublicBenchmark,
    source: Opened[Form],
    finder: PictureFinder | None,
    *,
    reasoning: bool,
    limit: int | None,
    hubs: list[tuple[str, HubFiles]],
) -> Loaded:
    form = source.form
    asker = Asker(name, record, form, finder, reasoning=reasoning)
    questions: dict[str, Question] = {}
    errors: list[DataError] = []
    rows = 0
    for default, raw in data_rows(source):
        if isinstance(raw.values, RowError) and raw.values.reason is Reason.REPEATED_ROW:
            continue
        rows += 1
        if limit is not None and rows > limit:
            continue
        identity = default
        try:
            if isinstance(raw.values, RowError):
                raise raw.values
            identity = row_identity(form, default, raw.values)
            if identity in questions:
                raise RowError(Reason.DUPLICATE_ID, identity)
            questions[identity] = asker.question(identity, raw.values)
        except RowError as error:
            errors.append(DataError(raw.where, identity, error.reason, error.detail))
    return Loaded(
        name=name,
        record=record,
        questions=tuple(questions.values()),
        data_errors=tuple(errors),
        rows=rows,
        form=form.name,
        revisions={repo: hub.commit for repo, hub in hubs},
        absent_meta=dict(asker.absent_meta),
    )


def _finder(form: Form, files: Files, *, needed: bool) -> PictureFinder | None:
    """Return what finds named pictures; a row that should hold its own may have a file's name instead."""
    return PictureFinder(files, form.pictures, needed=needed) if form.pictures else None


def _without_breakdowns(loaded: Loaded) -> tuple[str, ...]:
    """Return what is to be said of break-downs that the record promises and the files don't have."""
    whole = len(loaded.questions)
    counts = {name: sum(name not in q.meta for q in loaded.questions) for name in loaded.record.breakdowns}
    lacking = [name if n == whole else f"{name} for {n:,} of {whole:,} questions" for name, n in counts.items() if n]
    if not lacking:
        return ()
    return (f"{loaded.name}: no {', '.join(lacking)} in the files ({loaded.form}): no scores by that",)


def error_examples(loaded: Loaded) -> list[str]:
    """Return the first few errors that read differently: a row of several questions says the same of each."""
    return list(dict.fromkeys(map(str, loaded.data_errors)))[:SHOWN_ERRORS]


def _check_askable(loaded: Loaded) -> None:
    if loaded.data_errors and not loaded.questions:
        shown = "\n  ".join(error_examples(loaded))
        raise UserError(
            f"{loaded.name}: none of {len(loaded.data_errors)} rows could be asked:\n  {shown}",
            "mend what is named above; pictures lie beside the tables, or in the archive that the record names",
        )


def _check_rows(loaded: Loaded, *, accept_rows: bool) -> None:
    expected = loaded.record.expected
    if accept_rows or expected.rows is None or loaded.rows == expected.rows:
        return
    raise UserError(
        f"{loaded.name}: {loaded.rows} rows in the files ({loaded.form}), {expected.rows} in the record "
        f"({expected.known})",
        "get all files of the split, or accept the number of rows if you mean these (--accept-rows; in the pipeline "
        f"list {loaded.name!r} in decontam.public.accept_rows)",
    )
