"""Is the finding that a question asks after stated or denied? By the words of each clause of an English response."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lingshu.evalkit.parsing.comparisons import COMPARED, compared, effect
from lingshu.evalkit.parsing.finding_lists import lists
from lingshu.evalkit.parsing.finding_words import (
    ASKING,
    CHANGED,
    DENIAL,
    HEDGING,
    KINDS,
    NORMAL,
    NOT_SHORT,
    OPPOSITES,
    PLACES,
    STATING,
    content,
    forms_of,
    without_terms,
    words_of,
)
from lingshu.evalkit.parsing.options import word_set

# All patterns are for lower-case text.
_CLAUSE_END = re.compile(
    r"[.!?;:\n。！？；]+(?:\s|\Z)?|,\s|，|\b(?:but|although|though|however|whereas|because|since|while)\b"
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ABNORMAL = re.compile(r"\babnormal\b|\bunhealthy\b")
_WITHIN_NORMAL = re.compile(r"\bwithin (?:the )?normal (?:limits|range)\b")
_NOTHING_WRONG = re.compile(
    r"\bnothing (?:wrong|abnormal|of note) (?:is |was |can be )?(?:seen |found |identified )?(?:with"
    r"|in) (?P<organ>the \w+)"
    r"(?: (?:can|could) be (?:found|seen|identified))?"
)
_UNSURE = re.compile(
    r"\b(?:cannot|can['’]t|could not|couldn['’]t|unable to|(?:not possible|impossible|difficult|hard) to)\s+(?:\w+\s+)?"
    r"(?:determin\w*|tell|say|assess\w*|conclude|answer|help|assist|exclude|rule out"
    r"|be (?:determined|assessed|ruled out|excluded|sure|certain))"
    r"|\b(?:unknown|unclear|uncertain|indeterminate|not sure|not certain|don['’]t know|do not know)\b",
)
# Commas of a list that ends in "or": "no consolidation, effusion, or pneumothorax" is one clause.
_MEMBER = r"(?:(?!(?:an?|the|there|is|are|was|were|has|have|shows?|but|with|without|not|no)\b)[\w-]+\s+){0,4}"
_LISTED = re.compile(rf"(?:,\s+{_MEMBER}[\w-]+){{1,8}}(?=,?\s+n?or\b)|,(?=\s+n?or\b)")
_PICTURE = (
    r"(?:cts?|mris?|mr|x-?rays?|radiographs?|scans?|ultrasound|images?|photographs?|photos?|pictures?|films?|slices?|slides?"
    r"|sections?|views?|micrographs?|angiograms?|mammograms?|stud(?:y|ies)|frames?|biops(?:y|ies)|specimens?|tracings?|ecg)"
)
# What shows the finding is not asked after ("Does the CT show a mass?", "in this fundus photograph of the left eye").
_SHOWN_BY = re.compile(
    rf"\b(?:on|in|from|of|does|do) (?:the|this|that|these|an?) (?:[\w-]+ ){{0,3}}?{_PICTURE}"
    rf"(?: (?:[\w-]+ )?{_PICTURE})?\b(?: of the \w+)?"
    rf"|\bthis (?!an?\b)(?:[\w-]+ ){{0,2}}?{_PICTURE}\b"
)
_FREE_OF = re.compile(r"\b(?:free (?:of|from)|without|clear of|an? absence of|no)\b")
_LABEL = re.compile(
    r"(?P<lead>\A|[.;\n]\s*)(?:[-•]\s*)?(?P<label>(?:[\w-]+ ){0,2}[\w-]+):[ \t]+(?=\w)"
)  # "Trachea: central."
_WITHOUT = re.compile(r"\s(?:without|with no)\b")
_FREE = re.compile(r"\bfree (?:of|from)\b")
_EMPHATIC = re.compile(
    r"\b(?:does|do|did) (?P<no>not )?(?:(?:significantly|indeed|also|clearly|usually|typically|generally) )?"
    r"(?P<verb>[a-z]+)"
)
_DOES = re.compile(r"(?:\A|[.:?!]\s)\s*(?:does|do|did)\b[^.?!]*\?*\s*\Z")
_QUESTION = re.compile(
    r"(?:[.:;?!\n]\s+)(?P<asked>(?:is|are|was|were|does|do|did|can|could|should|would|will|has|have)\b[^.?!:;\n]*\?*)\s*\Z"
)
_MODAL = re.compile(
    r"\b(?:can|could|should|may|must|ought to)(?P<no> ?not|n?['’]t)?\s+(?:be )?(?:\w+ly )?(?:be )?(?P<verb>[a-z]+)"
)
_ASKS_MODAL = re.compile(r"(?:\A|[.:?!]\s)\s*(?:can|could|should|may|must)\b")
_PAIR = re.compile(
    r"\?\s*(?:(?P<yes>yes)|(?P<no>no(?:ne)?|i (?:don['’]t|do not|cannot|can['’]t) see (?:any|one|it|them)))\b"
)
# "It cannot be seen." speaks of what is asked after.
_PRONOUN = re.compile(
    r"(?:it|they|there|this) (?:(?P<no>cannot be|can ?not be|can['’]t be|could not be|couldn['’]t be|is not"
    r"|isn['’]t|are not|aren['’]t)"
    r"|can be|is|are) (?:clearly |well |definitely )?(?:seen|visible|visuali[sz]ed|identified|present"
    r"|demonstrated|observed|detected)\b"
)
_RATHER = re.compile(r"\b(?:rather than|instead of|as opposed to)\b")
_NON = re.compile(r"\bnon(?:[- ]|(?=contrast|displaced|enhanc|specific))(?P<word>\w+)")
_PREDICATE = re.compile(r"\s*(?:is|are|was|were) (?!there\b)")
_IDENTITY = re.compile(
    r"\s*(?:is|was) (?:this|it|the (?:image|picture|scan|film))\b(?! \w+ (?:performed|done|made|acquired with)\b)"
)
_ECHO = 4  # words of a clause that is no more than a kind of picture
_THIS = frozenset({"this", "it", "that", "the", "here", "these"})
_POINTING = frozenset({"this", "it", "here", "these", "that", "which", "features", "appearance"})
_PICTURES = word_set("image picture scan film slice section view photograph lesion plane modality sequence")
_SO = frozenset({"so", "thus", "therefore", "hence"})
_SIDES = frozenset({"right", "left", "either", "both", "bilateral", "lung", "lungs", "side", "eye", "kidney"})
_BOTH_SIDES = re.compile(
    r"\b(?:in|on|of|within) (?:the |either (?:the )?)?(?:right or (?:the )?left|left or (?:the )?right|either"
    r"|both|bilateral) "
    r"(?:lungs?|sides?|eyes?|kidneys?|hemithora(?:x|ces)|hemispheres?)\b(?: fields?)?"
)
_STUDY = word_set("study radiograph examination exam everything overall chest abdomen head brain fundus biopsy section")
_PARTS = word_set("distal proximal anterior posterior medial lateral")
_JOINT = frozenset({"or", "nor", "and"})
_PLACE = frozenset({"in", "on", "at", "within", "of"})
_OF_SIGN = word_set("evidence sign signs absence lack free suggestion indication features findings")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question asks after.

    Args:
        words: its content, each word in its first form.
        named: pieces of which a clause has to hold one if it is to say something of it.
        identity: it asks of what kind the picture or the lesion is ("Is this an axial image?").
        predicate: it asks what something is ("Is the heart enlarged?"), not whether it is there.
    """

    question: str
    words: frozenset[str]
    named: frozenset[str]
    identity: bool
    predicate: bool


