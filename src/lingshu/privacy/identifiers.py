"""Patterns of what may name a person in free text, in English and Chinese: counted by kind, never copied out.

The kinds follow the identifiers that the HIPAA Safe Harbor rule lists (45 CFR 164.514(b)(2)) as far as a pattern can
see them: names beside a title or a label, dates to the day, telephone numbers, e-mail addresses, record numbers,
national identity numbers and street addresses. A pattern finds candidates, not proof: a hit puts a sample aside for a
person to look at. Names without a title or a label are not found; that takes a model. Rust regex syntax (polars).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

# Surnames that together cover about 85 % of people in China; those that are common words before "doctor" (向, 和, 于,
# 高, 任 …) are left out, and so are given names that begin with a verb or particle (何时看医生, 马上找医生).
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔欧"
)
_TWO_SIGNS = "(?:欧阳|司马|上官|诸葛|夏侯|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|东方|端木|百里|南宫)"
_GIVEN = r"[\p{Han}&&[^上下时找看去问请让给和与向对在是有的了就到见约该其他她您你我们为由从如果地得着过或及等]]"
_NAME = r"(?:(?:van|von|de|der|den|del|la|al)[ \t-]){0,2}(?:\p{Lu}['’])?\p{Lu}\p{Ll}+(?:[-'’]\p{Lu}?\p{Ll}+)?"
_CAPITALS = r"\p{Lu}['’]?\p{Lu}+(?:-\p{Lu}+)?"
_APART = r"(?:\.[ \t]*|[ \t]+)"  # people write Dr.Smith, too
_INITIALS = rf"(?:\p{{Lu}}{_APART}){{0,2}}"
_DOCTORS = (
    r"(?:dictated|reported|interpreted|read|signed|reviewed|verified|ordered)\s+by|(?:referring|attending|ordering)\s+"
    r"(?:physician|doctor|provider)|radiologist|technologist|(?:attending|referring)"
)
_ZH_DOCTORS = "(?:主治|报告|审核|检查|诊断|经治|主管|住院|签名|送检)(?:医师|医生)|医师签名|医生签名|记录者"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = rf"(?:{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}|\d{{1,2}}\s+{_MONTH}\.?,?\s+(?:19|20)\d{{2}})"
_YEAR = r"(?:19|20)\d{2}"
_NUMBERED = r"(?:\s*(?:no|number|nr|num|id|#))?[\s.:#：]*"
_EDGE = r"(?-u:\b)"  # of ASCII words: a number may stand right beside a Han character

PATTERNS: dict[str, str] = {
    "name": "|".join(
        [
            rf"\b(?:Mr|Mrs|Ms|Dr|Prof|Professor){_APART}{_INITIALS}{_NAME}",
            rf"\b(?:DR|MRS|PROF)\.[ \t]*{_CAPITALS}",
            r"\b(?i:(?:patient|pt)\.?(?:['’]s)?\s+name|name\s+of\s+(?:the\s+)?patient)[ \t]*[:：][ \t]*"
            rf"(?:{_NAME}|{_CAPITALS})",
            rf"\b(?i:patient|pt)\.?[ \t]*[:：][ \t]*(?:{_CAPITALS},[ \t]*{_CAPITALS}"
            rf"|{_NAME}(?:,[ \t]*|[ \t]+){_INITIALS}{_NAME}"
            r"[,;]?[ \t]*(?:\(|\d|[Aa]ge|[Mm]ale|[Ff]emale|DOB|MRN))",
            rf"\b(?i:name)[ \t]*[:：][ \t]*(?:{_NAME}[, \t]+{_INITIALS}{_NAME}|{_CAPITALS},[ \t]*{_CAPITALS})",
            r"\b\p{Lu}{2,}\^\p{Lu}{2,}",  # as DICOM writes a person's name
            rf"\b(?i:{_DOCTORS})[ \t]*[:：][ \t]*(?:{_NAME}[, \t]+{_INITIALS}{_NAME}|{_CAPITALS},?[ \t]+{_CAPITALS}"
            rf"|(?:\p{{Lu}}\.[ \t]*){{1,2}}{_NAME})",
            rf"\b(?i:(?:electronically\s+)?signed(?:\s+electronically)?\s+by)[ \t]+{_NAME}[, \t]+{_INITIALS}{_NAME}",
            rf"\b(?i:my\s+(?:full\s+)?name\s+is)[ \t]+{_NAME}",
        ]
    ),
    "date": "|".join(
        [
            rf"{_EDGE}\d{{1,2}}[/.-]\d{{1,2}}[/.-]{_YEAR}{_EDGE}",
            rf"{_EDGE}{_YEAR}[/.-](?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|[12]\d|3[01]){_EDGE}",
            rf"{_EDGE}\d{{1,2}}/\d{{1,2}}/\d{{2}}{_EDGE}",
            rf"(?i:\b(?:on|dated?|seen|until|since)[ \t:]+)(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])-\d{{2}}{_EDGE}",
            r"(?i:\b(?:DOB|D\.O\.B\.?|(?:date\s+of\s+birth|birth\s*date|born)\b)[\s:：]*(?:on\s+)?"
            r"\d{1,2}[/. -]\d{1,2}[/. -]\d{2,4})",
            rf"(?i:\bdate[ \t]*[:：]?[ \t]*{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b)",
            rf"(?i:\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b)",
            rf"(?i:\b\d{{1,2}}(?:st|nd|rd|th)?[\s-]*(?:of\s+)?{_MONTH}\.?,?[\s-]*{_YEAR}\b)",
            rf"(?i:\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)\b|\bon\s+{_MONTH}\.?\s+\d{{1,2}}\b)",
            rf"{_YEAR}\s*年\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*[日号]",
            r"[一二][〇○零一二三四五六七八九]{3}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]",
        ]
    ),
    "phone": "|".join(
        [
            rf"(?:\(\d{{3}}\)\s?|{_EDGE}\d{{3}}[-.])\d{{3}}[-.]\d{{4}}{_EDGE}",
            r"\+\d{1,3}(?:[\s.-]?\(?\d{2,4}\)?){2,5}",
            r"(?i:\b(?:tel|telephone|phone|mobile|fax|pager)\b\.?(?:\s*(?:no|number|#))?\s*[.:：]?\s*)\+?[\d(][\d\s().-]{5,}\d",
            r"(?i:\b(?:pager|beeper|bleep)\b\.?(?:\s*(?:no|number|#))?\s*[.:：#]?\s*)\d{3,}",
            r"(?:^|\D)1[3-9]\d{9}(?:\D|$)",
            rf"{_EDGE}1[3-9]\d[- ]\d{{4}}[- ]\d{{4}}{_EDGE}",
            r"(?:^|\D)0\d{2,3}-\d{7,8}(?:\D|$)",
            r"(?:微信号|QQ号|微信[:：]|QQ[:：])\s*[:：]?\s*[A-Za-z\d][\w-]{4,19}",
            r"(?:电话|手机|联系方式)(?:号码|号)?\s*[:：]?\s*0\d{2,3}[- ]?\d{3,4}[- ]?\d{4}",
        ]
    ),
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "record_number": "|".join(
        [
            rf"(?i:\b(?:MRN|med(?:ical|\.)?\s+rec(?:ord|\.)?|(?:patient|pt)\.?\s+(?:id|no|number)|hospital\s+(?:no|number)|accession"
            rf"|chart|NHS)\b{_NUMBERED}[A-Z]{{0,3}}-?\d[\d-]{{3,}})",
            r"(?i:\bNHS(?:\s*(?:no|number))?[\s.:#]*\d{3}\s\d{3}\s\d{4}\b)",
            r"(?i:\b(?:case|specimen|encounter|visit)\s+(?:no|number|id|#)[\s.:#]*[A-Z]{0,3}\d{2}-?\d{3,})",
            r"(?i:\bacc(?:\s*(?:no|#))?\.?[ \t]*[:#][ \t]*[A-Z]{0,3}-?\d[\d-]{3,})",
            r"(?:病历号|住院号|门诊号|病案号|检查号|影像号|登记号|就诊卡号|病人ID|患者ID|病理号|标本号|放射号|超声号|X线号|CT号|MR号|医保卡号|社保卡号|医保号)[\s:：]*[A-Za-z]{0,3}\d{3,}",
        ]
    ),
    "national_id": "|".join(
        [
            rf"{_EDGE}\d{{3}}-\d{{2}}-\d{{4}}{_EDGE}",
            r"(?i:\b(?:SSN|social\s+security(?:\s+(?:no|number))?)(?:\s+is)?[\s.:#]*\d{3}[ -]?\d{2}[ -]?\d{4}\b)",
            r"(?i:\bpassport(?:\s+(?:no|number))?[\s.:#]*[A-Z]{0,2}\d{6,9}\b)",
            r"(?i:\b(?:medicare|medicaid|insurance|policy|member)\s+(?:id|no|number)\b[\s.:#]*(?:[A-Z]{0,3}\d[A-Z\d-]{5,}))",
            r"(?:^|\D)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?:\D|$)",
        ]
    ),
    "address": "|".join(
        [
            r"\b\d{1,5}[A-Z]?\s+(?:[NSEW]\.?\s+)?(?:[A-Z][a-z]+\s+){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Court|Square)\b",
            r"\b(?i:P\.?\s?O\.?\s+Box\s+\d+)",
            r"\p{Han}{2,8}(?:省|市|自治区)\p{Han}{1,8}(?:区|县|市|镇)\p{Han}{1,12}(?:路|街|道|巷|弄|村|小区)\p{Han}{0,6}\d{1,5}\s*(?:号|弄|室|栋)",
            r"(?:家庭住址|住址|家庭地址|现住址)\s*[:：]\s*\p{Han}{4,}",
            r"(?:家住|现住|住在)\p{Han}{2,8}(?:省|市|自治区)\p{Han}{1,8}(?:区|县|镇|乡|村)",
        ]
    ),
}
# Any two capitalised words may begin one of these, so they are looked for only where a degree is.
_DEGREE = r"\bM\.[ \t]?D\.|\b(?:MD|DO|RN|NP|PA-C|MBBS|FRCR)\b"
_WITH_DEGREE = "|".join(
    [
        rf"\b{_NAME}[ \t]+{_INITIALS}{_NAME},?[ \t]+M\.[ \t]?D\.",
        rf"(?:(?m:^)|\b(?i:by|with|and|signed)[ \t]|[:：])[ \t]*{_NAME}[ \t]+{_INITIALS}{_NAME},[ \t]*"
        r"(?:MD|DO|RN|NP|PA-C|MBBS|FRCR)\b",
    ]
)
# Apart from the others: together they are too large for the engine to compile, and a hundred times as slow.
_ZH_NAMES = "|".join(
    [
        r"(?:姓名|患者姓名|病人姓名|联系人)\s*[:：]\s*\p{Han}{2,4}",
        rf"(?:患者|病人|患儿)[{_SURNAMES}]\p{{Han}}{{0,1}}某",
        rf"(?:患者|病人|患儿)[:：]?\s*[{_SURNAMES}]\p{{Han}}{{1,2}}[，,、\s]+(?:男|女)",
        rf"(?:{_ZH_DOCTORS})\s*[:：]\s*[{_SURNAMES}]\s{{0,2}}\p{{Han}}{{1,2}}",
        rf"(?:{_ZH_DOCTORS}|姓名)[ \t]+[{_SURNAMES}]{_GIVEN}{{1,2}}(?:[\s，,。；;]|$)",
        rf"(?:我|患者|病人|患儿|孩子|儿子|女儿|母亲|父亲)名?叫[{_SURNAMES}]{_GIVEN}{{1,2}}(?:[\s，,。；;]|$)",
        rf"(?:[{_SURNAMES}]|{_TWO_SIGNS}){_GIVEN}{{0,2}}(?:先生|女士|小姐|医生|大夫|医师|主任|教授|护士)",
    ]
)
# Doses and times of one number each are written like dates: 6/12/24 months, 10/20/40 mg.
NO_DATES = (
    rf"{_EDGE}\d{{1,2}}/\d{{1,2}}/\d{{2}}(?:[\s-]*(?i:m[gl]|mcg|[µμ]g|g|kg|mm|cm|mmhg|iu|units?|months?|mo|weeks?|wks?|days?"
    rf"|hours?|hrs?|h|years?|yrs?|hz){_EDGE}|\s*(?:%|个?月|周|天|小时|年|毫克|毫升))"
)
# What an agency or a journal does has a day that is no patient's.
NO_DAYS = (
    r"(?i:\b(?:approved|published|announced|accessed|retrieved|licensed|launched)\b(?:[ \t]+[a-z]+){0,4}?"
    rf"[ \t]+(?:on[ \t]+)?{_DAY})"
)
# Freephone numbers are an organisation's.
_FREE = "8(?:00|33|44|55|66|77|88)"
NO_PHONES = rf"(?:\b1[-. ]|\+1[-. ])?(?:\({_FREE}\)\s?|{_EDGE}{_FREE}[-.])\d{{3}}[-.]\d{{4}}{_EDGE}"
# Names of things are written like names of persons: Drug name: Metformin Hydrochloride.
NO_NAMES = (
    r"\b(?i:drug|medication|medicine|brand|trade|generic|chemical|proprietary|product|gene|protein|enzyme|species|organism"
    r"|disease|disorder|syndrome|condition|test|procedure|device|study|trial|file|series|protocol|common|scientific)"
    r"[ \t]+(?i:name)"
    rf"[ \t]*[:：][ \t]*(?:{_NAME}[, \t]+{_INITIALS}{_NAME}|{_CAPITALS},[ \t]*{_CAPITALS})"
)
KINDS: tuple[str, ...] = tuple(PATTERNS)
PREFIX = "identifier_"


def identifier_columns(text: pl.Expr) -> list[pl.Expr]:
    """Return for each kind a column `identifier_<kind>`: how many candidates the text holds."""
    counts = {kind: text.str.count_matches(pattern) for kind, pattern in PATTERNS.items()}
    titled = pl.when(text.str.contains("(?i)name[ \t]*[:：]")).then(text)  # few are: the others cost nothing
    signed = pl.when(text.str.contains(_DEGREE)).then(text).str.count_matches(_WITH_DEGREE).fill_null(0)
    counts["name"] = _less(counts["name"], titled.str.count_matches(NO_NAMES)) + text.str.count_matches(_ZH_NAMES)
    counts["name"] = counts["name"] + signed
    slashed = pl.when(text.str.contains("/", literal=True)).then(text)  # as above
    said = pl.when(text.str.contains("(?i)(?:approv|publish|announc|access|retriev|licens|launch)ed")).then(text)
    free = pl.when(text.str.contains(r"8[0345678]{2}[-.)]")).then(text)
    counts["date"] = _less(counts["date"], slashed.str.count_matches(NO_DATES), said.str.count_matches(NO_DAYS))
    counts["phone"] = _less(counts["phone"], free.str.count_matches(NO_PHONES))
    return [number.alias(PREFIX + kind) for kind, number in counts.items()]


def _less(count: pl.Expr, *others: pl.Expr) -> pl.Expr:
    """Return a count without those of what only looks alike (null: none were looked for)."""
    left = count.cast(pl.Int64)
    for other in others:
        left = left - other.fill_null(0).cast(pl.Int64)
    return left.clip(0).cast(pl.UInt32)


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate in a text: its kind, and `text[start:end]`, which may begin with a label and end behind the value."""

    kind: str
    start: int
    end: int


