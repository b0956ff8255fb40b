"""Options of real benchmarks, answered as models do: every letter is understood, whatever the option says."""

import json
import re
from pathlib import Path

import pytest

from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FILES = ("medqa/medqa_input.jsonl", "medmcqa/medmcqa_input.jsonl", "medxpertqa/medxpertqa_sampled_text_input.jsonl")
FORMS = (
    "{letter}. {text}",
    "**({letter}) {text}**",
    "{text}.",
    "The answer is {text}.",
    "The correct answer is {letter}, because {text} fits the case.",
    "<think>Maybe {other}. {other_text} is possible.</think>\n\n{letter}",
    "It is not {other}. It is {letter}.",
    "Based on the findings, the most likely answer is {letter}. {text}",
    "The presentation is typical. Therefore, the best choice is {letter} ({text}).",
)


def questions(path: Path) -> list[tuple[str, ...]]:
    """The option texts of each question, where they are distinct and longer than a letter."""
    found = []
    for line in path.read_text().splitlines():
        _, _, shown = json.loads(line)["question"].partition("\nAnswer Choices: ")
        parts = re.split(r"(?:^|\s)\(([A-J])\)\s", shown)[1:]
        texts = tuple(text.strip() for text in parts[1::2])
        if parts[::2] == [chr(ord("A") + i) for i in range(len(texts))] and len(set(texts)) == len(texts):
            found.append(texts)
    return [texts for texts in found if min(map(len, texts)) > 1]


@pytest.mark.parametrize("name", FILES)
def test_every_option_of_a_real_question_is_understood(name):
    if not (SAMPLES / name).exists():
        pytest.skip(f"no shared samples beside this checkout: {name}")
    asked = questions(SAMPLES / name)
    assert len(asked) > 50
    for texts in asked:
        choices = tuple(f"{chr(ord('A') + i)}. {text}" for i, text in enumerate(texts))
        for i, text in enumerate(texts):
            j = (i + 1) % len(texts)
            slots = {"letter": choices[i][0], "text": text, "other": choices[j][0], "other_text": texts[j]}
            for form in FORMS:
                response = form.format(**slots)
                assert score_strict(Item("i", "mcq", "Which?", choices, slots["letter"], response)).correct, response
