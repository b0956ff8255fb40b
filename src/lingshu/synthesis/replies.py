"""What a teacher may reply, per job: checked by pydantic whoever wrote it, a template or a server."""

from __future__ import annotations

from pydantic import Field

from lingshu.core.params import Strict


class Refusal(Strict):
    """The teacher declines, for instance because picture and caption do not match (paper, section 2.2.3)."""

    refusal: str = Field(min_length=1)


class Region(Strict):
    """One organ or part of the picture and what is seen there."""

    name: str = Field(min_length=1)
    text: str = Field(min_length=1)


class Description(Strict):
    """Factual annotation: the whole, each region, how the regions relate, and background knowledge."""

    overall: str = Field(min_length=1)
    regions: list[Region]
    relation: str = ""
    knowledge: str = ""


class WrittenQuestion(Strict):
    """A question with its answer and up to three wrong answers (paper, appendix A: one to three)."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    wrong_answers: list[str] = Field(default=[], max_length=3)


class Transcript(Strict):
    """Text as read, and the steps from it to the answer of a question (empty where the text itself is asked for)."""

    reasoning: str = ""
    answer: str = Field(min_length=1)


class Trace(Strict):
    """Reasoning from what is seen to an answer."""

    reasoning: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class RewrittenDialogue(Strict):
    """A talk written anew (paper, section 2.1.4): question, answer, which doctor to see, and what the answer is not."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    referral: str = Field(min_length=1)
    disclaimer: str = Field(min_length=1)
