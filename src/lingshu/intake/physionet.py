"""A project of PhysioNet, read with the user's own credentials.

They come from `PHYSIONET_USERNAME` and `PHYSIONET_PASSWORD`, or from the netrc file; they are sent to PhysioNet alone,
over https, never stored and never shown. A project lists its files with their digests in SHA256SUMS.txt; an older one
that has none lists its records in RECORDS. What a server says no to with 403 is a matter of the account: credentialed
access, training, and the data use agreement of that project.

PhysioNet takes HTTP authentication only from clients that call themselves Wget or libwfdb
(physionet-build, project/utility.py, HTTP_AUTH_USER_AGENT), the ones that its pages tell users to download with.
"""

from __future__ import annotations

import netrc
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from lingshu.core.errors import UserError
from lingshu.intake.download import TIMEOUT_SECONDS, discard, download
from lingshu.intake.listing import Listing, RemoteFile, chosen
from lingshu.intake.meter import Moved, silent
from lingshu.intake.place import Place

if TYPE_CHECKING:
    import httpx

PHYSIONET = "https://physionet.org"
USER_AGENT = "Wget/1.21 (compatible; lingshu)"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SUMS = "SHA256SUMS.txt"
RECORDS = "RECORDS"
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *]?(.+)")
LOGIN = (
    "put `machine physionet.org login NAME password …` into ~/.netrc (chmod 600), or set PHYSIONET_USERNAME and "
    "PHYSIONET_PASSWORD"
)


class PhysioNetRemote:
    """See `Remote`.

    Args:
        source: its name, for messages.
        place: the project and its version, and patterns of files.
        scratch: folder for the list of files.
        endpoint: address of the server.
    """

    def __init__(self, source: str, place: Place, scratch: Path, endpoint: str = PHYSIONET) -> None:
        self._place, self._scratch, self._source = place, scratch, f"{source}: "
        self._subject = f"{source}: {place.label}"
        self._base = f"{endpoint.rstrip('/')}/files/{place.physionet}"
        self._endpoint = endpoint
        self._opened: httpx.Client | None = None

    def listing(self) -> Listing:
        """See `Remote.listing`."""
        known = self._sums() or self._records()
        names = chosen(self._subject, known, self._place.files)
        files = [RemoteFile(name=name, sha256=known[name]) for name in names]
        return Listing(place=self._place.label, revision=self._place.physionet.partition("/")[2], files=files)

    def fetch(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """See `Remote.fetch`."""
        self._download(file.name, target, file.sha256, moved)

    def _sums(self) -> dict[str, str]:
        """Return digest by name as the project lists them; empty if it lists none."""
        text = self._text(SUMS)
        found: dict[str, str] = {}
        for number, line in enumerate((text or "").splitlines(), start=1):
            match = SUM_LINE.fullmatch(line.strip())
            if match is None:
                raise UserError(
                    f"{self._subject}: {SUMS}: line {number} is not a digest and a name",
                    "run again",
                )
            found[match[2].removeprefix("./")] = match[1]
        return found

    def _records(self) -> dict[str, str]:
        text = self._text(RECORDS)
        if text is None:
            raise UserError(
                f"{self._subject}: has neither {SUMS} nor {RECORDS}: no such project or version",
                "correct `physionet` in the record: project/version, as in the page's address",
            )
        return {line.strip(): "" for line in text.splitlines() if line.strip()}

    def _text(self, name: str) -> str | None:
        """Return a small file of the project; None if there is none of that name."""
        target = self._scratch / name
        discard(target.with_name(name + ".part"))  # it has no digest: it is read in one piece or not at all
        target.unlink(missing_ok=True)
        try:
            self._download(name, target, "", silent)
        except _AbsentError:
            return None
        return target.read_text(encoding="utf-8", errors="replace")

    def _download(self, name: str, target: Path, sha256: str, moved: Moved) -> None:
        url = f"{self._base}/{quote(name)}"
        download(url, target, sha256, client=self._client(), moved=moved, refusal=self._refused, subject=self._source)

    def _client(self) -> httpx.Client:
        """Return the one client of this place: its cookies spare the server a password check for each file."""
        if self._opened is None:
            import httpx  # noqa: PLC0415 - see `download`

            self._opened = httpx.Client(
                auth=self._credentials(),
                headers={"User-Agent": USER_AGENT},
                follow_redirects=True,
                timeout=TIMEOUT_SECONDS,
            )
        return self._opened

    def _credentials(self) -> tuple[str, str] | None:
        found = credentials(urlsplit(self._endpoint).hostname or "")
        secure = urlsplit(self._endpoint).scheme == "https" or urlsplit(self._endpoint).hostname in LOOPBACK
        if found and not secure:
            raise UserError(f"{self._endpoint}: would get a password over http", "give an https address")
        return found

    def _refused(self, what: str, status: int, reason: str) -> UserError:
        name = what.rpartition(f"{self._base}/")[2]
        page = f"{PHYSIONET}/content/{self._place.physionet}/"
        if status == 401 and self._client().auth is None:
            return UserError(f"{self._subject}: PhysioNet asks who you are (401)", LOGIN)
        if status == 401:
            return UserError(
                f"{self._subject}: PhysioNet does not take your name and password (401)",
                "correct them where they stand: PHYSIONET_USERNAME and PHYSIONET_PASSWORD, or else ~/.netrc",
            )
        if status == 403:
            return UserError(
                f"{self._subject}: your account may not read {name} (403)",
                f"at {page} sign the data use agreement and see what else it asks for (credentialing, training), "
                "then run again",
            )
        if status == 404:
            return _AbsentError(
                f"{self._subject}: no file {name} (404)", f"correct the record; {page} shows what there is"
            )
        return UserError(f"{self._subject}: PhysioNet answers {status} {reason} for {name}", "run again later")


class _AbsentError(UserError):
    """There is no such file."""


def credentials(host: str) -> tuple[str, str] | None:
    """Return the user's name and password for a host, from the environment or the netrc file; None without.

    Raises:
        UserError: only one of name and password is set, or the netrc file can't be read (its content is not shown).
    """
    name, password = os.environ.get("PHYSIONET_USERNAME", ""), os.environ.get("PHYSIONET_PASSWORD", "")
    if bool(name) != bool(password):
        raise UserError("only one of PHYSIONET_USERNAME and PHYSIONET_PASSWORD is set", "set both, or neither")
    if name:
        return name, password
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    if not path.exists():
        return None
    try:
        found = netrc.netrc(path).authenticators(host)
    except netrc.NetrcParseError as error:
        raise UserError(f"{path}: line {error.lineno}: not a netrc file", "mend it, and `chmod 600` it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {type(error).__name__}", "mend it, and `chmod 600` it") from None
    return (found[0], found[2] or "") if found else None
