"""Rows of an XML file: each element at a path is one row, with what its document says of all of them.

An element becomes an object: its attributes, `text` (its own text), and each child element by its tag (the first of
several). Lines are trimmed and runs of blanks closed, for files are indented; line breaks stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from lingshu.core.errors import UserError

DOCUMENT = "document"


def element_rows(name: str, data: bytes, record: str) -> Iterator[dict[str, Any]]:
    """Yield the elements at the path `record` below the root, in document order.

    Args:
        name: of the file, for messages.
        data: the file.
        record: tags with slashes between them, `QAPairs/QAPair`.

    Raises:
        UserError: the file is not XML (names it and the line).
    """
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        line, _ = error.position
        raise UserError(f"{name}:{line}: not XML: {error.msg}", "get the file again; it may be cut") from None
    above = record.split("/", maxsplit=1)[0]
    document = dict(root.attrib) | {child.tag: _object(child) for child in reversed(root) if child.tag != above}
    for element in root.iterfind(record):
        yield {DOCUMENT: document} | _object(element)


def _object(element: ElementTree.Element) -> dict[str, Any]:
    children = {child.tag: _object(child) for child in reversed(element)}
    return {"text": _trimmed(element.text or "")} | children | dict(element.attrib)


def _trimmed(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.strip().splitlines())
    return "\n".join(line for line in lines if line)
