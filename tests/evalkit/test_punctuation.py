"""Where sentences end and clauses are parted: signs found by splitting are those that a pattern finds."""

import random
import re

import pytest

from lingshu.evalkit.parsing.punctuation import punctuation_of

ABBREVIATED = "".join(rf"(?<!\b{word}\.)" for word in ("dr", "mr", "mrs", "vs", "fig", r"e\.g", r"i\.e"))
END = re.compile(rf"[.!?。！？\n;；](?:(?<!\.)|(?=[ \n\t\r\"')\]]|\Z){ABBREVIATED})")
SOFT = re.compile(r"[,，、](?!\d)")
PIECES = [*"aegx中1٣  \t\r\n\"')]....,,,，、。！？!?;；", "dr", "mr", "mrs", "vs", "fig", "e.g", "i.e"]


@pytest.mark.parametrize(
    ("text", "ends", "soft"),
    [
        ("", [], []),
        (".", [0], []),
        ("the mass is 1.5 cm.", [18], []),
        ("dr. who, fig. 2", [], [7]),
        ("a vs. b, i.e. c. so 1,000", [15], [7]),
        ("adr. so.", [3, 7], []),
        ("是肺炎，不是气胸。对；", [8, 10], [3]),
        ("one\ntwo", [3], []),
    ],
)
def test_signs(text, ends, soft):
    found = punctuation_of(text)
    assert (found.ends, found.soft) == (ends, soft)


def test_as_a_pattern_finds_them():
    draw = random.Random(17)
    for _ in range(20_000):
        text = "".join(draw.choices(PIECES, k=draw.randrange(16)))
        found = punctuation_of(text)
        assert found.ends == [one.start() for one in END.finditer(text)], text
        assert found.soft == [one.start() for one in SOFT.finditer(text)], text
