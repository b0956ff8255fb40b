"""The answer by the options whose whole texts a response names: stated, spoken for, the only one put forward."""

from __future__ import annotations

import re
from functools import lru_cache

from lingshu.evalkit.parsing.by_letters import FORWARD, excludes
from lingshu.evalkit.parsing.clauses import Clauses, Span
from lingshu.evalkit.parsing.exceptions import asks_for_exception
from lingshu.evalkit.parsing.letter_context import EDGES
from lingshu.evalkit.parsing.letters import begins_names, ends_in_letter
from lingshu.evalkit.parsing.options import letter_of, named_options, option_texts, whole_option, words
from lingshu.evalkit.parsing.parsed import NOTHING, Parsed, parsed
from lingshu.evalkit.parsing.rewording import aggregates
from lingshu.evalkit.parsing.stance import AND, DENIED, FAVOURED, JOINING, STATED, UNCLEAR, Stance, stances

Named = tuple[Span, str, Stance]
STATED_OPTION, FAVOURED_OPTION = "stated_option", "favoured_option"
BY_NAME = (STATED_OPTION, FAVOURED_OPTION, "named_option")
_FEW = 8  # mentions of options that are looked at singly
_NEAR = 40  # characters beside an option
_GROUNDS_WITHIN = 160  # characters of a sentence that may hold "because"
_GROUNDS = re.compile(
    r"(?i:\b(?:because|since|as|given|due to|whereas|unlike|compared (?:to|with))\b[^.;\n]*"
    r"|因为[^。；\n]*|由于[^。；，,\n]*)\Z"
)
_OPEN = re.compile(  # "It might be A, but B can't be excluded"
    r"\b(?:might|may|could|possibly)\b[^.!?\n]{0,160}\b(?:can(?:not|['’]t)|could not|can not)\s+be\s+(?:\w+\s+)?"
    r"(?:excluded|ruled out)|可能[^。\n]{0,60}(?:不能|无法|不)(?:完全)?(?:排除|除外)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:\A|\n)[ \t]*(?:[-*•+]|\d{1,2}[.)、])[ \t]*\Z")
_LEFT_OUT = re.compile(
    r"\b(?:all|everything|every (?:option|one)|each)\b[^.;\n]{0,40}?\b(?:except(?: for)?|apart from|but"
    r"|other than|save)\s+"
    r"(?:an?\s+|the\s+)?\Z"
    r"|除了?\s*\Z",
    re.IGNORECASE,
)


def by_text(text: str, clauses: Clauses, choices: tuple[str, ...], several: bool, question: str) -> Parsed:
    """Return what the options that `text` names by their texts give, by what it says of each."""
    named = _named(text, clauses, choices)
    stated = [found for found in named if found[2] is STATED]
    if stated:
        letters = {letter for _, letter, _ in (stated if several else stated[-1:])}
        if not several and len(stated) > 1 and JOINING.fullmatch(joint := text[stated[-2][0][1] : stated[-1][0][0]]):
            letters |= {stated[-2][1]} if AND.search(joint) else set()
        return parsed(letters, STATED_OPTION)
    forward = [found for found in named if found[2] in FORWARD]
    if several:
        return _several(text, named, forward, len(choices))
    if first := _first_line(text, choices):
        return Parsed((first,), "leading_option")
    if len({letter for _, letter, _ in forward}) == 1 and _reordered(forward[0][0], choices, text):
        return NOTHING
    if asks_for_exception(question):
        return _exception(text, clauses.text, named, choices)
    return _forward(text, named, forward) if forward else _none_left(named, len(choices), *aggregates(choices))


def _none_left(named: list[Named], count: int, every: str, none: str) -> Parsed:
    """Return the option "none of the above" where each of the others is denied by its text."""
    denied = {letter for _, letter, stance in named if stance is DENIED}
    others = {letter_of(i) for i in range(count)} - {every, none}
    return Parsed((none,), "elimination") if none and denied >= others else NOTHING


def _named(text: str, clauses: Clauses, choices: tuple[str, ...]) -> list[Named]:
    found = [_with_mark(one, choices, text) for one in named_options(choices, text)]
    if any(ends_in_letter(option) for option in option_texts(choices)):
        found = [one for one in found if not begins_names(text, one[0][1])]
    attitudes = stances(clauses, [span for span, _ in found], findings=True) if found else []
    named = [(span, letter, stance) for (span, letter), stance in zip(found, attitudes, strict=True)]
    if leads := _leads(choices):
        named = [one for one in named if not _part_of_longer(text, one[0][0], leads.get(one[1], ()))]
    return named


