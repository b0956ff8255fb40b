"""A response that ends in a loop: a model that repeats itself until its tokens are spent says nothing new by it."""

from __future__ import annotations

from bisect import bisect_left

_SHORT = 2000  # characters of a text in which no loop is looked for
_SURE = 100  # characters at the end that must have been said before
_TURNS = 16  # turns of a loop, at least: half of them stay at its head, half at its end
_BESIDE = 400  # characters that stay at either side, at least: more than any rule looks at around a mention


def without_loop(text: str) -> str:
    """Return `text` with whole turns cut out of the middle of the loop that it ends in, if it ends in one.

    A loop is the same passage, to the character, again and again up to the end of the text, the last turn whole or
    not. Its head, its end, and what is before it stay, so that the answer read is the same.
    """
    size = len(text)
    if size < _SHORT:
        return text
    ends = size - _SURE
    before = text.rfind(text[ends:], ends - size // _TURNS, size - 1)
    if before < 0:
        return text
    turn = ends - before
    start = bisect_left(range(ends), True, key=lambda at: text[at : size - turn] == text[at + turn :])
    stays = max(_BESIDE, turn * _TURNS // 2)
    cut = (size - start - 2 * stays) // turn * turn
    return text[: start + stays] + text[start + stays + cut :] if cut > 0 else text