@lru_cache(maxsize=1 << 12)
def _asked_by(question: str) -> _Asked:
    """Return what a question (lower case) asks after."""
    asked = content(words_of(_SHOWN_BY.sub(" ", question))) or content(words_of(question))
    identity = _IDENTITY.match(question) is not None and asked.isdisjoint(NORMAL)
    if identity:
        asked = asked - {"lesion", "mass", "finding", "skin"} or asked  # "Is this lesion a melanoma?"
    named = forms_of(asked | ({"abnormal"} if asked & NORMAL else set())) | (
        NORMAL if not asked - CHANGED - NORMAL else set()
    )
    for one, other in (*OPPOSITES, *PLACES):
        named |= forms_of(set(one | other)) if not asked.isdisjoint(one | other) else set()
    if identity:
        named |= {word for kinds in KINDS if not asked.isdisjoint(kinds.values()) for word in kinds}
    return _Asked(question, frozenset(asked), frozenset(named), identity, _PREDICATE.match(question) is not None)


def finding_verdict(text: str, question: str) -> bool | None:
    """Return whether `text` (lower case) states what `question` asks after: all of it, or a denial of a part of it.

    None if no clause does either, clauses disagree, or the text says that it can't tell.
    """
    if _CHINESE.search(question):
        return None
    whole, text = without_terms(_last_question(question.lower())), without_terms(text)
    lowered = whole.partition(" than ")[0]
    if pronoun := _PRONOUN.match(text):
        return not pronoun["no"]
    if free := _FREE_OF.search(lowered):  # "Is the film free of fractures?"
        verdict = finding_verdict(text, "is there " + lowered[free.end() :])
        return None if verdict is None else not verdict
    if not DENIAL.isdisjoint(words_of(lowered)):
        return _by_other_rules(text, whole)
    said = _done(text, lowered)
    said = _by_other_rules(text, whole) if said is None else said
    return said if said is not None or COMPARED.search(whole) else _by_clauses(text, _asked_by(lowered))


