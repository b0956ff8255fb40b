"""Do the strict rules of this checkout give the verdicts that another one's give? For changes of speed alone.

Run: `python perf/verdicts.py OTHER_CHECKOUT [CASES] [--seed N] [--show N] [--samples FOLDER]`. Invented, mutated and
real responses are scored by both, each in a process of its own. Prints one JSON object: what was compared, and the
first differences; exits with an error if there are any.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CASES = 120_000
SCORE = """
import json, sys
from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict
for line in sys.stdin:
    kind, question, choices, answer, response = json.loads(line)
    answer = tuple(answer) if isinstance(answer, list) else answer
    s = score_strict(Item("i", kind, question, tuple(choices) if choices else None, answer, response))
    print(json.dumps([s.correct, s.score, s.parsed, s.rule, s.no_answer]))
"""
CHOICES = (
    ("A. Beta blocker therapy", "B. Aspirin", "C. Cardiac catheterisation", "D. Discharge home", "E. None of these"),
    ("A. S. aureus", "B. E. coli", "C. Candida", "D. HIV", "E. Hepatitis C"),
    ("A. Ureter", "B. Bladder", "C. Urethra", "D. Renal pelvis"),
    ("A. 5", "B. 10", "C. 1.5", "D. 15 mg", "E. > 20"),
    ("A. 10 mg", "B. 20 mg", "C. 30 mg", "D. 40 mg", "E. 50 mg"),
    ("A. Acute pancreatitis", "B. Acute cholecystitis", "C. Acute appendicitis", "D. Acute hepatitis", "E. acute"),
    ("A. left atrium", "B. left atrium and the left ventricle", "C. left ventricle", "D. vitamin A", "E. none"),
    ("A. A", "B. B", "C. AB", "D. O"),
    ("A. one", "B. two", "C. three", "D. four", "E. five"),
    ("A. effusion", "B. No effusion"),
    ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭", "E. 以上都不是"),
    ("肺炎", "肺栓塞", "气胸", "心力衰竭"),
    ("Yes", "No", "Maybe"),
    ("A: one", "B: two", "C: three", "D: four", "E: five", "F: six", "G: seven", "H: eight", "I: nine", "J: ten"),
    ("A. the A", "B. an", "C.", "D. \u0130stanbul", "E. Σίγμα ΑΣ"),
)
QUESTIONS = (
    "Is there a pleural effusion?",
    "Is the heart normal?",
    "Which modality is used?",
    "图中是否有肿瘤？",
    "肺部正常吗？",
)
GOLDS = {"yesno": ("yes", "no", "是"), "closed": ("CT", "2", "left lung", "右肺", "no"), "mmmu": ("5", "CT", "yes")}
KINDS = ("mcq", "several", "yesno", "closed", "mmmu")
WEIGHTS = (12, 4, 2, 2, 1)
LETTERS = (*"ABCDEabcdI", "(A)", "(B)", "[C]", "(d)", "B.", "C:", "D)", "A, B", "A and C", "B or D", "option B", "ABD")
WORDS = (
    *(
        "the",
        "a",
        "answer",
        "is",
        "correct",
        "not",
        "but",
        "so",
        "then",
        "because",
        "or",
        "and",
        "option",
        "I",
        "choose",
    ),
    *("cannot", "exclude", "excluded", "ruled out", "except", "unlikely", "wrong", "best", "most likely", "right lung"),
    *("between", "either", "whether", "first", "thought", "therefore", "hence", "leaves", "leaving", "rather than"),
    *(
        "instead of",
        "over",
        "better",
        "than",
        "no",
        "without",
        "there is",
        "effusion",
        "yes",
        "n't",
        "isn't",
        "doesn't",
    ),
    *("vitamin", "type", "group", "dr.", "e.g.", "vs.", "mass", "shows", "patient", "given", "which", "here", "too"),
    *("remains", "fits", "seems", "as", "since", "for", "10", "5", "mg", "1.5", "> 20", "-5", "5%", "final", "pick"),
    *(
        "答案是",
        "答案：",
        "选",
        "排除",
        "不是",
        "而是",
        "所以",
        "因此",
        "考虑",
        "正确",
        "错误",
        "和",
        "或",
        "没有",
        "是",
        "无法",
        "除",
        "外",
    ),
)
SIGNS = (
    *(" " * 12),
    *(" " * 12),
    ", ",
    ", ",
    ". ",
    ". ",
    ".\n",
    "\n",
    ": ",
    "; ",
    "? ",
    "，",
    "。",
    "、",
    "",
    "-",
    "/",
    " (",
    ") ",
    "'s ",
)
WRAPS = (
    "{x}",
    "{x}",
    "{x}",
    "{x}",
    "<think>{y}</think>{x}",
    "**{x}**",
    "\\boxed{{{x}}}",
    "<answer>{x}</answer>",
    "{y}\n\n{x}",
)
LONG = 0.03  # share of the invented ones that are long
FORMS = "tests/evalkit/test_rules.py", "tests/evalkit/test_strict_forms.py", "tests/evalkit/test_defects.py"
Case = tuple[str, str, tuple[str, ...] | None, Any, str]


def written_forms() -> list[str]:
    """Return the strings of the tests: answers in the words of models."""
    found: dict[str, None] = {}
    for name in FORMS:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found[node.value] = None
    return [form for form in found if "{" not in form or "boxed" in form]


def invented(draw: random.Random, choices: tuple[str, ...]) -> str:
    """Return words, letters, signs and options of `choices` in random order, densely or not, some of them long."""
    length = draw.randint(400, 2500) if draw.random() < LONG else draw.choice((2, 3, 5, 8, 13, 21, 34, 60))
    dense, plain = draw.choice((0.08, 0.2, 0.4)), draw.random() < 0.3
    pieces: list[str] = []
    for _ in range(length):
        kind = draw.random()
        if kind < dense:
            pieces.append(draw.choice(LETTERS))
        elif kind < 1.6 * dense:
            option = draw.choice(choices)
            option = option[3:] if option[1:3] == ". " and draw.random() < 0.7 else option
            pieces.append(option[: draw.randrange(len(option) + 1)] if draw.random() < 0.1 else option)
        else:
            pieces.append(draw.choice(WORDS))
        pieces.append(" " if plain else draw.choice(SIGNS))
    return "".join(pieces)


def mutated(draw: random.Random, forms: list[str]) -> str:
    """Return written forms joined, cut, with letters and case changed or words of others let in."""
    text = draw.choice((" ", "\n", ". ", "\n\n")).join(draw.choices(forms, k=draw.choice((1, 1, 2, 2, 3, 5))))
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        at, way = draw.randrange(len(text) + 1), draw.randrange(6)
        if way == 0:
            text = text[:at]
        elif way == 1:
            text = re.sub(r"\b[A-E]\b", lambda _: draw.choice("ABCDE"), text)
        elif way == 2:
            text = text[:at] + draw.choice(WORDS + LETTERS) + draw.choice((" ", "", ", ")) + text[at:]
        elif way == 3:
            text = draw.choice((text.lower(), text.upper(), text.title(), text.swapcase()))
        elif way == 4:
            text = text[:at] + text[at + draw.randint(1, 4) :]
        else:
            words = text.split(" ")
            draw.shuffle(words)
            text = " ".join(words)
    return text


def real(samples: Path) -> list[str]:
    """Return texts of public questions (any string of their files with 30 characters or more), if they are there."""
    texts: list[str] = []
    for path in sorted(samples.rglob("*.json*")):
        found = re.findall(r'"((?:[^"\\]|\\.){30,3000})"', path.read_text(errors="replace")[:4_000_000])
        texts += [text.replace("\\n", "\n") for text in found[:3000]]
    return texts


def cases(number: int, seed: int, samples: Path) -> Iterator[Case]:
    """Yield the cases, equal for equal arguments."""
    draw, forms, texts = random.Random(seed), written_forms(), real(samples)
    for _ in range(number):
        choices, kind = draw.choice(CHOICES), draw.choices(KINDS, WEIGHTS)[0]
        way = draw.random()
        if way < 0.5:
            text = invented(draw, choices)
        elif way < 0.85 or not texts:
            text = mutated(draw, forms)
        else:
            text = (
                draw.choice(texts)
                + draw.choice((" ", "\n"))
                + draw.choice((invented(draw, choices), mutated(draw, forms)))
            )
        text = draw.choice(WRAPS).format(x=text, y=draw.choice(forms))
        if kind in ("mcq", "several"):
            gold = draw.choice("ABCDE"[: len(choices)]) if kind == "mcq" else "AB"
            yield "mcq", draw.choice(QUESTIONS), draw.choice((choices, choices, choices, None)), gold, text
        else:
            yield kind, draw.choice(QUESTIONS), None, draw.choice(GOLDS[kind]), text


def scored(checkout: Path, lines: Path) -> list[str]:
    """Return the verdicts of a checkout, a line each."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    with lines.open() as given:
        done = subprocess.run(
            [sys.executable, "-c", SCORE], stdin=given, stdout=-1, env=environment, check=True, text=True
        )
    return done.stdout.splitlines()


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("cases", type=int, nargs="?", default=CASES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--samples", type=Path, default=ROOT.parent / "shared" / "samples")
    args = parser.parse_args()
    given = [json.dumps(case) for case in cases(args.cases, args.seed, args.samples)]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "cases.jsonl"
        lines.write_text("".join(line + "\n" for line in given))
        ours, theirs = scored(ROOT, lines), scored(args.other.resolve(), lines)
    pairs = list(zip(given, ours, theirs, strict=True))
    differing = [[json.loads(part) for part in pair] for pair in pairs if pair[1] != pair[2]]
    shown = [{"case": case, "ours": mine, "theirs": other} for case, mine, other in differing[: args.show]]
    kinds = Counter(json.loads(line)[0] for line in given)
    rules = Counter(json.loads(line)[3] for line in ours)
    counts = {"cases": len(given), "kinds": kinds, "rules": dict(rules.most_common()), "differing": len(differing)}
    print(json.dumps({**counts, "shown": shown}, indent=2, ensure_ascii=False))
    if differing:
        sys.exit(1)


if __name__ == "__main__":
    main()
