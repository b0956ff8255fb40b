"""Lines of response files: what is no JSON is named, whatever keeps it from being read."""

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.items import parsed_line


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b'{"id": ', "file:7: not JSON"),
        (b'{"meta": {"n": ' + b"1" * 5000 + b"}}", "file:7: not JSON: Exceeds the limit"),
        (b'{"meta": ' + b"[" * 100_000, "file:7: not JSON: maximum recursion depth"),
        (b'{"id": "\xe9"}', "file:7: not UTF-8: invalid continuation byte at byte 8"),
    ],
)
def test_a_line_that_is_no_json_is_named(raw, what):
    with pytest.raises(UserError) as error:
        parsed_line(raw, "file:7")
    assert error.value.what.startswith(what)
