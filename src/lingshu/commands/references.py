"""What params.yaml and the catalogue say of one another: names must exist, partitions add up, kinds fit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl

from lingshu.benchmarks.build import check_sources as check_benchmark_sources
from lingshu.benchmarks.catalog import BenchmarkRecord, read_benchmarks
from lingshu.benchmarks.catalog import pick as pick_benchmark
from lingshu.benchmarks.public.catalog import read_public
from lingshu.config import Recipe
from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG, EMBEDDINGS, PROPOSALS, SAMPLES
from lingshu.core.sample import TASKS, sample_parts
from lingshu.decontam.overlap import check_purposes
from lingshu.facts.vocabulary import MODALITIES, MORE_MODALITIES
from lingshu.inference.judges import judges_of_params
from lingshu.intake.licences import refusals
from lingshu.mix.params import STAGES
from lingshu.mix.plan import check_sources as check_mix_sources
from lingshu.mix.plan import check_tasks as check_mix_tasks
from lingshu.mix.plan import parts_of
from lingshu.mix.splits import check_listed
from lingshu.modality.pictures import NOT_MEDICAL
from lingshu.modality.prompts import PROMPTS_FILE, read_prompts
from lingshu.sources.catalog import (
    OPEN_CLIP_FILE,
    SOURCES_FOLDER,
    SourceRecord,
    pick_encoder,
    read_encoders,
    read_open_clip,
    read_source,
    read_sources,
)
from lingshu.sources.licences import terms_of
from lingshu.sources.notes import read_notes


def problems(root: Path, recipe: Recipe) -> Iterator[UserError]:
    """Yield every broken reference between a valid params.yaml and the catalogue.

    Raises:
        UserError: a catalogue file is missing or not valid, so nothing can be compared with it.
    """
    sources = read_sources(root / SOURCES_FOLDER)
    benchmarks = read_benchmarks(root / CATALOG / "benchmarks.yaml")
    public = read_public(root / CATALOG)
    checked = {*recipe.benchmarks.enabled, *(set(public) if "all" in recipe.decontam.public.names else ())}
    public_items = recipe.decontam.public
    checked |= {*public_items.names, *public_items.may_be_absent, *public_items.accept_rows} - {"all"}
    yield from _caught(partial(check_purposes, recipe.decontam.kept_on_purpose, recipe.sources.in_use, checked))
    yield from _sources(recipe, sources, root)
    yield from _licences(recipe, sources)
    yield from _caught(partial(check_listed, recipe.sources.benchmark_splits_in_training, recipe.sources.in_use))
    yield from _benchmark_records(benchmarks, sources)
    yield from _benchmarks(recipe, benchmarks)
    yield from _mixtures(recipe, sources)
    yield from _opt_in(recipe, sources)
    yield from _topics(recipe, root)
    yield from _checkpoints(recipe)
    if recipe.evalkit.judge.judge == "llm":
        yield from _caught(partial(judges_of_params, recipe.evalkit.judge, with_keys=False))
    if unranked := [name for name in recipe.sources.in_use if name not in recipe.dedup.reliability]:
        yield UserError(
            f"params.yaml: dedup.reliability does not rank {unranked}", "add each enabled source to the list"
        )
    yield from _embeddings(recipe)
    yield from _released(recipe, sources)
    read_open_clip(root / OPEN_CLIP_FILE)
    yield from _encoder(recipe, root)


def _released(recipe: Recipe, records: dict[str, SourceRecord]) -> Iterator[UserError]:
    """Yield released samples of sources without a record."""
    for sample_id in recipe.quality.quarantine.released:
        if sample_id.partition(":")[0] not in records:
            yield UserError(
                f"params.yaml: quality.quarantine.released: {sample_id}: no such source",
                f"begin it with a source of {SOURCES_FOLDER}, as lingshu trace shows it",
            )


def _embeddings(recipe: Recipe) -> Iterator[UserError]:
    """Yield embedded sources that are not enabled, and sources that `dedup.semantic` names and nobody embeds."""
    embedded = recipe.signals.embeddings.sources
    if unknown := sorted(set(embedded) - set(recipe.sources.in_use)):
        yield UserError(f"params.yaml: signals.embeddings.sources: {unknown} are not enabled", "use enabled sources")
    semantic = recipe.dedup.semantic
    if semantic is None or Path(semantic.embeddings) != EMBEDDINGS:
        return
    named = {source for scope in semantic.scopes for source in scope.sources}
    if bare := sorted(named & set(recipe.sources.in_use) - set(embedded)):
        yield UserError(
            f"params.yaml: dedup.semantic.scopes: {bare}, which signals.embeddings.sources does not list",
            "add each of them, or name other sources",
        )


def _encoder(recipe: Recipe, root: Path) -> Iterator[UserError]:
    """Yield an encoder without a record, prompts of no known modality, and an encoder that can't teach the backbone."""
    encoders, choice = CATALOG / "encoders.yaml", recipe.modality.encoder
    if isinstance(choice, str):
        yield from _caught(partial(pick_encoder, read_encoders(root / encoders), choice, encoders))
    elif recipe.modeling.backbone is None:
        yield UserError(
            f"params.yaml: modality.encoder: {choice.label} can't teach the backbone that `modeling` makes",
            f"name an encoder of {encoders}, or a published backbone in modeling.backbone",
        )
    known = {*MODALITIES, *MORE_MODALITIES, NOT_MEDICAL}
    if unknown := sorted(set(read_prompts(root).classes) - known):
        yield UserError(f"{PROMPTS_FILE}: classes {unknown} are no modalities", f"use {', '.join(sorted(known))}")