def _by_other_rules(text: str, question: str) -> bool | None:
    """Return what a comparison, or an effect, says of a question that asks for one."""
    said = compared(text, question)
    return effect(text, question) if said is None else said


def _by_clauses(text: str, asked: _Asked) -> bool | None:
    """Return what the clauses of `text` say of what is asked after, None if they disagree or name none of it."""
    if not any(word in text for word in asked.named):
        return None
    if "contrast" in asked.words and "oral" in text and "oral" not in asked.question:
        return None
    if "?" in text and (pair := _paired(text, asked.words)):
        return bool(pair["yes"])
    verdicts = set(_statements(text, asked))
    return verdicts.pop() if len(verdicts) == 1 and not _UNSURE.search(text) else None


def _last_question(question: str) -> str:
    """Return what is asked at the end of a question that tells more before."""
    found = _QUESTION.search(question)
    return found["asked"] if found else question


def asks_after(finding: str, question: str) -> bool:
    """Return whether `question` asks after something that `finding` (lower case) names."""
    return not content(words_of(finding)).isdisjoint(content(words_of(question)))


def _paired(text: str, asked: frozenset[str]) -> re.Match[str] | None:
    """Return the last "yes" or "no" right behind the question's own words ("Shift? No. Bleeding? Yes.")."""
    result = None
    for found in _PAIR.finditer(text):
        start = max(text.rfind(sign, 0, found.start()) for sign in ".?!\n") + 1
        if content(words_of(text[start : found.start()])) == asked:
            result = found
    return result


def _done(text: str, question: str) -> bool | None:
    """Return whether `text` says by a verb ("does shorten", "can't be delegated") that what is asked is so."""
    does = _DOES.search(question)
    if does and (said := _verb_said(_EMPHATIC, text, question[does.start() :])) is not None:
        return said
    return _verb_said(_MODAL, text, question) if _ASKS_MODAL.match(question) else None


