"""Report metrics that need models beside the published code: equality by fuzzing of what can be had without weights.

Run: `python perf/report_models.py FOLDER [CASES]` (20,000 cases). FOLDER holds the packages, each with its own name:
radgraph (0.1.18), CXRMetric (of CXR-Report-Metric), RaTEScore (0.6.0) and green_score (of Stanford-AIMI/GREEN); what is
not there is not compared. Prints one JSON object; exits with an error, and the case, at the first difference.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch

from lingshu.evalkit.reports.green import Reading, green_prompt, read_green
from lingshu.evalkit.reports.radgraph import Annotation, Graphs, RadGraphF1, radgraph_f1
from lingshu.evalkit.reports.ratescore import AFFINITY, TYPES, Entities, entity_spans, rate_score

CASES = 20_000
TOLERANCE = 1e-9
UNUSED = ("medspacy", "sentence_transformers", "fast_bleu", "bert_score")  # imported there, not called here
WORDS = ("heart", "Heart", "effusion", "small", "Small", "lung", "left", "clear")
LABELS = ("Anatomy::definitely present", "Observation::definitely present", "Observation::definitely absent")
RELATIONS = ("modify", "located_at", "suggestive_of")
WIDTH = 6
REPLY_PIECES = (
    *("[Explanation]:\n", "[Clinically Significant Errors]:\n", "[Clinically Insignificant Errors]:\n"),
    *("[Matched Findings]:\n", "\n\n", "\n", "No errors.", "None.", "(a) ", "(b) False report: ", "(c) Wrong place: "),
    *(
        "(f) Left out: ",
        "(1) ",
        "(6) Odd: ",
        "2. ",
        "0.",
        "13. a; b; c",
        "3. a",
        "1",
        ": 4.",
        ": 2. x; y",
        " .",
        "text ",
    ),
)


def graph(draw: random.Random) -> dict[str, Any]:
    """Return an invented annotation."""
    size = draw.randint(0, 5)
    numbers = [str(number) for number in range(1, size + 1)]
    entities = {
        number: {
            "tokens": draw.choice(WORDS),
            "label": draw.choice(LABELS),
            "relations": [[draw.choice(RELATIONS), draw.choice(numbers)] for _ in range(draw.choice((0, 0, 1, 2)))],
        }
        for number in numbers
    }
    return {"text": "x", "entities": entities}


def pairs(cases: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return invented reference and candidate annotations."""
    draw = random.Random(3)
    return [(graph(draw), graph(draw)) for _ in range(cases)]


def ours(cases: list[tuple[dict[str, Any], dict[str, Any]]]) -> RadGraphF1:
    """Return our scores of the pairs."""
    sides = [[Annotation.model_validate(pair[side]) for pair in cases] for side in (0, 1)]
    return radgraph_f1(Graphs([*sides[0]], [*sides[1]], {}))


def radgraph(folder: Path, cases: int) -> float:
    """Compare simple, partial and complete with `compute_reward`; return the largest difference."""
    spec = spec_from_file_location("rewards", folder / "radgraph" / "rewards.py")  # without what the package imports
    if spec is None or spec.loader is None:
        sys.exit(f"{folder}: no radgraph/rewards.py")
    rewards = module_from_spec(spec)
    spec.loader.exec_module(rewards)
    invented = pairs(cases)
    mine = ours(invented)
    return max(
        same(pair, [float(part[row]) for part in mine[:3]], rewards.compute_reward(pair[1], pair[0], "all"))
        for row, pair in enumerate(invented)
    )


def cxr(_: Path, cases: int) -> float:
    """Compare entity and relation F1 with `compute_f1` over `parse_entity_relation`; return the largest difference."""
    upstream = importlib.import_module("CXRMetric.radgraph_evaluate_model")
    invented = pairs(cases)
    mine = ours(invented)
    found = []
    for side in (0, 1):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({str(row): pair[side] for row, pair in enumerate(invented)}, file)
            file.flush()
            found.append(upstream.parse_entity_relation(file.name))
    worst = 0.0
    for row, pair in enumerate(invented):
        expected = [upstream.compute_f1(found[0][kind][str(row)], found[1][kind][str(row)]) for kind in (0, 1)]
        expected.append((expected[0] + expected[1]) / 2)
        worst = max(worst, same(pair, [float(part[row]) for part in mine[3:]], expected))
    return worst


