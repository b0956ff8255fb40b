"""From a raw response to the text that carries the answer: think blocks, answer tags, boxed macros and mark-up go.

Every pass is a single scan, so the cost is linear in the length of the response.
"""

from __future__ import annotations

import json
import re

from lingshu.evalkit.parsing.options import plain_form
from lingshu.evalkit.parsing.turns import own_turn

_THINK = re.compile(r"<\s*(/?)\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_ANSWER_OPEN = re.compile(r"<\s*(?:final_|correct_)?(?:answer|choice|option)\s*>|<\|begin_of_box\|>", re.IGNORECASE)
_ANSWER_CLOSE = re.compile(r"<\s*/\s*(?:final_|correct_)?(?:answer|choice|option)\s*>|<\|end_of_box\|>", re.IGNORECASE)
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>|</?s>")
_BOXED = re.compile(r"\\?\b(?:f?boxed|fbox)\s*\{")
_BETWEEN_BOXES = re.compile(r"(?:[\s,;、，；$&]|and|或|和|与)*\Z", re.IGNORECASE)
_LATEX_WRAP = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|mathrm|mathbf|mathit|mathsf|operatorname|mbox)\s*\{([^{}]*)\}"
)
_LATEX_NOISE = re.compile(r"\\(?:left|right|displaystyle|quad|qquad|rm|bf|it)\b|\\[()\[\],;:! ]|\$")
_HTML = re.compile(r"</?(?:b|i|u|em|strong|p|br|span|div|code)\s*/?>")  # lower case only: "<B>" is an answer
_UNDERSCORES = re.compile(r"__+|(?<!\w)_(?=[^_\s])|(?<=[^_\s])_(?!\w)")
# Patterns of what begins a line begin with the break before it, by which the engine passes over most of a text.
_LINE_MARKS = re.compile(r"\n[ \t]*(?:#{1,6}|>(?!\s*\d))[ \t]*")
_FINAL_HEADING = re.compile(
    r"\n[ \t]*(?:#{1,6}[ \t]*(?:\*\*)?|\*\*)[ \t]*(?:\d+\.[ \t]*)?(?:the[ \t]+)?"
    r"(?:final[ \t]+(?:response|answer|diagnosis|conclusion)|answer|conclusion|(?:最终|最后)?(?:答案|回答|结论))"
    r"[ \t]*[:：]?[ \t]*(?:\*\*)?[ \t]*[:：]?[ \t]*(?=\n)",
    re.IGNORECASE,
)
_ANY_HEADING = re.compile(r"\n[ \t]*(?:#{1,6}[ \t]+\S|\*\*[^*\n]{2,40}\*\*[ \t]*[:：]?[ \t]*(?=\n|\Z))")
_STRUCK = re.compile(r"~~[^~\n]+~~")
_TICKED = re.compile(r"\[[xX✓✔]\]")
_UNTICKED = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?\[ \][^\n]*$", re.MULTILINE)
_NESTED_WRAPS = 3
_JSON_KEYS = (
    "final_answer",
    "answer",
    "Answer",
    "answers",
    "correct_answer",
    "answer_choice",
    "choice",
    "option",
    "答案",
)


def answer_texts(response: str) -> tuple[str, ...]:
    """Return the texts to look for an answer in, in order: what stands under a final heading, if there is one, and all.

    "## Final Response", "**Answer**" and "### 结论" are such headings, on a line of their own; the last one counts, up
    to the next heading. See `answer_text` for what is done to each text.
    """
    whole = answer_text(response)
    section = final_section(plain_form(response)) if "#" in response or "**" in response else ""
    final = answer_text(section) if section else ""
    return (final, whole) if final and final != whole else (whole,)


def final_section(text: str) -> str:
    """Return what stands under the last final heading of `text`, "" if there is none."""
    if "<" in text:
        text = outside_think(text)
    text = f"\n{text}"
    ends = [found.end() for found in _FINAL_HEADING.finditer(text)]
    if not ends:
        return ""
    following = _ANY_HEADING.search(text, ends[-1])
    return text[ends[-1] : following.start() if following else len(text)].strip()


