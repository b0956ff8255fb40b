"""The store: a key stands for all that decides an answer; rows outlive kills; processes share one file."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.question import Turn
from lingshu.inference.claims import Claims
from lingshu.inference.engine import Failure, Response
from lingshu.inference.identity import answer_key, inquire, question_digest
from lingshu.inference.store import Asked, ResponseStore
from tests.inference.invented import Shown, png, question

ROOT = Path(__file__).parents[2]
SETTINGS = {"engine": "echo", "temperature": 0.0, "max_new_tokens": 8}


def asked(key: str, number: int = 0) -> Asked:
    prompt = [{"role": "user", "text": f"question {number}"}]
    return Asked(key, f"q{number}", "invented", "m", "d", 1, SETTINGS, prompt)


def key(number: int) -> str:
    return f"{number:032x}"


answers = st.builds(
    Response,
    id=st.just("r"),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    finish_reason=st.sampled_from(["stop", "length"]),
    tokens=st.none() | st.integers(0, 9999),
    prompt_tokens=st.none() | st.integers(0, 9999),
    seconds=st.none() | st.floats(0, 100),
    served_by=st.sampled_from(["", "tiny"]),
)
failures = st.builds(
    Failure, id=st.just("r"), reason=st.sampled_from(["timeout", "bad_request"]), detail=st.text(max_size=20)
)
steps = st.lists(st.tuples(st.integers(0, 5), answers | failures), max_size=20)


@given(steps, st.integers(0, 200))
def test_a_store_is_what_was_added_before_the_tear(tmp_path_factory, steps, torn):
    """Add rows, tear the end off, open again: whole rows are all there, and adding goes on behind them."""
    folder = tmp_path_factory.mktemp("store")
    sizes, expected = [], []
    with ResponseStore(folder) as store:
        for number, outcome in steps:
            store.add(asked(key(number)), outcome)
            sizes.append(store.path.stat().st_size)
            expected.append({n: store.answer(key(n), "r") or store.failure(key(n), "r") for n in range(6)})
    size = store.path.stat().st_size
    kept = max(0, size - torn)
    os.truncate(store.path, kept)
    whole = [state for end, state in zip(sizes, expected, strict=True) if end <= kept]
    with ResponseStore(folder) as store:
        found = {n: store.answer(key(n), "r") or store.failure(key(n), "r") for n in range(6)}
        assert found == (whole[-1] if whole else dict.fromkeys(range(6)))
        store.add(asked(key(9)), Response("r", "more", "stop", 1))
    with ResponseStore(folder) as store:
        assert store.answer(key(9), "r") == Response("r", "more", "stop", 1)
        assert {n: store.answer(key(n), "r") or store.failure(key(n), "r") for n in range(6)} == found


def test_the_first_answer_stands_and_outdoes_failures(tmp_path):
    with ResponseStore(tmp_path) as store:
        store.add(asked(key(1)), Failure("r", "timeout", "slow"))
        assert key(1) not in store
        assert store.failure(key(1), "r") == Failure("r", "timeout", "slow")
        store.add(asked(key(1)), Response("r", "one", "stop", 1))
        store.add(asked(key(1)), Response("r", "two", "stop", 1))
        assert store.failure(key(1), "r") is None
        assert store.answer(key(1), "x") == Response("x", "one", "stop", 1)
        assert len(store.path.read_text().splitlines()) == 2


def test_rows_tell_people_everything(tmp_path):
    with ResponseStore(tmp_path) as store:
        store.add(asked(key(1), 7), Response("r", "fine", "length", 3, 5, 0.25, "tiny-2"))
        row = json.loads(store.path.read_text())
    assert row == {
        "key": key(1),
        "answered": True,
        "id": "q7",
        "benchmark": "invented",
        "model": "m",
        "question": "d",
        "prompt_version": 1,
        "settings": SETTINGS,
        "prompt": [{"role": "user", "text": "question 7"}],
        "response": "fine",
        "finish_reason": "length",
        "tokens": 3,
        "prompt_tokens": 5,
        "seconds": 0.25,
        "served_by": "tiny-2",
    }


def test_two_stores_on_one_file_see_each_other(tmp_path):
    with ResponseStore(tmp_path) as one, ResponseStore(tmp_path) as two:
        one.add(asked(key(1)), Response("r", "one", "stop", 1))
        two.add(asked(key(2)), Response("r", "two", "stop", 1))
        two.add(asked(key(1)), Response("r", "late", "stop", 1))
        one.refresh()
        for store in (one, two):
            assert store.answer(key(1), "r").text == "one"
            assert store.answer(key(2), "r").text == "two"


def test_a_damaged_row_is_named(tmp_path):
    with ResponseStore(tmp_path) as store:
        store.add(asked(key(1)), Response("r", "one", "stop", 1))
        path = store.path
    good = path.read_bytes()
    path.write_bytes(good + b"\0\0\0\n")
    with pytest.raises(UserError, match=f"byte {len(good)}"):
        ResponseStore(tmp_path)
    path.write_bytes(good + b"\n\r\n" + good)  # the line was deleted, and left an empty one
    with ResponseStore(tmp_path) as store:
        assert (len(store), store.answer(key(1), "r").text) == (1, "one")
    path.write_bytes(good[:-5] + b"\n")
    with ResponseStore(tmp_path) as store, pytest.raises(UserError, match="byte 0"):
        store.answer(key(1), "r")


def test_a_full_disk_is_named_and_loses_nothing(tmp_path):
    code = (
        "import resource, sys, signal; from pathlib import Path; from tests.inference.test_store import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "with ResponseStore(Path(sys.argv[1])) as store:\n"
        "    try:\n"
        "        for n in range(99): store.add(asked(key(n)), Response('r', 'x' * 100, 'stop', 1))\n"
        "    except UserError as error: print(n, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT)
    count = int(done.stdout.split()[0])
    assert "the disk is full" in done.stdout
    with ResponseStore(tmp_path) as store:
        assert len(store) == count > 1


def test_a_claim_is_of_one_process_and_ends_with_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from lingshu.inference.claims import Claims\n"
        "with Claims(Path(sys.argv[1])) as c:\n"
        "    print(c.take('0' * 32), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout.readline().strip() == "True"
        with Claims(tmp_path) as claims:
            assert not claims.take("0" * 32)
            assert claims.take("1" * 32)
            other.send_signal(signal.SIGKILL)
            claims.wait("0" * 32)
            assert claims.take("0" * 32)


WRITER = """
import sys, time
from pathlib import Path
from tests.inference.test_store import *
folder, count = Path(sys.argv[1]), int(sys.argv[2])
with ResponseStore(folder) as store:
    for n in range(count):
        if key(n) in store:
            continue
        with (folder / "asked.txt").open("a") as log:
            log.write(f"{n}\\n")
        store.add(asked(key(n), n), Response("r", f"answer {n} " + "x" * 5000, "stop", 2))
        with (folder / "kept.txt").open("a") as log:
            log.write(f"{n}\\n")