def _caught(call: Callable[[], object]) -> Iterator[UserError]:
    """Yield the mistake that an area's own check finds, if any."""
    try:
        call()
    except UserError as error:
        yield error


def _sources(recipe: Recipe, records: dict[str, SourceRecord], root: Path) -> Iterator[UserError]:
    """Yield sources without a record, wrong notes, and records of the other kind than the list they are in."""
    own = recipe.sources
    for key, names in {"pulled": own.pulled, "opt_in": own.opt_in, "generated": own.generated}.items():
        for name in names:
            yield from _caught(partial(read_source, name, root / SOURCES_FOLDER))
            record = records.get(name)
            right = "generated" if record and record.kind == "generated" else "pulled"
            if record and (key == "generated") != (right == "generated"):
                kind = f"{record.kind} in {SOURCES_FOLDER}/{name}.yaml"
                yield UserError(
                    f"params.yaml: sources.{key}: {name!r} is of kind {kind}", f"move it to sources.{right}"
                )
            if record and record.kind != "generated":
                yield from _caught(partial(read_notes, name, record, root))


def _licences(recipe: Recipe, records: dict[str, SourceRecord]) -> Iterator[UserError]:
    """Yield enabled sources of a licence that the recipe does not take, and combinations that can't be handed on."""
    enabled = {name: records[name] for name in recipe.sources.in_use if name in records}
    terms = {name: terms_of(record) for name, record in enabled.items()}
    own = recipe.sources
    yield from refusals(terms, own.allowed_licences, shared=own.shared, opted_in=own.opt_in)


def _benchmark_records(records: dict[str, BenchmarkRecord], sources: dict[str, SourceRecord]) -> Iterator[UserError]:
    """Yield sources and tasks of benchmark records that do not exist."""
    for name, record in records.items():
        where = f"catalog/benchmarks.yaml: {name}"
        for source in record.sources:
            if source not in sources:
                yield UserError(f"{where}.sources: {source!r} is not in catalog/sources", "mend the name")
        for task in record.tasks:
            if task not in TASKS:
                yield UserError(f"{where}.tasks: unknown task {task!r}", f"use one of {', '.join(TASKS)}")


def _benchmarks(recipe: Recipe, records: dict[str, BenchmarkRecord]) -> Iterator[UserError]:
    """Yield enabled benchmarks that have no record, or whose source is not enabled."""
    for name in recipe.benchmarks.enabled:
        yield from _caught(partial(pick_benchmark, records, [name]))
        if name in records:
            yield from _caught(partial(check_benchmark_sources, {name: records[name]}, recipe.sources.in_use))


def _mixtures(recipe: Recipe, records: dict[str, SourceRecord]) -> Iterator[UserError]:
    """Yield mix groups of a source that is not enabled or has none of their tasks, that share samples, or are empty."""
    tasks = {name: record.tasks for name, record in records.items()}
    sources = recipe.sources.in_use
    recipes: list[str] = [*recipe.synthesis.enabled]
    for stage in STAGES:
        try:
            mixture = recipe.mix.stage(stage).switched(sources)
            parts_of(stage, mixture)
        except UserError as error:
            yield error
            continue
        for name, group in mixture.groups.items():
            yield from _caught(partial(check_mix_sources, stage, {name: group}, sources, recipes))
        yield from _caught(partial(check_mix_tasks, stage, mixture.groups, tasks))


def _opt_in(recipe: Recipe, records: dict[str, SourceRecord]) -> Iterator[UserError]:
    """Yield opt-in groups that no switch can let in, and sources that were opted in and that no mixture shows."""
    groups = [(s, name, group) for s in STAGES for name, group in recipe.mix.stage(s).groups.items()]
    for stage, name, group in groups:
        if group.opt_in and (unknown := sorted(set(group.sources) - set(records))):
            where = f"params.yaml: mix.{stage}.{name}.sources"
            yield UserError(f"{where}: {unknown} are not in {SOURCES_FOLDER}", "mend the name")
    shown = {source for _, _, group in groups for source in group.sources}
    if idle := sorted(set(recipe.sources.opt_in) - shown):
        fix = "add a group with `opt_in: true` to a stage of mix, or take it out of the list"
        yield UserError(f"params.yaml: sources.opt_in: no group of mix shows {idle}", fix)


def _topics(recipe: Recipe, root: Path) -> Iterator[UserError]:
    """Yield mix topics that no sample has; before the first run there are no samples to ask."""
    known = _known_topics(root)
    for stage in STAGES:
        for name, group in recipe.mix.stage(stage).groups.items():
            for topic in group.topics or []:
                if known and topic not in known:
                    close = difflib.get_close_matches(topic, known, n=1) or sorted(known)
                    where = f"params.yaml: mix.{stage}.{name}.topics"
                    yield UserError(f"{where}: no sample has topic {topic!r}", f"use {', '.join(close)}")


def _known_topics(root: Path) -> set[str]:
    parts = sample_parts([*(root / SAMPLES).glob("*"), *(root / PROPOSALS).glob("*/samples")])
    return {topic for part in parts for topic in pl.read_parquet(part, columns=["topic"])["topic"].unique().to_list()}


def _checkpoints(recipe: Recipe) -> Iterator[UserError]:
    """Yield comparisons of checkpoints that are asked nothing."""
    asked = recipe.inference.suites
    for pair in recipe.evalkit.score.comparisons:
        for name in (pair.before, pair.after):
            if name not in asked:
                where = "params.yaml: evalkit.score.comparisons"
                yield UserError(f"{where}: {name!r} is not in inference.suites", f"use one of {', '.join(asked)}")
