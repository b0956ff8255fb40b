"""Teacher calls and predict on a real Ray cluster of two nodes, workers killed in the middle: a local run's bytes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.layout import MODALITY, SAMPLES, aside_file, verdict_file
from lingshu.core.parallel import ALONE, Workers
from lingshu.core.sample import Answer, Sample, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.inference import predict as step
from lingshu.inference.predict import predict
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.propose import propose
from tests.inference.conftest import make_params
from tests.loopback_openai import MODEL, Reply, error, serving
from tests.ray_nodes import two_nodes
from tests.synthesis.corpus import PARAMS

ray = pytest.importorskip("ray", reason="Ray is not installed (make setup-ray)")
KEY = "words-of-the-key"
TALKS, PART = 22, 4  # questions, and of a part: one at a time, in ROUNDS rounds


@pytest.fixture(scope="module")
def nodes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TEACHERS_KEY", KEY)  # of the machines: a key is sent to no worker
        with two_nodes() as started:
            yield started


@pytest.fixture
def talks(tmp_path):
    made = [
        Sample(
            "talks", "train", "1", str(number), str(number), "dialogue", "open",
            turn(f"My knee number {number} hurts.", f"Rest knee {number}."), "none",
            answer=Answer("open", f"Rest knee {number}."),
        ).with_id()
        for number in range(TALKS)
    ]  # fmt: skip
    write_samples(tmp_path / SAMPLES / "talks", made)
    (tmp_path / verdict_file("decontaminate")).parent.mkdir(parents=True)
    write_verdicts(tmp_path / aside_file("decontaminate"), [])
    for path in (tmp_path / verdict_file("decontaminate"), tmp_path / MODALITY / "verdicts.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_verdicts(path, [Verdict(sample.sample_id, "talks", "x", True, KEPT) for sample in made])
    return tmp_path


def asking(url: str, workers: Workers) -> SynthesisParams:
    server = {
        "url": url, "model": MODEL, "key_variable": "A_TEACHERS_KEY", "temperature": 0, "max_tokens": 800,
        "concurrency": 1, "tries": 2, "timeout_s": 10,
    }  # fmt: skip
    changed = {
        "enabled": ["dialogue"],
        "teacher": {"kind": "server", "server": server},
        "workers": workers.model_dump(),
        "dialogue": {"sources": ["talks"], "max_samples": 100},
    }
    return SynthesisParams.model_validate(PARAMS.model_dump() | changed)


def rewritten(prompt: str, count: int) -> Reply:
    said = prompt.partition("knee number ")[2].split()[0]
    parts = {"question": f"Knee {said} hurts.", "answer": "Rest.", "referral": "See one.", "disclaimer": "No advice."}
    return Reply(json.dumps(parts))


def proposed(root: Path) -> dict[str, bytes]:
    folder = root / "data/proposals/dialogue"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_teacher_calls_survive_a_killed_worker_and_a_stopped_run(nodes, talks):
    with serving(rewritten, KEY) as server:
        assert propose("dialogue", asking(server.url, ALONE), ["talks"], talks) == {"PROPOSED": TALKS}
        alone = proposed(talks)
        killed: list[int] = []

        def killing(prompt: str, count: int) -> Reply:
            if not killed and len(server.calls) >= 10 and nodes.kill_one():
                killed.append(len(server.calls))
            # Near the end the account is empty.
            return rewritten(prompt, count) if len(server.calls) < 18 else error(402, "pay")

        server.calls.clear()
        server.rule = killing
        with pytest.raises(UserError, match=r"402: .*pay"):
            propose("dialogue", asking(server.url, nodes.workers), ["talks"], talks)
        assert killed
        kept = next((talks / ".work/propose_dialogue").rglob("replies.jsonl")).read_text().splitlines()
        answered = {call.prompt for call in server.calls[:17]}
        # The killed worker's part may have met the empty account, and so may one of two calls at the same moment.
        assert len(answered) - PART - 1 <= len(kept) <= len(answered)
        assert len([prompt for prompt in answered if server.times(prompt) > 1]) <= PART

        server.calls.clear()
        server.rule = rewritten
        assert propose("dialogue", asking(server.url, nodes.workers), ["talks"], talks) == {"PROPOSED": TALKS}
        assert len(server.calls) == len({call.prompt for call in server.calls}) == TALKS - len(kept)
    assert proposed(talks) == alone


def responses() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path("data/responses/all").glob("*.jsonl"))}


def test_predict_survives_a_killed_worker_and_keeps_each_answer_once(nodes, project, checkpoint, monkeypatch):
    settings = make_params(batch_size=2)
    predict("all", checkpoint, settings)
    alone = responses()
    kept: list[str] = []
    keep = step.Journal.add

    def keeping(journal, answers):
        found = list(answers)
        kept.extend(answer.id for answer in found)
        keep(journal, found)

    monkeypatch.setattr(step.Journal, "add", keeping)
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(nodes.kill_when_busy)  # with its first part, while it loads the model
        predict("all", checkpoint, settings.model_copy(update={"workers": nodes.workers}))
        assert killed.result()
    assert responses() == alone
    assert len(kept) == len(set(kept)) == 18
