"""Which fields of a row of anyone's data are question, options, answer, text, picture and id.

By the names that data sets use; a field of another name counts as text if it has a sentence in it. `Fields` names them
outright.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lingshu.core.errors import UserError

ROLES: dict[str, tuple[str, ...]] = {
    "id": (
        "id", "sample_id", "qid", "question_id", "item_id", "uid", "_id", "key", "pubid", "pmid", "idx", "index",
    ),
    "question": (
        "question", "query", "prompt", "instruction", "stem", "question_stem", "problem", "sent1", "user", "human",
    ),
    "choices": ("options", "choices", "candidates"),
    "answer": (
        "answer", "answers", "answer_idx", "answer_text", "response", "output", "completion", "gold", "target", "reply",
        "correct_answer", "final_answer", "final_decision", "long_answer", "label", "assistant", "gpt",
    ),
    "text": (
        "text", "texts", "content", "contents", "caption", "captions", "report", "findings", "impression", "abstract",
        "document", "passage", "context", "contexts", "body", "sentence", "description", "explanation", "rationale",
    ),
    "image": (
        "image", "images", "image_path", "image_paths", "image_file", "image_name", "img", "img_name", "img_path",
        "picture", "pictures", "figure", "figure_path", "file_name", "filename", "path", "file",
    ),
}  # fmt: skip
EXTRA_QUESTION = "input"  # of an instruction
CONVERSATIONS = ("messages", "conversations", "conversation", "dialogue")
ANSWERING = ("assistant", "gpt", "chatgpt", "model", "bot")
SETTING = ("system", "developer")  # whose turns set the scene for every conversation alike
SETTING_COLUMNS = ("system_prompt", "system_message")
PACKED_CHARACTERS = 1 << 22  # of a list that a cell holds as text
OPTION_COLUMNS = (
    tuple("abcdefghij"), tuple(f"op{c}" for c in "abcdefghij"), tuple(f"option_{c}" for c in "abcdefghij"),
    tuple(f"ending{n}" for n in range(8)), tuple(f"option{n}" for n in range(1, 9)),
)  # fmt: skip
PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm", ".jp2"}
)
SCAN_ENDINGS = (".dcm", ".dicom", ".nii", ".nii.gz", ".nrrd")
_OPTION = re.compile(
    r"(?:^|\s)(?:\(?([A-Ja-j])\)\s+|（([A-Ja-j])）\s*|([A-J])[、．])|(?:^|\n)[ \t]*([A-Ja-j])(?:[.):]\s+|[、．：）]\s*)"
)
_HEADING = re.compile(r"\s*(?:(?:answer\s+)?(?:choices|options)\s*:?|选项\s*[:：]?)\s*$", re.IGNORECASE)
_LABEL = re.compile(r"\s*(?:question(?:\s*\d+)?|q\d*|问题|题目)\s*[:：]\s*", re.IGNORECASE)
_ANSWER_LABEL = re.compile(r"\n\s*(?:the\s+)?(?:(?:best|correct)\s+)?(?:answer|a|答案|回答)\s*[:：]\s*$", re.IGNORECASE)
_LETTERED = re.compile(r"\s*\(?([A-Ja-j])[.):、．]\s*(\S[^\n]*)")
# Base64 of a picture, as VLMEvalKit's tables and data URIs hold it: how PNG, JPEG, GIF, WebP, BMP and TIFF begin.
_INLINE = re.compile(
    r"\s*(?:data:image/[\w.+-]+;base64,|(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|Qk[01]|SUkqA|TU0AK)[\w+/=\s]{48})"
)
# What stands for a picture in the text of a chat: <image>, <image_1>, <|vision_start|> …
_PICTURE_MARK = re.compile(r"<\|?(?:image|img|vision)[\w-]*\|?>", re.IGNORECASE)
DEPTH = 6  # of nested lists and objects that texts are taken from


class Fields:
    """Names of fields by role.

    Args:
        given: role to field, which alone has the role in rows that have it (`question` to `Frage`).
        sentence: words that make the value of an unknown field a text.

    Raises:
        UserError: no such role.
    """

    def __init__(self, given: Mapping[str, str] | None = None, sentence: int = 8) -> None:
        given = given or {}
        if unknown := sorted(set(given) - set(ROLES)):
            raise UserError(f"no role is called {unknown[0]!r}", f"roles: {', '.join(ROLES)}")
        self._given = {role: column.lower() for role, column in given.items()}
        self._sentence = sentence
        self.unseen = dict(self._given)  # that no row has had so far
        self._settings = {*SETTING, *SETTING_COLUMNS} - {*self._given.values()}
        self._known = self._known_of(())
        self._listed = {
            *CONVERSATIONS,
            *(name for role in ("question", "choices", "image") for name in (*ROLES[role], self._given.get(role, ""))),
        }

    def unpacked(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the row with lists and objects where a cell of a table holds them as text: JSON, or Python's form."""
        packed = {
            key: listed
            for key, value in row.items()
            if isinstance(value, str) and key.lower() in self._listed and (listed := _listed(value)) is not None
        }
        return {**row, **packed} if packed else row

    def value(self, row: Mapping[str, Any], role: str) -> Any:
        """Return the value of the first field of the role that is there, or None."""
        lower = {key.lower(): value for key, value in row.items()}
        if self.unseen:
            self.unseen = {role: column for role, column in self.unseen.items() if column not in lower}
        return next((lower[name] for name in self._columns(role, lower) if lower.get(name) not in (None, "", [])), None)

    def _columns(self, role: str, lower: Collection[str]) -> tuple[str, ...]:
        """Return where a role is looked for in a row of these fields (lower case), the first first."""
        given = self._given.get(role, "")
        if given and given in lower:
            return (given,)
        return tuple(name for name in ROLES[role] if name not in self._given.values())

    def _known_of(self, lower: Collection[str]) -> set[str]:
        """Return the names that are more than a text of their own in a row of these fields."""
        roles = (name for role in ROLES for name in self._columns(role, lower))
        return {*roles, *CONVERSATIONS, *self._settings, EXTRA_QUESTION}

    def identity(self, row: Mapping[str, Any]) -> str:
        """Return the row's own id, or ""."""
        value = self.value(row, "id")
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    def question(self, row: Mapping[str, Any]) -> str:
        """Return what is asked, without options: the field, with the input of an instruction, or the user's turns."""
        return _parted(self._asked(row))[0]

    def setting(self, row: Mapping[str, Any]) -> str:
        """Return what the system says before a conversation or a question, or ""."""
        columns = [value for key, value in row.items() if key.lower() in self._settings and isinstance(value, str)]
        return "\n".join((*columns, *(text for kind, text in self._turns(row) if kind in SETTING)))

    def exchanges(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return each question of a conversation with its answer; none where there is one only, which is the row's."""
        found: list[tuple[str, str]] = []
        asked = ""
        for kind, text in self._turns(row):
            if kind == "user":
                asked = text
            elif kind == "assistant" and asked:
                found.append((_parted(_unmarked(asked))[0], text))
                asked = ""
        return found if len(found) > 1 else []

    def _asked(self, row: Mapping[str, Any]) -> str:
        value = self.value(row, "question")
        asked = "\n".join(strings(value)) if not isinstance(value, list) or not _is_conversation(value) else ""
        extra = next((v for k, v in row.items() if k.lower() == EXTRA_QUESTION and isinstance(v, str)), "")
        turns = (text for kind, text in self._turns(row) if kind == "user")
        return _unmarked("\n".join(part for part in (asked, extra if asked else "", *turns) if part))

    def choices(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Return option texts by letter: of a list, an object, objects with key and value, columns, or the question."""
        value = self.value(row, "choices")
        if isinstance(value, Mapping):
            nested = value.get("text")
            texts = nested if isinstance(nested, list) else list(value.values())
            keys = [str(k) for k in value] if texts is not nested else [chr(65 + n) for n in range(len(texts))]
            return {k: str(v) for k, v in zip(keys, texts, strict=True) if isinstance(v, str | int | float)}
        if isinstance(value, list):
            texts = ["\n".join(strings(v["value"] if isinstance(v, Mapping) and "value" in v else v)) for v in value]
            return {chr(65 + n): text for n, text in enumerate(texts[:26])}
        lower = {key.lower(): v for key, v in row.items()}
        for columns in OPTION_COLUMNS:
            found = [lower[name] for name in columns if isinstance(lower.get(name), str | int | float)]
            if len(found) >= 2:
                return {chr(65 + n): str(text) for n, text in enumerate(found)}
        return _parted(self._asked(row))[1]

    def answers(self, row: Mapping[str, Any], choices: Mapping[str, str]) -> list[str]:
        """Return the texts that answer; a letter or number of an option gives the option's text."""
        lower = {key.lower(): value for key, value in row.items()}
        found = [
            text for name in self._columns("answer", lower) if name in lower for text in _answers(lower[name], choices)
        ]
        said = (text for kind, text in self._turns(row) if kind == "assistant")
        found += [answer for text in said for answer in _answers(text, choices)]
        return list(dict.fromkeys(text for text in found if text.strip()))

    def texts(self, row: Mapping[str, Any]) -> list[str]:
        """Return the other texts: those of text fields, and sentences of fields of any other name."""
        lower = {key.lower(): value for key, value in row.items()}
        known = self._known_of(lower) if self._given else self._known
        named = [text for name in self._columns("text", lower) if name in lower for text in strings(lower[name])]
        other = [
            text
            for key, value in lower.items()
            if key not in known
            for text in strings(value)
            if len(text.split()) >= self._sentence
        ]
        return list(dict.fromkeys(text for text in (*named, *other) if text.strip()))

    def pictures(self, row: Mapping[str, Any]) -> list[tuple[str, bytes | None]]:
        """Return (name, bytes) of each picture of the row; bytes are None where it names a file."""
        lower = {key.lower(): value for key, value in row.items()}
        values = [lower[name] for name in self._columns("image", lower) if name in lower]
        return [picture for value in values for picture in _pictures(value)]

    def _turns(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return (`user`, `assistant` or one of `SETTING`, what is said) of each turn of the row's conversations."""
        found: list[tuple[str, str]] = []
        named = {*CONVERSATIONS, *self._columns("question", [key.lower() for key in row])}
        for key, value in row.items():
            if key.lower() in named and isinstance(value, list) and _is_conversation(value):
                found += [said for turn in value for said in _said(turn)]
        return found


def strings(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """Yield every string inside lists and objects, in order."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for part in value.values():
            yield from strings(part, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for part in value:
            yield from strings(part, depth - 1)


def is_picture_name(name: str) -> bool:
    """Tell whether a file's name ends as that of a picture."""
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES


def is_scan_name(name: str) -> bool:
    """Tell whether a file's name ends as that of a DICOM file or a volume, which hold one picture or many."""
    return name.lower().endswith(SCAN_ENDINGS)


def _parted(asked: str) -> tuple[str, dict[str, str]]:
    """Return a question and the options that it ends with: `(A) … (B) …`, or a line each that begins with `A.`."""
    marks = list(_OPTION.finditer(asked))
    letters = [mark[mark.lastindex or 0].upper() for mark in marks]
    stem = _HEADING.sub("", asked[: marks[0].start()]).rstrip() if marks else ""
    if len(marks) < 2 or letters != [chr(65 + n) for n in range(len(marks))] or not stem:
        return asked, {}
    ends = [*(mark.start() for mark in marks[1:]), len(asked)]
    options = [asked[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    return stem, dict(zip(letters, [*options[:-1], options[-1].partition("\n")[0]], strict=True))


def _unmarked(text: str) -> str:
    """Return a question without marks of pictures, and without the word "Question:" before it or "Answer:" below."""
    text = _PICTURE_MARK.sub(" ", text).strip() if "<" in text else text
    label = _LABEL.match(text)
    return _ANSWER_LABEL.sub("", text[label.end() :] if label else text)


def _listed(text: str) -> list[Any] | dict[str, Any] | None:
    """Return the list or object that a text is, or None."""
    if len(text) > PACKED_CHARACTERS or text.strip()[:1] not in ("[", "{"):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | dict):
            return value
    return None


def _is_conversation(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(turn, Mapping) and (_speaker(turn) or _both(turn)) for turn in value)


def _speaker(turn: Mapping[str, Any]) -> str:
    return str(turn.get("role", turn.get("from", ""))).lower()


def _both(turn: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return question and answer of an object that holds both, as `{"human": …, "assistant": …}`."""
    sides = (("user", ROLES["question"]), ("assistant", ROLES["answer"]))
    found = [(kind, turn[name]) for kind, names in sides for name in names if isinstance(turn.get(name), str)]
    return found if {kind for kind, _ in found} == {"user", "assistant"} else []


def _said(turn: Mapping[str, Any]) -> list[tuple[str, str]]:
    speaker = _speaker(turn)
    if not speaker:
        return _both(turn)
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):
        content = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    kind = "assistant" if speaker in ANSWERING else speaker if speaker in SETTING else "user"
    return [(kind, "\n".join(strings(content)))]


def _answers(value: Any, choices: Mapping[str, str]) -> Iterator[str]:
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, int) and choices:
        if 0 <= value < len(choices):
            yield list(choices.values())[value]
    elif isinstance(value, int | float):
        yield str(value)
    else:
        for text in strings(value):
            yield _named(text, choices)


def _named(text: str, choices: Mapping[str, str]) -> str:
    """Return the option that an answer names (`B`, `(b)`, `B. Selenium`), or the answer."""
    said = text.strip().rstrip(".)").lstrip("(")
    if said in choices:
        return choices[said]
    by_letter = {letter.upper(): option for letter, option in choices.items()}
    if said.upper() in by_letter:
        return by_letter[said.upper()]
    lettered = _LETTERED.fullmatch(text.strip())
    option = by_letter.get(lettered[1].upper(), "") if lettered else ""
    return option if lettered and lettered[2].strip().rstrip(".") == option.strip().rstrip(".") else text


def _decoded(value: str) -> bytes:
    """Return the bytes that Base64 stands for; none, which is no picture, where it is damaged."""
    try:
        return base64.b64decode(value.partition("base64,")[2] or value)
    except ValueError:
        return b""


def _pictures(value: Any) -> Iterator[tuple[str, bytes | None]]:
    if isinstance(value, bytes):
        yield "", value
    elif isinstance(value, str):
        if _INLINE.match(value):
            yield "", _decoded(value)
        elif is_picture_name(value) or is_scan_name(value):
            yield value, None
    elif isinstance(value, Mapping):
        data, path = value.get("bytes"), value.get("path") or value.get("file_name") or ""
        if isinstance(data, bytes):
            yield str(path), data
        elif isinstance(path, str) and (is_picture_name(path) or is_scan_name(path)):
            yield path, None
    elif isinstance(value, list):
        for part in value:
            yield from _pictures(part)
