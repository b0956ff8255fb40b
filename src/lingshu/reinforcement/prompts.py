"""Prompts of the stage: mixture rows asked for a trace and an answer, and those set aside to measure the gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lingshu.core.corpus import MixtureItem
from lingshu.core.errors import UserError
from lingshu.core.ids import stable_hash
from lingshu.core.sample import Answer, Sample
from lingshu.modeling.template import ChatMessage, prompt_messages


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question as the model is asked it; `group_id` clusters prompts about the same patient or picture."""

    sample_id: str
    group_id: str
    messages: list[ChatMessage]
    image_ids: tuple[str, ...]
    question: str
    answer: Answer


def prompts_of(items: Sequence[MixtureItem]) -> list[Prompt]:
    """Return the mixture's rows as think prompts, in its order.

    Raises:
        UserError: a row has no answer that a rule can verify (names sample and mix group).
    """
    return [_prompt(item.sample, item.group) for item in items]


def set_aside(prompts: Sequence[Prompt], count: int, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """Return `(training, held out)`: `count` prompts chosen by stable hash, none of a group that stays in training.

    Raises:
        UserError: nothing would be left to train on.
    """
    ranked = sorted(prompts, key=lambda p: (stable_hash(seed, "probe", p.group_id), p.group_id, p.sample_id))
    held_out = ranked[:count]
    groups = {p.group_id for p in held_out}
    training = [p for p in prompts if p.group_id not in groups]
    if not training:
        raise UserError(
            f"params.yaml: reinforcement.probe.prompts: {count} leaves none of {len(prompts)} prompts to train on",
            "set fewer aside, or raise samples in mix.reinforce",
        )
    return training, held_out


def _prompt(sample: Sample, group: str) -> Prompt:
    if sample.answer is None or sample.answer.kind == "open":
        raise UserError(
            f"mix.reinforce.{group}: {sample.sample_id} has no answer that a rule can verify",
            "choose tasks with multiple-choice, yes/no or closed answers",
        )
    return Prompt(
        sample.sample_id,
        sample.group_id,
        prompt_messages(replace(sample, task="reasoning")),
        tuple(image.image_id for image in sample.images),
        sample.prompt_text(),
        sample.answer,
    )
