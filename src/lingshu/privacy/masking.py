"""Masking: what may name a person in a text is replaced by a placeholder, `[name]`, before somebody else reads it.

What patterns find (`identifiers`) is masked where it is found; its names and numbers are masked wherever the text has
them again without a title or label ("my name is Wanda … Hi Wanda"). What no pattern finds stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from lingshu.privacy.identifiers import KINDS, PREFIX, Span, identifier_columns, identifier_spans

ROUNDS = 8  # masking one candidate may bare another: two numbers that share the comma between them
TEXTS_AT_ONCE = 1 << 12
_NUMBER = re.compile(r"\d[\d\s().-]{3,}\d|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u3400-\u9fff]{2,4}")
# Words of the patterns that are no part of a name.
_LABELS = frozenset(
    (
        "mr", "mrs", "ms", "dr", "prof", "professor", "patient", "patients", "pt", "name", "my", "full", "is", "of",
        "the", "dictated", "reported", "interpreted", "read", "signed", "reviewed", "verified", "ordered", "by", "with",
        "and", "referring", "attending", "ordering", "physician", "doctor", "provider", "radiologist", "technologist",
        "electronically", "md", "do", "rn", "np", "pa", "mbbs", "frcr", "van", "von", "de", "der", "den", "del", "la",
        "al",
    )
)  # fmt: skip
_HAN_LABELS = re.compile(
    "患者|病人|患儿|姓名|联系人|主治|报告|审核|检查|诊断|经治|主管|住院|签名|送检|医师|医生|大夫|记录者|先生|女士|小姐"
    "|主任|教授|护士|孩子|儿子|女儿|母亲|父亲|名叫|我叫|叫"
)
# What a pattern takes in beyond the value: what follows a name on its line, the signs around a number.
_BEHIND_NAME = re.compile(
    r"(?:[\s,;]+(?:age|male|female|dob|mrn)|[\s,;]*[(\d]|[\s，,、]+[男女]|[\s，,。；;、])$", re.IGNORECASE
)
_HAN_BEHIND_ACCOUNT = re.compile(r"(?<=[A-Za-z0-9_-]{4})[\u3400-\u9fff].*$", re.DOTALL)
_BEFORE_NUMBER, _BEHIND_NUMBER = re.compile(r"^[^\d+(](?=\d)"), re.compile(r"(?<=[\dXx])[^A-Za-z\d_]$")

# What patterns leave of an identifier: `Dr. Jane` of "Dr. Jane Q. Doe", `CR-2019-0042` of "CR-2019-0042B".
_MORE_NAME = re.compile(
    r"(?:[ \t]+(?:van|von|de|der|den|del|la|al|el|bin|ibn|ben|wa))?[ \t]+"
    r"([^\W\d_](?:\.(?:[^\W\d_]\.)*|[^\W\d_]*)(?:[-'’][^\W\d_]+)*)|(?:[-‐](?=[^\W\d_]))([^\W\d_]+)"
)
_NAME_BEFORE = re.compile(r"([^\W\d_]+)[ \t]+$")
_MORE_NAMES = 3  # words
_MORE, _BEFORE = re.compile(r"(?:[^\W\u3400-\u9fff]|[/-])*"), re.compile(r"(?:[^\W\u3400-\u9fff]|[/-])*$")
_NEAR = 64  # characters before an identifier that are looked at
# Words with a capital that stand behind a name and are none of it.
_NO_NAMES = frozenset(
    (
        "i", "a", "an", "the", "my", "your", "you", "he", "she", "it", "we", "they", "this", "that", "hi", "hello",
        "dear", "thanks", "thank", "please", "and", "but", "or", "for", "in", "on", "at", "to", "from", "if", "as",
        "is", "was", "has", "had", "have", "how", "what", "when", "why", "can", "could", "should", "would", "will",
        "not", "no", "yes", "age", "male", "female", "dob", "mrn", "seen", "see", "after", "before", "regards",
        "sincerely", "phone", "tel", "mobile", "fax", "date", "address", "email", "ssn", "welcome", "doctor", "doc",
        "sir", "madam", "mam", "worried", "having", "suffering", "taking", "feeling", "pregnant", "diabetic", "there",
        "here", "friend", "everyone", "all", "user", "take", "rest", "drink", "do", "any", "also", "so", "since", "are",
        "am", "me", "us", "just", "kindly", "need", "get", "got", "now", "then", "with", "who", "which", "where",
        "while", "let", "best", "good", "morning", "evening", "night", "day", "today", "yesterday", "hospital",
        "clinic", "center", "centre", "department", "general", "surgeon", "consultant", "specialist", "cardiologist",
        "dermatologist", "neurologist", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Masked:
    """The parts of a text with placeholders, how many of them, and the kinds that are found all the same."""

    parts: tuple[str, ...]
    placeholders: int
    left: tuple[str, ...]


def placeholder(kind: str) -> str:
    """Return what stands for an identifier of a kind: `[record number]`."""
    return f"[{kind.replace('_', ' ')}]"


def mask(texts: Sequence[Sequence[str]], names: Sequence[Collection[str]]) -> list[Masked]:
    """Return texts without what may name a person.

    The parts of a text are searched as one, joined by line feeds, as the gate searches a sample.

    Args:
        texts: the parts of each.
        names: further names to mask in each text, as words.
    """
    known = [set(more) for more in names]
    parts, counts, open_rows = [tuple(text) for text in texts], [0] * len(texts), list(range(len(texts)))
    for _ in range(ROUNDS):
        found = _spans(["\n".join(parts[row]) for row in open_rows])
        changed = []
        for row, spans in zip(open_rows, found, strict=True):
            whole = "\n".join(parts[row])
            known[row] |= secrets(whole, spans)
            if hidden := _joined([*(_whole(whole, span) for span in spans), *_again(whole, known[row])]):
                parts[row], counts[row] = _replaced(parts[row], hidden), counts[row] + len(hidden)
                changed.append(row)
        open_rows = changed
    left = kinds_in(["\n".join(part) for part in parts])
    return [Masked(*one) for one in zip(parts, counts, left, strict=True)]


def kinds_in(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the kinds of identifiers in each text: those that the gate counts, and those that have a place."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(identifier_columns(pl.col("text")))
    placed = [{span.kind for span in spans} for spans in _spans(texts)]
    rows = zip(frame.iter_rows(named=True), placed, strict=True)
    return [tuple(kind for kind in KINDS if row[PREFIX + kind] or kind in places) for row, places in rows]


def secrets_of(texts: Sequence[str]) -> list[frozenset[str]]:
    """Return for each text the names (as words) and numbers of what is found in it."""
    return [frozenset(secrets(text, spans)) for text, spans in zip(texts, _spans(texts), strict=True)]


def secrets(text: str, spans: Iterable[Span]) -> set[str]:
    """Return the names (as words) and numbers of the spans, without titles and labels."""
    found: set[str] = set()
    for span in spans:
        cut = _whole(text, span)
        said = text[cut.start : cut.end]
        if span.kind == "name":
            words = (word for word in _WORD.findall(said) if word.isascii() or not _HAN.search(word))
            found |= {word for word in words if len(word) > 1 and _is_name(word)}
            found |= {name for part in _HAN_LABELS.split(said) for name in _HAN.findall(part)}
        else:
            found |= set(_NUMBER.findall(said))
    return found


def holds(text: str, known: Collection[str]) -> bool:
    """Return whether any of the names (in these or in capital letters) and numbers is in the text."""
    return bool(_again(text, known))


def _spans(texts: Sequence[str]) -> list[list[Span]]:
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return [spans for start in starts for spans in identifier_spans(texts[start : start + TEXTS_AT_ONCE])]


def _whole(text: str, span: Span) -> Span:
    """Return the span without what is not the identifier's, and with what the pattern left of it."""
    said, start = text[span.start : span.end], span.start
    if span.kind == "name":
        said = _BEHIND_NAME.sub("", said)
        return _with_more_names(text, Span(span.kind, start, start + len(said)))
    if span.kind == "phone":
        said = _HAN_BEHIND_ACCOUNT.sub("", said)
    if span.kind in ("phone", "national_id"):
        said = _BEHIND_NUMBER.sub("", said)
        start += len(said) - len(said := _BEFORE_NUMBER.sub("", said))
    before, behind = _BEFORE.search(text, max(0, start - _NEAR), start), _MORE.match(text, start + len(said))
    assert before is not None and behind is not None, "both match nothing too"
    return Span(span.kind, before.start(), behind.end())


