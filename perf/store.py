"""The response store at the size of a whole suite: how long do opening it and looking up every sample take?

Run: `python perf/store.py [SAMPLES]`. Writes a store into a temporary folder, opens it in this process, finds every
answer and reads it. Prints one JSON object; exits with an error if an answer is not the one that was kept.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lingshu.core.question import Question, Turn
from lingshu.inference.engine import Response
from lingshu.inference.identity import Inquiry, inquire
from lingshu.inference.store import ResponseStore

SAMPLES = 150_000
PROMPT_WORDS = 90
ANSWER_WORDS = (1, 200)
MODEL = "hub:owner/name@0123456789abcdef"
SETTINGS = {"engine": "transformers", "temperature": 0.0, "max_new_tokens": 8192}


def inquiries(count: int) -> Iterator[Inquiry]:
    """Yield questions of text alone: reading pictures is the disk's time, not the store's."""
    words = " ".join(f"word{n}" for n in range(PROMPT_WORDS))
    for number in range(count):
        turns = (Turn("user", f"{number} {words}"),)
        question = Question(str(number), "invented", "mcq", turns, (), words, ("A. yes", "B. no"), "A")
        yield inquire(question, MODEL, SETTINGS, 8192)


def answer(number: int, draw: random.Random) -> Response:
    """Return an answer of a length between one word and a short chain of thought."""
    words = draw.randint(*ANSWER_WORDS)
    return Response("r", " ".join([str(number)] + ["because"] * words), "stop", words, PROMPT_WORDS, 0.5)


@contextmanager
def timed(results: dict[str, float], name: str) -> Iterator[None]:
    """Note wall and CPU seconds of a block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    results[f"{name}_seconds"] = round(time.perf_counter() - wall, 3)
    results[f"{name}_cpu_seconds"] = round(time.process_time() - cpu, 3)


def main(count: int) -> None:
    """Measure and print.

    Raises:
        SystemExit: an answer is missing or is another's.
    """
    results: dict[str, float] = {"samples": count}
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as name, timed(results, "all"):
        folder = Path(name)
        with timed(results, "key"):
            asked = list(inquiries(count))
        with ResponseStore(folder) as store, timed(results, "write"):
            for number, inquiry in enumerate(asked):
                store.add(inquiry.asked, answer(number, draw))
        results["megabytes"] = round(store.path.stat().st_size / 1e6, 1)
        with timed(results, "open_and_look_up"):
            store = ResponseStore(folder)
            found = sum(inquiry.asked.key in store for inquiry in asked)
        with timed(results, "read_all"):
            texts = [store.answer(inquiry.asked.key, inquiry.request.id) for inquiry in asked]
        store.close()
    wrong = sum(text is None or text.text.split()[0] != str(number) for number, text in enumerate(texts))
    if found != count or wrong:
        sys.exit(f"{count - found} answers not found, {wrong} wrong")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
