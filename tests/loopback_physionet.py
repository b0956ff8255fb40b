"""A PhysioNet on loopback: projects with SHA256SUMS.txt, HTTP authentication as physionet-build does it, redirects.

What physionet-build does (project/utility.py, check_http_auth and require_http_auth): a client whose User-Agent begins
with Wget/ or libwfdb/ is asked for a name and password with 401, a cookie spares it later checks, and who may not read
the project gets 403; every other client gets 403 at once, whatever it sends.
"""

from __future__ import annotations

import base64
import hashlib
import re

from tests.loopback import Asked, Loopback, Reply, file_reply

USER, PASSWORD = "reader", "s3cret:with colon"
AGENTS = re.compile(r"Wget/|libwfdb/")


class LoopbackPhysioNet(Loopback):
    """`projects` maps "name/version" to files; anyone may read those in `open`, USER those in `signed`.

    `moved` names files that are answered with a redirect to another host, which must not get the password.
    """

    def __init__(self) -> None:
        super().__init__(self._project)
        self.projects: dict[str, dict[str, bytes]] = {}
        self.open: set[str] = set()
        self.signed: set[str] = set()
        self.moved: set[str] = set()
        self.without_sums: set[str] = set()

    def add(self, project: str, files: dict[str, bytes], *, signed: bool = True) -> None:
        self.projects[project] = files
        if signed:
            self.signed.add(project)

    def passwords_sent_to(self, host: str) -> list[str]:
        return [a.path for a in self.requests if a.headers["Host"].startswith(host) and "Authorization" in a.headers]

    def _project(self, asked: Asked) -> Reply:
        if found := re.fullmatch(r"/elsewhere/(.+)", asked.path):
            project, name = self._split(found[1])
            return file_reply(asked, self.projects[project][name], {})
        found = re.fullmatch(r"/files/(.+)", asked.path)
        project, name = self._split(found[1]) if found else ("", "")
        if project not in self.projects:
            return Reply(404)
        if refusal := self._refusal(asked, project):
            return refusal
        files = self.projects[project] | {"RECORDS": "\n".join(sorted(self.projects[project])).encode()}
        if project not in self.without_sums:
            files["SHA256SUMS.txt"] = sums(self.projects[project])
        if name not in files:
            return Reply(404)
        if name in self.moved:
            return Reply(302, headers={"Location": f"{self.other_host}/elsewhere/{project}/{name}"})
        return file_reply(asked, files[name], {"ETag": f'"{hashlib.md5(files[name]).hexdigest()}"'})

    def _split(self, path: str) -> tuple[str, str]:
        parts = path.split("/", 2)
        return "/".join(parts[:2]), parts[2] if len(parts) > 2 else ""

    def _refusal(self, asked: Asked, project: str) -> Reply | None:
        if project in self.open:
            return None
        if not AGENTS.match(asked.headers.get("User-Agent", "")):
            return Reply(403)
        given = asked.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if given != right:
            realm = {
                "WWW-Authenticate": 'Basic realm="PhysioNet", charset="UTF-8"',
                "Set-Cookie": "testcookie=1; HttpOnly",
            }
            return Reply(401, headers=realm)
        return None if project in self.signed else Reply(403)


def sums(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in sorted(files.items())).encode()
