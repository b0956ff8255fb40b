"""Sources of every kind of place, with the same invented files, on servers of loopback."""

from __future__ import annotations

from lingshu.core.ids import sha256_bytes
from lingshu.sources.catalog import SourceRecord
from lingshu.sources.fetch import pull
from lingshu.sources.fetch_places import Pulling
from tests.loopback import Reply, file_reply

FILES = {
    "data/train.jsonl": b'{"question": "?"}\n' * 5000,
    "data/test.jsonl": b'{"question": "!"}\n' * 50,
    "images/a.bin": bytes(range(256)) * 400,
    "README.md": b"readme",
}
TAKEN = ["data/*.jsonl", "images/*"]
PULLED = {name: data for name, data in FILES.items() if name != "README.md"}


def record(*places: dict, kind: str) -> SourceRecord:
    form = {
        "name": "rows",
        "checked": "written format",
        "format": "jsonl",
        "tables": ["*.jsonl"],
        "adapter": "question",
        "question": "question",
        "answer": "answer",
    }
    return SourceRecord.model_validate(
        {
            "kind": kind, "title": "invented", "group": "text", "tasks": ["text_qa"], "licence": "CC0-1.0",
            "licence_class": "permissive", "access": "open", "expected": {"known": "unknown"}, "citation": "nobody",
            "checked": "here", "places": list(places), "forms": [form],
        }
    )  # fmt: skip


class Site:
    """One kind of place with `FILES`: its server, the record, and how it is pulled."""

    def __init__(self, kind, server, made, tmp_path, monkeypatch):
        self.kind, self.server, self.record, self.tmp_path = kind, server, made, tmp_path
        endpoint = {"hub": "hub", "physionet": "physionet"}.get(kind)
        self.endpoints = {endpoint: server.endpoint} if endpoint else {}
        if kind == "s3":
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)

    def how(self, **more):
        return Pulling(self.tmp_path / "cache", root=self.tmp_path, endpoints=self.endpoints, **more)

    def pull(self, **more):
        return pull("src", self.record, self.how(**more))

    def files(self):
        folder = self.tmp_path / "data/raw/src/files"
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def alter(self, name, data):
        """Change a file at the place."""
        if self.kind == "hub":
            self.server.add("owner/set", FILES | {name: data})
        elif self.kind == "physionet":
            self.server.projects["set/1.0"] = FILES | {name: data}
        elif self.kind == "s3":
            self.server.buckets["films"][f"v1/{name}"] = data
        else:
            self.server.content["/" + name] = data


def url_file(content, asked):
    if asked.path not in content:
        return Reply(404)
    return file_reply(asked, content[asked.path], {"ETag": f'"{sha256_bytes(content[asked.path])[:16]}"'})
