"""The words by which a text states, denies or weighs what it mentions, as patterns for lower-case text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class _Cue:
    """A pattern for lower-case text in three parts, so that a text pays for no alternatives that can't match in it.

    Args:
        words: English alternatives that begin at the edge of a word; they share one `\\b`, by which the engine passes
            over most of a text.
        other: English alternatives that don't.
        beyond: alternatives that need a character of `_BEYOND_ENGLISH`; they are tried at every character.
    """

    words: str
    other: str = ""
    beyond: str = ""


# What a pattern is made of: escapes, sets, heads of groups, single characters.
_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!]|:)|.", re.DOTALL)
_BEYOND_ENGLISH = re.compile(r"[\u2028-\U0010ffff]")

_REASON = _Cue(
    r"(?:because|since|as|given|due to|which|unlike|rather than|instead of)\b",
    beyond=r"因为|由于|而不是|而非",
)
_OF_NEXT = _Cue(r"(?:not|nor|over)\b", beyond=r"是|非|选|虑")
_NOT = r"not\b(?!\s+(?:only|sure|certain|just)\b)|cannot\b|never\b"
_EXCLUDING = (
    r"exclud\w*|eliminat\w*|rul(?:e|es|ed|ing)\s+(?:\w+\s+)?out\b|reject\w*|discard\w*|dismiss\w*|except\b"
    r"|incorrect\b|wrong\b|false\b|neither\b"
)
_EXCLUDING_ZH = "排除|除了|除外|错误|不正确|不选"
_EXCLUDING_BEFORE = _Cue(_EXCLUDING, beyond=_EXCLUDING_ZH)
_DENIED_BEFORE = _Cue(
    rf"{_NOT}|{_EXCLUDING}|nor\b|rather than\b|instead of\b|unlike\b|unlikely\b|other than\b|against\b"
    rf"|i doubt\b|avoid(?:s|ed|ing)?\b|(?:over|beats)\s*\Z"
    rf"|(?:more|better|likelier)\b[^.,;]*\bthan\s*(?:option\s*)?\Z|less likely\s*:\s*(?:option\s*)?\Z",
    r"n['’]t\b",
    rf"{_EXCLUDING_ZH}|除\s*\Z|不是|不会是|不应|不能|不考虑|不支持|不像|不可能|并非|而非|非\s*\Z|不\s*\Z",
)
_FINDING_DENIED = _Cue(
    r"(?:non(?=[-\s]*\Z)|no|without|absen(?:t|ce)|negative for|free of|lack(?:s|ing)?|denies)\b",
    beyond=r"无(?!\s*疑)|没有|未见|未发现|否认|不存在",
)
_DENIED_AFTER = _Cue(
    rf"{_NOT}|{_EXCLUDING}|unlikely\b|less likely\b|implausible\b|invalid\b|inappropriate\b|contraindicated\b"
    rf"|would be too \w+|irrelevant\b|unrelated\b|absent\b|avoided\b|(?:is|are) out\b|distractors?\b",
    r"n['’]t\b|\A(?:[)\]\s]*[:：,]\s*no\b|[)\].:：=|\s–—-]*(?:no|f)[\s|]*\Z|[)\s]*×(?!\s*\d))",
    rf"[✗✘❌]|\A[）)\s]*[:：]\s*[否错]|{_EXCLUDING_ZH}|可能性[较很更比]*(?:小|低|不大|不高)|不是|不对|不符|不会|不可能|不应|不能|不成立|有误|错|不包括|不属于|无关|不相关"
    r"|(?:剂量|浓度|比例)?(?:过大|过小|偏大|偏小)",
)
_AFTER_NOT = (
    r"\s+(?:\w+\s+){0,2}?(?:exclud\w*|eliminat\w*|rule[ds]?\s+out|reject\w*|incorrect\b|wrong\b|unlikely\b|false\b"
    r"|implausible\b)"
)
_DOUBLE = _Cue(
    rf"(?:not|cannot|never){_AFTER_NOT}|(?:would|could|might) (?:\w+ )?be(?:en)? [^,.;\n]{{0,40}}\b(?:if|unless)\b",
    rf"n['’]t{_AFTER_NOT}",
    r"(?:不能|不可|无法|不|难以)(?:完全)?排除|没有错|不错误",
)
_WEIGHED_BEFORE = _Cue(
    r"(?:between|either|whether|among|compared (?:to|with)|in contrast to|going to say|tempted"
    r"|considered(?!\s*:)|considering|at first|initially|originally|(?<!second )(?<!be )thought"
    r"|(?:might|may|could|would) think|(?:sure|certain|know|tell|say|clear|determine) if"
    r"|(?:all|everything|anything)\b[^.,;]{0,24}\bbut)\b",
    beyond=r"还是|介于|既|也有?可能|(?:首先|先|再|接着|其次)看\s*\Z|\x01",
)
_LETTER_LEAD = (
    r"\s*(?:(?:probably|likely|most likely|definitely|clearly|actually|certainly|indeed|obviously|simply|surely)\s+)?"
    r"(?:the\s+|an?\s+)?(?:letter|option|choice|答案|选项)?[\s:：=\"'“‘(\[{（为是-]*\Z"
)
_STATED_BEFORE = _Cue(
    r"(?:(?:answer|correct|right|best|final|exception|odd one out|to (?:pick|choose"
    r"|select))\b[^.,;\n]{0,40}?(?:\bis\b|\bare\b|\bbe\b|\bwas\b|[:：=])"
    r"|answer\b|(?:choose|chose|select|pick|answered)\b|(?:go|going) (?:with|for)\b|opt for\b|settle on\b"
    r"|lean(?:ing)?(?: towards?| to)?\b|(?:it|this|that|diagnosis) (?:must|has to) be\b"
    r"|(?:diagnosis|impression|conclusion)\s*(?:[:：\n]|\bis\b))" + _LETTER_LEAD,
    r"[=-]>" + _LETTER_LEAD,
    r"(?:答案[^,，。;\n]{0,8}|选[择用]?|选项(?=[是为])|应为|[→⇒])" + _LETTER_LEAD,
)
_FAVOURED_BEFORE = _Cue(
    r"(?<!can )(?<!may )(?<!might )(?<!could )(?:point(?:s|ing)?(?: more)?(?: strongly)? to(?:wards?)?"
    r"|(?:consistent|compatible|in keeping) with"
    r"|(?:typical|characteristic|suggestive|indicative|diagnostic|classic) (?:of|for)|corresponds? to|only|is"
    r"|looks? like|shown for"
    r"|(?:suggest|indicat|favou?r|support|show|depict|demonstrat|reveal|illustrat|match|fit)(?:s|es|ed|ing)?)\b"
    + _LETTER_LEAD,
    r"['’]s" + _LETTER_LEAD,
    beyond=r"(?:提示|支持|符合|指向|显示|首选|给予|考虑|诊断|即|[是为])" + _LETTER_LEAD,
)
_STATED_AFTER = _Cue(
    r"(?:correct|true|the answer|is the (?:only|one|exception|odd one)|(?:my|final|best|right) (?:answer|choice"
    r"|option)|the (?:best|right|most \w+)"
    r"|(?:is|be|seems|are) (?:right|best|most (?:likely|appropriate))(?!\w|[ -]?(?:sided|lateral|lung|side))"
    r"|(?:is|seems|fits|would be) better(?! known)|(?:is|seems) (?:the )?more likely(?! than)|remains"
    r"|makes (?:the )?most sense|best (?:explains|fits|matches|describes|accounts)"
    r"|what i(?:['’]d| would|['’]ll| will)? (?:pick|choose|select|answer|go with))\b"
    r"|it (?:is|must be|has to be)(?: then| indeed)?\s*\Z",
    r"\A(?:[)\]\s]*[:：,]\s*yes\b|[)\].:：=|\s–—-]*(?:yes|t)[\s|]*\Z)",
    r"[✓✔✅]|\A[）)\s]*[:：]\s*(?:是|对)(?!\w)|可能性[最较很更比]*(?:大|高)|\A[)\s]*√(?!\s*\d)|正确|是对的|为答案|是答案|最符合"
    r"|[更最](?:为|加)?(?:有?可能|合适|合理|恰当|佳|准确|适合|贴切)",
)
_FAVOURED_AFTER = _Cue(
    r"(?:(?:fits?|matches|explains|accounts for|describes)(?=\s*(?:\Z|the\b|this\b|these\b|all\b|everything\b"
    r"|well\b|perfectly\b"
    r"|with\b|best\b))|makes sense|is (?:very |highly |quite )?likely|is (?:consistent|compatible) with"
    r"|is (?:the )?classic|should be (?:started|given|used|administered|performed|done|ordered|the"
    r"|chosen)|is (?:therefore |thus |hence |clearly )?(?:indicated|recommended|preferred|required|first[- ]line"
    r"|the (?:treatment|drug|test"
    r"|investigation|diagnosis|cause|preferred|recommended|appropriate)))\b",
    beyond=r"符合|首选|应作为|应给予|应使用|很?可能性?(?:很大)?\s*\Z",
)
_WEIGHED_AFTER = _Cue(
    r"(?:at first(?: glance| sight)?|initially|on the surface|superficially|tempting|(?:is|are|seems?"
    r"|looks?) (?:also )?(?:plausible|possible"
    r"|attractive|reasonable))\b",
    beyond=r"[都也均]有?可能",
)


@dataclass(frozen=True, slots=True)
class Cues:
    """The compiled cues; `before` and `after` say where, by the mention, a cue is looked for.

    Args:
        favoured_before, favoured_after: speak for a mention, but don't state it as the answer.
        any_before: finds what any cue before a mention would; where it finds nothing, none of them has to be tried.
        any_before_finding: … where the mention is a finding.
        any_after: … after a mention, or what ends what is said of it (a reason, a "not" that belongs to the next one).
    """

    reason: re.Pattern[str]
    double: re.Pattern[str]
    excluding_before: re.Pattern[str]
    denied_before: re.Pattern[str]
    finding_denied: re.Pattern[str]
    weighed_before: re.Pattern[str]
    stated_before: re.Pattern[str]
    favoured_before: re.Pattern[str]
    denied_after: re.Pattern[str]
    stated_after: re.Pattern[str]
    favoured_after: re.Pattern[str]
    weighed_after: re.Pattern[str]
    any_before: re.Pattern[str]
    any_before_finding: re.Pattern[str]
    any_after: re.Pattern[str]


def by_first_letter(words: str) -> str:
    """Return alternatives grouped by their first letter: the engine then tries few of them at a word, not all."""
    groups: dict[str, list[str]] = {}
    for word in dict.fromkeys(_alternatives(words)):
        groups.setdefault(word[0] if word[0].isalpha() else "", []).append(word)
    alone = groups.pop("", [])
    return "|".join([*(f"{first}(?:{'|'.join(w[1:] for w in group)})" for first, group in groups.items()), *alone])


def _alternatives(pattern: str) -> list[str]:
    """Return the alternatives of `pattern`, also those of a group that it begins with: "(?:a|b)c|d" is ac, bc, d."""
    pieces = _PIECE.findall(pattern)
    depths = list(accumulate(piece.startswith("(") - (piece == ")") for piece in pieces))
    bars = [at for at, piece in enumerate(pieces) if piece == "|" and not depths[at]]
    if bars:
        ends = zip([-1, *bars], [*bars, len(pieces)], strict=True)
        return [one for start, end in ends for one in _alternatives("".join(pieces[start + 1 : end]))]
    close = depths.index(0) if pieces and pieces[0] == "(?:" else 0
    if not close or pieces[close + 1 : close + 2] in (["?"], ["*"], ["+"], ["{"]):
        return [pattern]
    rest = "".join(pieces[close + 1 :])
    return [inner + rest for inner in _alternatives("".join(pieces[1:close]))]


def _compiled(*, english: bool) -> Cues:
    def either(*cues: _Cue) -> re.Pattern[str]:
        words = by_first_letter("|".join(cue.words for cue in cues))
        parts = [rf"\b(?:{words})", *(cue.other for cue in cues if cue.other)]
        return re.compile("|".join(parts + [cue.beyond for cue in cues if cue.beyond and not english]))

    before = (_DOUBLE, _DENIED_BEFORE, _WEIGHED_BEFORE, _STATED_BEFORE, _FAVOURED_BEFORE)
    after = (_DOUBLE, _DENIED_AFTER, _STATED_AFTER, _FAVOURED_AFTER, _WEIGHED_AFTER)
    return Cues(
        reason=either(_REASON),
        double=either(_DOUBLE),
        excluding_before=either(_EXCLUDING_BEFORE),
        denied_before=either(_DENIED_BEFORE),
        finding_denied=either(_FINDING_DENIED),
        weighed_before=either(_WEIGHED_BEFORE),
        stated_before=either(_STATED_BEFORE),
        favoured_before=either(_FAVOURED_BEFORE),
        denied_after=either(_DENIED_AFTER),
        stated_after=either(_STATED_AFTER),
        favoured_after=either(_FAVOURED_AFTER),
        weighed_after=either(_WEIGHED_AFTER),
        any_before=either(*before),
        any_before_finding=either(*before, _FINDING_DENIED),
        any_after=either(*after, _REASON, _OF_NEXT),
    )


_ENGLISH, _ALL = _compiled(english=True), _compiled(english=False)


def cues_of(english: bool) -> Cues:
    """Return the English cues, or all of them."""
    return _ENGLISH if english else _ALL


def is_english(text: str) -> bool:
    """Return whether no other cues than English ones can stand in `text`."""
    return text.isascii() or not _BEYOND_ENGLISH.search(text)
