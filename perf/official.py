"""Our scoring beside MedEvalKit's own functions: equality by fuzzing first, then CPU seconds of both.

Run: `python perf/official.py MEDEVALKIT_CHECKOUT [CASES [RESPONSES]]` (50,000 cases, 150,000 responses). MedEvalKit's
functions need the packages rouge 1.0.1, mathruler 0.1.0 and nltk, which are not ours; give PYTHONPATH the folder that
holds them. Prints one JSON object; exits with an error, and the pair, at the first difference.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import random
import sys
import time
import types
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from lingshu.evalkit.items import Item
from lingshu.evalkit.official import answers, extraction, mmmu, overlap
from lingshu.evalkit.official.scorers import bare_texts as mmmu_texts
from lingshu.evalkit.official.scorers import score_official
from lingshu.evalkit.rules import score_strict

CASES, RESPONSES = 50_000, 150_000
SLICE = 500  # responses
# Shares of the catalogued items: OmniMedVQA, PMC-VQA and the text suites are multiple choice; the rest is VQA.
SHARES = {"mcq": 0.945, "yesno": 0.025, "closed": 0.005, "open": 0.025}
FORMS = (
    "{x}",
    "{x}.",
    "The answer is {x}.",
    "**{x}**",
    "\\boxed{{{x}}}",
    "<think>{f}</think>\n{x}",
    "{f}\n\n{x}",
    "{f}",
)
FILLER = (
    *("the", "scan", "shows", "a", "mass", "in", "upper", "lobe", "with", "smooth", "margins", "and", "no", "effusion"),
    *("left", "heart", "size", "is", "within", "limits", "."),
)
UNUSED = ("google", "google.genai", "openai", "sympy", "sympy.parsing", "pylatexenc", "tenacity")

CHOICES = (
    ("A. Beta blocker therapy", "B. Aspirin", "C. Cardiac catheterisation", "D. Discharge home", "E. None of these"),
    ("A. MRI", "B. CT", "C. X-ray", "D. Ultrasound"),
    ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭"),
    ("肺炎", "肺栓塞", "气胸", "心力衰竭"),
    ("A. Heart", "B. None", "C. Lung", "D. Bone"),
    ("Yes", "No", "Maybe"),
    ("A: one", "B: two", "C: three", "D: four", "E: five", "F: six", "G: seven", "H: eight", "I: nine", "J: ten"),
    ("A.", "B.", ""),
)
GOLDS = (*"ABCDEFabc", "AB", "ABD", "Aspirin", "B. Aspirin", "None", "肺炎", "Lung", " C ", "")
CLOSED_GOLDS = ("yes", "no", "Yes", "No", "CT", "1.5T", "left lung", "肺", "", "a lesion. of the lung", "5", "1,000.25")
PIECES = (
    *("A", "b", "C", "d", "E", "(A)", "(b)", "[C]", "**D**", "*a*", "`B`", "Ｂ", "（C）", "F", "option B", "A or B"),
    *("yes", "no", "Yes,", "No.", "there is no nodule", "normal", "cannot", "unknown", "eyes", "not A but B"),
    *(
        "the answer is ",
        "Answer: ",
        "**Answer**: ",
        "**Answer**",
        "*Answer*:",
        "**Answer:** ",
        "答案: ",
        "答案：",
        "答案是",
    ),
    *("final answer ", "Final answer is: ", "so ", "is ", "therefore ", "could be ", "result ", "= ", "thus "),
    *("\\boxed{", "\\boxed{B}", "\\boxed{\\text{C}}", "$\\boxed{a}$", "boxed", "{", "}", "{}"),
    *("<answer>", "</answer>", "<answer>B</answer>", "<ANSWER>c</ANSWER>", "<think>", "</think>", "<think>A</think>"),
    *("\n", "\n\n", " ", "  ", ".", ". ", ":", ": ", ",", ";", "!", "?", "'", "\t", "-", "Dr. ", "2.5", "1,000.25"),
    *("5", "-3", "1e5", "3.14159", "10,000", "None", "none", "I cannot help with that.", "MRI", "x-ray", "lung"),
    *("Aspirin", "beta blocker therapy", "cardiac", "a lesion of the lung", "left lung base", "肺炎", "气胸", "不是"),
    *("aspirin is given to all patients with chest pain", "İ", "ß", "Ａ", "nan", "inf", "heart heart heart"),
)
BENCHMARKS = (
    *(("MedQA_USMLE", "mcq"), ("OmniMedVQA", "mcq"), ("PMC_VQA", "mcq"), ("MedFrameQA", "mcq"), ("MMMU", "mmmu")),
    *(("VQA_RAD", "yesno"), ("VQA_RAD", "open"), ("PATH_VQA", "yesno"), ("PATH_VQA", "open")),
    *(("SLAKE", "closed"), ("SLAKE", "yesno"), ("SLAKE", "open")),
)
YES_NO, WORDS = ("yes", "no", "Yes", "No"), ("CT", "1.5T", "left lung", "肺", "a lesion. of the lung", "5", " Lung ")
Outcome = tuple[str, Any]


def upstream(checkout: Path) -> tuple[Any, Any]:
    """Return MedEvalKit's `utils.utils` and MMMU `eval_utils`, with what scoring does not use stubbed."""
    os.environ.setdefault("api_key", "unused")
    for name in UNUSED:
        sys.modules.setdefault(name, MagicMock())
    packages = {f"utils.{name}": checkout / "utils" / name for name, _ in BENCHMARKS}
    for package, folder in {"utils": checkout / "utils", **packages}.items():
        module = types.ModuleType(package)  # without running __init__, which imports every benchmark
        module.__path__ = [str(folder)]
        sys.modules[package] = module
    return importlib.import_module("utils.utils"), importlib.import_module("utils.MMMU.eval_utils")


