"""What the strict rules cost on long responses: milliseconds for 500 and 5,000 words, so that linear growth shows.

Run: `python perf/long_responses.py`. Needs nothing but the package. Prints one JSON object: for each text and kind the
CPU milliseconds of the best of some rounds.
"""

from __future__ import annotations

import json
import random
import time

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

WORDS = (500, 5000)
ROUNDS = 25
CHOICES = (
    "A. Beta blocker therapy",
    "B. Aspirin",
    "C. Cardiac catheterisation",
    "D. Discharge home",
    "E. None of these",
)
KINDS = {"mcq": "B", "yesno": "yes", "closed": "CT", "open": "a mass"}  # with a gold answer
REASONING = (
    "The patient is a 54-year-old man with crushing chest pain. Option A would reduce the heart rate, but it does not"
    " treat the clot. Aspirin is given early. We should not discharge him, so D is excluded. There is no effusion. "
)
NAMING = (
    "Beta blocker therapy would help. Aspirin is given early and Cardiac catheterisation is planned, not Discharge"
    " home. The heart rate is slow and the patient feels well because of the new drug that was given in the ward. "
)
# A sentence and the options that it weighs: a letter every three words, options with a common first word, doses.
WEIGHED = {
    "letters": ("I weigh A here, then B more, then C too, then D now, then E. ", CHOICES),
    "common first word": (
        "The patient may have Acute pancreatitis or Acute cholecystitis and the acute onset of pain does not suggest"
        " Acute hepatitis but an acute abdomen. ",
        ("A. Acute pancreatitis", "B. Acute cholecystitis", "C. Acute appendicitis", "D. Acute hepatitis"),
    ),
    "denials": ("A is incorrect. B is unlikely here. C is wrong. D is excluded. E is not right. ", CHOICES),
    "numbers": (
        "A dose of 10 mg or 20 mg is given at 8 and 20 hours, then 30 mg, 40 mg for 5 days and not 50 mg, 10 tablets of"
        " 20. ",
        ("A. 10 mg", "B. 20 mg", "C. 30 mg", "D. 40 mg", "E. 50 mg"),
    ),
}

CHINESE = (  # an option in each clause
    "患者的表现可能是A，也可能是B，不能排除C，但是D的可能性较小，E也不典型。",
    ("A. 肺炎", "B. 肺栓塞", "C. 气胸", "D. 心力衰竭", "E. 都不是"),
)


ENDING = " Nothing more is said."  # a text that ends so is no loop, from which the rules cut its turns
LOOPS = {  # a model that repeats itself until its tokens are spent
    "a loop of letters": "A\nB\nC\nD\n",
    "a loop of lists": "- **A**: the heart rate is lowered\n- **B**: aspirin is given early\n1. D is *wrong* here\n",
}


def repeated(sentence: str, words: int) -> str:
    """Return so many words of a sentence said again and again, and an ending."""
    return " ".join((sentence * words).split()[:words]) + ENDING


def texts(words: int) -> dict[str, str]:
    """Return texts of so many words, all densely made of what the rules look at.

    `decided` weighs options and ends in an answer, `undecided` never ends, `names` has whole options and no letter,
    `shuffled` is made of the same words in random order, so that no two clauses are alike; `endless` never ends its
    first sentence.
    """
    undecided = repeated(REASONING, words)
    shuffled = random.Random(4).choices((REASONING + NAMING).split(), k=words)
    return {
        "decided": f"{undecided} So the answer is B.",
        "undecided": undecided,
        "names": repeated(NAMING, words),
        "shuffled": " ".join(shuffled),
        "endless": "word " * words,
    }


def milliseconds(item: Item) -> float:
    """Return the CPU milliseconds of the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        score_strict(item)
        best = min(best, time.process_time() - start)
    return round(best * 1000, 2)


def main() -> None:
    """Measure and print."""
    found: dict[str, dict[str, float]] = {}
    for words in WORDS:
        for name, text in texts(words).items():
            row = found.setdefault(f"{name}, {words} words", {})
            for kind, gold in KINDS.items():
                choices = CHOICES if kind == "mcq" else None
                row[kind] = milliseconds(Item("long", kind, "Is there a mass?", choices, gold, text))
        for name, (sentence, options) in WEIGHED.items():
            item = Item("long", "mcq", "Which?", options, "B", repeated(sentence, words))
            found[f"{name}, {words} words"] = {"mcq": milliseconds(item)}
        for name, turn in LOOPS.items():
            item = Item("long", "mcq", "Which?", CHOICES, "B", turn * (words // len(turn.split())))
            found[f"{name}, {words} words"] = {"mcq": milliseconds(item)}
        sentence, options = CHINESE
        characters = 2 * words
        item = Item("long", "mcq", "Which?", options, "B", f"{(sentence * words)[:characters]}完。")
        found[f"Chinese, {characters} characters"] = {"mcq": milliseconds(item)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