def _with_more_names(text: str, span: Span) -> Span:
    start, end = span.start, span.end
    for _ in range(_MORE_NAMES):
        more = _MORE_NAME.match(text, end)
        if more is None or not _is_name(more[1] or more[2]):
            break
        end = more.end()
    first = _WORD.match(text, start)
    while first and _is_name(first[0]):
        before = _NAME_BEFORE.search(text, max(0, start - _NEAR), start)
        if before is None or not _is_name(before[1]):
            break
        start = before.start()
    return Span(span.kind, start, end)


def _is_name(word: str) -> bool:
    return word[0].isupper() and word.lower() not in _NO_NAMES and word.lower() not in _LABELS


def _again(text: str, known: Collection[str]) -> list[Span]:
    found = []
    for secret in known:
        kind = "name" if _WORD.fullmatch(secret) else "email" if "@" in secret else "phone"
        if _HAN.fullmatch(secret) or not _WORD.fullmatch(secret):
            pattern = re.escape(secret)
        else:
            forms = {secret, secret.upper(), secret.capitalize()}
            pattern = rf"(?<![^\W_])(?:{'|'.join(sorted(map(re.escape, forms)))})(?![^\W_])"
        found += [Span(kind, match.start(), match.end()) for match in re.finditer(pattern, text)]
    return found


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans by place, those that overlap as one, of the kind of the longest."""
    joined: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not joined or span.start >= joined[-1].end:
            joined.append(span)
            longest = span.end - span.start
            continue
        kind, longest = max((joined[-1].kind, longest), (span.kind, span.end - span.start), key=lambda one: one[1])
        joined[-1] = Span(kind, joined[-1].start, max(joined[-1].end, span.end))
    return joined


def _replaced(parts: Sequence[str], hidden: Sequence[Span]) -> tuple[str, ...]:
    """Return the parts with placeholders; a span that reaches over an edge leaves one on both sides of it."""
    made, offset = [], 0
    for part in parts:
        said, done = "", 0
        for span in hidden:
            start, end = max(span.start - offset, 0), min(span.end - offset, len(part))
            if start < end:
                said, done = said + part[done:start] + placeholder(span.kind), end
        made.append(said + part[done:])
        offset += len(part) + 1
    return tuple(made)
