"""Multiple choice: which option, or options, a response gives as its answer; none if it does not say.

Order: a letter alone · an option's whole text · a phrase about several ("all but C") · letters alone · a letter stated
as the answer · a letter that leads or ends the response on its own · the only letter put forward · the only option
named whole · the only option left by elimination.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lingshu.evalkit.parsing.closed import normalise, same
from lingshu.evalkit.parsing.exceptions import asks_for_exception, words_asked_for
from lingshu.evalkit.parsing.letter_context import EDGES
from lingshu.evalkit.parsing.letters import Group, begins_names, ends_in_letter, letter_groups, whole_letters
from lingshu.evalkit.parsing.options import (
    labelled_option,
    letter_of,
    named_options,
    option_texts,
    plain_form,
    whole_option,
    words,
)
from lingshu.evalkit.parsing.phrases import by_phrase
from lingshu.evalkit.parsing.rankings import COMPARED
from lingshu.evalkit.parsing.stance import DENIED, MENTIONED, STATED, UNCLEAR, Clauses, Span, Stance, stances

MAX_OPTIONS = 26


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood: letters in order of the alphabet (empty: no answer), and the rule that decided."""

    letters: tuple[str, ...]
    rule: str


NOTHING = Parsed((), "nothing")
STATED_LETTER = "stated_letter"
# The commonest form, so that it costs microseconds: "The answer is (B)."
_PLAIN = re.compile(
    r"(?:the\s+)?(?:final\s+|correct\s+|best\s+)*(?:answer|option|choice)\s*(?:is|:)?\s*:?\s*[(\[]?([A-Za-z])[)\]]?\s*\.?",
    re.IGNORECASE,
)
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
    asked = words_asked_for(question)
    if not several and len(text) > 2 * _ENDING and not asks_for_exception(question):
        # The last statement of a letter decides; in a long response it is near the end, if there is one.
        ending = _ending(text)
        stating = _STATING.search(ending.lower())
        groups, attitudes = _read(ending, Clauses(ending, asked), count, choices, several) if stating else ([], [])
        if STATED in attitudes and (parsed := _by_letter(groups, attitudes, several)).rule == STATED_LETTER:
            return parsed
    clauses = Clauses(text, asked)
    groups, attitudes = _read(text, clauses, count, choices, several)
    odd = None if several or DENIED not in attitudes else _by_odd_one(groups, attitudes)
    parsed = odd if odd and asks_for_exception(question) else _by_letter(groups, attitudes, several)
    if parsed is NOTHING and choices:
        parsed = _by_text(text, clauses, choices, several)
    if parsed is NOTHING and choices:
        parsed = _by_elimination(groups, attitudes, count)
    if parsed is NOTHING and choices and len(text) <= _SHORT:
        parsed = _by_normalised(text, choices)
    return parsed


def _upper_run(text: str) -> str:
    """Return a text of small letters in the order of the alphabet ("abd") in capitals, any other as it is."""
    bare = text.strip(EDGES)
    run = 1 < len(bare) <= MAX_OPTIONS and bare.isascii() and bare.isalpha() and bare.islower()
    return bare.upper() if run and list(bare) == sorted(bare) else text


def _read(
    text: str, clauses: Clauses, count: int, choices: tuple[str, ...] | None, several: bool
) -> tuple[list[Group], list[Stance]]:
    groups = letter_groups(text, clauses.text, count, choices, several)
    attitudes = stances(clauses, [(g.start, g.end) for g in groups])
    if groups and (">" in text or "<" in text):
        spans = [found.span() for found in COMPARED.finditer(text)]
        inside = {i for i, g in enumerate(groups) for start, end in spans if start <= g.start < end}
        attitudes = [UNCLEAR if i in inside and s is MENTIONED else s for i, s in enumerate(attitudes)]
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
    """Return the last sentences of `text`, about `_ENDING` characters."""
    start = len(text) - _ENDING
    found = _SENTENCE.search(text, start)
    return text[found.end() :] if found else text[start:]


def _by_letter(groups: list[Group], attitudes: list[Stance], several: bool) -> Parsed:
    denied = set[str]()
    stated: list[Group] = []
    for group, attitude in zip(reversed(groups), reversed(attitudes), strict=True):
        if attitude is DENIED:
            denied.update(group.letters)
        elif attitude is STATED and denied.isdisjoint(group.letters):
            stated.append(group)
    stated.reverse()
    if stated:
        joined = several and len(stated[-1].letters) == 1
        return _parsed({c for g in stated for c in g.letters} if joined else set(stated[-1].letters), STATED_LETTER)
    forward = [g for i, g in enumerate(groups) if attitudes[i] is MENTIONED]
    if not several and (parsed := _alone(forward)):
        return parsed
    letters = {c for g in forward for c in g.letters}
    letters -= denied if not several else set()
    return _parsed(letters, "only_letter") if letters else NOTHING


