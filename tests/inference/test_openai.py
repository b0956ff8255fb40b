"""The OpenAI-compatible engine against a real server on loopback: what it sends, and how it bears every fault."""

import base64
import io
import time

import pytest
from PIL import ExifTags, Image

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Response
from lingshu.inference.identity import inquire
from lingshu.inference.openai_engine import OpenAIEngine
from lingshu.inference.pixels import data_url, decoded
from lingshu.inference.settings import Decoding, ServerLimits
from tests.inference.invented import Shown, png, question
from tests.loopback_openai import MODEL, SERVED_AS, Reply, error, serving

QUICK = {"first_wait": 0.01, "longest_wait": 0.02, "timeout": 5.0, "concurrency": 4}


def requests(count, **other):
    return [inquire(question(n, **other), "m", {}, 16).request for n in range(count)]


def ask(server, asked, *, model=MODEL, key=None, decoding=None, **limits):
    with OpenAIEngine(model, server.url, key, decoding or Decoding(), ServerLimits(**(QUICK | limits))) as engine:
        return {outcome.id: outcome for outcome in engine.generate(asked)}


def test_answers_come_with_tokens_reason_and_what_was_served():
    with serving(lambda prompt, n: Reply(f"about {prompt}", finish_reason="length" if "1" in prompt else "stop")) as s:
        found = ask(s, requests(2))
    answer = found["invented/q1"]
    assert (answer.text, answer.finish_reason, answer.tokens, answer.prompt_tokens) == (
        "about question 1",
        "length",
        3,
        2,
    )
    assert answer.served_by == SERVED_AS
    assert answer.seconds > 0
    assert found["invented/q0"].finish_reason == "stop"


def test_what_is_sent_is_what_was_asked():
    decoding = Decoding(temperature=0.5, top_p=0.9, seed=3, body={"reasoning_effort": "low"})
    with serving(lambda prompt, n: Reply()) as s:
        ask(s, requests(1), decoding=decoding, token_field="max_completion_tokens", key="secret")
        ask(s, requests(1), decoding=Decoding(temperature=None))
    assert s.calls[0].body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "question 0"}],
        "max_completion_tokens": 16,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "reasoning_effort": "low",
    }
    assert s.calls[0].authorization == "Bearer secret"
    assert s.calls[1].body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "question 0"}],
        "max_tokens": 16,
    }
    assert s.calls[1].authorization is None


def sent_picture(call) -> tuple[str, bytes]:
    part = next(part for part in call.body["messages"][0]["content"] if part["type"] == "image_url")
    head, data = part["image_url"]["url"].split(",")
    return head, base64.b64decode(data)


def test_pictures_are_data_urls_before_the_text_and_kept_byte_for_byte_if_nothing_needs_changing():
    shown = png(3)
    with serving(lambda prompt, n: Reply()) as s:
        ask(s, requests(1, pictures=(shown, png(4))))
    assert [part["type"] for part in s.calls[0].body["messages"][0]["content"]] == ["image_url", "image_url", "text"]
    assert sent_picture(s.calls[0]) == ("data:image/png;base64", shown.data)


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((100, 50), {"max_pixels": 1250}, (50, 25)),
        ((10, 10), {"min_pixels": 400}, (20, 20)),
        ((30, 30), {"min_pixels": 400, "max_pixels": 900}, (30, 30)),
    ],
)
def test_pixel_limits_keep_the_proportions(size, limits, expected):
    with serving(lambda prompt, n: Reply()) as s:
        ask(s, requests(1, pictures=(png(3, size),)), decoding=Decoding(**limits))
    assert Image.open(io.BytesIO(sent_picture(s.calls[0])[1])).size == expected


def test_what_readers_understand_in_two_ways_is_never_sent_as_it_is():
    turned, plain = io.BytesIO(), io.BytesIO()
    picture = Image.new("RGB", (4, 2), "red")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # vLLM turns such a picture, other servers may not
    picture.save(turned, format="JPEG", exif=exif)
    picture.save(plain, format="PNG", transparency=(255, 0, 0))
    upright, covered = (
        Image.open(io.BytesIO(base64.b64decode(data_url(Shown("x", data.getvalue()), Decoding()).split(",")[1])))
        for data in (turned, plain)
    )
    assert (upright.size, upright.format, upright.getexif().get(ExifTags.Base.Orientation)) == ((2, 4), "PNG", None)
    assert upright.tobytes() == decoded(Shown("x", turned.getvalue()), Decoding()).tobytes()
    assert covered.getpixel((0, 0)) == (255, 255, 255)
    assert "transparency" not in covered.info