def answer_text(response: str) -> str:
    """Return the part of `response` that states the answer, as plain text, stripped; "" if it has none.

    Full-width forms become ASCII. Text in think blocks is dropped: an unclosed block reaches to the end, or to an
    answer tag; a lone closing tag ends a block that began before the text. The last answer tag wins (closed or not),
    inside it or without it the last boxed macro (boxes that only separators part are one list).
    """
    text = plain_form(response)
    if "<" in text:
        text = _SPECIAL.sub(" ", in_answer_tag(outside_think(text)))
        text = _HTML.sub("", text)
    text = own_turn(text)
    if text.count('"') > 1 and "}" in text:
        text = in_json(text)
    if "\x08" in text:  # "\boxed" written into JSON without escaping its backslash
        text = text.replace("\x08oxed", "\\boxed")
    if "\\" in text or "boxed{" in text:
        text = _LATEX_NOISE.sub(" ", _unwrapped(_in_box(text)))
    text = text.replace("$", " ")
    if "[ ]" in text and _TICKED.search(text):  # a list to tick: what is ticked stays
        text = _TICKED.sub("", _UNTICKED.sub("", text))
    if "~~" in text:
        text = _STRUCK.sub(" ", text)
    return without_marks(text).strip()


def without_marks(text: str) -> str:
    """Return `text` without the signs of Markdown: of headings, quotations, emphasis and code."""
    if "#" in text or ">" in text:
        text = _LINE_MARKS.sub("\n", f"\n{text}")[1:]
    if "_" in text:
        text = _UNDERSCORES.sub("", text)
    return text.replace("*", "").replace("`", "")


def outside_think(text: str) -> str:
    """Return the text outside think blocks.

    A block that is closed but never opened began with the text; of one that is never closed, what follows an answer
    tag in it stays.
    """
    kept: list[str] = []
    position, inside = 0, False
    for tag in _THINK.finditer(text):
        if tag[1]:
            if not inside:
                kept.clear()
            inside = False
        elif not inside:
            kept.append(text[position : tag.start()])
            inside = True
        position = tag.end()
    rest = text[position:]
    if inside:
        tag_in_rest = _ANSWER_OPEN.search(rest)
        rest = rest[tag_in_rest.start() :] if tag_in_rest else ""
    return " ".join((*kept, rest))


def in_answer_tag(text: str) -> str:
    """Return what the last answer tag holds, closed or not; without one the text, less stray closing tags."""
    opened = [tag.end() for tag in _ANSWER_OPEN.finditer(text)]
    if not opened:
        return _ANSWER_CLOSE.sub(" ", text)
    close = _ANSWER_CLOSE.search(text, opened[-1])
    return text[opened[-1] : close.start() if close else len(text)]


def in_json(text: str) -> str:
    """Return the answer in the JSON object that ends the text, fenced or not; the text where there is none.

    The object holds no other object; of several keys for an answer the first of `_JSON_KEYS` counts.
    """
    end = text.rfind("}") + 1
    start = text.rfind("{", 0, end)
    if start < 0 or text[end:].strip(" \t\r\n`"):
        return text
    try:
        found = json.loads(text[start:end])
    except (ValueError, RecursionError):  # no JSON: LaTeX, code, prose in braces, brackets without end
        return text
    for key in _JSON_KEYS:
        value = found.get(key)
        if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            return value if isinstance(value, str) else ", ".join(value)
        if isinstance(value, (int, float)):
            return json.dumps(value)
    return text


def _in_box(text: str) -> str:
    """Return the content of the last run of boxes; the text without its empty boxes if none has content."""
    boxes: list[str] = []
    outside: list[str] = []
    position = 0
    while start := _BOXED.search(text, position):
        between = text[position : start.start()]
        content, end = _balanced(text, start.end())
        outside.append(between)
        if content.strip():
            if not _BETWEEN_BOXES.match(between):
                boxes.clear()
            boxes.append(content)
        position = end
    outside.append(text[position:])
    return ", ".join(boxes) if boxes else " ".join(outside)


def _balanced(text: str, start: int) -> tuple[str, int]:
    depth = 1
    for index in range(start, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if not depth:
                return text[start:index], index + 1
    return text[start:], len(text)


def _unwrapped(text: str) -> str:
    for _ in range(_NESTED_WRAPS):
        if "{" not in text:
            break
        text = _LATEX_WRAP.sub(r"\1", text)
    return text
