"""Download of one file: into a partial file that the next attempt goes on from, moved into place when it is whole.

`x.part` holds what has come of `x`, and `x.part.version` which version of it (ETag or Last-Modified). A part whose
version nobody can tell is gone on from only where a digest will show whether the whole is right.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lingshu.core.errors import UserError
from lingshu.core.files import write_text
from lingshu.core.ids import sha256_file
from lingshu.intake.http_wait import BUSY, LONGEST_WAIT_SECONDS, pause, retry_after
from lingshu.intake.meter import Moved, silent

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 5  # in a row that bring nothing
WAIT_SECONDS = 0.5  # doubled after each of them
TIMEOUT_SECONDS = 60.0
PAGES = frozenset({".html", ".htm", ".xhtml", ".xml"})  # names of files that may be a web page
GOES_ON = "run the same command again: it goes on from what has come; or pass a folder that has the file"
Refused = Callable[[str, int, str], UserError]


class Interrupted(Exception):
    """The transfer broke off, or the server was busy; another attempt may bring the rest.

    Attributes:
        wait: seconds that the server asks to be left alone for, where it does.
    """

    def __init__(self, why: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to download: its address, what messages call it, whether a digest will judge it, and its size if known."""

    url: str
    what: str
    judged: bool
    size: int | None
    refusal: Refused


def refused(what: str, status: int, reason: str) -> UserError:
    """Return the error of a server that says no."""
    return UserError(
        f"{what}: the server answers {status} {reason}".rstrip(),
        "check the address in the record, or pass a folder that has the file",
    )


def download(
    url: str,
    target: Path,
    sha256: str = "",
    *,
    size: int | None = None,
    client: httpx.Client | None = None,
    moved: Moved | None = None,
    refusal: Refused = refused,
    subject: str = "",
) -> Path:
    """Return `target`, downloading it if it is not there; what a cut connection left is gone on from.

    Args:
        url: http or https.
        target: file to write.
        sha256: digest in hex; not checked if empty.
        size: bytes of the file, where known.
        client: one with cookies or credentials; one without if None.
        moved: is told of bytes as they come; a line on stderr says that a file is downloaded if None.
        refusal: makes the error of an answer that no second attempt would change.
        subject: goes before the address in messages.

    Raises:
        UserError: the server says no, is busy, can't be reached, or gives another content than `sha256` or `size`; or
            the disk is full.
    """
    if target.exists():
        return target
    if moved is None:
        print(f"downloading {url}", file=sys.stderr)
    part = target.with_name(target.name + ".part")
    wanted = _Wanted(url, f"{subject}{url}", bool(sha256), size, refusal)

    with contextlib.ExitStack() as stack:
        opened = client or stack.enter_context(_client())
        persist(wanted.what, part, partial(_more, opened, wanted, part, moved or silent), moved or silent)
    return complete(wanted.what, part, target, sha256, size)


def _client() -> httpx.Client:
    import httpx  # noqa: PLC0415 - costs 0.2 s, and what is downloaded already needs none

    return httpx.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS)


def _more(client: httpx.Client, wanted: _Wanted, part: Path, moved: Moved) -> None:
    """Append to `part` as far as the connection holds.

    Raises:
        Interrupted: it broke.
        UserError: the server says no, or the address leads nowhere.
    """
    import httpx  # noqa: PLC0415 - as above

    try:
        _append(client, wanted, part, moved)
    except httpx.TransportError as error:
        raise Interrupted(f"the connection failed ({error})") from None
    except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise UserError(f"{wanted.what}: leads nowhere: {error}", "correct the address in the record") from None


