"""New questions about known facts, worded otherwise than the base questions: naming, confirming, ruling out.

The counterpart of self-instruct (paper, section 2.2.3) for a teacher that is no model: from a topic and the facts to a
question, its answer, and for some naming questions wrong answers, which make it multiple choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lingshu.core.ids import stable_hash
from lingshu.facts.asking import YES_NO
from lingshu.facts.vocabulary import FACTS, NONE
from lingshu.synthesis.alternatives import alternatives
from lingshu.synthesis.replies import WrittenQuestion

Facts = Mapping[str, Any]
NOUNS: dict[str, str] = {
    "modality": "imaging modality",
    "plane": "imaging plane",
    "view": "view",
    "sequence": "MRI sequence",
    "body_part": "body part",
    "stain": "stain",
    "structure": "visible structure",
    "heart": "heart size",
    "effusion_level": "size of the effusion",
}
FINDING_OF: dict[str, str] = {"nodule_side": "nodule", "effusion_side": "effusion", "opacity": "opacity"}
PLURALS: dict[str, str] = {"nodule": "nodules", "effusion": "effusions", "opacity": "opacities"}
MAX_WRONG = 3


def topics(facts: Facts) -> list[str]:
    """Return the topics on which `write` has a question, in a fixed order."""
    named = [key for key in NOUNS if facts.get(key, NONE) != NONE]
    found = [key for key in FINDING_OF if key in facts]
    sided = any(facts[key] != NONE for key in found)
    return [
        *named,
        *(flag for flag in ("contrast", "doppler") if flag in facts),
        *(["presence"] if found else []),
        *(["side"] if sided else []),
        *(["count"] if "nodule_count" in facts else []),
    ]


def write(topic: str, facts: Facts, key: str) -> WrittenQuestion:
    """Return a question on one of `topics(facts)`; `key` (any text) decides its form, and whether "yes" is right."""
    coin = stable_hash("form", topic, key)
    if topic in NOUNS:
        return _named(topic, facts[topic], coin)
    if topic in ("contrast", "doppler"):
        asked = {"contrast": "Was this made with contrast agent?", "doppler": "Is there Doppler colour?"}[topic]
        return WrittenQuestion(question=asked, answer=YES_NO[facts[topic]])
    if topic == "count":
        return _count(facts["nodule_count"], coin)
    present = [k for k in FINDING_OF if k in facts and (topic == "presence" or facts[k] != NONE)]
    chosen = present[coin // 2 % len(present)]
    return _presence(chosen, facts, coin) if topic == "presence" else _side(chosen, facts, coin)


def _named(key: str, value: str, coin: int) -> WrittenQuestion:
    noun, others = NOUNS[key], alternatives(key, value, FACTS[key].values)
    if others and coin % 2:
        shown = value if coin // 2 % 2 else others[coin // 4 % len(others)]
        asked = f"Does this show the {shown}?" if key == "body_part" else f"Is the {noun} {shown}?"
        return WrittenQuestion(question=asked, answer=YES_NO[shown == value])
    wrong = sorted(others, key=lambda v: stable_hash("wrong", str(coin), v))[:MAX_WRONG] if coin // 2 % 2 else []
    return WrittenQuestion(question=f"Name the {noun}.", answer=value, wrong_answers=wrong)


def _count(count: int, coin: int) -> WrittenQuestion:
    if coin % 2 == 0:
        return WrittenQuestion(question="Count the nodules.", answer=str(count))
    shown = count if coin // 2 % 2 else (count - 1 if count else 1)
    return WrittenQuestion(question=f"Is the number of nodules {shown}?", answer=YES_NO[shown == count])


def _presence(key: str, facts: Facts, coin: int) -> WrittenQuestion:
    finding, there = FINDING_OF[key], facts[key] != NONE
    if coin % 2:
        return WrittenQuestion(question=f"Is the chest free of {PLURALS[finding]}?", answer=YES_NO[not there])
    article = "a" if finding == "nodule" else "an"
    return WrittenQuestion(question=f"Can {article} {finding} be seen?", answer=YES_NO[there])


def _side(key: str, facts: Facts, coin: int) -> WrittenQuestion:
    finding, side = FINDING_OF[key], facts[key]
    if coin % 2 == 0:
        return WrittenQuestion(question=f"Name the side of the {finding}.", answer=side)
    shown = ("left", "right")[coin // 8 % 2]
    return WrittenQuestion(question=f"Is the side of the {finding} {shown}?", answer=YES_NO[shown == side])