def _verb_said(pattern: re.Pattern[str], text: str, question: str) -> bool | None:
    """Return whether `text` says that something does or can, or does or can not, do what `question` asks."""
    verbs = {_stem(word) for word in words_of(question)}
    said = {not found["no"] for found in pattern.finditer(text) if _stem(found["verb"]) in verbs}
    return said.pop() if len(said) == 1 else None


def _stem(verb: str) -> str:
    """Return a verb without the ending of its form ("delegated", "delegate")."""
    for ending in ("ing", "ed", "es", "s", "e"):
        if verb.endswith(ending) and len(verb) > len(ending) + 2:
            return verb[: -len(ending)]
    return verb


def _plain(text: str, asked: _Asked) -> str:
    """Return `text` without what shows the finding, and with lists that are denied, and normality, made plain."""
    text = _RATHER.sub(" not ", _SHOWN_BY.sub(" ", text))
    text = _LABEL.sub(r"\g<lead>\g<label> is ", text)
    if "with" in text:
        text = _WITHOUT.sub("; without", text)
    if "free" in text:
        text = _FREE.sub(" without ", text)
    if "non" in text:
        text = _NON.sub(lambda found: _without(found, asked), text)
    if not NORMAL.isdisjoint(asked.words):
        text = _ABNORMAL.sub(lambda word: f"not {word[0][2:]}", text)
    text = _NOTHING_WRONG.sub(r"\g<organ> is normal", _WITHIN_NORMAL.sub("normal", text))
    if _SIDES.isdisjoint(words_of(asked.question)):
        text = _BOTH_SIDES.sub(" ", text)
    if ", " in text and "or " in text:
        text = _LISTED.sub(lambda commas: commas[0].replace(",", " or"), text)
    return text


def _without(found: re.Match[str], asked: _Asked) -> str:
    """Return "not …" for "non-…" where the word is asked after; else it is but a kind ("non-proliferative")."""
    return f"not {found['word']};" if content([found["word"]]) & asked.words else found[0].replace("-", "")


def _statements(text: str, asked: _Asked) -> Iterator[bool]:
    """Yield what the clauses of `text` say of what is asked after."""
    plain = _plain(text, asked)
    clauses = [clause for clause in _CLAUSE_END.split(plain) if clause.strip()]
    naming = [words_of(clause) for clause in clauses if any(word in clause for word in asked.named)]
    if len(clauses) == 1 and asked.predicate and "?" not in text and naming and content(naming[0]) == asked.words:
        yield DENIAL.isdisjoint(naming[0])  # "Lungs normal", no more than what is asked after
        return
    for words in naming:
        if asked.identity and len(words) > _ECHO and _POINTING.isdisjoint(words) and not _of_picture(words):
            continue  # of such pictures, not of this one
        if asked.identity and (other := _other_kind(words, asked.words)) is not None:
            yield other
        else:
            # Of a whole picture, "the heart is normal" says nothing.
            yield from (said for said in _clause_verdicts(words, asked.words) if not (said and asked.words <= NORMAL))
            yield from _normality(words, asked.words)
            yield from _opposite(words, asked.words, placed=asked.predicate)
    if not asked.predicate and not asked.identity and lists(plain, asked.words):
        yield True


def _of_picture(words: list[str]) -> bool:
    """Return whether a clause speaks of the picture or the lesion ("The plane is …")."""
    return any(one == "the" and two in _PICTURES for one, two in itertools.pairwise(words))


def _other_kind(words: list[str], asked: frozenset[str]) -> bool | None:
    """Return False if a clause says that a picture is of another kind than is asked after ("coronal" for axial)."""
    for kinds in KINDS:
        wanted = {kinds[word] for word in asked if word in kinds}
        said = {kinds[word] for word in words if word in kinds}
        if wanted and said and wanted.isdisjoint(said) and DENIAL.isdisjoint(words) and HEDGING.isdisjoint(words):
            return False
    return None