def identifier_spans(texts: Sequence[str]) -> list[list[Span]]:
    """Return the candidates that `identifier_columns` counts, of each text in order; two of other kinds may overlap.

    What only looks alike is left out where it holds the candidate. The counts take one off for each instead, so rarely
    a text counts fewer than it has spans here.

    Raises:
        ValueError: the texts hold every one of Unicode's noncharacters and private signs, of which one is needed.
    """
    column = pl.Series("text", texts, dtype=pl.String)
    signed = column.set(~column.str.contains(_DEGREE), "")  # as for the counts
    found = {kind: [_places(column, pattern)] for kind, pattern in PATTERNS.items()}
    found["name"] += [_places(column, _ZH_NAMES), _places(signed, _WITH_DEGREE)]
    alike = {"name": (NO_NAMES,), "date": (NO_DATES, NO_DAYS), "phone": (NO_PHONES,)}
    passed = {kind: [_places(column, pattern) for pattern in patterns] for kind, patterns in alike.items()}
    spans: list[list[Span]] = []
    for row in range(len(column)):
        own = [Span(kind, *place) for kind, parts in found.items() for part in parts for place in part[row]]
        none = {(kind, place) for kind, parts in passed.items() for part in parts for place in part[row]}
        kept = [s for s in own if not any(s.kind == k and a <= s.start and s.end <= b for k, (a, b) in none)]
        spans.append(sorted(kept, key=lambda span: (span.start, span.end, span.kind)))
    return spans


_SIGNS = (*range(0xFDD0, 0xFDF0), *range(0xE000, 0xF900))


def _places(texts: pl.Series, pattern: str) -> list[list[tuple[int, int]]]:
    """Return where each text matches, by this engine, whose patterns Python's does not read: matches are marked."""
    signs = map(chr, _SIGNS)
    mark = next((sign for sign in signs if not texts.str.contains(sign, literal=True).any()), None)
    if mark is None:
        raise ValueError(
            "texts with all of U+FDD0 to U+FDEF and U+E000 to U+F8FF: no sign is left to mark a match with"
        )
    found: list[list[tuple[int, int]]] = []
    for marked in texts.str.replace_all(pattern, f"{mark}${{0}}{mark}"):
        ends = list(accumulate(map(len, marked.split(mark))))
        found.append(list(zip(ends[0:-1:2], ends[1::2], strict=True)))
    return found