def _by_odd_one(groups: list[Group], attitudes: list[Stance]) -> Parsed | None:
    """Return the only option said to be wrong beside several said to be right: an exception that is asked for."""
    stated = {c for g, s in zip(groups, attitudes, strict=True) if s is STATED for c in g.letters}
    denied = {c for g, s in zip(groups, attitudes, strict=True) if s is DENIED for c in g.letters} - stated
    return _parsed(denied, "exception") if len(stated) > 1 and len(denied) == 1 else None


def _alone(forward: list[Group]) -> Parsed | None:
    """Return the letter that leads the response, or stands alone on its last line, unless these two disagree."""
    if not forward:
        return None
    leading = {g.letters for g in forward if g.leads_line}
    first = forward[0].letters if forward[0].leads_line and len(leading) == 1 and forward[0].start < 16 else ()
    last = forward[-1].letters if forward[-1].is_line else ()
    if first and last and first != last:
        return Parsed((), "several_letters")
    return _parsed(set(first or last), "leading_letter" if first else "last_line") if first or last else None


def _parsed(letters: set[str], rule: str) -> Parsed:
    return Parsed(tuple(sorted(letters)), rule)


def _by_text(text: str, clauses: Clauses, choices: tuple[str, ...], several: bool) -> Parsed:
    named = [_with_mark(found, choices, text) for found in named_options(choices, text)]
    if any(ends_in_letter(option) for option in option_texts(choices)):
        named = [found for found in named if not begins_names(text, found[0][1])]
    attitudes = stances(clauses, [span for span, _ in named], findings=True)
    stated = [letter for (_, letter), s in zip(named, attitudes, strict=True) if s is STATED]
    if stated:
        return _parsed(set(stated) if several else {stated[-1]}, "stated_option")
    forward = {letter for (_, letter), s in zip(named, attitudes, strict=True) if s is MENTIONED}
    if not several and (first := _first_line(text, choices)):
        return Parsed((first,), "leading_option")
    put_forward = next((span for (span, _), s in zip(named, attitudes, strict=True) if s is MENTIONED), None)
    if put_forward and len(forward) == 1 and _reordered(put_forward, choices, text):
        return NOTHING
    return _parsed(forward, "named_option") if len(forward) == 1 or (several and forward) else NOTHING


def _with_mark(found: tuple[Span, str], choices: tuple[str, ...], text: str) -> tuple[Span, str]:
    """Return the place of an option with the question mark that is its own: nothing is asked by it."""
    (start, end), letter = found
    own = option_texts(choices)[ord(letter) - ord("A")]
    return ((start, end + (text[end : end + 1] == "?" == own[len(own.rstrip(EDGES)) :][:1])), letter)


def _first_line(text: str, choices: tuple[str, ...]) -> str:
    """Return the letter of the option that is the first of several lines, unless the last is another."""
    first, _, rest = text.partition("\n")
    letter = whole_option(choices, first) if rest else ""
    return letter if letter and whole_option(choices, rest.rpartition("\n")[2]) in ("", letter) else ""


def _reordered(span: Span, choices: tuple[str, ...], text: str) -> bool:
    """Return whether the option named at `span` is but a part of another one's words in another order.

    "Type 1 diabetes mellitus" names the option "diabetes mellitus", but means "diabetes mellitus type 1".
    """
    for option in option_texts(choices):
        wanted = sorted(words(option))
        near = words(text[max(0, span[0] - len(option)) : span[1] + len(option)])
        runs = (near[at : at + len(wanted)] for at in range(len(near) - len(wanted) + 1))
        if len(wanted) > len(words(text[slice(*span)])) and any(sorted(run) == wanted for run in runs):
            return True
    return False


def _by_elimination(groups: list[Group], attitudes: list[Stance], count: int) -> Parsed:
    denied = {c for g, s in zip(groups, attitudes, strict=True) if s is DENIED for c in g.letters}
    seen = {c for g, s in zip(groups, attitudes, strict=True) if s is not DENIED for c in g.letters}
    left = {letter_of(i) for i in range(count)} - denied
    return _parsed(left, "elimination") if len(left) == 1 and not seen else NOTHING


def _by_normalised(text: str, choices: tuple[str, ...]) -> Parsed:
    """Return the option that a text equals but for units, number words and words written together ("five mg")."""
    given = normalise(text)
    equal = {letter_of(i) for i, option in enumerate(option_texts(choices)) if same(given, normalise(option))}
    return _parsed(equal, "whole_option") if len(equal) == 1 else NOTHING


_GOLD_LETTERS = re.compile(r"[\s,，、;；/&|和与及.()（）\[\]]+")


def gold_letters(answer: str | tuple[str, ...], choices: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the gold letters, in order of the alphabet: from letters in any form, or from option texts.

    An empty result means that the gold is not among the options: an error of the data, never of the response.
    """
    count = len(choices) if choices else MAX_OPTIONS
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
