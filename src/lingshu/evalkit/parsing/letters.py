"""Option letters in a response: where it speaks of options by letter, singly or in lists ("A, C and D")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lingshu.evalkit.parsing.clauses import Span, lower
from lingshu.evalkit.parsing.letter_context import (
    AFTER_SMALL,
    AMONG_CHARACTERS,
    AMONG_WORDS,
    EDGES,
    IN_PROSE,
    JOINING,
    STOPS,
    TAIL,
    WORDS_TOO,
    ends_no_noun,
    is_letter_among_words,
    is_name,
    is_named,
    is_option_letter,
    is_small_option_letter,
)
from lingshu.evalkit.parsing.letter_signs import (
    OPENING,
    TIES_AFTER,
    TIES_BEFORE,
    sentence_stops,
    stands_alone,
    tied_before,
    with_brackets,
)
from lingshu.evalkit.parsing.options import letter_of, named_options, option_texts, words

_RUN_LEAD = re.compile(
    r"(?:\banswers?|\boptions?|\bchoices?|\bchoose|\bselect|答案|选项?|即|\bi\.e\.,?|\bnamely)[】\]]?\s*(?:is|are|应?[是为])?\s*[:：]?\s*\Z",
    re.IGNORECASE,
)
_RUN_AFTER = re.compile(r"\s*(?:(?:is|are)\s+(?:all\s+)?(?:correct|right|true)\b|[都均皆全]|正确|对)", re.IGNORECASE)
_LONE_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])")
_LEADING_AFTER = re.compile(
    r"[)\]}】）\"']*(?:[.,:：、)–—。，-]|\s*(?:-|–|—|because\b|since\b|as\s|due\s))", re.IGNORECASE
)
_OWN_PREDICATE = re.compile(
    r"[)\]]?\s*(?:isn['’]t|wasn['’]t|doesn['’]t|because|(?!as|thus)[a-z]*[a-rtv-z]s)\b", re.IGNORECASE
)
_ALL_DENIED = re.compile(
    r"[)\]]?\s*(?:选?项)?\s*[均都皆全]?(?:不|错|非|未)|[)\]]?\s*(?:are|were)(?:\s+(?:all|both|clearly|each|therefore))*\s+"
    r"(?:not\b|in(?:correct|valid|appropriate)|wrong|false|less\b|unlikely|ruled out|excluded|eliminated|distractors?)",
    re.IGNORECASE,
)
_LED_SINGLY = re.compile(
    r"(?:(?:\banswer|\b(?:choice|option)(?=\s+is)|答案)[】\]]?\s*(?:is|was|应?[是为])?|[应故]选|选择)\s*[:：]?\s*[(\[]?\Z",
    re.IGNORECASE,
)
_MARKS = EDGES + "*#"
_LIST_MARK = re.compile(r"\A\s*\d{1,2}[.)]\s")
_JOINTS = frozenset(
    ",，、/&+.aon和与及或以"
)  # what may follow a letter, after a blank or not, that a list goes on from
_BEFORE_BRACKET = frozenset(" " + OPENING)
_GAPS = (0, 1, 2, 0, 1)
_NEXT = 15  # characters that may hold the next word, as in `is_option_letter`
_MARGIN = 12  # characters beside a letter that decide whether it stands alone on its line
_WINDOW = 48  # characters that may lead a run of letters


class Group(NamedTuple):
    """A mention of one letter or a list of letters; `end` lies behind an option text that follows."""

    start: int
    end: int
    letters: tuple[str, ...]
    leads_line: bool
    is_line: bool


@lru_cache(maxsize=64)
def _candidates(count: int, several: bool, prose: bool, chinese: bool) -> re.Pattern[str]:
    """Letters that stand alone; with `several`, and tried first, runs of capitals too ("ABD", "A B D", "A; B; D").

    Capitals in prose ("I weigh A here") count if `prose`; nothing but their own option's text makes them letters.
    """
    upper = f"A-{letter_of(count - 1)}"
    article = rf"(?! +(?!(?:{AFTER_SMALL})\b)[a-z0-9])"  # "a mass": most small letters of a text
    capital = "" if prose else rf"(?!{IN_PROSE})"
    # A set of characters at the head lets the engine pass over most of a text.
    lone = rf"[{upper}{upper.lower()}](?![A-Za-z0-9_+])(?<![A-Za-z0-9_+].)"
    told = rf"{AMONG_WORDS}|{AMONG_CHARACTERS}" if chinese else AMONG_WORDS
    alone = rf"{lone}(?:(?<=[{upper}])(?:{told}|{capital})|{article})"
    if not several or count == 1:
        return re.compile(alone)
    run = rf"[{upper}]{{2,{count}}}|[{upper}](?:(?: |; ?|\|)[{upper}]){{1,{count - 1}}}"
    return re.compile(rf"(?<![A-Za-z0-9_+])(?:{run})(?![A-Za-z0-9_+])|{alone}")


@lru_cache(maxsize=64)
def _list_pattern(count: int) -> re.Pattern[str]:
    upper = f"A-{letter_of(count - 1)}"
    unit = rf"(?:[(\[]\s*(?P<b>[{upper}{upper.lower()}])\s*[)\]]|(?P<u>[{upper}])(?![A-Za-z0-9_'’]|-\w|\.[A-Za-z]))"
    word = r"(?:and|or|nor|as well as)\b\s*(?:option\s+)?"
    joint = rf"\s*(?:[,，、/&+]\s*(?:(?:and|or|nor)\b\s*)?|\.?\s*{word}|[和与及或]|以及)\s*"
    return re.compile(rf"(?P<joint>{joint}){unit}")


_NAMES = _list_pattern(26)


def ends_in_letter(option: str) -> bool:
    """Return whether an option's text ends in a letter of its own ("Hepatitis B")."""
    return _LONE_LETTER.match(option, len(option) - 1) is not None


