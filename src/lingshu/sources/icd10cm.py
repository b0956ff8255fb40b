"""Questions from the ICD-10-CM tabular list: chapter of a code, and which category a diagnosis belongs to.

ICD-10-CM is in the public domain (US National Center for Health Statistics). Answers come from the list's own
hierarchy. A group is a three-character category, so that no code of a held-out category is seen in training.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.ids import stable_hash
from lingshu.core.sample import Sample
from lingshu.facts.asking import YES_NO, Question
from lingshu.sources.terminology_params import TerminologyParams
from lingshu.sources.text_rows import Vocabulary

SHORT_CHAPTERS: dict[str, str] = {
    "1": "infections",
    "2": "neoplasms",
    "3": "blood",
    "4": "endocrine",
    "5": "mental",
    "6": "nervous system",
    "7": "eye",
    "8": "ear",
    "9": "circulatory",
    "10": "respiratory",
    "11": "digestive",
    "12": "skin",
    "13": "musculoskeletal",
    "14": "genitourinary",
    "15": "pregnancy",
    "16": "perinatal",
    "17": "congenital",
    "18": "symptoms",
    "19": "injury",
    "20": "external causes",
    "21": "health services",
    "22": "special purposes",
}
MIN_CODES = 50


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its title, its parent code ("" for a category), its category and the number of its chapter."""

    name: str
    title: str
    parent: str
    category: str
    chapter: str


def read_codes(path: Path) -> tuple[str, list[Code]]:
    """Return the list's release and all codes in the list's order.

    Raises:
        UserError: the file is not the tabular list, or has a chapter without a short name.
    """
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise UserError(f"{path}: not XML: {error}", "delete data/raw/terminology and run `dvc repro` again") from None
    codes: list[Code] = []
    for chapter in root.iter("chapter"):
        number = chapter.findtext("name", "")
        if number not in SHORT_CHAPTERS:
            raise UserError(f"{path}: chapter {number!r} has no short name", "add it to SHORT_CHAPTERS")
        for section in chapter.findall("section"):
            for diagnosis in section.findall("diag"):
                codes.extend(_walk(diagnosis, "", diagnosis.findtext("name", ""), number))
    if not codes:
        raise UserError(f"{path}: holds no codes", "check the inner path in catalog/sources/terminology.yaml")
    return f"ICD-10-CM {root.findtext('version', '')}", codes


def _walk(node: ET.Element, parent: str, category: str, chapter: str) -> Iterator[Code]:
    name = node.findtext("name", "")
    yield Code(name, node.findtext("desc", ""), parent, category, chapter)
    for child in node.findall("diag"):
        yield from _walk(child, name, category, chapter)


def rows(path: Path, params: TerminologyParams, licence: str) -> Iterator[Sample]:
    """Yield chapter questions (balanced over chapters), parent-code questions (yes and no alike) and statements.

    Args:
        path: the tabular list, as `simple-icd-10-cm` ships it.
        params: sizes, seed and held-out share.
        licence: recorded with every sample.
    """
    release, codes = read_codes(path)
    vocabulary = Vocabulary("terminology", licence, release, params.seed, params.held_out_share)
    yield from _chapters(vocabulary, codes, params)
    yield from _kinship(vocabulary, codes, params)


def _chapters(vocabulary: Vocabulary, codes: list[Code], params: TerminologyParams) -> Iterator[Sample]:
    by_chapter: dict[str, list[Code]] = {}
    for code in codes:
        by_chapter.setdefault(code.chapter, []).append(code)
    for chapter, members in by_chapter.items():
        if len(members) < MIN_CODES:
            continue
        name = SHORT_CHAPTERS[chapter]
        ordered = sorted(members, key=lambda c: stable_hash(params.seed, "chapter", c.name))
        for code in ordered[: params.icd_codes_per_chapter]:
            origin, group = f"icd10cm/{code.name}", f"icd10cm/{code.category}"
            question = f"To which chapter does ICD-10-CM code {code.name} belong?"
            yield vocabulary.ask(group, origin, Question("icd_chapter", "closed", question, name))
            sentence = f"{code.name} is {_plain(code.title)}. It belongs to the chapter {name}."
            yield vocabulary.state(group, origin, f"Explain ICD-10-CM code {code.name}.", sentence)


def _kinship(vocabulary: Vocabulary, codes: list[Code], params: TerminologyParams) -> Iterator[Sample]:
    children = [c for c in codes if c.parent]
    ordered = sorted(children, key=lambda c: stable_hash(params.seed, "kinship", c.name))[: params.icd_kinship_pairs]
    titles = {c.name: c.title for c in codes}
    for code in ordered:
        truly = stable_hash(params.seed, "truth", code.name) % 2 == 0
        shown = titles[code.category if truly else _other_category(code, codes, params.seed)]
        question = f"Does '{_plain(code.title)}' belong to the ICD-10-CM category '{_plain(shown)}'?"
        asked = Question("icd_category", "yesno", question, YES_NO[truly])
        yield vocabulary.ask(f"icd10cm/{code.category}", f"icd10cm/{code.name}", asked)


def _other_category(code: Code, codes: list[Code], seed: int) -> str:
    start = stable_hash(seed, "other", code.name) % len(codes)
    return next(c.category for c in (*codes[start:], *codes[:start]) if c.category != code.category)


def _plain(title: str) -> str:
    return re.sub(r"\s+", " ", title).strip().rstrip(".")
