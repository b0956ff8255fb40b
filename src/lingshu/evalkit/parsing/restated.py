"""Options of which a response says what the question asks after, in its words ("A and B are contraindications")."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.by_letters import FORWARD
from lingshu.evalkit.parsing.exceptions import asks_for_exception
from lingshu.evalkit.parsing.letters import Group
from lingshu.evalkit.parsing.parsed import Parsed, parsed
from lingshu.evalkit.parsing.stance import Stance

# Behind letters, for lower-case text: a verb and the noun, or the two characters, that the question has to hold.
_SAID = re.compile(
    r"[)\]]?\s*(?:(?:is|are)\s+(?:(?:both|all|indeed|also|an?|the|two|three)\s+)*(?P<noun>[a-z-]{4,})"
    r"|项?[都均皆]?(?:是|为|属于)(?P<characters>[\u4e00-\u9fff]{2}))"
)
_STOP = re.compile(r"[.;。；\n]")


def by_question(text: str, groups: list[Group], attitudes: list[Stance], question: str) -> Parsed | None:
    """Return the letters that what the question asks after is said of, where that is not so of all put forward.

    Args:
        text: lower case.
    """
    forward = [g for g, stance in zip(groups, attitudes, strict=True) if stance in FORWARD]
    letters = {c for g in forward for c in g.letters}
    if len(letters) < 2 or asks_for_exception(question):
        return None
    asked = question.lower()
    saying = [_says(text, g.end, asked) for g in forward]
    for before, group, one, other in zip(forward, forward[1:], saying, saying[1:], strict=False):
        if other and not one and not _STOP.search(text, before.end, group.start):
            return None  # "bone loss (A) and infection (E) are side effects"
    said = {c for g, says in zip(forward, saying, strict=True) if says for c in g.letters}
    return parsed(said, "asked_words") if said and said < letters else None


def _says(text: str, end: int, asked: str) -> bool:
    found = _SAID.match(text, end)
    if not found:
        return False
    noun = found["noun"]
    if noun:
        return re.search(rf"\b{re.escape(noun.removesuffix('s'))}s?\b", asked) is not None
    return found["characters"] in asked
