"""Draw docs/results.png and print the README's result tables from metrics/: `python perf/results.py`."""

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
ROWS = {
    "nodule, effusion or opacity present? (generated)": ("phantom_vqa", "presence"),
    "which side? (generated)": ("phantom_vqa", "side"),
    "how many nodules, 0–3 (generated)": ("phantom_vqa", "count"),
    "heart size (generated)": ("phantom_vqa", "heart"),
    "how many nodules, 0–5, with a trace (generated)": ("phantom_count_hard", "count_hard"),
    "modality (real)": ("imaging_vqa", "modality"),
    "modality, multiple choice (real)": ("imaging_vqa", "modality_choice"),
    "plane (real)": ("imaging_vqa", "plane"),
    "plane, multiple choice (real)": ("imaging_vqa", "plane_choice"),
    "body part (real)": ("imaging_vqa", "body_part"),
    "ICD-10-CM chapter of a code (real)": ("terminology_qa", "icd_chapter"),
    "HPO organ system of a term (real)": ("terminology_qa", "hpo_system"),
}
CAPTIONS = {"drawn chest films (generated)": "phantom_caption", "real pictures": "imaging_caption"}


def main() -> None:
    """Write the picture and print the tables."""
    scores: dict[str, Any] = json.loads(SCORES.read_text(encoding="utf-8"))
    draw(scores)
    print_accuracies(scores)
    print_captions(scores)
    print_reports(scores)


def print_accuracies(scores: dict[str, Any]) -> None:
    """Print held-out accuracies; ° where the interval of `instruct` does not lie above chance."""
    print("| held-out accuracy | n | groups | chance | untrained | instruct (95 % interval) | reinforce |")
    print("|---|---|---|---|---|---|---|")
    for title, (benchmark, topic) in ROWS.items():
        untrained, instruct, reinforce = (scores[checkpoint][benchmark][topic] for checkpoint in CHECKPOINTS)
        mark = "" if instruct["low"] > instruct["chance"] else " °"
        print(
            f"| {title} | {instruct['n']} | {instruct['clusters']} | {instruct['chance']:.2f} "
            f"| {untrained['accuracy']:.2f} | {_with_interval(instruct)}{mark} | {reinforce['accuracy']:.2f} |"
        )


def print_captions(scores: dict[str, Any]) -> None:
    """Print how many of the facts of a picture its caption states rightly."""
    print("\n| captions: facts stated rightly, mean of attributes | most frequent value | untrained | shallow | deep |")
    print("|---|---|---|---|---|")
    for title, benchmark in CAPTIONS.items():
        untrained, shallow, deep = (scores[name][benchmark]["all"] for name in ("untrained", "shallow", "deep"))
        print(
            f"| {title} | {deep['chance']:.2f} | {untrained['accuracy']:.2f} | {_with_interval(shallow)} "
            f"| {_with_interval(deep)} |"
        )


def print_reports(scores: dict[str, Any]) -> None:
    """Print the text metrics of reports."""
    print("\n| reports of drawn chest films | untrained | instruct | reinforce |\n|---|---|---|---|")
    for metric in ("rouge_l", "cider_d", "bleu_4"):
        found = [scores[checkpoint]["phantom_report"]["all"][metric] for checkpoint in CHECKPOINTS]
        print(f"| {metric} | {' | '.join(f'{value:.3f}' for value in found)} |")


def _with_interval(cell: dict[str, float]) -> str:
    return f"{cell['accuracy']:.2f} ({cell['low']:.2f}–{cell['high']:.2f})"


def draw(scores: dict[str, Any]) -> None:
    """Write the picture: a bar for each checkpoint with its 95 % interval, and a line at chance."""
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
