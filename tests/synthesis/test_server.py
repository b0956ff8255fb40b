"""A user who stops the asking of a teacher: it ends at once, what was answered is kept, and only the rest is asked."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from lingshu.synthesis.params import ServerParams
from lingshu.synthesis.reply_file import ReplyFile
from lingshu.synthesis.server import Question, Server
from tests.loopback_openai import MODEL, Reply, error, serving

QUESTIONS = [Question(f"m{n}", {"model": MODEL, "messages": [{"role": "user", "content": f"q{n}"}]}) for n in range(12)]


def limits(url):
    return ServerParams(
        url=url, model=MODEL, temperature=0, max_tokens=8, concurrency=3, tries=3, timeout_s=60, key_variable=""
    )


def press_when(ready):
    def wait():
        while not ready():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("silent", [Reply(seconds=60), error(429, "slow down", retry_after="60")])
def test_ctrl_c_while_a_server_says_nothing_or_asks_to_wait(tmp_path, silent):
    stopped = threading.Event()
    replies = ReplyFile(tmp_path / "replies.jsonl")

    def rule(prompt, count):
        return silent if int(prompt[1:]) >= 5 and not stopped.is_set() else Reply(f"about {prompt}")

    with serving(rule) as s:
        press_when(lambda: len({call.prompt for call in s.calls}) >= 8)
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt), Server(limits(s.url)) as server:
            server.ask(QUESTIONS, replies.add)
        assert time.monotonic() - begun < 10
        stopped.set()
        again = ReplyFile(tmp_path / "replies.jsonl")
        left = [question for question in QUESTIONS if again.get(question.mark) is None]
        assert [question.mark for question in left] == [f"m{n}" for n in range(5, 12)]
        with Server(limits(s.url)) as server:
            server.ask(left, again.add)
        assert {question.mark: again.get(question.mark) for question in QUESTIONS} == {
            f"m{n}": f"about q{n}" for n in range(12)
        }
        assert {s.times(f"q{n}") for n in range(5)} == {1}
