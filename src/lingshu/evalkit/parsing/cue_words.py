"""Where the words by which clauses part and cues are made stand in a text: found in one pass, not clause by clause."""

from __future__ import annotations

from itertools import accumulate

CUE_WORDS = frozenset(
    {"not", "cannot", "never", "t", "nor", "no", "than", "instead", "unlike", "unlikely", "doubt", "against", "over"}
    | {"except", "incorrect", "wrong", "false", "neither", "rule", "rules", "ruled", "ruling", "without", "absent"}
    | {"absence", "negative", "free", "lack", "lacks", "lacking", "denies", "implausible", "invalid", "inappropriate"}
    | {"contraindicated", "irrelevant", "unrelated", "likely", "between", "either", "whether", "among", "considered"}
    | {"considering", "first", "initially", "originally", "thought", "think", "if", "answer", "answered", "correct"}
    | {"right", "best", "final", "choose", "chose", "select", "pick", "go", "going", "opt", "settle", "true", "choice"}
    | {"option", "most", "better", "remains", "yes"}
)
"""One word of each English cue in `cues` that no match of it can lack; "t" is that of "isn't"."""
CUE_STEMS = ("exclud", "eliminat", "reject", "discard", "dismiss", "avoid")
"""… or what it begins with."""
_LETTERS = bytes.maketrans(bytes(range(256)), bytes(c if 97 <= c <= 122 else 32 for c in range(256)))


def word_places(text: str, wanted: frozenset[str], stems: tuple[str, ...]) -> dict[str, list[int]]:
    """Return where in `text` (lower case) the runs of letters a to z start that are wanted or begin with a stem.

    A run may be a part of a word, beside a digit, an underscore or another alphabet's letter.
    """
    runs = text.encode("ascii", "replace").translate(_LETTERS).decode().split(" ")
    found: dict[str, list[int]] = {run: [] for run in set(runs) if run in wanted or run.startswith(stems)}
    if found:
        starts = list(accumulate(map(len, runs), initial=0))  # and a blank for each run before
        for number, run in enumerate(runs):
            if run in found:
                found[run].append(starts[number] + number)
    return found