def persist(what: str, part: Path, more: Callable[[], None], moved: Moved = silent) -> None:
    """Call `more`, which appends to `part`, until it comes back; give up when several calls in a row brought nothing.

    In the pauses between, `moved` is told of no bytes every moment, so that whoever stops the transfer can raise there.

    Raises:
        UserError: given up, or the server asks for a longer pause than a run sits through, or the disk is full.
    """
    failures = before = 0
    while True:
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            before = size_of(part)
            more()
            return
        except Interrupted as error:
            failures = 0 if size_of(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise UserError(f"{what}: {error}, {ATTEMPTS} times", GOES_ON) from None
            if (error.wait or 0) > LONGEST_WAIT_SECONDS:
                raise UserError(
                    f"{what}: {error}; the server asks to wait {error.wait:.0f} s", f"then {GOES_ON}"
                ) from None
            pause(error.wait if error.wait is not None else WAIT_SECONDS * 2 ** max(failures - 1, 0), moved)
        except OSError as error:
            raise UserError(
                f"{part}: can't be written: {error.strerror}", "free space or mend the folder, then run again"
            ) from None


def complete(what: str, part: Path, target: Path, sha256: str = "", size: int | None = None) -> Path:
    """Move a whole part into place, its size and digest checked.

    Raises:
        UserError: it is of another size or content; the part is thrown away.
    """
    if size is not None and (found := size_of(part)) != size:
        discard(part)
        raise wrong_size(what, found, size)
    if sha256 and (digest := sha256_file(part)) != sha256:
        discard(part)
        raise UserError(
            f"{what}: has SHA-256 {digest}, not {sha256}; it was not used",
            "run again (with --refresh where the place lists digests); if it stays, the file was changed upstream: "
            "check it, then correct sha256 in the record",
        )
    if not sha256 and size is None and not size_of(part):
        discard(part)
        raise UserError(
            f"{what}: the server sends an empty file; it was not used",
            "run again later; if it stays, correct the address in the record, or pass a folder that has the file",
        )
    if not sha256 and _is_page(part) and target.suffix.lower() not in PAGES:
        discard(part)
        raise UserError(
            f"{what}: is a web page (perhaps one that asks to log in), not {target.name}; it was not used",
            "correct the address in the record, or pass a folder that has the file",
        )
    part.replace(target)
    version_file(part).unlink(missing_ok=True)
    return target


def _is_page(part: Path) -> bool:
    """Whether a file begins as an HTML page does: what a server sends with status 200 where it wants a login."""
    with part.open("rb") as handle:
        begin = handle.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return begin.startswith((b"<!doctype html", b"<html"))


def wrong_size(what: str, found: int, size: int) -> UserError:
    """Return the error of a file that has another size than it should."""
    return UserError(
        f"{what}: has {found} bytes, {size} were expected; it was not used",
        "run again; if it stays, the file was changed upstream: check it, then correct the record",
    )


def size_of(part: Path) -> int:
    """Return the bytes of a part; 0 if there is none."""
    return part.stat().st_size if part.exists() else 0


def version_file(part: Path) -> Path:
    """Return the file that says which version `part` is of."""
    return part.with_name(part.name + ".version")


def discard(part: Path) -> None:
    """Throw a part away."""
    part.unlink(missing_ok=True)
    version_file(part).unlink(missing_ok=True)


def begin(part: Path, version: str) -> None:
    """Empty the part, then note the version: a kill in between leaves an empty part, never bytes of another version."""
    part.write_bytes(b"")
    write_text(version_file(part), version)


def version_of(part: Path) -> str:
    """Return the noted version of a part, "" if there is none."""
    file = version_file(part)
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _append(client: httpx.Client, wanted: _Wanted, part: Path, moved: Moved) -> None:
    """Append to `part` what is missing of the file, or write it anew if the server's version changed.

    Raises:
        Interrupted: the server is busy, or the part on disk is not of this file.
        UserError: the server says no, or its file has another size.
    """
    have, version, size = size_of(part), version_of(part), wanted.size
    if have and ((not version and not wanted.judged) or (size is not None and have > size)):
        discard(part)
        moved(-have)
        have, version = 0, ""
    if have and have == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": version} if version else {})
    with client.stream("GET", wanted.url, headers=headers) as response:
        if response.status_code == 416 or (response.status_code == 206 and not _continues(response, have, version)):
            discard(part)
            moved(-have)
            raise Interrupted("the part on disk is not of this file; starting again")
        _check_answer(wanted, response)
        if response.status_code == 200:
            moved(-have)
            begin(part, _version(response))
        with part.open("ab") as handle:
            for chunk in response.iter_raw():
                handle.write(chunk)
                handle.flush()  # so that a kill loses nothing
                moved(len(chunk))


def _check_answer(wanted: _Wanted, response: httpx.Response) -> None:
    """Raise what `_append` raises, for an answer that brings no part of the file."""
    if response.status_code in BUSY:
        why = f"the server answers {response.status_code} {response.reason_phrase}"
        raise Interrupted(why, retry_after(response.headers))
    if response.status_code not in (200, 206):
        raise wanted.refusal(wanted.what, response.status_code, response.reason_phrase)
    if coding := response.headers.get("Content-Encoding", "identity").removeprefix("identity"):
        raise UserError(f"{wanted.what}: comes in {coding}, though not asked to", "pass a folder that has the file")
    length = response.headers.get("Content-Length", "")
    if response.status_code == 200 and wanted.size is not None and length.isdecimal() and int(length) != wanted.size:
        raise wrong_size(wanted.what, int(length), wanted.size)


def _continues(response: httpx.Response, have: int, version: str) -> bool:
    """Whether a partial answer goes on where the part ends, and is of the same version."""
    given = response.headers.get("Content-Range", "").removeprefix("bytes").strip().partition("-")[0]
    return given == str(have) and not (version and _version(response) and _version(response) != version)


def _version(response: httpx.Response) -> str:
    """Return what `If-Range` may name: a strong ETag, else the date of change, else nothing."""
    etag = str(response.headers.get("ETag", ""))
    return etag if etag and not etag.startswith("W/") else str(response.headers.get("Last-Modified", ""))
