"""The checks of recipe `dialogue`: what must not be left of a talk, and what must have been added.

They are rules on words, in English, and the gate's patterns, which know some Chinese: a name that no title, label,
greeting or signature announces is not seen. The parent's names are those of the talk as it came, whether or not the
teacher saw them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from lingshu.core.sample import Sample
from lingshu.core.verdicts import IDENTITY_LEFT
from lingshu.privacy.identifiers import KINDS
from lingshu.privacy.masking import holds, kinds_in, secrets_of
from lingshu.synthesis.checks import Case, Identity, Rejection

IDENTIFIERS: dict[str, re.Pattern[str]] = {
    "e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    "link": re.compile(r"https?://\S+|www\.\S+|\b[\w-]+\.(?:com|org|net|co\.uk)\b", re.IGNORECASE),
    "telephone number": re.compile(r"(?<![\w.])\+?\d(?:[\s().-]?\d){8,}(?!\w)"),
    "record number": re.compile(
        r"\b(?:mrn|patient id|record (?:no|number)|registration (?:no|number)|id (?:no|number))\b\W{0,3}\w*\d\w*",
        re.IGNORECASE,
    ),
    "date": re.compile(
        r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b"
        r"|\b\d{1,2}(?:st|nd|rd|th)? (?:january|february|march|april|may|june|july|august|september|october|november"
        r"|december),? \d{4}\b",
        re.IGNORECASE,
    ),
    "service": re.compile(r"\b(?:health\s?care\s?magic|icliniq|chat\s?doctor|health\s?tap)\b", re.IGNORECASE),
    "titled name": re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof)\b(?:\.\s*|\s+)(?:[A-Z]\.\s*){0,3}[A-Z][a-z]+"),
    "own name": re.compile(r"\b(?:[Mm]y name is|I am called|I am Dr|I'm Dr)\.?\s+[A-Z][a-z]+"),
}
_KINDS = (
    "|".join(kind.replace("_", "[ _]") for kind in KINDS) + "|telephone|e-mail|姓名|名字|日期|电话|邮箱|身份证|地址"
)
# Placeholders as a teacher may write them on: [name], [Name of doctor 2], {phone}, (date), 【姓名】, and NAME.
PLACEHOLDER = re.compile(
    rf"[\[<{{【［]\s*(?:[^\W\d]|[ '’.-]){{0,24}}?(?:{_KINDS}|redacted|removed|masked)(?:\w|[ '’.-]){{0,16}}?"
    r"\\?\s*[\]>}】］]"
    rf"|[(（]\s*(?:{_KINDS})\s*\d*\s*[)）]|\b(?-i:NAME|DATE|PHONE|EMAIL|ADDRESS)\b",
    re.IGNORECASE,
)
# A capital after a title, or alone between a greeting or farewell and its end: "Hello, Based on your …" has none.
_NAMED = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|Prof)\b(?:\.\s*|\s+)(?:[A-Z]\.\s*){0,3}([A-Z][a-z]{2,})"
    r"|\b(?:[Mm]y name is|I am called)\s+([A-Z][a-z]{2,})"
    r"|\b(?:Hi|Hello|Dear|Hey|Regards|Sincerely|Thanks|Yours)\b,?\s+([A-Z][a-z]{2,})(?=\s*(?:[,.!?]|$))",
    re.MULTILINE,
)
_NO_NAMES = frozenset(
    (
        "All", "And", "Dear", "Diabetic", "Doc", "Doctor", "Everyone", "Feeling", "Female", "For", "Friend", "Having",
        "Hello", "Madam", "Male", "Mam", "Not", "Patient", "Pregnant", "Sir", "Suffering", "Taking", "Thanks", "The",
        "There", "User", "Welcome", "Worried", "You", "Your",
    )
)  # fmt: skip
DOSE = re.compile(
    r"\b\d+(?:[.,]\d+)?\s*(?:mg|mcg|µg|micrograms?|milligrams?|ml|millilitres?|milliliters?|iu|drops?|tablets?|tabs?"
    r"|capsules?|caps?|puffs?)\b|\bi (?:will |would )?prescribe\b|\b(?:tab|cap|inj|syp)\.? [A-Z]",
    re.IGNORECASE,
)
DIAGNOSIS = re.compile(
    r"(?<!\bif )(?<!\bwhen )(?<!\bwhether )(?<!\bunless )(?<!\bdo )(?<!\bthat )(?<!\bonce )"
    r"\byou (?:have(?: got)?|suffer from|are suffering from|are having)\b"
    r"(?! (?:any|described|mentioned|to|been|noticed|had|not|written|said|told|shared|given|asked|questions?|further"
    r"|more|already|never|a question))"
    r"|\b(?:my|the) diagnosis is\b|\bthis is (?:definitely|certainly|a case of)\b|\bit is (?:confirmed|a case of)\b",
    re.IGNORECASE,
)
REFERRAL = re.compile(
    r"\b(?:see|consult|visit|contact|talk to|speak (?:to|with)|ask|appointment with|seen by|examined by|evaluated by"
    r"|assessed by|check with|go to)\b[^.!?]{0,60}?"
    r"\b(?:doctor|physician|gp|general practitioner|specialist|surgeon|dentist|psychologist|obstetrician|midwife"
    r"|optometrist|therapist|p(?:a)?ediatrician|[a-z]+ologist|[a-z]+iatrist|emergency (?:department|room|services))\b",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"\b(?:not|no|cannot|can't|doesn't|isn't|replaces no)\b[^.!?]{0,80}\b(?:diagnos\w+|substitute\w*|replace\w*|advice"
    r"|examination|consultation)\b|\bgeneral information\b|\binformational purposes\b",
    re.IGNORECASE,
)


def check_dialogue(case: Case) -> Rejection | None:
    """Reject a talk in which somebody can still be told, or that prescribes, diagnoses, refers to nobody or strays."""
    question, reply = case.sample.prompt_text(), case.sample.target_text()
    if PLACEHOLDER.search(f"{question}\n{reply}"):
        return Rejection("PLACEHOLDER_LEFT", "")
    if left := _identity(_text(case.sample), _text(case.parent)) or ", ".join(case.identity.kinds):
        return Rejection(IDENTITY_LEFT, left)
    if holds(_text(case.sample), case.identity.known):
        return Rejection(IDENTITY_LEFT, "name or number of the parent")
    if dose := DOSE.search(reply):
        return Rejection("PRESCRIPTION_LEFT", dose[0])
    if stated := DIAGNOSIS.search(reply):
        return Rejection("DIAGNOSIS_LEFT", reply[stated.start() : stated.end() + 30])
    return _missing(reply) or _strayed(question, reply, case)


def with_identities(cases: Sequence[Case]) -> list[Case]:
    """Return the cases with what the gate's patterns find in each proposal, and in its parent as it came."""
    known = secrets_of([_text(case.parent) for case in cases])
    found = kinds_in([_text(case.sample) for case in cases])
    return [replace(case, identity=Identity(k, f)) for case, k, f in zip(cases, known, found, strict=True)]


