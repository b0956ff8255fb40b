"""One supervised stage as a whole: start checkpoint and mixture in, trained checkpoint, curves and metrics out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from transformers.trainer_callback import PrinterCallback

from lingshu.core.layout import MIXTURES, MODELS, PLOTS
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.ranks import ALONE, Rank
from lingshu.core.scratch import clear_scratch, fingerprint, scratch_folder
from lingshu.modeling.architecture import fix_seed, save_checkpoint
from lingshu.modeling.attention import use_segments
from lingshu.modeling.collate import IGNORED
from lingshu.modeling.freeze import PartSize, freeze_all_but, print_sizes
from lingshu.modeling.load import load_checkpoint, use_threads
from lingshu.modeling.memory import keep_freed_memory
from lingshu.modeling.params import Part
from lingshu.modeling.ranks import joined
from lingshu.modeling.resume import MarkComplete, newest_checkpoint
from lingshu.training.curves import CurveLog
from lingshu.training.launch import StageRun
from lingshu.training.rows import Rows, load_rows
from lingshu.training.trainer import StageTrainer, make_config

LOGS_AVERAGED = 3


def train(run: StageRun, root: Path = Path(), rank: Rank = ALONE) -> dict[str, Any]:
    """Be one rank of the stage's training (`launch` starts them); rank 0 writes, and returns the metrics.

    Raises:
        UserError: `start` is no checkpoint, the mixture names a missing sample, or no sample fits `max_length`.
    """
    use_threads(run.common.threads)
    if run.common.device == "cpu":
        keep_freed_memory()
    fix_seed(run.seed)
    with joined(rank, run.common.device):
        return _train(run, root, rank)


def _train(run: StageRun, root: Path, rank: Rank) -> dict[str, Any]:
    model, processor = load_checkpoint(root / run.start, torch.float32)
    sizes = freeze_all_but(model, run.params.trainable)
    rates = run.params.learning_rate.by_part()
    rows = load_rows(run.stage, run.params, processor, root, vary=run.common.vary, seed=run.seed)
    scratch = scratch_folder(f"train-{run.stage}", _mark(run, root), root)
    use_segments(model, text=True)
    first = rank.number == 0
    if first:
        print_sizes(f"train@{run.stage}", sizes, rates)
    curves = [CurveLog(root / PLOTS / "training" / run.stage, run.stage)] if first else []
    trainer = StageTrainer(
        model,
        processor,
        rows,
        config=make_config(scratch, run.params, run.common, run.seed),
        rates=rates,
        callbacks=[*curves, MarkComplete()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=newest_checkpoint(scratch))
    if not first:
        return {}
    folder = root / MODELS / run.stage
    save_checkpoint(folder, model, processor)
    write_manifest(folder, f"train@{run.stage}", len(rows.samples()))
    clear_scratch(f"train-{run.stage}", root)
    return _metrics(rows, trainer.state.global_step, trainer.state.log_history, sizes)


def _mark(run: StageRun, root: Path) -> str:
    """Return the fingerprint of all that decides the result: knobs, seed, start weights, mixture, code."""
    inputs = [read_manifest(folder).model_dump() for folder in (root / run.start, root / MIXTURES / run.stage)]
    areas = [Path(__file__).parents[1] / name for name in ("core", "modeling", "training")]
    knobs = [run.params.model_dump(), run.common.model_dump(), run.seed]
    return fingerprint([*knobs, *inputs], areas)


def _metrics(rows: Rows, steps: int, history: list[dict[str, float]], sizes: Mapping[Part, PartSize]) -> dict[str, Any]:
    """Return the stage's figures; losses are means over the first and last points of the curve, in nats a token."""
    samples = rows.samples()
    logged = [entry for entry in history if "loss" in entry]
    first, last = logged[:LOGS_AVERAGED], logged[-LOGS_AVERAGED:]
    return {
        "samples": len(samples),
        "dropped": rows.dropped,
        "rows": len(rows),
        "pictures": len(rows.pictures.grids),
        "tokens": sum(len(sample) for sample in samples),
        "answer_tokens": sum(int((sample.labels != IGNORED).sum()) for sample in samples),
        "steps": steps,
        "loss_first": round(fmean(entry["loss"] for entry in first), 4),
        "loss_last": round(fmean(entry["loss"] for entry in last), 4),
        "token_accuracy_last": round(fmean(entry["token_accuracy"] for entry in last), 4),
        "parameters": {part: {"total": size.total, "trained": size.trained} for part, size in sizes.items()},
    }
