"""GREEN: the prompt, what a reply counts, the score, and replies that do not come."""

import math

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import ReportSettings
from lingshu.evalkit.reports.green import Reading, Replies, green_prompt, green_scores, read_green
from lingshu.evalkit.reports.model_texts import ModelSettings, ModelTexts
from lingshu.evalkit.reports.text_metrics import Texts

REPLY = """[Explanation]:
The candidate adds a nodule and leaves out the effusion.

[Clinically Significant Errors]:
(a) False report of a finding in the candidate: 1. A nodule.
(b) Missing a finding present in the reference: 2. The effusion; the tube.
(c) Misidentification of a finding's anatomic location/position: 0.

[Clinically Insignificant Errors]:
(a) False report of a finding in the candidate: 4. Not; counted; for; this.

[Matched Findings]:
3. The heart; the lungs; the bones.
"""


def test_the_prompt_holds_both_reports_and_no_more_than_300_words_of_each():
    prompt = green_prompt("Heart  normal.\n{x}", "word " * 400)
    assert "2. Reference Report:\n    Heart normal. {x}\n\n    3. Candidate Report:\n    word word" in prompt
    assert prompt.count("word") == 300
    assert prompt.startswith("Objective: Evaluate the accuracy of a candidate radiology report")
    assert prompt.endswith("<Finding n>\n    ```\n")


def test_a_reply_is_counted_and_scored():
    reading = read_green(REPLY)
    assert reading == Reading(3, (1, 2, 0, 0, 0, 0))
    assert reading.score() == 3 / 6
    assert Reading(0, (0,) * 6).score() == 0.0  # nothing matched is 0, even without an error
    assert Reading(2, (0,) * 6).score() == 1.0


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (REPLY.replace("(a)", "(1)").replace("(b)", "(2)").replace("(c)", "(3)"), Reading(3, (1, 2, 0, 0, 0, 0))),
        (REPLY.replace("(a) False", "No errors.\n(a) False"), Reading(3, (0,) * 6)),
        (REPLY.replace("3. The heart", "The heart"), Reading(0, (1, 2, 0, 0, 0, 0))),
        (REPLY.replace(": 2. The effusion", ": two. The effusion"), Reading(3, (1, 0, 0, 0, 0, 0))),
        ("[Explanation]:\nfirst\n" + REPLY, Reading(3, (1, 2, 0, 0, 0, 0))),
        ("The two are much alike.", None),
        (REPLY.replace("[Matched Findings]:", "Matched:"), None),
        (REPLY.replace("[Clinically Significant Errors]:", "Errors:"), None),
        ("", None),
    ],
)
def test_other_replies(reply, expected):
    assert read_green(reply) == expected


def test_what_has_no_reply_is_unscored_and_told():
    asked = []

    def ask(prompts):
        asked.extend(prompts)
        return Replies([REPLY, None, "prose"], {"judge": "someone"})

    scores = green_scores(["a", "b", "c", "", "e"], ["a", "b", "c", "d", " "], ask)
    assert len(asked) == 3  # nothing is asked about empty texts
    assert [None if math.isnan(one) else one for one in scores.each] == [0.5, None, None, 0.0, 0.0]
    assert math.isnan(scores.mean())  # the mean of three would look like that of five
    assert scores.record == {"judge": "someone", "prompt": "green-1", "questions": 3, "failed": 1, "unreadable": 1}
    assert scores.unscored() == {"failed": 1, "unreadable": 1}
    assert scores.warnings()[0].startswith("green: 2 of 5 samples are unscored (1 failed, 1 unreadable replies)")
    assert scores.problems(0.5) == []
    assert scores.problems(0.3) == ["green: 1 of 3 calls have failed"]


def test_no_model_is_said():
    texts = ModelTexts(["a"], Texts(["x"], ["y"], "rouge-score"), ModelSettings(), {})
    with pytest.raises(UserError, match="GREEN needs a model, and --green-judge is not given"):
        _ = texts.green
    assert "green" not in ReportSettings().metrics