class Words:
    """Stands for a tokenizer where only words have to be joined."""

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Return the tokens with blanks between."""
        return " ".join(tokens)


def ratescore(_: Path, cases: int) -> float:
    """Compare spans with `post_process` and scores with `compute`; return the largest difference."""
    utils = importlib.import_module("RaTEScore.utils")
    scorer = importlib.import_module("RaTEScore.scorer")
    draw = random.Random(5)
    torch.manual_seed(5)
    tags = ("O", "O", *(f"{mark}-{kind}" for mark in "BII" for kind in TYPES))
    names = torch.randn(12, WIDTH)
    worst = 0.0
    for _case in range(cases):
        tokens = ["[CLS]", *(f"t{n}" for n in range(draw.randint(0, 9))), "[SEP]"]
        labels = draw.choices(tags, k=len(tokens))
        spans = [(" ".join(tokens[first : last + 1]), kind) for first, last, kind in entity_spans(tokens, labels)]
        if spans != utils.post_process(tokens, labels, Words()):
            sys.exit(f"post_process differs: {labels}")
        sides = [[(draw.randrange(12), draw.choice(TYPES)) for _ in range(draw.randint(1, 6))] for _ in range(2)]
        left, right = (Entities(tuple(k for _, k in side), names[[n for n, _ in side]]) for side in sides)
        for matrix, published in (("long", scorer.DEFAULT_MATRIX_LONG), ("short", scorer.DEFAULT_MATRIX_SHORT)):
            weights = {tuple(key.upper().split("_")): value for key, value in published.items()}
            first = utils.compute(left.vectors, right.vectors, left.types, right.types, weights)
            second = utils.compute(right.vectors, left.vectors, right.types, left.types, weights)
            expected = 2 * first * second / (first + second) if first + second else 0
            worst = max(worst, same(sides, [rate_score(left, right, AFFINITY[matrix])], [expected]))
    return worst


def green(_: Path, cases: int) -> float:
    """Compare prompts with `make_prompt`, and counts and scores of replies with those of the class GREEN."""
    upstream = importlib.import_module("green_score.green")
    scorer = upstream.GREEN(None, cpu=True)
    draw = random.Random(9)
    worst = 0.0
    for _case in range(cases):
        texts = [" ".join(draw.choices(WORDS, k=draw.choice((3, 40, 400)))) + draw.choice(("", "\n {x}")) for _ in "12"]
        if green_prompt(*texts) != upstream.make_prompt(*texts):
            sys.exit(f"make_prompt differs: {texts}")
        reply = "".join(draw.choices(REPLY_PIECES, k=draw.randint(1, 30)))
        cleaned = upstream.clean_responses(reply)
        found = read_green(reply)
        if any(scorer.parse_error_counts(cleaned, name, True)[0] is None for name in scorer.categories[::2]):
            if found is not None:
                sys.exit(f"a reply that lacks a section is read: {reply!r}")
            continue
        counts = scorer.compute_error_count(cleaned)
        if found != Reading(counts[-1], tuple(counts[:-1])):
            sys.exit(f"parse_error_counts differs: {reply!r}: {counts}")
        worst = max(worst, same(reply, [found.score()], [scorer.compute_green(cleaned)]))
    return worst


def same(case: Any, mine: list[float], expected: Any) -> float:
    """Return the largest difference.

    Raises:
        SystemExit: it is above the tolerance.
    """
    worst = max(abs(a - float(b)) for a, b in zip(mine, expected, strict=True))
    if worst > TOLERANCE:
        sys.exit(f"differs by {worst}: {case}: {mine}, upstream {expected}")
    return worst


COMPARED: dict[str, Callable[[Path, int], float]] = {
    "radgraph": radgraph,
    "CXRMetric": cxr,
    "RaTEScore": ratescore,
    "green_score": green,
}


def main(folder: Path, cases: int) -> None:
    """Compare and print."""
    sys.path.insert(0, str(folder))
    sys.modules.update({name: MagicMock() for name in UNUSED})
    found: dict[str, Any] = {"cases": cases}
    for name, compare in COMPARED.items():
        if not (folder / name).is_dir():
            found[name] = "not there"
            continue
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found[name] = {"largest_difference": compare(folder, cases)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else CASES)
