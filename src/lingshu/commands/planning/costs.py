"""Tokens, steps, GPU-hours, disk and API cost of a planned run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from lingshu.commands.planning.assumptions import Assumptions, Size
from lingshu.commands.planning.mixtures import Line, StagePlan, kind_of
from lingshu.config import Recipe
from lingshu.mix.pool import NO_PICTURE, SYNTHETIC_PREFIX
from lingshu.modeling.params import PARTS, Part
from lingshu.sources.catalog import SourceRecord
from lingshu.synthesis.params import RecipeName

PICTURED = ("caption", "vqa_open", "vqa_closed", "report", "ocr")  # tasks that always show one
REINFORCE = "reinforce"
# Model FLOPs a weight and token (Kaplan et al. 2020, section 2.1): 2 forward, 2 for the gradient that passes through,
# 2 for the weight's own gradient.
FORWARD, THROUGH, OWN = 2, 2, 2


@dataclass(frozen=True, slots=True)
class StageCost:
    """What one training stage costs; `text_tokens` and `picture_tokens` are of one pass over the mixture."""

    stage: str
    rows: int
    text_tokens: int
    picture_tokens: int
    steps: int
    epochs: float
    flops: float
    hours: float

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return self.text_tokens + self.picture_tokens


def picture_tokens(recipe: Recipe, size: Size, assumed: Assumptions) -> int:
    """Return the tokens of a picture of the assumed size, within the recipe's limits."""
    limits = recipe.modeling.image
    pixels = min(max(assumed.picture_pixels, limits.min_pixels), limits.max_pixels)
    return max(1, round(pixels / (size.patch * size.merge) ** 2))


def stage_cost(
    plan: StagePlan, recipe: Recipe, size: Size, assumed: Assumptions, records: dict[str, SourceRecord]
) -> StageCost:
    """Return the cost of one stage; sources that have no record are synthetic."""
    text = sum(line.rows * fmean(assumed.tokens[task] for task in line.params.tasks) for line in plan.lines)
    shown = sum(line.rows * pictured_share(line, records) for line in plan.lines)
    pictures = shown * picture_tokens(recipe, size, assumed)
    if plan.stage == REINFORCE:
        return _reinforcement(plan, recipe, size, assumed, (text / plan.rows, pictures / plan.rows))
    params = recipe.training.stage(plan.stage)
    epochs = params.epochs
    rows = (text + pictures) / (params.max_length * assumed.fill) if params.packing else plan.rows
    trained = set(params.trainable)
    passes: dict[Part, int] = {part: FORWARD + THROUGH + (OWN if part in trained else 0) for part in PARTS}
    # Nothing below a frozen tower wants a gradient.
    passes["vision"] = passes["vision"] if "vision" in trained else FORWARD
    passes["projector"] = passes["projector"] if trained & {"vision", "projector"} else FORWARD
    flops = epochs * _flops(size, text + pictures, pictures, passes)
    return StageCost(
        stage=plan.stage, rows=plan.rows, text_tokens=round(text), picture_tokens=round(pictures),
        steps=math.ceil(math.ceil(rows) * epochs / params.batch), epochs=epochs, flops=flops,
        hours=_hours(flops, assumed, assumed.gpu.utilisation),
    )  # fmt: skip


def pictured_share(line: Line, records: dict[str, SourceRecord]) -> float:
    """Return the share of a line's rows that show a picture, taken to be one each."""
    seen = [source.startswith(SYNTHETIC_PREFIX) or kind_of(source, records) != NO_PICTURE for source in line.sources]
    return fmean(1.0 if task in PICTURED else fmean(seen) for task in line.params.tasks)


def _reinforcement(
    plan: StagePlan, recipe: Recipe, size: Size, assumed: Assumptions, prompt: tuple[float, float]
) -> StageCost:
    params = recipe.reinforcement
    responses = params.steps * params.prompts_per_step * params.generations
    text, pictures = prompt
    answered = min(assumed.response_tokens, params.max_completion_length)
    tokens = responses * (text + pictures + answered)
    sampled = _flops(size, tokens, responses * pictures, dict.fromkeys(PARTS, FORWARD))
    passes = (
        FORWARD + THROUGH + OWN + FORWARD * (1 if params.kl == 0 else 2)
    )  # the old policy's and the reference's too
    trained = _flops(size, tokens, responses * pictures, dict.fromkeys(PARTS, passes))
    hours = _hours(sampled, assumed, assumed.gpu.generation_utilisation) + _hours(
        trained, assumed, assumed.gpu.utilisation
    )
    return StageCost(
        stage=plan.stage, rows=plan.rows, text_tokens=round(text * plan.rows),
        picture_tokens=round(pictures * plan.rows), steps=params.steps,
        epochs=params.steps * params.prompts_per_step / plan.rows, flops=sampled + trained, hours=hours,
    )  # fmt: skip


def _flops(size: Size, tokens: float, picture_tokens: float, passes: dict[Part, int]) -> float:
    patches = picture_tokens * size.merge**2
    return (
        passes["llm"] * size.llm * tokens
        + passes["vision"] * size.vision * patches
        + passes["projector"] * size.projector * picture_tokens
    )


def _hours(flops: float, assumed: Assumptions, utilisation: float) -> float:
    return flops / (assumed.gpu.teraflops * 1e12 * utilisation) / 3600


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of what a run leaves, before DVC's cache (which links where the file system can)."""

    data: int
    checkpoints: int
    scratch: int


def disk(plans: list[StagePlan], size: Size, assumed: Assumptions, records: dict[str, SourceRecord]) -> Disk:
    """Return what samples, pictures, checkpoints and the largest training state take.

    Every sample that a line may draw from counts once, and its picture once; of lines without a known number what they
    give counts.
    """
    samples: dict[tuple[str, ...], int] = {}
    pictures: dict[tuple[str, ...], float] = {}
    for line in (line for plan in plans for line in plan.lines):
        number = line.available if line.available is not None else line.rows
        samples[line.sources] = max(samples.get(line.sources, 0), number)
        shown = number * pictured_share(line, records)
        pictures[line.sources] = max(pictures.get(line.sources, 0), shown)
    data = sum(samples.values()) * assumed.bytes.sample + sum(pictures.values()) * assumed.bytes.picture
    checkpoints = (len(plans) + 1) * size.weights * assumed.bytes.weight
    return Disk(round(data), checkpoints, size.weights * assumed.bytes.training_state)


def synthetic_rows(plans: list[StagePlan], recipe: Recipe) -> dict[RecipeName, int]:
    """Return the most rows that any stage takes of each synthesis recipe; shared groups count in equal parts."""
    most: dict[RecipeName, int] = {}
    for name in recipe.synthesis.enabled:
        source = SYNTHETIC_PREFIX + name
        of_stages = (
            sum(line.rows // len(line.sources) for line in plan.lines if source in line.sources) for plan in plans
        )
        if rows := max(of_stages, default=0):
            most[name] = rows
    return most