def outcome(work: Callable[[], Any], errors: tuple[type[Exception], ...]) -> Outcome:
    """Return what `work` gives, or that it raised."""
    try:
        return "value", work()
    except errors:
        return "error", None


def response(draw: random.Random) -> str:
    """Return a response from random pieces, some of them a whole option or free words."""
    pieces = draw.choices(PIECES, k=draw.choice((0, 1, 1, 1, 2, 2, 3, 4, 6, 9, 14)))
    if draw.random() < 0.1:
        pieces.insert(draw.randrange(len(pieces) + 1), draw.choice(draw.choice(CHOICES)))
    return draw.choice(("", "", " ")).join(pieces)


def checks(kit: Any, kit_mmmu: Any, draw: random.Random, text: str) -> list[tuple[str, tuple[Any, ...], bool]]:
    """Return (function, arguments, equal) for every scoring function on one response."""
    choices, gold, word = draw.choice(CHOICES), draw.choice(GOLDS), draw.choice(CLOSED_GOLDS)
    seed = draw.getrandbits(32)
    letters = [chr(ord("A") + i) for i in range(len(choices))]
    random.seed(seed)
    their_letter = kit_mmmu.parse_multi_choice_response(text, letters, dict(zip(letters, choices, strict=True)))
    our_letter = mmmu._letter(text, letters, choices, random.Random(seed).choice)[0]
    golds = [word, gold] if draw.random() < 0.2 else word
    pairs: list[tuple[str, tuple[Any, ...], Any, Any]] = [
        ("extract", (text,), kit.extract(text, "answer"), extraction.tagged(text)),
        ("extract_boxed_content", (text,), kit.extract_boxed_content(text), extraction.boxed(text)),
        ("parse_response", (text,), kit.parse_response(text), extraction.parsed(text)),
        (
            "judge_multi_choice",
            (choices, gold, text),
            kit.judge_multi_choice(list(choices), gold, text),
            answers.multi_choice(choices, gold, text).correct,
        ),
        ("judge_judgement", (word, text), kit.judge_judgement(word, text), answers.yes_no(word, text).correct),
        ("judge_close_end_vqa", (word, text), kit.judge_close_end_vqa(word, text), answers.closed(word, text).correct),
        (
            "judge_open_end_vqa",
            (word, text),
            outcome(lambda: kit.judge_open_end_vqa(word, text), (ValueError, TypeError)),
            outcome(lambda: overlap.open_metrics(word, text), (overlap.UndefinedError,)),
        ),
        ("parse_multi_choice_response", (choices, text), their_letter, our_letter),
        (
            "eval_open(parse_open_response)",
            (golds, text),
            kit_mmmu.eval_open(golds, kit_mmmu.parse_open_response(text)),
            mmmu._contains(golds, mmmu._parsed_open(text)),
        ),
        ("eval_open", (golds, text), kit_mmmu.eval_open(golds, text), mmmu._contains(golds, list(text))),
    ]
    return [(name, (*arguments, theirs, ours), theirs == ours) for name, arguments, theirs, ours in pairs]


