"""An XML document as rows: elements become mappings, attributes get an `@`, the text beside them is `#text`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row

MAX_DEPTH = 64


def xml_rows(data: bytes, element: str) -> list[Row]:
    """Return the elements at a path below the root (`QAPairs/QAPair`), or the root itself if the path is empty.

    Each row has `document`: the root's attributes and those children that are mere texts. The parser (expat 2.4.1 and
    later) stops at entities that expand to much more than the document.

    Raises:
        RowError: the document is not XML, or nested too deeply.
    """
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise RowError(Reason.UNREADABLE_ROW, f"not XML: {error}") from None
    texts = {child.tag: _text(child) for child in root if not len(child) and not child.attrib}
    document = {f"@{name}": value for name, value in root.attrib.items()} | texts
    rows: list[Row] = []
    for found in root.findall(element) if element else [root]:
        value = _value(found, MAX_DEPTH)
        rows.append({"document": document} | (value if isinstance(value, dict) else {"#text": value}))
    return rows


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()


def _value(element: ET.Element, depth: int) -> str | dict[str, Any]:
    if depth == 0:
        raise RowError(Reason.UNREADABLE_ROW, f"more than {MAX_DEPTH} elements inside one another")
    found: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        value = _value(child, depth - 1)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found | {"#text": _text(element)} if found else _text(element)