def test_deep_and_see_through_pictures_become_plain_ones():
    buffer = io.BytesIO()
    deep = Image.new("I;16", (2, 1))
    deep.putpixel((0, 0), 1000)
    deep.putpixel((1, 0), 3000)
    deep.save(buffer, format="PNG")
    with serving(lambda prompt, n: Reply()) as s:
        ask(s, requests(1, pictures=(Shown("deep.png", buffer.getvalue()),)))
        buffer = io.BytesIO()
        Image.new("RGBA", (1, 1), (0, 0, 0, 0)).save(buffer, format="PNG")
        ask(s, requests(1, pictures=(Shown("clear.png", buffer.getvalue()),)))
    deep_sent, clear_sent = (Image.open(io.BytesIO(sent_picture(call)[1])) for call in s.calls)
    assert [deep_sent.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]
    assert clear_sent.getpixel((0, 0)) == (255, 255, 255)


def test_an_unreadable_picture_fails_its_own_request_alone():
    asked = [
        *requests(1),
        inquire(question(1, pictures=(Shown("bad.png", b"not a picture"),)), "m", {}, 16).request,
    ]
    with serving(lambda prompt, n: Reply()) as s:
        found = ask(s, asked)
    assert isinstance(found["invented/q0"], Response)
    assert found["invented/q1"].reason == "picture"
    assert "bad.png: not a readable picture" in found["invented/q1"].detail


def test_a_429_waits_as_long_as_it_is_asked_to_and_holds_the_others():
    def rule(prompt, n):
        return error(429, "slow down", "rate_limit_exceeded", retry_after="0.4") if len(s.calls) == 1 else Reply()

    with serving(rule) as s:
        found = ask(s, requests(3), concurrency=1)
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert len(s.calls) == 4
    assert s.calls[1].at - s.calls[0].at >= 0.4


def test_concurrency_falls_on_429_and_never_exceeds_the_limit():
    with serving(lambda prompt, n: Reply(seconds=0.15)) as s:
        ask(s, requests(40), concurrency=6)
    assert 4 < s.most_busy <= 6

    with serving(lambda prompt, n: error(429, "slow down") if n == 1 else Reply(seconds=0.02)) as s:
        found = ask(s, requests(8), concurrency=8)
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert {s.times(f"question {n}") for n in range(8)} == {2}


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_a_server_error_is_tried_again(status):
    with serving(lambda prompt, n: error(status, "oops") if n <= 2 else Reply()) as s:
        found = ask(s, requests(2))
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert len(s.calls) == 6


def test_a_lasting_error_fails_its_request_with_the_reason_and_the_others_go_on():
    with serving(lambda prompt, n: error(500, "out of order") if "2" in prompt else Reply()) as s:
        found = ask(s, requests(4), tries=3, concurrency=1)
    assert found["invented/q2"] == Failure("invented/q2", "server_error", "500: out of order (after 3 tries)")
    assert sum(isinstance(outcome, Response) for outcome in found.values()) == 3
    assert s.times("question 2") == 3


def test_a_slow_answer_is_a_timeout_and_tried_again():
    with serving(lambda prompt, n: Reply(seconds=0.6) if n == 1 else Reply()) as s:
        found = ask(s, requests(1), timeout=0.2)
    assert isinstance(found["invented/q0"], Response)
    with serving(lambda prompt, n: Reply(seconds=0.4)) as s:
        found = ask(s, requests(1), timeout=0.1, tries=2)
    assert found["invented/q0"].reason == "timeout"


def test_a_cut_connection_is_tried_again():
    with serving(lambda prompt, n: Reply(cut=20) if n == 1 else Reply()) as s:
        found = ask(s, requests(3))
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert {s.times(f"question {n}") for n in range(3)} == {2}


def test_a_reply_that_is_no_completion_is_tried_again_and_shown():
    with serving(lambda prompt, n: Reply(body="<html>proxy</html>")) as s:
        found = ask(s, requests(1), tries=2)
    assert found["invented/q0"].reason == "malformed"
    assert "proxy" in found["invented/q0"].detail


def test_the_content_filter_is_a_failure_and_not_an_answer():
    def rule(prompt, n):
        if "1" in prompt:
            return error(400, "The prompt triggered the content management policy.", "content_filter")
        return Reply(text="", finish_reason="content_filter")

    with serving(rule) as s:
        found = ask(s, requests(2))
    assert {outcome.reason for outcome in found.values()} == {"content_filter"}
    assert len(s.calls) == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"key": "wrong-key"}, r"401: Incorrect API key provided: \*\*\*\.\n  fix: give a valid key"),
        ({"key": None}, "401: Incorrect API key provided: nothing"),
        ({"key": "right", "model": "other"}, "404: The model `other` does not exist"),
    ],
)
def test_a_wrong_key_or_model_stops_at_once(options, expected):
    with serving(lambda prompt, n: Reply(), key="right") as s:
        with pytest.raises(UserError, match=expected) as caught:
            ask(s, requests(50), **options)
        assert len(s.calls) <= 4
    assert "wrong-key" not in str(caught.value)


