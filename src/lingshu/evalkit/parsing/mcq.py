"""Multiple choice: which option, or options, a response gives as its answer; none if it does not say.

Order: a letter alone · an option's whole text · a phrase about several ("all but C") · letters alone · a letter stated
as the answer · a letter that leads or ends the response on its own · the only letter spoken for, or put forward · an
option named by its place · an option's whole text stated, spoken for, or the only one put forward · the same in another
spelling or by a number · the only option left by elimination.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from operator import itemgetter

from lingshu.evalkit.parsing.by_letters import FORWARD, STATED_LETTER, by_elimination, by_every, by_letter, by_odd_one
from lingshu.evalkit.parsing.by_texts import BY_NAME, FAVOURED_OPTION, STATED_OPTION, by_text
from lingshu.evalkit.parsing.clauses import Clauses
from lingshu.evalkit.parsing.closed import normalise, same
from lingshu.evalkit.parsing.exceptions import asks_for_exception, words_asked_for
from lingshu.evalkit.parsing.letter_context import EDGES
from lingshu.evalkit.parsing.letters import Group, letter_groups
from lingshu.evalkit.parsing.options import labelled_option, letter_of, option_texts, plain_form, whole_option
from lingshu.evalkit.parsing.parsed import NOTHING, Parsed, parsed
from lingshu.evalkit.parsing.phrases import by_phrase
from lingshu.evalkit.parsing.positions import option_placed
from lingshu.evalkit.parsing.rankings import COMPARED
from lingshu.evalkit.parsing.restated import by_question
from lingshu.evalkit.parsing.rewording import aggregates, counted_option, reworded
from lingshu.evalkit.parsing.stance import STATED, UNCLEAR, Stance, stances
from lingshu.evalkit.parsing.whole_letters import whole_letters

MAX_OPTIONS = 26
_SPAN = itemgetter(0, 1)  # of a group
# The commonest form, so that it costs microseconds: "The answer is (B)."
_PLAIN = re.compile(
    r"(?:the\s+)?(?:final\s+|correct\s+|best\s+)*(?:answer|option|choice)\s*(?:is|:)?\s*:?\s*[(\[]?([A-Za-z])[)\]]?\s*\.?",
    re.IGNORECASE,
)
# A response that ends so chooses none, whatever it weighed before.
_GIVING_UP = re.compile(
    r"\b(?:i|we)\s+(?:really\s+|still\s+|just\s+)?(?:can(?:not|['’]t)|could(?:n['’]t| not))\s+(?:\w+\s+)?"
    r"(?:tell|decide|choose|favou?r|pick|say which|distinguish)\b[^.!?\n]*[.!?]?\s*\Z",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"(?:\b(?:so|thus|therefore|hence|it(?:['’]s| is| must be)|answer is|choose|favou?rs?)\b|所以|因此|故|应为"
    r"|[是选])"
    r"[^.!?。！？\n]{0,20}?(?:(?P<latter>\blatter\b|后者)|\bformer\b|前者)[^.!?。！？\n]{0,40}[.!。！]?\s*\Z",
    re.IGNORECASE,
)
_LAST = 200  # characters of a last sentence
_SENTENCE = re.compile(r"[.!?]\s|[\n。！？]")
_ENDING = 1000  # characters
_SHORT = 80  # characters of what may be an option's text in other words
# What a statement may hold: without it, an ending need not be read before the whole.
_STATING = re.compile(
    r"\b(?:answer|correct|right|best|final|cho|select|pick|go|opt|settle|true|likely|most|better|remain|yes|so|hence"
    r"|therefore|thus|consequently|conclu|leav)"
    r"|答案|选|应为|正确|是对的|最符合|可能性[最较很更比]*[大高]|所以|因此|因而|综上|故|不对|等等|更正|[✓✔✅√]"
)


def parse_choice(text: str, choices: tuple[str, ...] | None, several: bool, question: str = "") -> Parsed:
    """Return the letters that `text` (from `answer_text`) gives as the answer.

    Args:
        choices: option strings as shown; None if unknown, then any letter counts.
        several: more than one option may be right, so single letters stated apart are joined.
        question: "all but C" is C where it asks for an exception.
    """
    count = len(choices) if choices else MAX_OPTIONS
    if whole := _by_whole(text, choices, count, several, question):
        return whole
    if _GIVING_UP.search(text, max(0, len(text) - _LAST)):
        return NOTHING
    return _by_sentences(text, choices, count, several, question)


def _by_sentences(text: str, choices: tuple[str, ...] | None, count: int, several: bool, question: str) -> Parsed:
    asked = words_asked_for(question)
    exception = not several and asks_for_exception(question)
    if not several and len(text) > 2 * _ENDING and not exception:
        # The last statement of a letter decides; in a long response it is near the end, if there is one.
        ending = _ending(text)
        stating = _STATING.search(ending.lower())
        groups, attitudes = _read(ending, Clauses(ending, asked), count, choices, several) if stating else ([], [])
        if (
            STATED in attitudes
            and (found := by_letter(ending, groups, attitudes, several, count)).rule == STATED_LETTER
        ):
            return found
    clauses = Clauses(text, asked)
    groups, attitudes = _read(text, clauses, count, choices, several)
    odd = by_odd_one(clauses.text, groups, attitudes, count) if exception else None
    found = odd or by_letter(text, groups, attitudes, several, count)
    if several and found.rule == "only_letter" and (restated := by_question(clauses.text, groups, attitudes, question)):
        found = restated
    if not choices:
        return found
    if not several and (pointed := _pointed(text, groups, attitudes, choices, found)):
        return pointed
    if found is NOTHING:
        found = by_text(text, clauses, choices, several, question)
    elif not several and len(found.letters) > 1:  # of blood groups, say: "A and B, so it is type AB"
        named = by_text(text, clauses, choices, several, question)
        found = named if named.rule in (STATED_OPTION, FAVOURED_OPTION) else found
    if several and found.rule in BY_NAME and len(found.letters) < count:
        more = _by_other_words(_ending(text), choices, several, question)
        found = more if set(more.letters) > set(found.letters) else found
    if found is NOTHING:
        found = _by_other_words(_ending(text), choices, several, question)
    if found is NOTHING:
        found = by_elimination(groups, attitudes, count)
    if found is NOTHING and len(text) <= _SHORT:
        found = _by_normalised(text, choices)
    return found


def _pointed(
    text: str, groups: list[Group], attitudes: list[Stance], choices: tuple[str, ...], found: Parsed
) -> Parsed | None:
    """Return the option that is "all of the above" said apart, "the latter", or "the last one"; `found`: by letters."""
    every, none = aggregates(choices)
    others = {letter_of(i) for i in range(len(choices))} - {every, none}
    if all_above := by_every(text, groups, attitudes, others, every):
        return all_above
    if len(found.letters) != 1 and (referred := _referred(text, groups)):
        return Parsed((referred,), "reference")
    placed = "" if found.letters else option_placed(_ending(text), choices)
    return Parsed((placed,), "place") if placed else None


def _referred(text: str, groups: list[Group]) -> str:
    """Return the letter that a closing "so it is the latter" means: of the last two that stand before."""
    found = _REFERENCE.search(text, max(0, len(text) - _LAST))
    before = [letter for g in groups if found and g.end <= found.start() for letter in g.letters][-2:]
    if not found or len(set(before)) < 2:
        return ""
    return before[found["latter"] is not None]


def _upper_run(text: str) -> str:
    """Return a text of small letters in the order of the alphabet ("abd") in capitals, any other as it is."""
    bare = text.strip(EDGES)
    run = 1 < len(bare) <= MAX_OPTIONS and bare.isascii() and bare.isalpha() and bare.islower()
    return bare.upper() if run and list(bare) == sorted(bare) else text


def _read(
    text: str, clauses: Clauses, count: int, choices: tuple[str, ...] | None, several: bool
) -> tuple[list[Group], list[Stance]]:
    groups = letter_groups(text, clauses.text, count, choices, several)
    attitudes = stances(clauses, list(map(_SPAN, groups))) if groups else []
    if groups and (">" in text or "<" in text):
        spans = [found.span() for found in COMPARED.finditer(text)]
        starts = [start for start, _ in spans]
        for i, (group, stance) in enumerate(zip(groups, attitudes, strict=True)):
            last = bisect_right(starts, group.start) - 1
            if stance in FORWARD and last >= 0 and group.start < spans[last][1]:
                attitudes[i] = UNCLEAR
    return groups, attitudes


def _by_whole(text: str, choices: tuple[str, ...] | None, count: int, several: bool, question: str) -> Parsed | None:
    """Return what a text gives that is, as a whole, letters, an option or a phrase about options; None if it is not."""
    letters = whole_letters(_upper_run(text) if several else text, count)
    if len(letters) == 1:
        return Parsed(letters, "whole_letter")
    if choices and (letter := labelled_option(choices, text) or whole_option(choices, text)):
        return Parsed((letter,), "whole_option")
    if phrase := by_phrase(text, question, choices, count, several):
        return Parsed(phrase[0], phrase[1] if phrase[0] else "several_letters")
    if letters:
        return Parsed(tuple(sorted(letters)), "whole_letter")
    plain = _PLAIN.fullmatch(text)
    return Parsed((plain[1].upper(),), STATED_LETTER) if plain and ord(plain[1].upper()) - ord("A") < count else None


def _ending(text: str) -> str:
    """Return the last sentences of a long `text`, about `_ENDING` characters."""
    start = len(text) - _ENDING
    if start <= _ENDING:
        return text
    found = _SENTENCE.search(text, start)
    return text[found.end() :] if found else text[start:]


def _by_other_words(text: str, choices: tuple[str, ...], several: bool, question: str) -> Parsed:
    """Return what a text gives that names an option in another form: by spelling, numeral, number or place."""
    plain, shown = reworded(text, choices)
    if plain != text or shown != option_texts(choices):
        asked = words_asked_for(question)
        found = by_text(plain, Clauses(plain, asked), shown, several, question)
        if found is not NOTHING:
            return found
    if several:
        return NOTHING
    letter = counted_option(text, choices, question)
    return Parsed((letter,), "reworded_option") if letter else NOTHING


def _by_normalised(text: str, choices: tuple[str, ...]) -> Parsed:
    """Return the option that a text equals but for units, number words and words written together ("five mg")."""
    given = normalise(text)
    equal = {letter_of(i) for i, option in enumerate(_normalised(choices)) if same(given, option)}
    return parsed(equal, "whole_option") if len(equal) == 1 else NOTHING


@lru_cache(maxsize=1 << 12)
def _normalised(choices: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(normalise(option) for option in option_texts(choices))


_GOLD_LETTERS = re.compile(r"[\s,，、;；/&|和与及.()（）\[\]]+")


def gold_letters(answer: str | tuple[str, ...], choices: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the gold letters, in order of the alphabet: from letters in any form, or from option texts.

    An empty result means that the gold is not among the options: an error of the data, never of the response.
    """
    count = len(choices) if choices else MAX_OPTIONS
    if isinstance(answer, str) and len(answer) == 1 and 0 <= ord(answer) - ord("A") < count:
        return (answer,)  # the commonest case
    found: set[str] = set()
    for part in (answer,) if isinstance(answer, str) else answer:
        letters = tuple(c for c in _GOLD_LETTERS.split(plain_form(part).strip()) if c)
        if len(letters) == 1 and letters[0].isupper() and len(set(letters[0])) == len(letters[0]):
            letters = tuple(letters[0])
        if letters and all(len(c) == 1 and c.isascii() and 0 <= ord(c.upper()) - ord("A") < count for c in letters):
            found.update(c.upper() for c in letters)
        elif choices and (letter := _by_option(part, choices)):
            found.add(letter)
        else:
            return ()
    return tuple(sorted(found))


def _by_option(part: str, choices: tuple[str, ...]) -> str:
    exact = [
        i for i, (shown, bare) in enumerate(zip(choices, option_texts(choices), strict=True)) if part in (shown, bare)
    ]
    return letter_of(exact[0]) if len(exact) == 1 else whole_option(choices, part)
