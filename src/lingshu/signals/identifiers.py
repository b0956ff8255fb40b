"""Patterns of what may name a person in free text, in English and Chinese: counted by kind, never copied out.

The kinds follow the identifiers that the HIPAA Safe Harbor rule lists (45 CFR 164.514(b)(2)) as far as a pattern can
see them: names beside a title or a label, dates to the day, telephone numbers, e-mail addresses, record numbers,
national identity numbers and street addresses. A pattern finds candidates, not proof: a hit puts a sample aside for a
person to look at. Names without a title or a label are not found; that takes a model. Rust regex syntax (polars).
"""

from __future__ import annotations

import polars as pl

# Surnames that together cover about 85 % of people in China; those that are common words before "doctor" (向, 和, 于,
# 高, 任 …) are left out, and so are given names that begin with a verb or particle (何时看医生, 马上找医生).
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔欧"
)
_GIVEN = r"[\p{Han}&&[^上下时找看去问请让给和与向对在是有的了就到见约该其他她您你我们为由从如果地得着过或及等]]"
_ENGLISH_NAME = r"[A-Z][a-z]+(?:[-'’][A-Z]?[a-z]+)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:19|20)\d{2}"
_NUMBERED = r"(?:\s*(?:no|number|nr|num|id|#))?[\s.:#：]*"

PATTERNS: dict[str, str] = {
    "name": "|".join(
        [
            rf"\b(?:Mr|Mrs|Ms|Dr|Prof|Professor)\.?[ \t]+(?:[A-Z]\.\s*){{0,2}}{_ENGLISH_NAME}",
            rf"\b(?i:patient(?:['’]s)?\s+name|name\s+of\s+(?:the\s+)?patient|patient)[ \t]*[:：][ \t]*{_ENGLISH_NAME}",
            rf"\b(?i:name)[ \t]*[:：][ \t]*{_ENGLISH_NAME}[, \t]+{_ENGLISH_NAME}",
            r"(?:姓名|患者姓名|病人姓名|联系人)\s*[:：]\s*\p{Han}{2,4}",
            rf"(?:患者|病人|患儿)[{_SURNAMES}]\p{{Han}}{{0,1}}某",
            rf"[{_SURNAMES}]{_GIVEN}{{0,2}}(?:先生|女士|小姐|医生|大夫|医师|主任|教授|护士)",
        ]
    ),
    "date": "|".join(
        [
            rf"\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]{_YEAR}\b",
            rf"\b{_YEAR}[/.-](?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|[12]\d|3[01])\b",
            r"\b\d{1,2}/\d{1,2}/\d{2}\b",
            rf"(?i:\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b)",
            rf"(?i:\b\d{{1,2}}(?:st|nd|rd|th)?[\s-]+(?:of\s+)?{_MONTH}\.?,?[\s-]+{_YEAR}\b)",
            rf"{_YEAR}\s*年\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*[日号]",
        ]
    ),
    "phone": "|".join(
        [
            r"(?:\(\d{3}\)\s?|\b\d{3}[-.])\d{3}[-.]\d{4}\b",
            r"\+\d{1,3}(?:[\s.-]?\(?\d{2,4}\)?){2,5}",
            r"(?i:\b(?:tel|telephone|phone|mobile|fax|pager)\b\.?(?:\s*(?:no|number|#))?\s*[.:：]?\s*)\+?[\d(][\d\s().-]{5,}\d",
            r"(?:^|\D)1[3-9]\d{9}(?:\D|$)",
            r"(?:^|\D)0\d{2,3}-\d{7,8}(?:\D|$)",
        ]
    ),
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "record_number": "|".join(
        [
            rf"(?i:\b(?:MRN|medical\s+record|patient\s+(?:id|no|number)|hospital\s+(?:no|number)|accession|chart|NHS)\b"
            rf"{_NUMBERED}[A-Z]{{0,3}}-?\d[\d-]{{3,}})",
            r"(?:病历号|住院号|门诊号|病案号|检查号|影像号|登记号|就诊卡号|病人ID|患者ID|病理号)[\s:：]*[A-Za-z]{0,3}\d{3,}",
        ]
    ),
    "national_id": "|".join(
        [
            r"\b\d{3}-\d{2}-\d{4}\b",
            r"(?:^|\D)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?:\D|$)",
        ]
    ),
    "address": "|".join(
        [
            r"\b\d{1,5}\s+(?:[A-Z][a-z]+\s+){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Court|Square)\b",
            r"\p{Han}{2,8}(?:省|市|自治区)\p{Han}{1,8}(?:区|县|市|镇)\p{Han}{1,12}(?:路|街|道|巷|弄|村|小区)\p{Han}{0,6}\d{1,5}\s*(?:号|弄|室|栋)",
            r"(?:家庭住址|住址|家庭地址|现住址)\s*[:：]\s*\p{Han}{4,}",
        ]
    ),
}
KINDS: tuple[str, ...] = tuple(PATTERNS)
PREFIX = "identifier_"


def identifier_columns(text: pl.Expr) -> list[pl.Expr]:
    """Return for each kind a column `identifier_<kind>`: how many candidates the text holds."""
    return [text.str.count_matches(pattern).alias(PREFIX + kind) for kind, pattern in PATTERNS.items()]