def whole_benchmarks(cases: int) -> dict[str, int]:
    """Return how many verdicts of MedEvalKit's benchmark classes ours equal: what they do to a response, too.

    Left out are responses on which their scoring stops, and letters drawn at random.

    Raises:
        SystemExit: a verdict differs.
    """
    draw, passed = random.Random(13), dict[str, int]()
    for name, kind in BENCHMARKS:
        items = [_random_item(f"{name}-{number}", name, kind, draw) for number in range(cases)]
        ours = [score_official(item, 0).score for item in items]
        kept = [
            (i, s) for i, s in zip(items, ours, strict=True) if s.correct is not None and s.rule != mmmu.RANDOM_CHOICE
        ]
        verdicts = _their_mmmu(kept) if name == "MMMU" else _their_verdicts(name, [item for item, _ in kept])
        for (item, score), verdict in zip(kept, verdicts, strict=True):
            if score.correct != verdict:
                sys.exit(f"{name} differs: {item!r}: theirs {verdict}, ours {score!r}")
        passed[f"{name} {kind}"] = len(kept)
    return passed


def _random_item(identity: str, name: str, kind: str, draw: random.Random) -> Item:
    choices = draw.choice(CHOICES[:5]) if kind == "mcq" or (kind == "mmmu" and draw.random() < 0.8) else None
    gold = draw.choice(GOLDS if choices else YES_NO if kind == "yesno" else WORDS)
    return Item(identity, kind, "?", choices, gold, response(draw), meta={"benchmark": name})


def _their_verdicts(name: str, items: Sequence[Item]) -> list[bool]:
    samples = [
        {
            "response": item.response,
            "choices": list(item.choices or ()),
            "answer": item.answer,
            "question": item.question,
            "question_type": "q",
            "modality_type": "m",
            "lang": "en",
            "answer_type": "OPEN" if item.kind == "open" else "CLOSED",
        }
        for item in items
    ]
    # With only one kind of question their averages divide by zero (D38); one more sample of each prevents it.
    fill = [dict(samples[0], answer="yes", answer_type="CLOSED", response="x")]
    fill += [dict(samples[0], answer="lung", answer_type="OPEN", response="x")]
    bench = getattr(importlib.import_module(f"utils.{name}.{name}"), name)(None, "", "")
    with contextlib.redirect_stderr(io.StringIO()):
        _, scored = bench.cal_metrics([*samples, *fill])
    return [sample["correct"] for sample in scored[: len(items)]]


def _their_mmmu(kept: Sequence[tuple[Item, Any]]) -> list[bool]:
    module = importlib.import_module("utils.MMMU.eval_val")
    samples = []
    for item, _ in kept:
        letters = [chr(ord("A") + index) for index in range(len(item.choices or ()))]
        texts = dict(zip(letters, mmmu_texts(item.choices or ()), strict=True))
        kind = "multiple-choice" if item.choices else "open"
        shown = {
            "id": item.id,
            "question_type": kind,
            "answer": item.answer,
            "all_choices": letters,
            "index2ans": texts,
        }
        samples.append(shown | {"final_input_prompt": "", "image": None})
    given = [item.response for item, _ in kept]
    model = types.SimpleNamespace(generate_outputs=lambda block: [given.pop(0) for _ in block])
    with contextlib.redirect_stderr(io.StringIO()):
        verdicts, _ = module.evaluate(module.run_model(samples, model))
    return [verdicts[item.id] == "Correct" for item, _ in kept]