def begins_names(text: str, end: int) -> bool:
    """Return whether the letter before `end` is the first of a list of names ("hepatitis A, C and E")."""
    return ends_in_letter(text[end - 2 : end]) and _NAMES.match(text, end) is not None


@lru_cache(maxsize=1 << 12)
def _texts(choices: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str], bool]:
    """Return the options' texts in lower case, those without ends, their first characters, and if one has a letter."""
    shown = option_texts(choices)
    texts = tuple(lower(option).lstrip(EDGES) for option in shown)
    firsts = {letter_of(index): option[:1] for index, option in enumerate(texts)}
    holds_letters = any(_LONE_LETTER.search(option) for option in shown)
    return texts, tuple(option.rstrip(EDGES) for option in texts), firsts, holds_letters


def letter_groups(text: str, lowered: str, count: int, choices: tuple[str, ...] | None, several: bool) -> list[Group]:
    """Return the places where `text` speaks of options by letter, in order; `count` letters from A are options.

    Args:
        lowered: `lower(text)`.
        several: a run of letters ("答案是ABD") counts too.
    """
    texts, cores, firsts, holds_letters = _texts(choices) if choices else ((), (), {}, False)
    if choices and holds_letters:
        text = _masked(text, choices)
        lowered = lower(text)
    scan = _Scan(text, lowered, texts, cores, firsts, _list_pattern(count), "\n" not in text)
    result: list[Group] = []
    position = 0
    prose = scan.own_texts_in_prose()
    candidates = _candidates(count, several, prose, not text.isascii())
    if not several:
        return scan.singles(candidates)
    while found := candidates.search(text, position):
        group = scan.run(found) if len(found[0]) > 1 else None
        end = found.end()
        if group is None and (len(found[0]) == 1 or not found[0].isalpha()):
            group, end = scan.group(found.start()), found.start() + 1
        position = max(end, group.end if group else scan.names_end(end - 1))
        if group:
            result.append(group)
    return result


