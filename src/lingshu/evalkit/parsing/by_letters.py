"""The answer by the letters that a response names: stated, left by elimination, leading, closing, alone."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.clauses import CORRECTING, Span
from lingshu.evalkit.parsing.letter_context import EDGES
from lingshu.evalkit.parsing.letter_signs import sentence_stops
from lingshu.evalkit.parsing.letters import Group
from lingshu.evalkit.parsing.options import letter_of
from lingshu.evalkit.parsing.parsed import NOTHING, Parsed, parsed
from lingshu.evalkit.parsing.stance import DENIED, FAVOURED, JOINING, MENTIONED, STATED, Stance

FORWARD = (MENTIONED, FAVOURED)
STATED_LETTER = "stated_letter"
_STEADY, _FEW = 4, 2  # statements, and letters, that are no answers in turn
_NEAR = 40  # characters beside an option
_EXCLUDED = re.compile(
    r"(?:\bnot|\bexclud\w*|\beliminat\w*|\brul\w+ out|\breject\w*|排除|不是|不选)\s*(?:option\s*|选项\s*)?[(\[\"']*\Z"
)
_ANSWERED = re.compile(r"(?i:answer|choose|pick|select|答案|故选|应选)[^.;。；\n]{0,16}\Z")  # for lower-case text
_OTHERS = re.compile(
    r"\b(?:everything else|all (?:of )?(?:the )?(?:others|rest|other (?:options|choices|ones"
    r"|statements)))\b(?P<says>[^.;\n]{0,40}\b(?:is|are|apply|hold|fit)\b[^.;\n]*)",
    re.IGNORECASE,
)
_OTHERS_DENIED = re.compile(r"\b(?:not|no|wrong|incorrect|false|unlikely|excluded)\b|n['’]t\b", re.IGNORECASE)
_CLOSING = re.compile(r"[:：=→⇒]\s*[(\[\"'“‘]*\Z")  # "The match is obvious: G."


def by_letter(text: str, groups: list[Group], attitudes: list[Stance], several: bool, count: int) -> Parsed:
    """Return what the letters that `text` names give, by what it says of each; `count` letters from A are options."""
    stated = _stated(groups, attitudes)
    if not several and len(stated) > _STEADY and _turns(text, stated):
        return Parsed((), "several_letters")
    if several and stated:
        stated = _with_listed(text, groups, attitudes, stated)
    if stated:
        joined = several and len(stated[-1].letters) == 1
        return parsed({c for g in stated for c in g.letters} if joined else set(stated[-1].letters), STATED_LETTER)
    forward = [g for g, s in zip(groups, attitudes, strict=True) if s is MENTIONED or s is FAVOURED]
    if several:
        return _all_others(text, groups, count) or _by_several(text, forward, _denied(groups, attitudes))
    if found := _alone(text, forward):
        return found
    if FAVOURED in attitudes:
        favoured = {c for g, s in zip(groups, attitudes, strict=True) if s is FAVOURED for c in g.letters}
        favoured -= _denied(groups, attitudes)
        if len(favoured) == 1:
            return parsed(favoured, "favoured_letter")
    letters = {c for g in forward for c in g.letters}
    return parsed(letters, "only_letter") if letters else NOTHING


def _denied(groups: list[Group], attitudes: list[Stance]) -> set[str]:
    return {c for g, s in zip(groups, attitudes, strict=True) if s is DENIED for c in g.letters}


def _stated(groups: list[Group], attitudes: list[Stance]) -> list[Group]:
    """Return the mentions stated as the answer and not denied further on."""
    if STATED not in attitudes:
        return []
    denied = set[str]()
    stated: list[Group] = []
    for group, attitude in zip(reversed(groups), reversed(attitudes), strict=True):
        if attitude is DENIED:
            denied.update(group.letters)
        elif attitude is STATED and denied.isdisjoint(group.letters):
            stated.append(group)
    return stated[::-1]


def _turns(text: str, stated: list[Group]) -> bool:
    """Return whether a response gives one answer after another, and comes back to them ("Answer: A Answer: B …")."""
    answers = [g.letters for g in stated if _ANSWERED.search(text, max(0, g.start - _NEAR), g.start)]
    runs = [letters for i, letters in enumerate(answers) if not i or letters != answers[i - 1]]
    return len(set(runs)) > _FEW and len(runs) > len(set(runs)) + 1


def _with_listed(text: str, groups: list[Group], attitudes: list[Stance], stated: list[Group]) -> list[Group]:
    """Return what is stated and what a list adds to it behind an option's text ("B (aspirin) and D (heparin)")."""
    kept = set(stated)
    for before, group, attitude in zip(groups, groups[1:], attitudes[1:], strict=False):
        if (
            attitude is MENTIONED
            and before in kept
            and JOINING.fullmatch(text[before.end : group.start].lstrip(")]\"'"))
        ):
            kept.add(group)
    return [group for group in groups if group in kept]


