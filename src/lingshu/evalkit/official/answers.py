"""MedEvalKit's verdicts: multiple choice (letter, option text, else the nearest option), yes or no, closed answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from lingshu.evalkit.official.extraction import parsed


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a response counts as right, what it was taken for, and the rule that took it so."""

    correct: bool
    parsed: str
    rule: str


def multi_choice(choices: Sequence[str], gold: str, response: str) -> Verdict:
    """Return the verdict on a response to a multiple-choice question.

    There is no "no answer": a response that is neither a letter nor an option counts as the option with the highest
    difflib ratio, and as the first one if no ratio is above 0.

    Args:
        choices: option strings as shown.
        gold: a letter, or the text of an option.

    Raises:
        IndexError: there are no choices.
    """
    letters = [chr(ord("a") + index) for index in range(len(choices))]
    options = [choice.lower() for choice in choices]
    gold = gold.strip().lower()
    text = parsed(_lone_block(response.lower(), letters)).strip().lower().replace("\n", "")
    said = text.split(".")[0].split(":")[-1]
    if said == gold:
        return Verdict(True, said, "equals_gold")
    if said in letters:
        return Verdict(options[letters.index(said)] == gold, said.upper(), "letter")
    if said in options:
        right = gold in letters and said == options[letters.index(gold)]
        return Verdict(right, letters[options.index(said)].upper(), "option_text")
    nearest, similar = _nearest(options, text)
    right = letters[nearest] == gold or options[nearest] == gold
    return Verdict(right, letters[nearest].upper(), "nearest_option" if similar else "first_option")


def _lone_block(text: str, letters: Sequence[str]) -> str:
    """Return the first block before a blank line, or the last one's first sentence, if it is only a valid letter."""
    blocks = text.split("\n\n")
    if blocks[0] in letters:
        return blocks[0]
    last = blocks[-1].split(".")[0]
    return last if last in letters else text


def _nearest(options: Sequence[str], text: str) -> tuple[int, bool]:
    """Return the index of the option nearest to `text`, and whether it has anything in common with it.

    difflib's upper bounds leave out options that can't win; they never change which one does.
    """
    matcher = SequenceMatcher(None, "", text)
    best, highest = 0, 0.0
    for index, option in enumerate(options):
        matcher.set_seq1(option)
        if matcher.real_quick_ratio() <= highest or matcher.quick_ratio() <= highest:
            continue
        if (ratio := matcher.ratio()) > highest:
            best, highest = index, ratio
    return best, highest > 0


def yes_no(gold: str, response: str) -> Verdict:
    """Return the verdict on a yes/no question: exactly one of the letters "yes" and "no" in a row, anywhere."""
    text = _flat(response)
    yes, no = "yes" in text, "no" in text
    if yes == no:
        return Verdict(False, "", "both_substrings" if yes else "no_substring")
    return Verdict(gold.lower() in text, "yes" if yes else "no", "substring")


def closed(gold: str, response: str) -> Verdict:
    """Return the verdict on a closed question: plain equality, after the response (not the gold) lost its stops."""
    text = _flat(response)
    return Verdict(text == gold.lower(), text, "equal" if text == gold.lower() else "not_equal")


def _flat(response: str) -> str:
    return parsed(response).replace("\n", "").replace(".", "")
