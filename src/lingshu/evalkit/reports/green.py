"""GREEN (Ostmeier et al. 2024): what the model is asked, what its reply counts, and the score.

The prompt is the one that GREEN's models were trained on, word for word: `make_prompt` of Stanford-AIMI/GREEN d72c195,
which its authors give under permissive licences (NOTICE). The counts are read as its `parse_error_counts` reads them.
GREEN is the number of matched findings over that number and all clinically significant errors; 0 without a matched
finding. A reply that lacks one of the two sections is no score here; there it counts as no error and no finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PROMPT_ID = "green-1"
MOST_WORDS = 300  # of each report
ERRORS, MATCHED = "Clinically Significant Errors", "Matched Findings"
KINDS = tuple("abcdef")
REMINDER = f"""That could not be read. Write your assessment in the format that was asked for, with the sections \
[Explanation], [{ERRORS}], [Clinically Insignificant Errors] and [{MATCHED}]."""
_ITEM = {letters: re.compile(rf"\([{letters}]\) .*") for letters in ("a-f", "1-6")}
_COUNT = re.compile(r"(?<=: )\b\d+\b(?=\.)")
_FIRST_COUNT = re.compile(r"\b\d+\b(?=\.)")
_PROMPT = """Objective: Evaluate the accuracy of a candidate radiology report in comparison to a reference radiology \
report composed by expert radiologists.

    Process Overview: You will be presented with:

    1. The criteria for making a judgment.
    2. The reference radiology report.
    3. The candidate radiology report.
    4. The desired format for your assessment.

    1. Criteria for Judgment:

    For each candidate report, determine:

    The count of clinically significant errors.
    The count of clinically insignificant errors.

    Errors can fall into one of these categories:

    a) False report of a finding in the candidate.
    b) Missing a finding present in the reference.
    c) Misidentification of a finding's anatomic location/position.
    d) Misassessment of the severity of a finding.
    e) Mentioning a comparison that isn't in the reference.
    f) Omitting a comparison detailing a change from a prior study.
    Note: Concentrate on the clinical findings rather than the report's writing style. Evaluate only the findings that \
appear in both reports.

    2. Reference Report:
    {reference}

    3. Candidate Report:
    {candidate}

    4. Reporting Your Assessment:

    Follow this specific format for your output, even if no errors are found:
    ```
    [Explanation]:
    <Explanation>

    [Clinically Significant Errors]:
    (a) <Error Type>: <The number of errors>. <Error 1>; <Error 2>; ...; <Error n>
    ....
    (f) <Error Type>: <The number of errors>. <Error 1>; <Error 2>; ...; <Error n>

    [Clinically Insignificant Errors]:
    (a) <Error Type>: <The number of errors>. <Error 1>; <Error 2>; ...; <Error n>
    ....
    (f) <Error Type>: <The number of errors>. <Error 1>; <Error 2>; ...; <Error n>

    [Matched Findings]:
    <The number of matched findings>. <Finding 1>; <Finding 2>; ...; <Finding n>
    ```
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply counts: matched findings, and significant errors of each kind, in the order of `KINDS`."""

    matched: int
    errors: tuple[int, ...]

    def score(self) -> float:
        """Return GREEN."""
        return self.matched / (self.matched + sum(self.errors)) if self.matched else 0.0


@dataclass(frozen=True, slots=True)
class Replies:
    """A model's replies, one a prompt, None where the call has failed; `record` says what was asked, and how."""

    texts: list[str | None]
    record: dict[str, Any]


AskGreen = Callable[[Sequence[str]], Replies]


@dataclass(frozen=True, slots=True)
class GreenScores:
    """GREEN of each sample, shape (samples,), NaN where there is no reply that can be read; and what made it."""

    each: NDArray[np.float64]
    record: dict[str, Any]

    def mean(self) -> float:
        """Return the mean of all samples, NaN if one is unscored: a mean of a part is another number."""
        return float(self.each.mean())

    def unscored(self) -> dict[str, int]:
        """Return how many samples are unscored, by reason; empty if none is."""
        return {what: self.record[what] for what in ("failed", "unreadable") if self.record[what]}

    def warnings(self) -> list[str]:
        """Return that there is no mean of all samples, if some are unscored."""
        if not (lacking := self.unscored()):
            return []
        told = ", ".join(f"{number} {what}" for what, number in lacking.items())
        lack = f"{sum(lacking.values())} of {len(self.each)} samples are unscored ({told} replies)"
        return [f"green: {lack}: its value is null, and green_of_scored is the mean of the others"]

    def problems(self, most: float) -> list[str]:
        """Return that more than the share `most` of the calls have failed, if so."""
        failed, calls = self.record["failed"], self.record["questions"]
        return [f"green: {failed} of {calls} calls have failed"] if failed > most * calls else []


def green_scores(references: Sequence[str], candidates: Sequence[str], ask: AskGreen) -> GreenScores:
    """Return GREEN of each pair; one with an empty text scores 0, and nothing is asked about it."""
    pairs = list(zip(references, candidates, strict=True))
    rows = [row for row, pair in enumerate(pairs) if all(text.strip() for text in pair)]
    replies = ask([green_prompt(*pairs[row]) for row in rows])
    each = np.zeros(len(pairs))
    unreadable = 0
    for row, reply in zip(rows, replies.texts, strict=True):
        reading = None if reply is None else read_green(reply)
        unreadable += reply is not None and reading is None
        each[row] = np.nan if reading is None else reading.score()
    failed = sum(reply is None for reply in replies.texts)
    counts = {"questions": len(rows), "failed": failed, "unreadable": unreadable}
    return GreenScores(each, replies.record | {"prompt": PROMPT_ID, **counts})


def green_prompt(reference: str, candidate: str) -> str:
    """Return what the model is asked about a pair; of each report the first 300 words."""
    texts = {"reference": reference, "candidate": candidate}
    return _PROMPT.format(**{name: " ".join(text.split()[:MOST_WORDS]) for name, text in texts.items()})


def read_green(reply: str) -> Reading | None:
    """Return what a reply counts, or None if a section is not there.

    Of several assessments in one reply the last counts: only what follows the last "[Explanation]:" is read.
    """
    reply = reply.rpartition("[Explanation]:")[2]
    matched, errors = (_section(reply, name) for name in (MATCHED, ERRORS))
    if matched is None or errors is None:
        return None
    return Reading(_matched(matched), _errors(errors))


def _section(reply: str, name: str) -> str | None:
    """Return the text of a section, up to a blank line."""
    found = re.search(rf"\[{name}\]:\s*(.*?)(?:\n\s*\n|\Z)", reply, re.DOTALL)
    return found[1] if found else None


def _matched(section: str) -> int:
    found = None if section.startswith("No") else _FIRST_COUNT.match(section)
    return int(found[0]) if found else 0


def _errors(section: str) -> tuple[int, ...]:
    """Return the counts by kind; of several lines of a kind the last by alphabet that has a count, as upstream."""
    if section.startswith("No"):
        return (0,) * len(KINDS)
    marks, lines = KINDS, sorted(_ITEM["a-f"].findall(section))
    if not lines:
        marks, lines = tuple("123456"), sorted(_ITEM["1-6"].findall(section))
    counts = dict.fromkeys(marks, 0)
    for line in lines:
        if found := _COUNT.search(line):
            counts[line[1]] = int(found[0])
    return tuple(counts.values())
