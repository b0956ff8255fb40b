"""Parts of a record that say how files become rows: tables, joins, options, gold, pictures.

A path names a value inside a row: keys with dots between them (`data.Question`), list positions as numbers.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lingshu.core.params import Strict


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Choices(Strict):
    """Where the options of a row are.

    Attributes:
        shape: `columns` (one text a column, an absent or empty one is no option), `mapping` (letter to text), `list`
            (texts), `pairs` (objects with a letter and a text), `literal` (a Python list written as text), `lines` (one
            text, a line "A text" an option), `fixed` (the same options in every row), or `in_question` ("Answer
            Choices: (A) … (B) …" at the end of the question, taken off it).
        field: path of the value, for all shapes but `columns` and `fixed`.
        columns: paths of `columns`, A first.
        texts: options of `fixed`, A first.
        key: of the letter in an object of `pairs`.
        value: of the text in an object of `pairs`.
        only_if: options exist only in rows where this path has this value.
        lettered: an option's own letter in front of its text ("A: …") is taken off.
        repeated: where the question ends with the same options ("Answer Choices: (A) …"), they are taken off it.
    """

    shape: Literal["columns", "mapping", "list", "pairs", "literal", "lines", "fixed", "in_question"]
    field: str = ""
    columns: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    texts: list[str] = []  # noqa: RUF012
    key: str = "key"
    value: str = "value"
    only_if: dict[str, str] = {}  # noqa: RUF012
    lettered: bool = False
    repeated: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Choices:
        needed = {"columns": bool(self.columns), "fixed": bool(self.texts)}.get(self.shape, bool(self.field))
        if not needed:
            raise ValueError(f"shape {self.shape!r} needs columns (columns), texts (fixed) or else field")
        return self


class Gold(Strict):
    """Where the gold answer of a row is.

    Attributes:
        shape: `letters` (a letter, several letters in one text, or a list of letters), `index` (number of the right
            option), `texts` (the right option's text, or a list of them), `text` (free text), `key` (an object whose
            only key is the answer), `literal_or_text` (free text, or a Python list of accepted texts written as text),
            `report` (findings and impression), or `none` (graded by rubrics).
        field: path of the value; of the findings for `report`.
        impression: path of the impression, for `report`.
        first: number of the first option, for `index`; `told` where the rows must tell, of options in columns: tables
            that people export from either of two releases.
    """

    shape: Literal["letters", "index", "texts", "text", "key", "literal_or_text", "report", "none"]
    field: str = ""
    impression: str = ""
    first: Literal[0, 1, "told"] = 0


class Pictures(Strict):
    """Where the pictures of a row are.

    Attributes:
        fields: paths, each of one picture, a list of them, or null where the row has fewer.
        embedded: the bytes lie in the row (Parquet, in a column of the hub's Image type or of plain bytes); else the
            row names files.
        key: of the name where a list holds objects.
        name: how a file's name is written from the row's fields and those of the object in the list,
            `files/p{subject_id:.2}/{dicom_id}.jpg`; `{picture}` is what the path gives.
        pattern: named groups that it finds in what the path gives are fields for `name` too.
        optional: a row may have no picture.
        array: the files are NumPy archives (`.npz`), and this is the name of the picture's array in them.
        suffix: added to each name.
        endings: `.png` and the like, tried in place of the name's own where there is no such file.
        flat: only the last part of a name counts.
        folders: that the names are relative to, tried in order.
        archives: zip files that may hold them instead, found by the end of the member's path.
    """

    fields: list[str] = Field(min_length=1)
    embedded: bool = False
    key: str = ""
    name: str = ""
    pattern: Pattern = ""
    optional: bool = False
    array: str = ""
    suffix: str = ""
    endings: list[str] = []  # noqa: RUF012
    flat: bool = False
    folders: list[str] = ["."]  # noqa: RUF012
    archives: list[str] = []  # noqa: RUF012


Format = Literal["parquet", "json", "jsonl", "csv", "xml", "text", "pickle", "npy", "files"]


class Layout(Strict):
    """How a table is written.

    Attributes:
        format: `xml` is a row for each element at `element`, `text` a row for each file (its text in field `text`),
            `pickle` a list of rows of plain values (nothing is ever called), `npy` a row for each entry of an array's
            first axis, `files` a row for each file that names it (`path`, `folder`, `name`, `stem`), as where pictures
            lie in class folders.
        header: names of the columns, where a CSV has no header line or a JSON row is a list.
        delimiter: between the columns of a CSV.
        quoted: a CSV quotes what holds a delimiter; if false, quotation marks are part of the text.
        element: path of the elements that are rows, below the root; the root itself if empty.
    """

    format: Format
    header: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quoted: bool = True
    element: str = ""


class Join(Layout):
    """A second table that completes the rows; it is held in memory.

    Attributes:
        tables: its files.
        by: path of the row's key; the second table's one is `key`, or its object keys if that is empty.
        by_pattern: what it finds in the row's key is looked up.
        key_pattern: what it finds in the second table's key counts.
        rows: of the second table, as in a form.
        into: name that the found value gets in the row.
        many: several rows have a key, and a list of them is found.
        required: without one a row is a data error; if false, it is not of this split and is left out.
        optional: without one a row stays as it is.
    """

    format: Format = "json"
    tables: list[str] = Field(min_length=1)
    by: str
    key: str = ""
    by_pattern: Pattern = ""
    key_pattern: Pattern = ""
    rows: Literal["list", "keyed", "lists", "columns"] = "list"
    into: str
    many: bool = False
    required: bool = True
    optional: bool = False


class TableForm(Layout):
    """One on-disk form of a data set. The first form whose every file pattern finds something is read.

    Attributes:
        name: for messages.
        checked: `real sample` (this form was read from real rows), `written format` (from a description of the format
            or from upstream code that reads it), or `not checked` (from memory).
        tables: patterns of the files: `*` stays within a folder, `**/` is any depth, `a.zip!/b.json` looks into an
            archive. Files are read in the order of their names.
        alone: pattern of files of other names: where a user's folder has nothing that `tables` finds and one such file,
            that one is read, and it is told. For files whose name says nothing that their rows and number don't.
        columns: paths that the first row of a table has; one where a path is absent is none of the form's. For forms
            whose files have the same names.
        file_pattern: only files whose path it finds are read; its named groups become fields of the row.
        beside: for `npy`: field to the array that completes the rows; `{name}` is filled in from `file_pattern`.
        rows: `list` (objects, or rows of a table), `values` (a list of anything; each becomes field `value`), `keyed`
            (an object of rows; the key becomes field `key`), `lists` (an object of lists of rows; the key likewise), or
            `columns` (an object of columns, each an object by row number).
        explode: path of lists of equal length to field name: one question for each position.
        joins: tables that complete the rows, in order.
        where: a row is of this data set if each path has one of these values (`None` where there is none).
        without: and if no path has one of these values.
        distinct: of rows that are equal at all these paths the first one counts, where upstream's other copies leave
            the repeats out; a source refuses them by reason, a benchmark does not count them.
        pictures: where the pictures are.
        id: path of the row's own id; without one the id is the file's name and the row's number.
        id_parts: further paths that make the id unique.
    """

    name: str
    checked: Literal["real sample", "written format", "not checked"]
    tables: list[str] = Field(min_length=1)
    alone: str = ""
    columns: list[str] = []  # noqa: RUF012
    file_pattern: Pattern = ""
    beside: dict[str, str] = {}  # noqa: RUF012
    rows: Literal["list", "values", "keyed", "lists", "columns"] = "list"
    explode: dict[str, str] = {}  # noqa: RUF012
    joins: list[Join] = []  # noqa: RUF012
    where: dict[str, list[str]] = {}  # noqa: RUF012
    without: dict[str, list[str]] = {}  # noqa: RUF012
    distinct: list[str] = []  # noqa: RUF012
    pictures: Pictures | None = None
    id: str = ""
    id_parts: list[str] = []  # noqa: RUF012
