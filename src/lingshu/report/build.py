"""Building the report: gathers what the areas wrote, then writes reports/ and the funnel's plot table."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import vl_convert

from lingshu.core.corpus import open_images
from lingshu.core.files import fresh_dir, write_text
from lingshu.core.images import read_index
from lingshu.core.layout import IMAGES, PLOTS, REPORTS, SAMPLES
from lingshu.core.manifest import write_manifest
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import eligible_ids, quarantined, read_verdicts
from lingshu.report import data, results
from lingshu.report.contamination import contamination
from lingshu.report.data_card import data_card, notice_text
from lingshu.report.examples import examples
from lingshu.report.funnel import HELD_OUT, SAMPLE_STEPS, Step, funnel
from lingshu.report.mixtures import TRAINING_STAGES, Group, mixture_groups
from lingshu.report.notices import licences, notices
from lingshu.report.page import PICTURES, render
from lingshu.report.params import ReportParams
from lingshu.report.pictures import choose, dropped, write_thumbnails
from lingshu.report.run import Run, read_run
from lingshu.report.training import TrainedStage, rewards, stage_curves

FUNNEL_PLOT = PLOTS / "report" / "funnel.csv"
REINFORCE = TrainedStage("reinforcement", "reinforce", "reinforcement")
TRAINED = [
    TrainedStage("modeling", "backbone", "modeling"),
    *(TrainedStage("training", name, f"training/{name}") for name in ("shallow", "deep", "instruct")),
    REINFORCE,
]
SECTIONS = [
    ("overview", "Overview"),
    ("data", "Data"),
    ("funnel", "Funnel"),
    ("contamination", "Contamination"),
    ("pictures", "Pictures"),
    ("mixtures", "Mixtures"),
    ("training", "Training"),
    ("results", "Results"),
    ("answers", "Answers"),
    ("licences", "Licences"),
]
VEGA_LITE = "5.21"  # DVC writes Vega-Lite 5
VEGA = "window.vega=vega;window.vegaLite=vegaLite;window.vegaEmbed=vegaEmbed;"


@dataclass(frozen=True, slots=True)
class Card:
    """A figure at the top of the page."""

    label: str
    value: str
    note: str


def build_report(params: ReportParams, root: Path = Path()) -> None:
    """Write `reports/` (index.html, data_card.md, NOTICE, pictures/, vega.js, manifest.json) and the funnel's table.

    The page needs no network and no other file than its pictures; equal inputs give equal bytes.
    """
    run = read_run(root)
    shown = _pictures(root, run, params)
    scores = results.read_scores(root)
    found = results.tables(root, scores, run.checkpoints)
    answers = examples(root, found, params.seed, params.examples_per_benchmark)
    steps = funnel(root, run.enabled)
    context = {
        "run": run,
        "sections": SECTIONS,
        **shown,
        **_data(root, run, steps),
        **_results(root, run, scores, found),
    }
    shown_licences = context["licences"]
    context["cards"] += [_score_card(table) for table in found if table.scorer == "strict"]
    context["examples"] = [(name, list(own)) for name, own in itertools.groupby(answers, key=lambda a: a.benchmark)]
    page = render(context)
    out = fresh_dir(root / REPORTS)
    exhibits = [*shown["exhibits"], *shown["rejects"], *(answer for answer in answers if answer.image_id)]
    write_thumbnails(open_images(root), [e.image_id for e in exhibits], out / PICTURES, params.thumbnail_px)
    # `dvc plots show` draws with it (.dvc/plots/page.html); DVC's own page loads the same library from a network.
    write_text(out / "vega.js", vl_convert.javascript_bundle(VEGA, vl_version=VEGA_LITE))
    write_text(out / "index.html", page)
    write_text(out / "data_card.md", data_card(run.recipe, shown_licences, context["notices"]))
    write_text(out / "NOTICE", notice_text(run.recipe, shown_licences, context["notices"]))
    write_text(root / FUNNEL_PLOT, _funnel_table(steps))
    write_manifest(out, "report", 1)


def _pictures(root: Path, run: Run, params: ReportParams) -> dict[str, Any]:
    """Return the galleries and the table of kinds; nothing of a sample in quarantine, in report-only mode neither."""
    folders = [root / IMAGES / name for name in run.enabled]
    index = read_index(folder for folder in folders if (folder / "index.parquet").exists())
    verdicts = pl.concat([read_verdicts(root / path) for path in SAMPLE_STEPS.values()])
    held = verdicts.filter(quarantined())["sample_id"].unique().to_list()
    samples = sample_table(root / SAMPLES / name for name in run.enabled).filter(~pl.col("sample_id").is_in(held))
    usable = samples.filter(pl.col("sample_id").is_in(list(eligible_ids(root))))
    return {
        "kinds": data.kinds(index),
        "exhibits": choose(index, usable, params.seed, params.pictures_per_modality),
        "rejects": dropped(index, samples, verdicts, params.seed),
    }


def _data(root: Path, run: Run, steps: list[Step]) -> dict[str, Any]:
    sources = data.source_lines(root, run.enabled, run.generated)
    thanks = notices(root, run.enabled, run.encoder)
    return {
        "cards": _cards(sources, steps),
        "sources": sources,
        "contamination": contamination(root),
        "funnel": {"charts": data.funnel_charts(steps), "steps": steps},
        "mixtures": _mixtures(mixture_groups(root, TRAINING_STAGES)),
        "training": stage_curves(root, TRAINED),
        "notices": thanks,
        "licences": licences(root, TRAINING_STAGES),
        "thanks": list(dict.fromkeys((notice.source, notice.attribution) for notice in thanks)),
    }


def _results(root: Path, run: Run, scores: dict[str, Any], found: list[results.Table]) -> dict[str, Any]:
    shown = [name for name in run.checkpoints if name in scores]
    prompts, parts = rewards(root, REINFORCE)
    return {
        "results": {
            "tables": found,
            "chart": results.summary_chart(found, run.checkpoints),
            "legend": [(name, results.style_of(name, run.checkpoints)) for name in shown],
            "confidence": f"{100 * run.confidence:g}",
            "text_metrics": results.TEXT_METRICS,
            "rewards": {"prompts": prompts, "parts": parts},
            "comparisons": results.comparisons(scores, run.checkpoints),
            "training_only": results.training_only(root),
        }
    }


def _mixtures(groups: list[Group]) -> dict[str, Any]:
    return {
        "chart": data.mixture_chart(groups),
        "legend": data.mixture_legend(groups),
        "stages": [(stage, list(own)) for stage, own in itertools.groupby(groups, key=lambda group: group.stage)],
    }


def _cards(sources: list[data.SourceLine], steps: list[Step]) -> list[Card]:
    real = sum(source.pictures for source in sources if not source.generated)
    drawn = sum(source.pictures for source in sources if source.generated)
    samples = sum(source.samples for source in sources)
    lost = sum(n for step in steps for reason, n in step.dropped.items() if reason != HELD_OUT)
    return [
        Card("Real pictures", f"{real:,}", "from registry packages, each with its licence"),
        Card("Generated pictures", f"{drawn:,}", "drawn from findings lists, so their truth is known"),
        Card("Samples", f"{samples:,}", f"{sum(source.held_out for source in sources):,} held out for evaluation"),
        Card("Dropped", f"{lost:,}", "samples, files and proposals, each with its reason"),
    ]


def _score_card(table: results.Table) -> Card:
    """Return the last checkpoint's accuracy over all topics, beside the first one's and chance."""
    overall = table.rows[0]
    first, last = overall.cells[0], overall.cells[-1]
    chance = "" if overall.chance is None else f"chance {overall.chance:.2f}, "
    assert first is not None
    assert last is not None
    note = f"{table.checkpoints[-1]}; {chance}{table.checkpoints[0]} {first['accuracy']:.2f}"
    return Card(f"Accuracy, {table.name}", f"{last['accuracy']:.2f}", note)


def _funnel_table(steps: list[Step]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["source", "step", "kept", "dropped"])
    writer.writerows([step.source, step.name, step.kept, sum(step.dropped.values())] for step in steps)
    return out.getvalue()