def _masked(text: str, choices: tuple[str, ...]) -> str:
    """Blank out the options named in `text` whose texts hold single letters ("E. coli", "vitamin D")."""
    pieces: list[str] = []
    position = 0
    for (start, end), _ in named_options(choices, text):
        if end - start > 1 and _LONE_LETTER.search(text, start, end):
            pieces += (text[position:start], "\x00" * (end - start))
            position = end
            while _LONE_LETTER.match(text, position - 1) and (following := _NAMES.match(text, position)):
                pieces.append("\x00" * (following.end() - position))  # "hepatitis A, C and E"
                position = following.end()
    return "".join((*pieces, text[position:]))


@dataclass(frozen=True, slots=True)
class _Scan:
    text: str
    lowered: str
    texts: tuple[str, ...]
    cores: tuple[str, ...]
    firsts: dict[str, str]  # of the options' texts, by letter
    lists: re.Pattern[str]
    one_line: bool

    def own_texts_in_prose(self) -> bool:
        """Return whether a letter may stand before its own option's text with nothing but a blank between."""
        if len(self.text) < 2 * _WINDOW:
            return True  # too short to be worth a look
        for index, core in enumerate(self.cores):
            lead = f" {letter_of(index).lower()} "
            if core and self.lowered.find(lead + core) >= 0:
                return True
            # An option's text may be cut off at the end of the response.
            at = self.lowered.find(lead, max(0, len(self.lowered) - len(core) - len(lead)))
            while at >= 0:
                if self.texts[index].startswith(self.lowered[at + len(lead) :]):
                    return True
                at = self.lowered.find(lead, at + 1)
        return False

    def group(self, at: int) -> Group | None:
        """Return the mention that begins with the single letter `at`, if it is an option letter."""
        text = self.text
        beside = text[at - 2 : at + 4] if at > 1 else ""
        if beside[1:2] == " " and beside[2].isupper() and beside[0] not in _BEFORE_BRACKET:
            follows = self._follows(at, beside)
            if follows:
                return self._among_words(at, beside[2], follows)
        tied = text[at - 1 : at] in TIES_BEFORE or text[at + 1 : at + 2] in TIES_AFTER
        labels = tied and self._labels_text(at)
        if tied and not labels and not stands_alone(text, at):
            return None
        start, end = with_brackets(text, at)
        bracketed = end - start > 1
        if text[at].islower() and not self._is_small_letter(at, start, bracketed):
            return None
        letters, end = self._list(text[at].upper(), (start, end))
        own_end = self._own_text_end(end, letters[-1])
        named = own_end > end
        if not bracketed and text[at].isupper():
            article = named and self._is_article(at, own_end)
            if article or not is_option_letter(text, self.lowered, (start, end), letters, own_text=named or labels):
                return None
        return self._placed(start, end, own_end, letters)

    def singles(self, candidates: re.Pattern[str]) -> list[Group]:
        """Return the mentions that begin with a single letter: the commonest case, in one loop without calls."""
        text, lowered, firsts = self.text, self.lowered, self.firsts
        result: list[Group] = []
        position = 0
        for found in candidates.finditer(text):
            if (at := found.start()) < position:
                continue
            # The characters between a capital and the next word; 3 or 4 for none or one before a Chinese character.
            gap = found.lastindex
            letter = text[at]
            if not gap or firsts.get(letter) == lowered[at + 1 + _GAPS[gap]]:
                group = self.group(at)
            elif gap < 3 and (at < TAIL or not ends_no_noun(lowered[at - TAIL : at - 1])) and is_named(lowered, at):
                group = None
            elif at > _MARGIN and (self.one_line or text.find("\n", at - _MARGIN, at) < 0):
                result.append(Group(at, at + 1, (letter,), False, False))
                continue
            else:
                group = self._placed(at, at + 1, at + 1, [letter])
            if group:
                position = group.end
                result.append(group)
            elif text[at + 1 : at + 3].lstrip(" ")[:1] in _JOINTS:
                position = self.names_end(at)
        return result

    def names_end(self, at: int) -> int:
        """Return the end of the list of names that the letter `at` begins ("hepatitis B and C"), else the letter's."""
        return self._list("", (at, at + 1), _NAMES)[1] if is_name(self.lowered, at) else at + 1

    def _follows(self, at: int, beside: str) -> str:
        """Return the word behind a capital, or the sign that a word follows; "" if it may be a list or its option.

        `beside` are the characters around the capital, from two before it to three behind.
        """
        sign, character = beside[3:4], beside[5:6]
        if sign == " ":
            word = self.lowered[at + 2 : at + 2 + _NEXT].partition(" ")[0].rstrip(",.:;")
            if not word.isalpha() or not word.isascii() or word in JOINING:
                return ""
            sign, character = word, word[0]
        elif sign not in STOPS or beside[4:5] != " " or not character.isalpha() or not _plain_stop(sign, character):
            return ""
        own = self.firsts.get(beside[2])
        return sign if own != character and own != character.lower() and character.isascii() else ""

    def _among_words(self, at: int, letter: str, follows: str) -> Group | None:
        """Return what `group` does of a capital between words; `follows` is the word behind it, or the sign.

        It is the commonest case: no brackets, no list, no option's text.
        """
        if not is_letter_among_words(self.lowered, at, letter, follows):
            return None
        if at > _MARGIN and self.text.find("\n", at - _MARGIN, at) < 0:
            return Group(at, at + 1, (letter,), False, False)
        return self._placed(at, at + 1, at + 1, [letter])

    def _list(self, first: str, span: Span, lists: re.Pattern[str] | None = None) -> tuple[list[str], int]:
        """Return the letters of the list that begins with `first`, which stands at `span`, and its end."""
        start, end = span
        letters, joints, previous_end = [first], [""], end
        joint = self.text[end : end + 2]
        if joint[:1] not in _JOINTS and (not joint[:1].isspace() or (joint[1:].isalpha() and joint[1:] not in _JOINTS)):
            return letters, end
        lists = lists or self.lists
        while following := lists.match(self.text, end):
            letters.append((following["b"] or following["u"]).upper())
            joints.append(following["joint"].strip())
            previous_end, end = end, following.end()
        denied = joints[1:2] in ([","], ["，"]) and _ALL_DENIED.match(self.text, end)
        if denied and _LED_SINGLY.search(self.text, max(0, start - _WINDOW), start):
            return letters[:1], span[1]  # "The answer is B, A and C are wrong"
        if joints[-1] in (",", "，", "、") and _OWN_PREDICATE.match(self.text, end):
            return letters[:-1], previous_end  # "It's A, B is wrong" is no list
        return letters, end

    def _placed(self, start: int, end: int, own_end: int, letters: list[str]) -> Group:
        text, window = self.text, start - _MARGIN if start > _MARGIN else 0
        line = text.rfind("\n", window, start) + 1
        lead = text[line or window : start]
        if (not line and window) or (lead and (bare := lead.strip(_MARKS)) and not _lists(bare, lead)):
            return Group(start, own_end, tuple(letters), False, False)
        behind = text[end : end + _MARGIN]
        rest = behind.partition("\n")[0]
        leads_line = own_end > end or not rest.strip() or _LEADING_AFTER.match(rest) is not None
        is_line = not rest.strip(EDGES) and (len(behind) < _MARGIN or "\n" in behind)
        if own_end == end and rest[:1] in ".)：:" and len(rest) > 1:
            own_end = end + 1
        return Group(start, own_end, tuple(letters), leads_line, is_line)

    def _is_small_letter(self, at: int, start: int, bracketed: bool) -> bool:
        if bracketed:
            return not (start and is_named(self.lowered, start))  # "panel (b)"
        return is_small_option_letter(self.lowered, at, at + 1)

    def _is_article(self, at: int, own_end: int) -> bool:
        """Return whether "A" begins a sentence that goes on behind option A's own text ("A cyst would be round.")."""
        gap = self.text[at + 1 : at + 3]
        if self.text[at] != "A" or gap[:1] != " " or not gap[1:].islower() or self.texts[0][:1].isspace():
            return False
        return self.text[own_end : own_end + 1] == " " and self.text[own_end + 1 : own_end + 2].islower()

    def _labels_text(self, at: int) -> bool:
        """Return whether a stop alone ties the letter to an option's text, its own ("D.Renal pelvis") or another's."""
        stop = at + 1
        if not self.text.startswith(".", stop) or tied_before(self.text, at):
            return False
        start = stop + 1 + self.text.startswith(" ", stop + 1)
        return self._own_text_end(stop, self.text[at].upper()) > stop or any(
            core
            and self.lowered.startswith(core, start)
            and not self.lowered[start + len(core) : start + len(core) + 1].isalnum()
            for core in self.cores
        )

    def _own_text_end(self, end: int, letter: str) -> int:
        """Return where the letter's own option text ends if it follows the letter at `end`, else `end`."""
        index = ord(letter) - ord("A")
        if index >= len(self.texts):
            return end
        own, core = self.texts[index], self.cores[index]
        behind = self.lowered[end : end + _MARGIN]
        bare = behind.lstrip(EDGES)
        if bare and not own.startswith(bare[0]):
            return end  # the commonest case: another word follows
        at = end + len(behind) - len(bare)
        if len(self.lowered) - at < len(core) and self._cut_off(end, at, index):
            return len(self.lowered)
        if (
            not self.lowered.startswith(core, at)
            or not core
            or self.lowered[at + len(core) : at + len(core) + 1].isalnum()
        ):
            return end
        if any(len(other) > len(own) and self.lowered.startswith(other, at) for other in self.texts):
            return end  # it is the beginning of another option
        return at + len(own if self.lowered.startswith(own, at) else core)

    def _cut_off(self, end: int, at: int, index: int) -> bool:
        """Return whether the response ends at the token limit within an option's text, which begins at `at`.

        A single word is too little ("C.diff" is no "C. Diffuse fibrosis"), and so is a letter that is a word too,
        without a sign behind it ("A mass in the left"). Where the rest is another option's whole text, the letter may
        be wrong.
        """
        rest = self.lowered[at:]
        return (
            self.texts[index].startswith(rest)
            and len(words(rest)) > 1
            and not (self.text[end - 1] in WORDS_TOO and self.text[end:at].isspace())
            and rest.rstrip(EDGES) not in self.cores
        )

    def run(self, found: re.Match[str]) -> Group | None:
        """Return a run of letters if it is stated as the answer."""
        letters = tuple(c for c in found[0] if c.isalpha())
        leads = not found.start() and sentence_stops(self.text, found.end())
        led = leads or _RUN_LEAD.search(self.text, max(0, found.start() - _WINDOW), found.start())
        if len(set(letters)) < len(letters) or not (led or _RUN_AFTER.match(self.text, found.end())):
            return None
        return Group(found.start(), found.end(), letters, leads_line=False, is_line=False)


def _lists(bare: str, lead: str) -> bool:
    """Return whether what stands before a letter on its line is but the number of a list."""
    return bare[0].isdigit() and not _LIST_MARK.sub("", lead).strip(_MARKS)


def _plain_stop(sign: str, character: str) -> bool:
    """Return whether a sign and a blank behind a letter end what is said, as they do before this character."""
    if sign == ".":
        return character.isupper()  # neither an abbreviation ("E. coli") nor "A. and B"
    return sign != "," or (character.islower() and character not in _JOINTS)
