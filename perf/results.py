"""Draw docs/results.png from metrics/evalkit/score.json: `python perf/results.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

SCORES = Path("metrics/evalkit/score.json")
PICTURE = Path("docs/results.png")
CHECKPOINTS = {"untrained": "#aebfc4", "instruct": "#3d85a8", "reinforce": "#de8452"}
TOPICS = {
    "presence\n(generated)": ("phantom_vqa", "presence"),
    "side\n(generated)": ("phantom_vqa", "side"),
    "count\n(generated)": ("phantom_vqa", "count"),
    "heart\n(generated)": ("phantom_vqa", "heart"),
    "count hard\n(generated)": ("phantom_count_hard", "count_hard"),
    "modality\n(real)": ("imaging_vqa", "modality"),
    "plane\n(real)": ("imaging_vqa", "plane"),
    "icd chapter\n(real)": ("terminology_qa", "icd_chapter"),
}
WIDTH = 0.26


def main() -> None:
    """Write the picture: a bar for each checkpoint with its 95 % interval, and a line at chance."""
    scores: dict[str, Any] = json.loads(SCORES.read_text(encoding="utf-8"))
    figure, axes = plt.subplots(figsize=(10, 4))
    for number, (checkpoint, colour) in enumerate(CHECKPOINTS.items()):
        found = [scores[checkpoint][benchmark][topic] for benchmark, topic in TOPICS.values()]
        places = [place + (number - 1) * (WIDTH + 0.01) for place in range(len(found))]
        axes.bar(places, [score["accuracy"] for score in found], WIDTH, color=colour, label=checkpoint)
        for place, score in zip(places, found, strict=True):
            axes.plot([place, place], [score["low"], score["high"]], color="#333333", linewidth=1.2)
    for place, (benchmark, topic) in enumerate(TOPICS.values()):
        chance = scores["instruct"][benchmark][topic]["chance"]
        axes.plot([place - 0.42, place + 0.42], [chance] * 2, color="#c0272d", label="chance" if place == 0 else None)
    axes.set_xticks(range(len(TOPICS)), TOPICS, fontsize=8.5)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("held-out accuracy")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="upper center", ncols=len(CHECKPOINTS) + 1, fontsize=8.5)
    figure.savefig(PICTURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