@lru_cache(maxsize=1 << 14)
def _leads(choices: tuple[str, ...]) -> dict[str, tuple[frozenset[str], ...]]:
    """Return, by the letter of options that are the last words of others, the words that those begin with."""
    shown = [words(option) for option in option_texts(choices)]
    leads: dict[str, tuple[frozenset[str], ...]] = {}
    for i, own in enumerate(shown):
        longer = [other for other in shown if own and len(other) > len(own) and other[-len(own) :] == own]
        if longer:
            leads[letter_of(i)] = tuple(frozenset(other[: -len(own)]) for other in longer)
    return leads


def _part_of_longer(text: str, start: int, leads: tuple[frozenset[str], ...]) -> bool:
    """Return whether an option ends a longer one with a word between ("pulmonary arterial hypertension")."""
    phrase = re.split(r"[,.;:!?()\n]", text[max(0, start - _NEAR) : start])[-1] if leads else ""
    near = words(phrase)
    return any(lead <= set(near[-len(lead) - 1 :]) for lead in leads if len(near) > len(lead))


def _several(text: str, named: list[Named], forward: list[Named], count: int) -> Parsed:
    """Return the options put forward where several are right."""
    letters = {letter for _, letter, _ in forward}
    every = {letter_of(i) for i in range(count)}
    if named and _LEFT_OUT.search(text, 0, named[0][0][0]):
        return parsed(every - {letter for _, letter, _ in named}, "elimination")
    listed = {letter for (start, _), letter, _ in forward if _BULLET.search(text, max(0, start - _NEAR), start)}
    if len(listed) > 1 and listed != every:
        return parsed(listed, "named_option")
    if letters == every:  # all are named: those that are spoken for are meant, if some are
        letters = {letter for _, letter, stance in forward if stance is FAVOURED}
        letters = set() if letters == every else letters
    return parsed(letters, "named_option") if letters else NOTHING


def _exception(text: str, lowered: str, named: list[Named], choices: tuple[str, ...]) -> Parsed:
    """Return the only option that is said not to be so, where an exception is asked for ("Cough is not a sign").

    An option that is named and no more is the answer only if it is the first sentence, or a response says little else:
    most texts name what holds.
    """
    wrong = [(span, letter) for span, letter, stance in named if stance is DENIED]
    letters = {letter for _, letter in wrong}
    if len(letters) == 1 and not any(excludes(lowered, span) for span, _ in wrong):
        return parsed(letters, "exception")
    forward = {letter for _, letter, stance in named if stance in FORWARD}
    short = len(text) <= 3 * max(map(len, choices)) + (_NEAR if text.isascii() else _NEAR // 4)
    if len(forward) != 1:
        return NOTHING
    leads = whole_option(choices, text.partition(". ")[0]) in forward
    return parsed(forward, "leading_option" if leads else "named_option") if short or leads else NOTHING


def _forward(text: str, named: list[Named], forward: list[Named]) -> Parsed:
    letters = {letter for _, letter, _ in forward}
    if 1 < len(forward) <= _FEW and len(letters) > 1:
        letters = _not_grounds(text, forward) or letters
    if len(letters) == 1:
        weighed = {letter for _, letter, stance in named if stance is UNCLEAR} - letters
        return NOTHING if weighed and _OPEN.search(text) else parsed(letters, "named_option")
    favoured = {letter for _, letter, stance in forward if stance is FAVOURED}
    return parsed(favoured, FAVOURED_OPTION) if len(favoured) == 1 else NOTHING


def _not_grounds(text: str, named: list[Named]) -> set[str]:
    """Return the options that don't stand in a reason ("Right, since the left is normal")."""
    return {
        letter for (start, _), letter, _ in named if not _GROUNDS.search(text, max(0, start - _GROUNDS_WITHIN), start)
    }


def _with_mark(found: tuple[Span, str], choices: tuple[str, ...], text: str) -> tuple[Span, str]:
    """Return the place of an option with the question mark that is its own: nothing is asked by it."""
    (start, end), letter = found
    if text[end : end + 1] != "?":
        return found
    own = option_texts(choices)[ord(letter) - ord("A")]
    return (start, end + (own[len(own.rstrip(EDGES)) :][:1] == "?")), letter


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