def test_no_money_stops_at_once():
    with (
        serving(lambda prompt, n: error(429, "You exceeded your quota", "insufficient_quota")) as s,
        pytest.raises(UserError, match="pay the provider"),
    ):
        ask(s, requests(20))
    assert len(s.calls) <= 4


def test_first_requests_all_refused_stop_but_one_odd_request_does_not():
    refused = "Unsupported value: 'temperature'"
    with (
        serving(lambda prompt, n: error(400, refused)) as s,
        pytest.raises(UserError, match="first requests are refused: 400: Unsupported"),
    ):
        ask(s, requests(50))
    assert len(s.calls) <= 8
    with serving(lambda prompt, n: error(400, refused) if prompt.endswith(" 5") else Reply()) as s:
        found = ask(s, requests(9))
    assert found["invented/q5"] == Failure("invented/q5", "bad_request", f"400: {refused}")
    assert sum(isinstance(outcome, Response) for outcome in found.values()) == 8


def test_a_prompt_that_is_too_long_fails_alone():
    text = "This model's maximum context length is 10 tokens."
    with serving(lambda prompt, n: error(400, text, "context_length_exceeded")) as s:
        found = ask(s, requests(5))
    assert {outcome.reason for outcome in found.values()} == {"context_length"}
    assert len(s.calls) == 5


def test_no_server_is_said_soon():
    with serving(lambda prompt, n: Reply()) as s:
        pass
    start = time.monotonic()
    with pytest.raises(UserError, match="no server answers"):
        ask(s, requests(50))
    assert time.monotonic() - start < 5


def test_budgets_stop_asking():
    with serving(lambda prompt, n: Reply()) as s:
        found = ask(s, requests(10), max_requests=4)
    assert len(s.calls) == 4
    assert sum(isinstance(outcome, Failure) and outcome.reason == "budget" for outcome in found.values()) == 6
    with serving(lambda prompt, n: Reply("one two three")) as s:
        found = ask(s, requests(10), max_tokens=12, concurrency=1)
    assert len(s.calls) == 3  # 2 + 3 tokens each: the third call passes 12
    with (
        serving(lambda prompt, n: Reply(usage=False)) as s,
        pytest.raises(UserError, match="does not tell how many tokens"),
    ):
        ask(s, requests(3), max_tokens=100)


def test_one_client_serves_many_calls():
    with (
        serving(lambda prompt, n: Reply()) as s,
        OpenAIEngine(MODEL, s.url, None, Decoding(), ServerLimits(**QUICK)) as engine,
    ):
        first = list(engine.generate(requests(20)))
        second = list(engine.generate(requests(20)))
    assert all(isinstance(outcome, Response) for outcome in first + second)
    assert len(s.calls) == 40


def test_requests_are_pulled_no_faster_than_they_are_sent():
    pulled = []

    def source():
        for request in requests(30):
            pulled.append(request.id)
            yield request

    with (
        serving(lambda prompt, n: Reply()) as s,
        OpenAIEngine(MODEL, s.url, None, Decoding(), ServerLimits(**QUICK)) as engine,
    ):
        outcomes = engine.generate(source())
        next(outcomes)
        assert len(pulled) <= 4
        outcomes.close()


def test_a_body_that_is_not_compressed_as_its_head_says_is_tried_again():
    def rule(prompt, n):
        return Reply(headers={"Content-Encoding": "gzip"}) if n < 3 and "question 0" in prompt else Reply()

    with serving(rule) as s:
        found = ask(s, requests(2), tries=2)
    assert (found["invented/q0"].reason, found["invented/q1"].text) == ("malformed", "fine")
    assert "DecodingError" in found["invented/q0"].detail


def test_what_is_said_of_a_broken_picture_is_equal_in_every_run():
    for data, what in ((b"", "it is empty"), (b"not a picture", "cannot identify image file")):
        with pytest.raises(UserError, match=rf"x\.png: not a readable picture: {what}\n") as caught:
            data_url(Shown("x.png", data), Decoding())
        assert "0x" not in caught.value.what


def test_a_wait_of_hours_fails_the_request_instead():
    def rule(prompt, n):
        return error(429, "daily quota", retry_after="86400") if "0" in prompt else Reply()

    with serving(rule) as s:
        found = ask(s, requests(2), concurrency=1)
    assert found["invented/q0"].reason == "rate_limit"
    assert isinstance(found["invented/q1"], Response)
