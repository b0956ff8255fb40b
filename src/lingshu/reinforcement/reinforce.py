"""The stage as a whole: set prompts aside, measure, train, measure again, write the checkpoint."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import torch

from lingshu.core.corpus import load_mixture, open_images
from lingshu.core.files import write_text
from lingshu.core.layout import MIXTURES, MODELS, PLOTS
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.ranks import ALONE, Rank
from lingshu.core.scratch import clear_scratch, fingerprint, scratch_folder
from lingshu.modeling.architecture import fix_seed, save_checkpoint
from lingshu.modeling.load import check_device, load_checkpoint, use_threads
from lingshu.modeling.memory import keep_freed_memory
from lingshu.modeling.ranks import joined
from lingshu.reinforcement.grpo import train
from lingshu.reinforcement.params import ReinforcementParams
from lingshu.reinforcement.policy import Policy
from lingshu.reinforcement.probe import gain, measure
from lingshu.reinforcement.prompts import prompts_of, set_aside

STAGE = "reinforce"
LOGGED = ("reward", "rewards/rewards_format/mean", "rewards/rewards_accuracy/mean", "kl", "completions/mean_length")
COLUMNS = ("step", "reward", "format", "accuracy", "kl", "length")
START = "instruct"


def reinforce(params: ReinforcementParams, seed: int, root: Path = Path(), rank: Rank = ALONE) -> dict[str, Any]:
    """Be one rank of the stage (`launch` starts them); rank 0 writes, and returns the metrics.

    Raises:
        UserError: `device` is cuda and there is none, the mixture has a row without a verifiable answer, or too few
            prompts.
    """
    check_device(params.device, "reinforcement.device")
    use_threads(params.threads)
    if params.device == "cpu":
        keep_freed_memory()
    with joined(rank, params.device):
        return _reinforce(params, seed, root, rank)


def _reinforce(params: ReinforcementParams, seed: int, root: Path, rank: Rank) -> dict[str, Any]:
    store = open_images(root)
    prompts = prompts_of(load_mixture(STAGE, root))
    training, held_out = set_aside(prompts, params.probe.prompts, seed)
    model, processor = load_checkpoint(root / MODELS / START, torch.float32)
    torch.nn.Module.to(model, params.device)
    policy = Policy(model, processor, store, params, seed, rank)
    before = measure(policy, held_out)
    fix_seed(seed)
    log = train(policy, training, scratch_folder(STAGE, _mark(params, seed, root), root))
    after = measure(policy, held_out)
    if rank.number:
        return {}
    processor.tokenizer.padding_side = "left"
    out = root / MODELS / STAGE
    save_checkpoint(out, model, processor)
    write_manifest(out, STAGE, len(training))
    write_text(root / PLOTS / "reinforcement" / "reward.csv", log_table(log))
    clear_scratch(STAGE, root)
    return {
        "prompts": {"training": len(training), "held_out": len(held_out)},
        "steps": len(log),
        "held_out_reward": {"before": before.summary(), "after": after.summary(), "gain": gain(before, after)},
    }


def _mark(params: ReinforcementParams, seed: int, root: Path) -> str:
    """Return the fingerprint of all that decides the result: knobs, seed, start weights, mixture, code."""
    inputs = [read_manifest(folder).model_dump() for folder in (root / MODELS / START, root / MIXTURES / STAGE)]
    areas = [Path(__file__).parents[1] / name for name in ("core", "modeling", "evalkit", "reinforcement")]
    return fingerprint([params.model_dump(), seed, *inputs], areas)


def log_table(log: list[dict[str, Any]]) -> str:
    """Return the log as CSV: step, mean reward, its parts, KL divergence (0 without a reference), mean length."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in log:
        writer.writerow([row["step"], *(round(float(row.get(name, 0.0)), 4) for name in LOGGED)])
    return text.getvalue()