def names_said(text: str) -> set[str]:
    """Return the names that titles, greetings and signatures announce."""
    return {name for match in _NAMED.finditer(text) for name in match.groups() if name} - _NO_NAMES


def _text(talk: Sample) -> str:
    return f"{talk.prompt_text()}\n{talk.target_text()}"


def _missing(reply: str) -> Rejection | None:
    if not REFERRAL.search(reply):
        return Rejection("NO_REFERRAL", "")
    return None if DISCLAIMER.search(reply) else Rejection("NO_DISCLAIMER", "")


def _strayed(question: str, reply: str, case: Case) -> Rejection | None:
    if reply.startswith(case.parent.target_text().strip()):
        return Rejection("NOT_REWRITTEN", "the answer begins with all of the parent's")
    kept = _kept(case.parent.prompt_text(), question, case.identity.known)
    if kept < case.min_kept_words:
        return Rejection("QUESTION_CHANGED", f"{kept:.2f} of its words are kept, at least {case.min_kept_words:.2f}")
    return None


def _identity(text: str, before: str) -> str:
    """Return the kind of identifier that is left, or ""; never the identifier itself, for verdicts are shown."""
    for kind, pattern in IDENTIFIERS.items():
        if pattern.search(text):
            return kind
    words = set(re.findall(r"\b[A-Z][a-z]{2,}\b", text))
    return "name" if names_said(before) & words or names_said(text) else ""


def _kept(before: str, after: str, names: Collection[str]) -> float:
    """Return the share of the question's longer words, names aside, that the new question has too."""
    words = set(re.findall(r"[a-z]{5,}", before.lower())) - {name.lower() for name in names}
    return len(words & set(re.findall(r"[a-z]{5,}", after.lower()))) / len(words) if words else 1.0
