"""What the replies of OpenAI-compatible servers mean, how long to wait after them, and when to stop asking."""

import json

import pytest

from lingshu.inference.engine import Failure
from lingshu.inference.openai_replies import Again, Refused, Stop, meaning
from lingshu.inference.pacing import Budget, Pace, retry_after, wait_before
from lingshu.inference.settings import ServerLimits


def body(**choice) -> bytes:
    message = {"role": "assistant", "content": "x"} | choice.pop("message", {})
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"} | choice]}).encode()


@pytest.mark.parametrize(
    ("data", "text", "reason"),
    [
        (body(), "x", "stop"),
        (body(finish_reason="MAX_TOKENS"), "x", "length"),
        (body(finish_reason=None), "x", "stop"),
        (body(message={"content": None}), "", "stop"),
        (body(message={"content": None, "refusal": "I can't."}), "I can't.", "stop"),
        (body(message={"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), "ab", "stop"),
        (body(message={"content": "half \ud83d pair"}), "half \ufffd pair", "stop"),
    ],
)
def test_answers_are_read_in_every_form(data, text, reason):
    found = meaning("r", 200, data)
    assert (found.text, found.finish_reason, found.tokens) == (text, reason, None)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"completion_tokens": 2}, 2),
        ({"completion_tokens": 2.0}, 2),
        ({"completion_tokens": 2.5}, None),
        ({"completion_tokens": "2"}, None),
        ({"completion_tokens": True}, None),
        ({"completion_tokens": float("nan")}, None),
        ({"completion_tokens": {"text": 2}}, None),
        ({"completion_tokens": -1}, None),
        ("none", None),
        ([2], None),
        (None, None),
    ],
)
def test_an_answer_counts_whatever_the_server_says_of_its_tokens(usage, tokens):
    found = meaning("r", 200, json.dumps(json.loads(body()) | {"usage": usage}).encode())
    assert (found.text, found.tokens, found.prompt_tokens) == ("x", tokens, None)


NESTED = b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
LONG_NUMBER = b'{"choices": ' + b"1" * 5000 + b"}"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"choices": []}', body(message={"content": 3}), b"null", b"3", NESTED, LONG_NUMBER],
    ids=range(9),
)
def test_no_completion_is_malformed(data):
    assert meaning("r", 200, data).reason == "malformed"


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        (200, b'{"error": {"message": "upstream", "code": 502}}', Again),
        (308, b"moved to https", Stop),
        (402, b'{"error": {"message": "Insufficient Balance"}}', Stop),
        (400, b'[{"error": {"message": "API key not valid"}}]', Refused),
        (413, b"too large", Failure),
        (422, b'{"detail": [{"msg": "field"}]}', Refused),
        (422, NESTED, Refused),
        (520, b"", Again),
    ],
)
def test_other_replies(status, data, kind):
    assert isinstance(meaning("r", status, data), kind)


def test_retry_after_is_seconds_or_a_date():
    assert retry_after(None) is None
    assert retry_after("3") == 3.0
    assert retry_after("nonsense") is None
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0.0
    assert retry_after("Fri, 31 Dec 2100 23:59:59 GMT") > 1e6


def test_waits_double_up_to_the_cap():
    limits = ServerLimits(first_wait=1, longest_wait=8)
    for retry, whole in enumerate((1, 2, 4, 8, 8), start=1):
        assert all(whole / 2 <= wait_before(retry, limits) <= whole for _ in range(20))


def test_pace_rises_by_one_a_round_and_halves_once_a_burst():
    pace = Pace(8)
    assert pace.allowed == 4
    for _ in range(5):
        pace.went_well()
    assert pace.allowed == 5
    pace.overloaded()
    pace.overloaded()
    assert pace.allowed == 2


def test_a_budget_of_none_has_no_end():
    budget = Budget(None, None)
    budget.spend(10**9)
    assert budget.take()
