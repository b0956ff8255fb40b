"""Yes/no by comparison: which of two sides is larger, and whether something lowers or raises what is asked after.

For lower-case English text. "Is the left lung larger than the right?", "Does aspirin reduce mortality?"
"""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.finding_words import ASKING, DENIAL, HEDGING, NOT_SHORT, content, words_of
from lingshu.evalkit.parsing.options import word_set

_MORE = word_set("larger bigger greater longer wider thicker taller higher bulkier heavier")
_LESS = word_set("smaller lesser shorter narrower thinner lower lighter")
_SIDE = r"(?P<{name}>left|right|upper|lower|first|second)\b"
_HOW = "|".join(sorted(_MORE | _LESS))
COMPARED = re.compile(
    rf"\b(?:is|are|was|were|appears?|looks?)\b[^?.]{{0,60}}?\b{_SIDE.format(name='one')}[^?.]{{0,60}}?\b(?P<how>{_HOW})"
    rf" (?:in size )?than (?:the |its |that of the )?[^?.]{{0,60}}?{_SIDE.format(name='other')}"
)
"""Questions that compare two sides."""
_EQUAL = re.compile(r"\b(?:equal|same size|similar in size|of similar|symmetrical|no (?:size )?difference|identical)\b")
_SENTENCE = re.compile(r"[.!?\n]\s+|;\s|\n")
_GENERAL = re.compile(r"\b(?:in most people|normally|usually|typically|in general|generally|as a rule)\b")

_LOWERS = word_set(
    "reduce reduces reduced reducing reduction reductions lower lowers lowered lowering decrease decreases decreased"
    " decreasing shorten shortens shortened shortening shorter prevent prevents prevented preventing fewer less smaller"
    " protective"
)
_RAISES = word_set(
    "increase increases increased increasing raise raises raised raising higher improve improves improved improving"
    " improvement prolong prolongs prolonged longer more greater better"
)
_NO_EFFECT = re.compile(
    r"\b(?:no (?:\w+ ){0,2}(?:differen\w+|effect|benefit|change|reduction|increase|improvement|advantage|association)"
    r"|did not|does not|do not|didn['’]t|doesn['’]t|not (?:\w+ )?(?:differ\w*|reduce\w*|lower\w*|improve\w*"
    r"|increase\w*)"
    r"|similar|identical|unchanged|comparable|neither)\b"
)
_ASKS_EFFECT = re.compile(
    r"(?:\A|[.:?!]\s)\s*(?:does|do|did|can|will)\b[^.?!]{0,200}?\b"
    r"(?P<verb>reduce|lower|decrease|shorten|prevent|increase|raise|improve|prolong)\b"
    r"(?: (?:the |overall )?(?:risk|rate|incidence|likelihood|odds|chance|duration|length) of)?"
    r"(?P<what>[^.?!]{0,200}?)(?:\b(?:in|for|after|among|with|during|than|compared|of patients)\b[^.?!]*)?\?*\s*\Z"
)


def compared(text: str, question: str) -> bool | None:
    """Return whether `text` says of two sides what `question` asks, by clauses with a comparative and a side."""
    asked = COMPARED.search(question)
    if not asked or asked["one"] == asked["other"]:
        return None
    pair = {asked["one"], asked["other"]}
    said: set[bool] = set()
    for sentence in _SENTENCE.split(text):
        if _GENERAL.search(sentence):
            continue
        words = words_of(sentence)
        if sides := [word for word in words if word in pair]:
            said |= _said_of(words, sides, asked["one"], asked["how"] in _MORE)
            if len(set(sides)) == 2 and _EQUAL.search(sentence):
                said.add(False)
    return said.pop() if len(said) == 1 else None


def _said_of(words: list[str], sides: list[str], one: str, more: bool) -> set[bool]:
    """Return what a sentence's first comparative says: of the side before it, if it is not denied."""
    for at, word in enumerate(words):
        if word not in _MORE and word not in _LESS:
            continue
        before = [side for side in words[:at] if side in set(sides)]
        if not before or not HEDGING.isdisjoint(words):
            return set()
        if not DENIAL.isdisjoint(words[:at]) or any(w[-3:] in NOT_SHORT for w in words[:at]):
            return {False} if (before[-1] == one) == ((word in _MORE) == more) else set()
        return {(before[-1] == one) == ((word in _MORE) == more)}
    return set()


def effect(text: str, question: str) -> bool | None:
    """Return whether `text` says that what `question` asks after is lowered, or raised, as it asks.

    A sentence counts if it names all words of the outcome and a change of it; None if none does, or they disagree.
    """
    asked = _ASKS_EFFECT.search(question)
    outcome = content(words_of(asked["what"])) if asked else set()
    if not asked or not outcome:
        return None
    wanted = asked["verb"] in _LOWERS
    said: set[bool] = set()
    for sentence in _SENTENCE.split(text):
        words = words_of(sentence)
        if not outcome <= content(words) or not (HEDGING | ASKING).isdisjoint(words):
            continue
        if _NO_EFFECT.search(sentence):
            said.add(False)
            continue
        lowered, raised = not _LOWERS.isdisjoint(words), not _RAISES.isdisjoint(words)
        if lowered != raised and DENIAL.isdisjoint(words):
            said.add(lowered == wanted)
    return said.pop() if len(said) == 1 else None