"""


def test_a_writer_killed_again_and_again_loses_nothing_and_asks_nothing_twice(tmp_path):
    count, kills = 400, 0
    while True:
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(count)], cwd=ROOT) as writer:
            kept = tmp_path / "kept.txt"
            before = kept.stat().st_size if kept.exists() else 0
            # Let it write something, then kill it in the middle of whatever it does.
            while writer.poll() is None and (not kept.exists() or kept.stat().st_size - before < 150):
                time.sleep(0.001)
            if writer.poll() is not None:
                break
            writer.send_signal(signal.SIGKILL)
            kills += 1
    assert kills >= 4
    with ResponseStore(tmp_path) as store:
        assert [store.answer(key(n), "r").text.split(" x")[0] for n in range(count)] == [
            f"answer {n}" for n in range(count)
        ]
    times = [int(line) for line in (tmp_path / "asked.txt").read_text().split()]
    kept_rows = [int(line) for line in (tmp_path / "kept.txt").read_text().split()]
    assert set(times) == set(range(count))
    assert len(kept_rows) == len(set(kept_rows))
    assert len(times) - count <= kills  # at most the one question on its way at each kill
    # What was kept before a kill was never asked after it.
    first_kept = {number: place for place, number in enumerate(kept_rows)}
    assert sorted(first_kept, key=first_kept.get) == sorted(first_kept)


BASE = question(1, text="is there a nodule", pictures=(png(1),), choices=("A. yes", "B. no"))


@pytest.mark.parametrize(
    "changed",
    [
        replace(BASE, turns=(Turn("user", "is there a nodule?"),)),
        replace(BASE, turns=(Turn("system", "is there a nodule"),)),
        replace(BASE, turns=(Turn("user", "x"), *BASE.turns)),
        replace(BASE, pictures=(png(2),)),
        replace(BASE, pictures=(png(1), png(1))),
        replace(BASE, pictures=()),
        replace(BASE, choices=("A. no", "B. yes")),
        replace(BASE, choices=None),
    ],
)
def test_a_changed_question_has_another_key(changed):
    assert question_digest(changed) != question_digest(BASE)


def test_gold_and_breakdowns_and_where_a_picture_lies_are_no_part_of_the_key():
    same = replace(BASE, id="q9", answer="no", cluster="c", meta={"a": 1}, pictures=(Shown("elsewhere", png(1).data),))
    assert question_digest(same) == question_digest(BASE)


settings = st.dictionaries(st.sampled_from(["temperature", "max_new_tokens", "blind", "seed"]), st.integers(0, 3))
parts = st.tuples(st.sampled_from(["m1", "m2"]), st.sampled_from(["d1", "d2"]), settings, st.integers(1, 2))


@given(parts, parts)
def test_a_key_is_equal_only_for_equal_model_question_settings_and_prompt_version(left, right):
    assert (answer_key(*left) == answer_key(*right)) == (left == right)


def test_a_blind_question_sends_and_keys_no_picture():
    inquiry = inquire(BASE, "m", SETTINGS, 8, blind=True)
    assert inquiry.request.pictures == ()
    assert [part["type"] for part in inquiry.request.messages[0]["content"]] == ["text"]
    assert inquiry.asked.key != inquire(BASE, "m", SETTINGS, 8).asked.key


def test_pictures_come_first_in_the_last_user_turn():
    turns = (Turn("system", "s"), Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"))
    request = inquire(replace(BASE, turns=turns, pictures=(png(1), png(2))), "m", SETTINGS, 8).request
    assert [[part["type"] for part in message["content"]] for message in request.messages] == [
        ["text"],
        ["text"],
        ["text"],
        ["image", "image", "text"],
    ]