def _all_others(text: str, groups: list[Group], count: int) -> Parsed | None:
    """Return all letters but those named before "everything else is …", which nothing denies."""
    found = _OTHERS.search(text)
    named = {c for g in groups if found and g.end <= found.start() for c in g.letters}
    if not found or not named or _OTHERS_DENIED.search(found["says"]) or found.end() < groups[-1].end:
        return None
    left = {letter_of(i) for i in range(count)} - named
    return parsed(left, "elimination") if left else None


def by_every(text: str, groups: list[Group], attitudes: list[Stance], others: set[str], every: str) -> Parsed | None:
    """Return the option "all of the above" (`every`) where each of the `others` is stated, and none denied.

    "… but the best answer is A" chooses A all the same.
    """
    if not every or STATED not in attitudes or DENIED in attitudes:
        return None
    said = [g for g, s in zip(groups, attitudes, strict=True) if s is STATED]
    answered = _ANSWERED.search(text, max(0, said[-1].start - _NEAR), said[-1].start)
    if (answered and every not in said[-1].letters) or not others <= {c for g in said for c in g.letters}:
        return None
    return Parsed((every,), "every_option")


def _by_several(text: str, forward: list[Group], denied: set[str]) -> Parsed:
    """Return the letters put forward where several are right: a sentence at the head, or those that lead lines."""
    first = forward[0] if forward else None
    if first and not text[: first.start].strip(EDGES) and len(first.letters) > 1 and sentence_stops(text, first.end):
        return parsed(set(first.letters) - denied, "leading_letter")
    listed = [g for g in forward if g.leads_line]
    letters = {c for g in (listed if len(listed) > 1 else forward) for c in g.letters} - denied
    return parsed(letters, "only_letter") if letters else NOTHING


def _alone(text: str, forward: list[Group]) -> Parsed | None:
    """Return the letter that leads the response, or stands alone at its end, unless these two disagree."""
    if not forward:
        return None
    leading = {g.letters for g in forward if g.leads_line}
    leads = forward[0].leads_line and len(leading) == 1 and forward[0].start < 16 and not _repeats_options(forward)
    first = forward[0].letters if leads else ()
    last = forward[-1].letters if forward[-1].is_line or _closes(text, forward[-1]) else ()
    if first and last and first != last:
        return Parsed((), "several_letters")
    return parsed(set(first or last), "leading_letter" if first else "last_line") if first or last else None


def _repeats_options(forward: list[Group]) -> bool:
    """Return whether the letters are A, B, C … in turn: the options said again, or spoken of one by one."""
    return len(forward) > 2 and all(group.letters == (letter_of(i),) for i, group in enumerate(forward))


def _closes(text: str, group: Group) -> bool:
    """Return whether a letter is the last word of a response, behind a colon or a sign."""
    if len(text) - group.end > _NEAR or text[group.end :].strip(EDGES):
        return False
    return _CLOSING.search(text, max(0, group.start - _NEAR), group.start) is not None


def by_odd_one(text: str, groups: list[Group], attitudes: list[Stance], count: int) -> Parsed | None:
    """Return the only option said to be wrong: an exception that is asked for ("C is not a cause").

    What is called the answer is it, whatever is said of others ("Answer: C. … D is correct"). Else the one that is
    wrong is it beside several said to be right, or where none is stated and nothing says that it is excluded; so is
    the only one that is not said to be right.
    """
    said = [g for g, s in zip(groups, attitudes, strict=True) if s is STATED]
    answered = [g for g in said if _ANSWERED.search(text, max(0, g.start - _NEAR), g.start)]
    if answered:
        same = answered[-1] is not said[-1] and len({g.letters for g in answered}) == 1
        stays = same and not any(word in text[answered[0].end :] for word in CORRECTING)
        return parsed(set(answered[0].letters), STATED_LETTER) if stays else None
    stated = {c for g in said for c in g.letters}
    wrong = [g for g, s in zip(groups, attitudes, strict=True) if s is DENIED]
    denied = {c for g in wrong for c in g.letters} - stated
    if not denied and len(stated) == count - 1 > 1:
        return parsed({letter_of(i) for i in range(count)} - stated, "exception")
    if len(denied) != 1 or len(stated) == 1:
        return None
    if not stated and any(excludes(text, (group.start, group.end)) for group in wrong):
        return None
    return parsed(denied, "exception")


def excludes(text: str, span: Span) -> bool:
    """Return whether a denied option is excluded as the answer, where others lack what the question asks after."""
    start, end = span
    behind = text[end : end + _NEAR].partition(".")[0]
    return "answer" in behind or "答案" in behind or _EXCLUDED.search(text, max(0, start - _NEAR), start) is not None


def by_elimination(groups: list[Group], attitudes: list[Stance], count: int) -> Parsed:
    """Return the only option that is not denied, where none is named otherwise."""
    if any(stance is not DENIED for stance in attitudes):
        return NOTHING
    left = {letter_of(i) for i in range(count)} - {c for group in groups for c in group.letters}
    return parsed(left, "elimination") if len(left) == 1 else NOTHING
