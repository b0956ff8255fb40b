"""A call that ends its process or never comes back is a refusal; the next call works, and errors come through."""

import os
import time

import pytest

from lingshu.core.errors import UserError
from lingshu.sources.crash_proof import survive
from lingshu.sources.frames import Refused


def add(left: int, right: int) -> int:
    return left + right


def die(_left: int, _right: int) -> int:
    os.abort()


def sleep(seconds: int, _right: int) -> int:
    time.sleep(seconds)
    return 0


def refuse(_left: int, _right: int) -> int:
    raise Refused("TOO_LARGE", "by far")


def complain(_left: int, _right: int) -> int:
    raise UserError("what", "fix")


def test_a_call_and_its_errors_come_through() -> None:
    assert survive(add, 2, 3) == 5
    with pytest.raises(Refused, match="TOO_LARGE: by far"):
        survive(refuse, 0, 0)
    with pytest.raises(UserError, match="fix: fix"):
        survive(complain, 0, 0)


def test_a_death_is_a_refusal_and_the_next_call_works() -> None:
    with pytest.raises(Refused, match="UNDECODABLE: the decoder's process died"):
        survive(die, 0, 0)
    assert survive(add, 2, 2) == 4


def test_a_call_that_never_comes_back_is_ended() -> None:
    with pytest.raises(Refused, match=r"no result after 0\.5 s"):
        survive(sleep, 1000, 0, seconds=0.5)
    assert survive(add, 1, 2) == 3
