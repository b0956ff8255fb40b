"""The metrics of `normalize`: files in and refused, pictures by kind and split, and which kinds can't be held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lingshu.core.images import Picture
from lingshu.core.sample import Sample
from lingshu.core.verdicts import Verdict

UNTAGGED = "untagged"
SPLITS = ("train", "test")


def summarise(
    pictures: Sequence[Picture], samples: Iterable[Sample], verdicts: Sequence[Verdict], left_out: Counter[str]
) -> dict[str, Any]:
    """Return the metrics of one source; sections that would be empty are left out.

    `unit` says what a held-out group of a kind is: a patient, a study, a volume, a region of one scan, or a file.
    """
    ids = {p.origin_id: p.image_id for p in pictures}
    kinds = sorted({_kind(p) for p in pictures})
    by_kind = {kind: [p for p in pictures if _kind(p) == kind] for kind in kinds}
    metrics: dict[str, Any] = {
        "files": {
            "in": len(verdicts),
            "decoded": sum(v.keep for v in verdicts),
            "refused": dict(sorted(Counter(v.reason for v in verdicts if not v.keep).items())),
        },
        "distinct_pictures": len(set(ids.values())),
        "pictures": {kind: _counts(found, ids) for kind, found in by_kind.items()},
        "planes": {
            plane: _counts([p for p in pictures if p.facts.get("plane") == plane], ids)
            for plane in sorted({str(p.facts["plane"]) for p in pictures if "plane" in p.facts})
        },
        "training_only": [k for k in kinds if k != UNTAGGED and not any(p.split == "test" for p in by_kind[k])],
        "left_out": dict(sorted(left_out.items())),
        "samples": {s: dict(sorted(c.items())) for s, c in _topics(samples).items()},
    }
    return {key: value for key, value in metrics.items() if value}


def _kind(picture: Picture) -> str:
    return str(picture.facts.get("modality", UNTAGGED))


def _counts(pictures: list[Picture], ids: dict[str, str]) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for split in SPLITS:
        found = [p for p in pictures if p.split == split]
        counts[split] = {
            "pictures": len(found),
            "distinct": len({ids[p.origin_id] for p in found}),
            "groups": len({p.group_id for p in found}),
        }
    counts["unit"] = ", ".join(sorted({p.group_id.split("/")[1] for p in pictures}))
    return counts


def _topics(samples: Iterable[Sample]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for sample in samples:
        found[sample.split][sample.topic] += 1
    return {split: counter for split, counter in found.items() if counter}
