"""A hub on loopback that speaks the hub's protocol to the real `huggingface_hub` client.

It serves repository information, the paged list of files, and files by commit with ETag, ranges and (if large) the
redirect to another address. It can be told to ask for a token, to forget a revision, and to cut a connection.

    with LoopbackHub() as hub:
        hub.add("owner/name", {"data/test.jsonl": b"..."})
        load("name", root_catalog=..., endpoint=hub.endpoint)
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import QuietHandler, Served

LARGE = 4096  # bytes from which a file is served through a redirect, as the hub does with its large files
PAGE = 3  # entries of the list of files on one page: the client must follow the links
TOKEN = "hf_loopback"
_API = re.compile(r"/api/(datasets|models)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+))?/?")
_RESOLVE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """Files by commit; `branches` name commits; `access` is open, gated (terms to accept) or private."""

    kind: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    access: str = "open"

    def commit(self, revision: str) -> str | None:
        found = self.branches.get(revision, revision)
        return found if found in self.commits else None


class LoopbackHub(Served):
    """The server, as a context manager.

    `requests` lists (method, path, Range header) in order. `cuts` maps a file's path to the number of bytes after which
    its next download is cut, once. `refusal` is a status and a message that every request gets instead of an answer.
    `busy` are statuses and Retry-After headers of the next requests for files.
    """

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.cuts: dict[str, int] = {}
        self.refusal: tuple[int, str] | None = None
        self.busy: list[tuple[int, str]] = []
        self.silent = False  # takes requests, and never answers
        self.slow = 0.0  # seconds between kilobytes of a file
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.requests: list[tuple[str, str, str]] = []
        hub = self

        class Handler(_Handler):
            hub_state = hub

        super().__init__(Handler)

    @property
    def large_files(self) -> str:
        """Another host name, as the hub's large files have: the client takes their facts from the redirect itself."""
        return self.other_host

    def add(
        self,
        repo: str,
        files: dict[str, bytes],
        *,
        kind: str = "datasets",
        access: str = "open",
        branch: str = "main",
        commit: str | None = None,
    ) -> str:
        """Add a commit with these files on a branch of the repository; return it (`commit` if given)."""
        content = json.dumps([(name, hashlib.sha1(data).hexdigest()) for name, data in sorted(files.items())])
        sha = commit or hashlib.sha1(f"{repo}{content}".encode()).hexdigest()
        repository = self.repositories.setdefault((kind, repo), Repository(kind))
        repository.commits[sha] = files
        repository.branches[branch] = sha
        repository.access = access
        return sha

    def downloads(self, name: str) -> list[str]:
        """Return the Range headers of the downloads of a file ("" for a whole one), in order."""
        return [given for method, path, given in self.requests if method == "GET" and path.endswith("/" + name)]


class _Handler(QuietHandler):
    hub_state: LoopbackHub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes = b"") -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.hub_state.requests.append((self.command, path, self.headers.get("Range", "")))
        if self.hub_state.silent:
            time.sleep(60)
        elif self.hub_state.refusal is not None:
            self._error(self.hub_state.refusal[0], "", self.hub_state.refusal[1])
        elif found := _API.fullmatch(path):
            self._api(*found.groups(), query=parse_qs(url.query), body=body)
        elif path.startswith("/cdn/"):
            name, data = self.hub_state.blobs[path.split("/")[2]]
            self._bytes(name, data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"'})
        elif self.hub_state.busy and _RESOLVE.fullmatch(path):
            status, wait = self.hub_state.busy.pop(0)
            self._error(status, "", "busy", {"Retry-After": wait} if wait else {})
        elif found := _RESOLVE.fullmatch(path):
            self._resolve(found[1] or "models", *found.groups()[1:])
        else:
            self._error(404, "", "no such page")

    def _repository(self, kind: str, repo: str) -> Repository | None:
        """Return the repository, or answer as the hub does to those who may not know of it."""
        found = self.hub_state.repositories.get((kind, repo))
        if found is None or (found.access == "private" and not self._known()):
            self._error(404 if self._known() else 401, "RepoNotFound", "Repository not found")
            return None
        return found

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _commit(self, repository: Repository, revision: str) -> str | None:
        commit = repository.commit(revision)
        if commit is None:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _api(
        self, kind: str, repo: str, what: str | None, revision: str | None, *, query: dict[str, list[str]], body: bytes
    ) -> None:
        repository = self._repository(kind, repo)
        commit = self._commit(repository, revision or "main") if repository else None
        if repository is None or commit is None:
            return
        entries = [_entry(name, data) for name, data in sorted(repository.commits[commit].items())]
        if what == "tree":
            start = int(query.get("cursor", ["0"])[0])
            link = {}
            if start + PAGE < len(entries):
                following = f"{self.hub_state.endpoint}/api/{kind}/{repo}/tree/{revision}"
                link = {"Link": f'<{following}?recursive=True&cursor={start + PAGE}>; rel="next"'}
            self._json(entries[start : start + PAGE], link)
        elif what == "paths-info":
            wanted = set(json.loads(body)["paths"])
            self._json([entry for entry in entries if entry["path"] in wanted])
        else:
            gated = "manual" if repository.access == "gated" else False
            siblings = [{"rfilename": entry["path"]} for entry in entries]
            self._json({"_id": "0", "id": repo, "sha": commit, "gated": gated, "private": False, "siblings": siblings})

    def _resolve(self, kind: str, repo: str, revision: str, name: str) -> None:
        repository = self._repository(kind, repo)
        if repository is None:
            return
        if repository.access == "gated" and not self._known():
            self._error(401, "GatedRepo", f"Access to dataset {repo} is restricted.")
            return
        commit = self._commit(repository, revision)
        if commit is None:
            return
        data = repository.commits[commit].get(name)
        if data is None:
            self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
            return
        if len(data) < LARGE:
            self._bytes(name, data, {"ETag": f'"{_blob_id(data)}"', "X-Repo-Commit": commit})
            return
        digest = hashlib.sha256(data).hexdigest()
        self.hub_state.blobs[digest] = (name, data)
        linked = {"X-Repo-Commit": commit, "X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        location = {"Location": f"{self.hub_state.large_files}/cdn/{digest}/{name}"}
        self._send(302, b"", linked | location)

    def _bytes(self, name: str, data: bytes, headers: dict[str, str]) -> None:
        """Send a file, or the rest of it from the byte that `Range` names; a cut ends the connection half-way."""
        given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(given[1]) if given else 0
        if given and start >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        headers |= {"Accept-Ranges": "bytes"}
        if given:
            headers |= {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        cut = self.hub_state.cuts.pop(name, None) if self.command == "GET" else None
        self._send(206 if given else 200, data[start:], headers, cut)

    def _error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"error": message}).encode()
        self._send(status, body, {"X-Error-Code": code, "X-Error-Message": message} | (headers or {}))

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if cut is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._write(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.close_connection = True

    def _write(self, body: bytes) -> None:
        if not self.hub_state.slow or len(body) < LARGE:
            self.wfile.write(body)
            return
        for start in range(0, len(body), 1024):
            self.wfile.write(body[start : start + 1024])
            time.sleep(self.hub_state.slow)


def _blob_id(data: bytes) -> str:
    """Return Git's name of a file's content, as the hub lists it."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "file",
        "oid": _blob_id(data),
        "size": len(data),
        "path": name,
    }
    if len(data) >= LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return entry
