"""Option letters in a response: which words are option letters at all, and where lists of letters begin and end.

The article "A", the pronoun "I", "vitamin D", "hepatitis B", "E. coli", "C-reactive" are not option letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lingshu.evalkit.options import letter_of, named_options, option_texts

WORDS_TOO = frozenset("AI")  # letters that are English words

_EDGES = " \t\r\n\"'“”‘’.,:;!?()[]{}<>。，：；、！？（）【】「」《》·~=-–—"
_LIST_BREAK = re.compile(r"[\s,，、;；/&+.]+|\band\b|和|与|及|以及", re.IGNORECASE)
_NOUN_BEFORE = re.compile(
    r"\b(?:vitamins?|hepatitis|types?|groups?|factors?|class(?:es)?|stages?|grades?|leads?|influenza|proteins?|complex"
    r"|immunoglobulins?|ha?emophilia|chromosomes?|cytochrome|figures?|fig|panels?|images?|arrows?|labels?|zones?|levels?"
    r"|phases?|apolipoprotein|coenzyme|schedule|score|child-pugh|dr|mr|mrs|ms|sample|table|appendix|point"
    r"|维生素|型|图)\.?\s*\Z",
    re.IGNORECASE,
)
_NOUN_LEAD = re.compile(r"(?:\b(?:options?|choices?|letter)|选项|选择?|答案)\s*[:：]?\s*[\"'“‘(\[]*\Z", re.IGNORECASE)
_AFTER_ANY = re.compile(
    r"[)\]}】>\"'”’]*\s*(?:\Z|[.,;:!?。，；：！？、/\n)]|[\u4e00-\u9fff]|(?:is|was|are|were|isn['’]t|wasn['’]t|aren['’]t|does|doesn['’]t"
    r"|because|since|due|and|or|nor|but|so|not|as|over|rather|instead|fits?|seems?|appears?|matches)\b|[-–—]\s)",
    re.IGNORECASE,
)
_AFTER_MORE = re.compile(
    r"\s*(?:\(|(?:would|could|can|cannot|can['’]t|should|will|may|might|must|has|describes?|represents?|best|only|alone|correct"
    r"|wrong|incorrect|right|based|given|for|then|too|also|with|on|in|which|who|while|whereas|here|instead)\b)",
    re.IGNORECASE,
)
_RUN_LEAD = re.compile(
    r"(?:\banswers?|\boptions?|\bchoices?|\bchoose|\bselect|答案|选项?)\s*(?:is|are|应?[是为])?\s*[:：]?\s*\Z",
    re.IGNORECASE,
)
_RUN_AFTER = re.compile(r"\s*(?:(?:is|are)\s+(?:all\s+)?(?:correct|right|true)\b|[都均]?(?:正确|对))", re.IGNORECASE)
_LONE_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])")
_LEADING_AFTER = re.compile(
    r"[)\]}】）\"']*(?:[.,:：、)–—。，-]|\s*(?:-|–|—|because\b|since\b|as\s|due\s))", re.IGNORECASE
)
_AFTER_I = re.compile(r"\s*(?:\Z|[.,;:!?)\n]|is\b)")
_ABBREVIATION = re.compile(r"\.\s?[a-z]")
_FUNCTION_WORD = re.compile(r"\.\s+(?:because|since|this|the|it|as|due|a|an|these|that|there|based|given)\b")
_MARGIN = 12  # characters beside a letter that decide whether it stands alone on its line
_WINDOW = 48  # characters of context that decide what a single letter is


@dataclass(frozen=True, slots=True)
class Group:
    """A mention of one letter or a list of letters ("A, C and D"); `end` lies behind an option text that follows."""

    start: int
    end: int
    letters: tuple[str, ...]
    leads_line: bool
    is_line: bool


@lru_cache(maxsize=64)
def _unit_pattern(count: int, several: bool) -> re.Pattern[str]:
    upper = f"A-{letter_of(count - 1)}"
    any_case = f"{upper}{upper.lower()}"
    bracketed = rf"[(\[{{【〔（]\s*(?:option\s+)?(?P<bracketed>[{any_case}])\s*[)\]}}】〕）]"
    lead = r"(?:\b(?i:answer|option|choice|choose|pick|select)\b\s*(?i:is\b|[:：=])?|选项?|答案[是为:：]?)"
    lower = rf"{lead}\s*[\"'(]?(?P<led>[{upper.lower()}])"
    not_words = "".join(c for c in map(letter_of, range(count)) if c not in WORDS_TOO).lower()
    if not_words:
        lower += rf"|\b(?i:is|be|with|['’]s)\s+[\"'(]?(?P<said>[{not_words}])"
    lower = f"(?:{lower})"
    lower += r"(?=[\"')]?\s*(?:\Z|[.,;:!?。，；\n)]|(?:is|was|because|since|and|or|but|not)\b))"
    line = rf"^[ \t]*(?P<line>[{upper.lower()}])(?=[.)：:](?:\s|\Z)|[ \t]*(?:\n|\Z))"
    bare = rf"(?<![A-Za-z0-9_'’+-])(?<![A-Za-z][./])(?P<bare>[{upper}])(?![A-Za-z0-9_'’+]|-\w|\.[A-Za-z])"
    run = rf"(?<![A-Za-z0-9_'’+-])(?P<run>[{upper}]{{2,{count}}})(?![A-Za-z0-9_'’+-])"
    return re.compile(
        rf"{bracketed}|{line}|{lower}|{bare}" + (f"|{run}" if several and count > 1 else ""), re.MULTILINE
    )


@lru_cache(maxsize=64)
def _list_pattern(count: int) -> re.Pattern[str]:
    upper = f"A-{letter_of(count - 1)}"
    any_case = f"{upper}{upper.lower()}"
    unit = rf"(?:[(\[]\s*(?P<b>[{any_case}])\s*[)\]]|(?P<u>[{upper}])(?![A-Za-z0-9_'’]|-\w|\.[A-Za-z]))"
    joint = (
        r"\s*(?:[,，、/&+]\s*(?:(?:and|or|nor)\b\s*)?|(?:and|or|nor|as well as)\b\s*(?:option\s+)?|[和与及或]|以及)\s*"
    )
    return re.compile(rf"(?P<joint>{joint}){unit}")


def whole_letters(text: str, count: int) -> tuple[str, ...]:
    """Return the letters of a text that is only a letter or a list of letters ("b", "(B).", "A, B、D", "ABD")."""
    bare = text.strip(_EDGES)
    if len(bare) == 1:
        return _valid(bare.upper(), count)
    if len(bare) > 4 * count + 16:
        return ()
    parts = [part.strip(_EDGES) for part in _LIST_BREAK.split(bare)]
    parts = [part for part in parts if part]
    if len(parts) == 1 and parts[0].isupper():
        parts = list(parts[0])
    if not parts or any(len(part) != 1 for part in parts):
        return ()
    letters = tuple(part.upper() for part in parts)
    return letters if len(set(letters)) == len(letters) and all(_valid(c, count) for c in letters) else ()


def _valid(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if len(letter) == 1 and 0 <= ord(letter) - ord("A") < count else ()


def letter_groups(text: str, count: int, choices: tuple[str, ...] | None, several: bool) -> list[Group]:
    """Return the places where `text` speaks of options by letter, in order; `count` letters from A are options.

    With `several`, a run of letters ("答案是ABD") counts too.
    """
    texts = option_texts(choices) if choices else ()
    if choices and any(_LONE_LETTER.search(option) for option in texts):
        text = _masked(text, choices)
    result: list[Group] = []
    position = 0
    pattern, lists = _unit_pattern(count, several), _list_pattern(count)
    while match := pattern.search(text, position):
        group, position = _group(text, match, lists, texts)
        if group:
            result.append(group)
    return result


def _masked(text: str, choices: tuple[str, ...]) -> str:
    """Blank out the options named in `text` whose texts hold single letters ("E. coli", "vitamin D")."""
    pieces: list[str] = []
    position = 0
    for (start, end), _ in named_options(choices, text.lower()):
        if end - start > 1 and _LONE_LETTER.search(text, start, end):
            pieces += (text[position:start], "\x00" * (end - start))
            position = end
    return "".join((*pieces, text[position:]))


def _group(text: str, match: re.Match[str], lists: re.Pattern[str], texts: tuple[str, ...]) -> tuple[Group | None, int]:
    name = match.lastgroup or ""
    if name == "run":
        return _run(text, match), match.end()
    letters = [match[name].upper()]
    start, end = (match.start(name), match.end(name)) if name in ("led", "said", "line") else match.span()
    last_joint = ""
    while following := lists.match(text, end):
        letters.append((following["b"] or following["u"]).upper())
        last_joint, previous_end, end = following["joint"], end, following.end()
    if len(letters) > 1 and last_joint.strip() in (",", "，", "、") and _has_own_predicate(text, end):
        letters.pop()
        end = previous_end
    own_end = _own_text_end(text, end, letters[-1], texts)
    if name == "bare" and not _is_option_letter(text, start, end, letters, own_end > end):
        return None, max(match.end(), start + 1)
    ahead, behind = text[max(0, start - _MARGIN) : start], text[end : end + _MARGIN]
    leads = ("\n" in ahead or start <= _MARGIN) and not ahead.rpartition("\n")[2].strip(_EDGES + "*#")
    rest = behind.partition("\n")[0]
    leads_line = leads and (own_end > end or not rest.strip() or _LEADING_AFTER.match(rest) is not None)
    is_line = leads and not rest.strip(_EDGES) and (len(behind) < _MARGIN or "\n" in behind)
    if leads and own_end == end and rest[:1] in ".)：:" and len(rest) > 1:
        own_end = end + 1
    return Group(start, own_end, tuple(letters), leads_line, is_line), max(own_end, end)


def _run(text: str, match: re.Match[str]) -> Group | None:
    letters = tuple(match["run"])
    led = _RUN_LEAD.search(text, max(0, match.start() - _WINDOW), match.start())
    if len(set(letters)) < len(letters) or not (led or _RUN_AFTER.match(text, match.end())):
        return None
    return Group(match.start(), match.end(), letters, leads_line=False, is_line=False)


def _has_own_predicate(text: str, end: int) -> bool:
    return (
        re.match(
            r"[)\]]?\s*(?:is|was|isn['’]t|wasn['’]t|does|doesn['’]t|has|because)\b", text[end : end + 16], re.IGNORECASE
        )
        is not None
    )


def _own_text_end(text: str, end: int, letter: str, texts: tuple[str, ...]) -> int:
    """Return where the letter's own option text ends if it follows the letter at `end`, else `end`."""
    index = ord(letter) - ord("A")
    if index >= len(texts) or not texts[index]:
        return end
    rest = text[end : end + len(texts[index]) + 16]
    lead = len(rest) - len(rest.lstrip(_EDGES))
    if rest[lead:].lower().startswith(texts[index].lower().strip(_EDGES)):
        return end + lead + len(texts[index].strip(_EDGES))
    return end


def _is_option_letter(text: str, start: int, end: int, letters: list[str], own_text: bool) -> bool:
    before = text[max(0, start - _WINDOW) : start]
    after = text[end : end + _WINDOW]
    noun_before = _NOUN_BEFORE.search(before) is not None
    if own_text or noun_before:
        return not noun_before
    if _ABBREVIATION.match(after) and not _FUNCTION_WORD.match(after):
        return _NOUN_LEAD.search(before) is not None
    if letters == ["I"] and not _AFTER_I.match(after):
        return False
    if _AFTER_ANY.match(after):
        return True
    return _led(before, letters) or (letters[-1] not in WORDS_TOO and _AFTER_MORE.match(after) is not None)


def _led(before: str, letters: list[str]) -> bool:
    """Return whether "option", "choose", "选" stand before; before an English word no colon may stand between."""
    if letters[-1] in WORDS_TOO and len(letters) > 1:
        return True
    if letters[-1] in WORDS_TOO and before.rstrip().endswith((":", "：")):
        return False
    return _NOUN_LEAD.search(before) is not None
