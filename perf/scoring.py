"""Text metrics beside their upstreams: equality first, then the ratio of CPU seconds in one process.

Run: `python perf/scoring.py [PAIRS]`. Prints one JSON object; exits with an error if a value differs by over 1e-9.
Importing and compiling (numba) are outside the timed part.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from rouge_score.rouge_scorer import RougeScorer

from lingshu.evalkit.report_metrics import bleu, cider_d, rouge_l

PAIRS = 2000
VOCABULARY = 2000
WORDS = (30, 90)  # of a report, from and to
LONG_PAIRS = 4
LONG_WORDS = (1000, 3000)
KEPT = 0.7  # share of the reference's words that a candidate repeats in place
TOLERANCE = 1e-9
ROUNDS = 3  # by turns; the least CPU seconds of each side count


def corpus(pairs: int, length: tuple[int, int] = WORDS) -> tuple[list[str], list[str]]:
    """Return references and candidates: words by rank with Zipf's frequencies, candidates with words replaced."""
    draw = random.Random(7)
    words = [f"w{rank}" for rank in range(VOCABULARY)]
    weights = [1 / (rank + 1) for rank in range(VOCABULARY)]
    references, candidates = [], []
    for _ in range(pairs):
        reference = draw.choices(words, weights, k=draw.randint(*length))
        other = draw.choices(words, weights, k=len(reference))
        candidates.append(" ".join(r if draw.random() < KEPT else o for r, o in zip(reference, other, strict=True)))
        references.append(" ".join(reference))
    return references, candidates


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of `work` and its CPU seconds, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.process_time()
        value = work()
        return value, time.process_time() - start


def compare(name: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> dict[str, float]:
    """Return the least CPU seconds of some rounds by turns, and their ratio; both sides ran once before.

    Raises:
        SystemExit: the values differ.
    """
    (mine, _), (expected, _) = timed(ours), timed(theirs)
    difference = float(np.max(np.abs(np.asarray(mine) - np.asarray(expected))))
    if difference > TOLERANCE:
        sys.exit(f"{name}: differs from upstream by {difference}")
    rounds = [(timed(ours)[1], timed(theirs)[1]) for _ in range(ROUNDS)]
    seconds, upstream_seconds = (min(each[side] for each in rounds) for side in (0, 1))
    return {
        "cpu_seconds": round(seconds, 4),
        "upstream_cpu_seconds": round(upstream_seconds, 4),
        "ratio": round(upstream_seconds / seconds, 1),
        "largest_difference": difference,
    }


def compare_rouge_l(name: str, references: list[str], candidates: list[str]) -> dict[str, float]:
    """Return what `compare` returns, of whole texts: both sides cut them into words."""
    scorer = RougeScorer(["rougeL"])
    return compare(
        name,
        lambda: rouge_l(references, candidates),
        lambda: [scorer.score(r, c)["rougeL"].fmeasure for r, c in zip(references, candidates, strict=True)],
    )


def main(pairs: int) -> None:
    """Compare and print."""
    references, candidates = corpus(pairs)
    gold, given = {i: [r] for i, r in enumerate(references)}, {i: [c] for i, c in enumerate(candidates)}

    def tokens(texts: list[str]) -> list[list[str]]:
        return [text.split() for text in texts]

    results = {
        "rouge_l": compare_rouge_l("rouge_l", references, candidates),
        "rouge_l_long": compare_rouge_l("rouge_l_long", *corpus(LONG_PAIRS, LONG_WORDS)),
        "bleu": compare(
            "bleu",
            lambda: bleu([[r] for r in tokens(references)], tokens(candidates)),
            lambda: Bleu(4).compute_score(gold, given)[0],
        ),
        "cider_d": compare(
            "cider_d",
            lambda: cider_d([[r] for r in tokens(references)], tokens(candidates)),
            lambda: Cider().compute_score(gold, given)[1],
        ),
    }
    print(json.dumps({"pairs": pairs, "long_pairs": LONG_PAIRS, **results}, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
