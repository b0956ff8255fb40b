"""A hub id is a model: the real hub client against a hub on loopback, from download to answers."""

import json
import subprocess
from pathlib import Path

from tests import loopback_hub
from tests.commanding import in_child

ROOT = Path(__file__).parents[2]


def run(endpoint, home, *arguments) -> subprocess.CompletedProcess:
    return run_all(endpoint, home, arguments)[0]


def run_all(endpoint, home, *commands) -> list[subprocess.CompletedProcess]:
    commands = [("eval", *arguments) for arguments in commands]
    return in_child(*commands, at=ROOT, HF_ENDPOINT=endpoint, HF_HOME=str(home), NO_PROXY="127.0.0.1,localhost")


def test_a_hub_id_is_downloaded_once_pinned_by_its_commit_and_asked(checkpoint, tmp_path):
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps({"id": n, "kind": "open", "prompt": f"is there {n}"}) + "\n" for n in "123"))
    files = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    options = ("--questions", own, "--device", "cpu", "--threads", 1, "--max-new-tokens", 4)
    with loopback_hub.LoopbackHub() as hub:
        commit = hub.add("owner/tiny", files, kind="models")
        home = tmp_path / "home"
        result, again, wrong, other = run_all(
            hub.endpoint,
            home,
            ("--model", "owner/tiny", "--out", tmp_path / "out", *options),
            ("--model", "owner/tiny", "--out", tmp_path / "out", *options),
            ("--model", "owner/none", "--out", tmp_path / "b", *options),
            ("--model", "owner/tiny", "--revision", "v9", "--out", tmp_path / "c", *options),
        )
        assert result.returncode == 0, result.stderr
        assert "3 of 3 answered, 3 asked now" in result.stdout
        record = json.loads((tmp_path / "out" / "run.json").read_text())
        assert (record["revision"], record["digest"]) == (commit, f"hub:owner/tiny@{commit}")
        assert record["benchmarks"]["own"]["answered"] == 3
        assert "3 of 3 answered, 0 asked now" in again.stdout
        assert len(hub.downloads("model.safetensors")) == 1
        assert wrong.returncode == 2
        assert wrong.stderr.startswith("error: --model owner/none: the hub does not give it")
        assert other.returncode == 2
    offline = run(hub.endpoint, home, "--model", "owner/tiny", "--out", tmp_path / "d", *options)
    assert offline.returncode == 0, offline.stderr  # the cache of the hub's client will do
    assert (tmp_path / "d" / "responses" / "own.jsonl").read_text().count('"response": "') == 3


def test_a_hub_that_does_not_answer_is_one_message(tmp_path):
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"id": "1", "kind": "open", "prompt": "x"}) + "\n")
    result = run(
        "http://127.0.0.1:9", tmp_path / "home", "--model", "owner/tiny", "--questions", own, "--out", tmp_path / "out"
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: --model owner/tiny: the hub does not give it")
    assert "Traceback" not in result.stderr