def fuzz(kit: Any, kit_mmmu: Any, cases: int) -> dict[str, int]:
    """Return how many comparisons each function passed.

    Raises:
        SystemExit: a result differs; names the function, its arguments and both results.
    """
    draw, passed = random.Random(11), dict[str, int]()
    for _ in range(cases):
        for name, shown, equal in checks(kit, kit_mmmu, draw, response(draw)):
            if not equal:
                sys.exit(f"{name} differs (arguments, theirs, ours): {shown!r}")
            passed[name] = passed.get(name, 0) + 1
    return passed


def mixed(count: int) -> list[Item]:
    """Return items with short, worded and long responses, as models write them, in the suites' shares of kinds."""
    draw = random.Random(5)
    return [_item(str(number), draw) for number in range(count)]


def _item(name: str, draw: random.Random) -> Item:
    kind = draw.choices(list(SHARES), list(SHARES.values()))[0]
    choices = draw.choice(CHOICES[:5]) if kind == "mcq" else None
    said = draw.choice(
        {"mcq": "ABCD", "yesno": ("yes", "no"), "closed": ("CT", "MRI")}.get(kind, ("left lung", "spleen"))
    )
    filler = " ".join(draw.choices(FILLER, k=draw.choice((8, 30, 120))))
    gold = {"mcq": "B", "yesno": "yes", "closed": "CT", "open": "left lung"}[kind]
    return Item(name, kind, "Is there a mass?", choices, gold, draw.choice(FORMS).format(x=said, f=filler))


def theirs(kit: Any, item: Item) -> Any:
    """Return what MedEvalKit's functions make of an item."""
    if item.kind == "mcq":
        return kit.judge_multi_choice(list(item.choices or ()), item.answer, kit.extract(item.response, "answer"))
    if item.kind == "yesno":
        return kit.judge_judgement(item.answer, item.response)
    return (kit.judge_close_end_vqa if item.kind == "closed" else kit.judge_open_end_vqa)(item.answer, item.response)


def timed(kit: Any, items: Sequence[Item]) -> dict[str, dict[str, float]]:
    """Return CPU seconds of the strict rules, our official rules and MedEvalKit's functions, over all and by kind.

    They take turns at slices of the responses, since a shared machine's pace changes within a minute.
    """
    groups = {"all": items, "without_open": [item for item in items if item.kind != "open"]}
    groups |= {kind: [item for item in items if item.kind == kind] for kind in SHARES}
    found = {}
    for name, group in groups.items():
        sides = (score_strict, lambda item: score_official(item, 0), lambda item: theirs(kit, item))
        totals = [0.0, 0.0, 0.0]
        for start in range(0, len(group), SLICE):
            for side, work in enumerate(sides):
                totals[side] += _seconds(work, group[start : start + SLICE])
        strict, official, upstream_seconds = totals
        found[name] = {
            "responses": len(group),
            "strict_cpu_seconds": round(strict, 3),
            "official_cpu_seconds": round(official, 3),
            "medevalkit_cpu_seconds": round(upstream_seconds, 3),
            "strict_times_faster": round(upstream_seconds / strict, 2),
            "official_times_faster": round(upstream_seconds / official, 2),
        }
    return found


def _seconds(work: Callable[[Item], Any], items: Sequence[Item]) -> float:
    start = time.process_time()
    for item in items:
        work(item)
    return time.process_time() - start


def main(checkout: Path, cases: int, responses: int) -> None:
    """Fuzz, then time, and print."""
    warnings.simplefilter("ignore")  # nltk warns at every unsmoothed zero
    kit, kit_mmmu = upstream(checkout)
    passed = fuzz(kit, kit_mmmu, cases) | whole_benchmarks(cases // 10)
    times = timed(kit, mixed(responses))
    print(json.dumps({"equal": passed, "differences": 0, "times": times}, indent=2))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    numbers = [int(value) for value in sys.argv[2:4]]
    main(Path(sys.argv[1]), *(numbers + [CASES, RESPONSES][len(numbers) :]))
