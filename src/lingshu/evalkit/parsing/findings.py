"""Is the finding that a question asks after stated or denied? By the words of each clause of an English response."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lingshu.evalkit.parsing.options import word_set

# All patterns are for lower-case text.
_CLAUSE_END = re.compile(
    r"[.!?;\n。！？；]+(?:\s|\Z)?|,\s|，|\b(?:but|although|though|however|whereas|because|since|while)\b"
)
_WORD = re.compile(r"[a-z0-9]+(?:['’]t)?")
_DENIAL = frozenset(
    {"no", "not", "without", "absent", "absence", "neither", "nor", "never", "negative", "free", "lacks", "cannot"}
    | {"lack", "lacking", "fails", "unlikely", "improbable", "doubt", "doubtful", "excluded", "resolved", "disappeared"}
)
_ASKING = frozenset({"whether", "asks", "asked", "asking"})
_HEDGING = frozenset({"may", "might", "possible", "possibly", "perhaps", "questionable", "equivocal"})
_NOT_SHORT = frozenset({"n't", "n’t"})
_EMPTY = word_set(
    "a an the is are was were be been being there this that these those it its in on of at to for with from "
    "by and or any some do does did has have had can could may might would should will shall i we you see "
    "seen show shows showing shown visible visualized present presence evidence evident appear appears "
    "demonstrate demonstrates reveal reveals contain contains noted note identified identify detected detect "
    "depicted image images picture photo scan film here given patient sign signs finding findings found "
    "observed observe as which suggest suggests suggestive suggesting indicate indicates what how many if "
    "whether your answer longer"
)
_STATING = word_set(
    "is are was were there has have show shows demonstrates reveals contains see seen visible present evident "
    "noted appears suggests indicates depicts observed identified detected positive"
)
_ABNORMAL = re.compile(r"\babnormal\b|\bunhealthy\b")
_UNSURE = re.compile(
    r"\b(?:cannot|can['’]t|could not|couldn['’]t|unable to|(?:not possible|impossible|difficult|hard) to)\s+(?:\w+\s+)?"
    r"(?:determin\w*|tell|say|assess\w*|conclude|answer|help|assist|exclude|rule out"
    r"|be (?:determined|assessed|ruled out|excluded))"
    r"|\b(?:unknown|unclear|uncertain|indeterminate|not sure|not certain|don['’]t know|do not know)\b",
)
# Commas of a list that ends in "or": "no consolidation, effusion, or pneumothorax" is one clause.
_MEMBER = r"(?:(?!(?:an?|the|there|is|are|was|were|has|have|shows?|but|with|not|no)\b)[\w-]+\s+){0,4}"
_LISTED = re.compile(rf"(?:,\s+{_MEMBER}[\w-]+){{1,8}}(?=,?\s+n?or\b)|,(?=\s+n?or\b)")
# What shows the finding is not asked after ("Does the CT show a mass?").
_SHOWN_BY = re.compile(
    r"\b(?:on|in|does|do) (?:the|this|an?) (?:\w+ )?(?:cts?|mris?|mr|x-?rays?|radiographs?|scans?|ultrasound)\b"
)
_JOINT = frozenset({"or", "nor", "and"})
_PLACE = frozenset({"in", "on", "at", "within", "of"})
_OF_SIGN = word_set("evidence sign signs absence lack free suggestion indication features findings")


def finding_verdict(text: str, question: str) -> bool | None:
    """Return whether `text` (lower case) states what `question` asks after: all of it, or a denial of a part of it.

    None if no clause does either, clauses disagree, or the text says that it can't tell.
    """
    asked = _content(_words(_SHOWN_BY.sub(" ", question.lower())))
    if not any(word in text for word in asked) or _DENIAL & set(_words(question)):
        return None
    if "normal" in asked or "healthy" in asked:
        text = _ABNORMAL.sub(lambda word: f"not {word[0][2:]}", text)
    if ", " in text and "or " in text:
        text = _LISTED.sub(lambda commas: commas[0].replace(",", " or"), text)
    verdicts: set[bool] = set()
    for clause in _CLAUSE_END.split(text):
        if any(word in clause for word in asked):
            verdicts.update(_clause_verdicts(_words(clause), asked))
    return verdicts.pop() if len(verdicts) == 1 and not _UNSURE.search(text) else None


def _clause_verdicts(words: list[str], asked: set[str]) -> Iterator[bool]:
    if not _ASKING.isdisjoint(words):
        return
    cue = next((i for i, w in enumerate(words) if w in _DENIAL or w[-3:] in _NOT_SHORT), None)
    if cue is None:
        if asked <= _content(words) and not _STATING.isdisjoint(words) and _HEDGING.isdisjoint(words):
            yield True
        return
    joined = next((i for i in range(cue, len(words)) if words[i] == "and" and not _STATING.isdisjoint(words[i:])), None)
    if joined is not None:  # "no effusion and there is a nodule", "not enlarged and an effusion is absent"
        yield from _clause_verdicts(words[:joined], asked)
        if words[joined + 1] == "there" or not _DENIAL.isdisjoint(words[joined:]):
            yield from _clause_verdicts(words[joined + 1 :], asked)
        return
    for denied in _members(words[cue + 1 :]) if _content(words[cue + 1 :]) else (words[:cue],):
        content = _content(denied)
        if content and content <= asked:
            yield False


def _members(words: list[str]) -> Iterator[list[str]]:
    """Yield the members of a list that is denied, up to one with a place: "effusion in the right or left lung" is one.

    Another denial ("neither … nor", "suggests no") begins a member too.
    """
    member: list[str] = []
    placed = False
    for index, word in enumerate(words):
        if not index and word in _DENIAL:
            return  # "not without", "not excluded"
        if word in _JOINT or word in _DENIAL:
            if member:
                yield member
            if placed:
                return
            member = []
        else:
            placed |= word in _PLACE and not (word == "of" and (not index or words[index - 1] in _OF_SIGN))
            member.append(word)
    if member:
        yield member


def _words(text: str) -> list[str]:
    return [m[0] for m in _WORD.finditer(text.lower())]


def _content(words: list[str]) -> set[str]:
    bare = set(words) - _EMPTY
    return {w[:-1] if w[-1] == "s" and len(w) > 3 and w[-2] != "s" else w for w in bare} - _EMPTY
