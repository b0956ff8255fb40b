"""Weights by hub id, through the real client, from a hub on this machine's loopback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.commanding import in_child
from tests.evalkit.tiny_encoders import SENTENCES, bert_folder, chexbert_file, roberta_folder
from tests.evalkit.tiny_radgraph import archive_folder, base_folder, pack

COMMIT = "0123456789" * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    """The address of a hub with the repositories tiny/roberta, tiny/chexbert, tiny/scorers and tiny/base."""
    root = folder / "hub"
    roberta_folder(root / "tiny" / "roberta")
    chexbert_file(bert_folder(root / "tiny" / "chexbert"), root / "tiny" / "chexbert" / "chexbert.pth")
    (root / "tiny" / "scorers").mkdir()
    archive = archive_folder(folder / "radgraph", "radgraph", "tiny/base")
    pack(archive, root / "tiny" / "scorers" / "radgraph.tar.gz")
    (base_folder(root / "tiny" / "base") / "model.safetensors").write_bytes(b"not needed")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            parts = self.path.partition("?")[0].strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                files = sorted((root / parts[2] / parts[3]).iterdir())
                entries = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": COMMIT} for f in files]
                siblings = [{"rfilename": file.name} for file in files]
                whole = {"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": siblings}
                info = entries if "tree" in parts else whole
                self.send(json.dumps(info).encode(), {"Content-Type": "application/json"}, body=body)
            elif len(parts) < 5:
                self.send_error(404)
            else:  # /owner/name/resolve/revision/file
                data = (root / parts[0] / parts[1] / parts[4]).read_bytes()
                self.send(data, {"ETag": f'"{sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT}, body=body)

        def send(self, data: bytes, headers: dict[str, str], *, body: bool) -> None:
            self.send_response(200)
            for key, value in (headers | {"Content-Length": str(len(data))}).items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def told(hub: str, folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """What the two commands below say, by one start of Python and PyTorch."""
    reports = folder / "reports.jsonl"
    reports.write_text("".join(json.dumps({"id": n, "report": text}) + "\n" for n, text in enumerate(SENTENCES)))
    both = ("--references", reports, "--candidates", reports)
    encoders = ("--bertscore-model", "tiny/roberta", "--bertscore-layer", 2)
    encoders += ("--chexbert", "tiny/chexbert", "--chexbert-base", "tiny/chexbert")
    radgraph = ("--radgraph", "tiny/scorers", "--radgraph-out", folder / "annotations")
    return in_child(
        ("report-metrics", *both, "--metrics", "bertscore_f1,semb_score", *encoders),
        ("report-metrics", *both, "--metrics", "radgraph_f1_simple", *radgraph),
        at=folder,
        HF_ENDPOINT=hub,
        HF_HOME=str(folder / "home"),
        NO_PROXY="127.0.0.1",
    )


def test_models_come_from_the_hub(told: list[subprocess.CompletedProcess[str]]) -> None:
    result = told[0]
    assert result.returncode == 0, result.stderr
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics == {"bertscore_f1": pytest.approx(1.0, abs=1e-6), "semb_score": pytest.approx(1.0, abs=1e-9)}


def test_radgraph_comes_from_the_hub_with_its_base_model(
    told: list[subprocess.CompletedProcess[str]], folder: Path
) -> None:
    result = told[1]
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["metrics"] == {"radgraph_f1_simple": 1.0}
    references, candidates = (
        json.loads((folder / "annotations" / f"{name}.json").read_text()) for name in ("references", "candidates")
    )
    assert references == candidates
    assert [found["text"] for found in references.values()] == [text.replace(".", " .") for text in SENTENCES]
    repositories = [folder / "home" / "hub" / f"models--tiny--{name}" for name in ("scorers", "base")]
    downloaded = {path.name for place in repositories for path in place.rglob("*") if path.is_file()}
    assert {"radgraph.tar.gz", "config.json", "vocab.txt"} <= downloaded
    assert "model.safetensors" not in downloaded