def _normality(words: list[str], asked: frozenset[str]) -> Iterator[bool]:
    """Yield what a clause that says that an organ is normal says of a change of it, or of its being normal."""
    said = content(words)
    if (
        "abnormal" in said
        and not DENIAL.isdisjoint(words)
        and not NORMAL.isdisjoint(asked)
        and said - DENIAL <= asked | {"abnormal"}
    ):
        yield True  # "no abnormality"
    if not DENIAL.isdisjoint(words) or not HEDGING.isdisjoint(words):
        return
    organs = asked - CHANGED - NORMAL
    organs = organs - _PARTS or organs  # what is normal is so in all its parts
    if organs and organs <= said and not NORMAL.isdisjoint(asked) and not CHANGED.isdisjoint(said):
        yield False
    if NORMAL.isdisjoint(said):
        return
    if (organs and organs <= said) or (not organs and said <= NORMAL | _STUDY):
        if not CHANGED.isdisjoint(asked):
            yield False
        elif not NORMAL.isdisjoint(asked):
            yield True


def _opposite(words: list[str], asked: frozenset[str], placed: bool) -> Iterator[bool]:
    """Yield False where a clause says the opposite of what is asked after ("deviated" for "midline") of the same thing.

    Args:
        placed: the question asks where something is ("Is the liver on the left?"), not whether it is there.
    """
    said = content(words)
    opposites = (*OPPOSITES, *PLACES) if placed else OPPOSITES
    for one, other in (*opposites, *(pair[::-1] for pair in opposites)):
        both = not asked.isdisjoint(other) or not said.isdisjoint(one)
        if asked.isdisjoint(one) or said.isdisjoint(other) or both:
            continue
        things = asked - one - other - {"side", "lobe"}
        same = not things or not things.isdisjoint(said) or words[0] in _THIS
        if same and DENIAL.isdisjoint(words) and HEDGING.isdisjoint(words):
            yield False


def _clause_verdicts(words: list[str], asked: frozenset[str]) -> Iterator[bool]:
    if not ASKING.isdisjoint(words) or asked.isdisjoint(content(words)):
        return
    cue = next((i for i, w in enumerate(words) if w in DENIAL or w[-3:] in NOT_SHORT), None)
    if cue is None:
        if _defines(words):
            return
        said = content(words) - _SO
        pointed = bool(said) and said <= asked and not _POINTING.isdisjoint(words[:2])  # "so it is swollen"
        if (asked <= said or pointed) and not STATING.isdisjoint(words) and HEDGING.isdisjoint(words):
            yield True
        return
    joined = next((i for i in range(cue, len(words)) if words[i] == "and" and not STATING.isdisjoint(words[i:])), None)
    if joined is not None:  # "no effusion and there is a nodule", "not enlarged and an effusion is absent"
        yield from _clause_verdicts(words[:joined], asked)
        if words[joined + 1] == "there" or not DENIAL.isdisjoint(words[joined:]):
            yield from _clause_verdicts(words[joined + 1 :], asked)
        return
    for denied in _members(words[cue + 1 :]) if content(words[cue + 1 :]) else (words[:cue],):
        said = content(denied)
        if said and said <= asked:
            yield False


def _defines(words: list[str]) -> bool:
    """Return whether a clause tells what something is, and states nothing of a picture ("The disc is the point …")."""
    if words[0] in _POINTING:
        return False
    stating = [i for i, word in enumerate(words) if word in STATING]
    is_only = all(words[i] in ("is", "are") for i in stating)
    return is_only and any(words[i + 1 : i + 2] in (["a"], ["an"], ["the"], ["one"], ["defined"]) for i in stating if i)


def _members(words: list[str]) -> Iterator[list[str]]:
    """Yield the members of a list that is denied, up to one with a place: "effusion in the right or left lung" is one.

    Another denial ("neither … nor", "suggests no") begins a member too.
    """
    member: list[str] = []
    placed = False
    for index, word in enumerate(words):
        if not index and word in DENIAL:
            return  # "not without", "not excluded"
        if word in _JOINT or word in DENIAL:
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
