"""The `phantom` source: generated chest-film-like pictures whose findings are drawn first and so are known.

Each picture is its own group. The main set asks for captions, reports and questions; the harder counting set holds
more and smaller nodules and asks only how many there are (topic `count_hard`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lingshu.core.ids import stable_fraction, stable_hash
from lingshu.core.images import Picture, encode_png
from lingshu.core.sample import Sample
from lingshu.facts.asking import Question, count_question, questions
from lingshu.facts.vocabulary import EFFUSION_LEVELS, HEART, NONE, SIDES, check_facts
from lingshu.sources.phantom_draw import draw
from lingshu.sources.phantom_params import PhantomParams
from lingshu.sources.picture_rows import PictureRows

SOURCE = "phantom"
MAIN, HARD = "main", "hard"
SHOWN_SIDES = tuple(side for side in SIDES if side != NONE)
SHOWN_LEVELS = tuple(level for level in EFFUSION_LEVELS if level != NONE)


Number = tuple[str, int]  # the set and the place in it


def numbers(params: PhantomParams) -> list[Number]:
    """Return the main set's pictures, then those of the harder counting set."""
    counts = ((MAIN, params.num_pictures), (HARD, params.num_hard))
    return [(name, index) for name, count in counts for index in range(count)]


def draw_one(params: PhantomParams, licence: str, revision: str, number: Number) -> tuple[Picture, list[Sample]]:
    """Return a picture and its samples; equal params give equal bytes, whatever was drawn before."""
    picture = _picture(params, licence, *number)
    return picture, list(samples(picture, params, revision))


def samples(picture: Picture, params: PhantomParams, revision: str) -> Iterator[Sample]:
    """Yield the samples of one picture: at most one question of each topic in `params.topics`."""
    rows = PictureRows.of(picture, revision)
    if picture.origin_id.startswith(f"{HARD}/"):
        yield from rows.ask([count_question(picture.facts, picture.origin_id, "count_hard")])
        return
    yield rows.caption()
    yield rows.report()
    yield from rows.ask(_one_of_each_topic(picture, params))


def draw_facts(rng: np.random.Generator, max_nodules: int) -> dict[str, Any]:
    """Return a findings list: every finding is drawn alone, each value of it equally often (none, then left or right).

    Args:
        rng: where the values come from.
        max_nodules: counts are uniform from 0 to this; all nodules lie in one lung, so that their side is defined.
    """
    effusion = _side(rng)
    count = int(rng.integers(0, max_nodules + 1))
    return {
        "modality": "x-ray",
        "view": "frontal",
        "body_part": "chest",
        "heart": HEART[rng.integers(len(HEART))],
        "effusion_side": effusion,
        "effusion_level": NONE if effusion == NONE else SHOWN_LEVELS[rng.integers(len(SHOWN_LEVELS))],
        "nodule_count": count,
        "nodule_side": NONE if count == 0 else SHOWN_SIDES[rng.integers(len(SHOWN_SIDES))],
        "opacity": _side(rng),
        "generated": True,
    }


def _side(rng: np.random.Generator) -> str:
    """Return `none` half of the time, so that presence questions are balanced, else a side."""
    return NONE if rng.random() < 0.5 else SHOWN_SIDES[rng.integers(len(SHOWN_SIDES))]


def _picture(params: PhantomParams, licence: str, name: str, index: int) -> Picture:
    hard = name == HARD
    origin = f"{name}/{index:06d}"
    rng = np.random.default_rng(stable_hash(params.seed, SOURCE, origin))
    facts = draw_facts(rng, params.max_nodules_hard if hard else params.max_nodules)
    check_facts(facts, f"{SOURCE}: {origin}")
    held_out = stable_fraction(params.seed, "held-out", origin) < params.held_out_share
    return Picture(
        data=encode_png(draw(facts, rng, params.size_px, hard)),
        format="PNG",
        width=params.size_px,
        height=params.size_px,
        source=SOURCE,
        origin_id=origin,
        group_id=f"{SOURCE}/{origin}",
        split="test" if held_out else "train",
        licence=licence,
        facts=facts,
    )


def _one_of_each_topic(picture: Picture, params: PhantomParams) -> list[Question]:
    key = picture.origin_id
    nodules = _presence_is_of_nodules(picture, params)
    asked = [
        q
        for q in questions(picture.facts, key)
        if q.topic in params.topics and (q.topic != "presence" or ("nodule" in q.question) == nodules)
    ]
    ranked = sorted(asked, key=lambda q: stable_hash(params.seed, "ask", key, q.topic, q.kind, q.question))
    chosen: dict[str, Question] = {}
    for question in ranked:
        chosen.setdefault(question.topic, question)
    return [chosen[topic] for topic in params.topics if topic in chosen]


def _presence_is_of_nodules(picture: Picture, params: PhantomParams) -> bool:
    """Return whether presence is asked of nodules: so in a third of all pictures, half of which show some.

    Nodules are there in n of n + 1 pictures, so one without them is drawn n times as often. Effusion and opacity, there
    in half of the pictures, share the other two thirds.
    """
    share = (params.max_nodules + 1) / 6
    if picture.facts["nodule_count"] > 0:
        share /= params.max_nodules
    return stable_fraction(params.seed, "balance", picture.origin_id) < share
