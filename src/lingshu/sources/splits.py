"""Which groups are held out: whole groups only, each imaging kind by itself, and never the last group of anything.

A kind or a plane with one group is training-only. The largest group of a kind always trains.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lingshu.core.ids import stable_hash


@dataclass(slots=True)
class Group:
    """A group's size in distinct pictures, imaging kind ("" if unknown), planes, and whether it is never held out."""

    name: str
    kind: str
    size: int = 0
    planes: set[str] = field(default_factory=set)
    train_only: bool = False


def gather(pictures: Iterable[tuple[str, str, str, str, bool]]) -> list[Group]:
    """Return the groups of `(image_id, group, kind, plane, train_only)` rows by name.

    A group's kind is its most frequent one; one picture that is never held out keeps its whole group in training.
    """
    kinds: dict[str, Counter[str]] = {}
    images: dict[str, set[str]] = {}
    planes: dict[str, set[str]] = {}
    kept: set[str] = set()
    for image_id, group, kind, plane, train_only in pictures:
        kept.update([group] if train_only else [])
        kinds.setdefault(group, Counter())[kind] += 1
        images.setdefault(group, set()).add(image_id)
        planes.setdefault(group, set()).update([plane] if plane else [])
    return [
        Group(
            name, min(counted, key=lambda kind: (-counted[kind], kind)), len(images[name]), planes[name], name in kept
        )
        for name, counted in sorted(kinds.items())
    ]


def held_out(groups: Iterable[Group], share: float, seed: int) -> set[str]:
    """Return the names of the groups in the test split.

    Groups of a kind are taken in the order of a seeded hash while they stay within `share` of the kind's pictures and
    of its groups (both rounded up); if none does, the smallest is taken. Then, for each plane that several groups show
    but no held-out one does, the first group that shows it is added. No step empties the training side of a kind or of
    a plane. Pictures of unknown kind can't be scored and always train, as do groups that are `train_only`.
    """
    by_kind: dict[str, list[Group]] = {}
    for group in groups:
        if group.kind:
            by_kind.setdefault(group.kind, []).append(group)
    return {name for kind, members in sorted(by_kind.items()) for name in _of_kind(kind, members, share, seed)}


def _of_kind(kind: str, members: list[Group], share: float, seed: int) -> set[str]:
    by_hash = sorted(members, key=lambda g: stable_hash(seed, "held-out", kind, g.name))
    largest = max(by_hash, key=lambda g: g.size)
    ordered = [group for group in by_hash if not group.train_only]
    room, most = math.ceil(share * sum(g.size for g in members)), math.ceil(share * len(members))
    chosen: list[Group] = []
    for group in ordered:
        fits = group.size <= room and len(chosen) < most
        if fits and group is not largest and _may_go(group, chosen, members):
            chosen.append(group)
            room -= group.size
    for group in sorted(ordered, key=lambda g: g.size):
        if not chosen and group is not largest and _may_go(group, chosen, members):
            chosen.append(group)
    for plane in sorted({plane for g in members for plane in g.planes}):
        if any(plane in g.planes for g in chosen):
            continue
        for group in ordered:
            if plane in group.planes and group is not largest and _may_go(group, chosen, members):
                chosen.append(group)
                break
    return {group.name for group in chosen}


def _may_go(group: Group, chosen: list[Group], members: list[Group]) -> bool:
    """Return whether every plane of `group` would still be trained on without it."""
    left = [g for g in members if g is not group and g not in chosen]
    return bool(left) and all(any(plane in g.planes for g in left) for plane in group.planes)
