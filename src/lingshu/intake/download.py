"""Download of one file: into a partial file that the next attempt goes on from, moved into place when it is whole."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import httpx

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file

ATTEMPTS = 5
WAIT_SECONDS = 0.5  # doubled after each attempt that brought nothing
TIMEOUT_SECONDS = 60.0


def download(url: str, target: Path, sha256: str = "") -> Path:
    """Return `target`, downloading it if it is not there; what a cut connection left is gone on from.

    Args:
        url: http or https.
        target: file to write; `target.part` holds what has come so far, `target.part.etag` of which version.
        sha256: digest in hex; not checked if empty.

    Raises:
        UserError: the server says no, can't be reached, or gives another content than `sha256`; or the disk is full.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    wait = WAIT_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch(url, part)
            break
        except httpx.TransportError as error:
            if attempt == ATTEMPTS:
                raise UserError(
                    f"{url}: the connection failed {ATTEMPTS} times ({error})",
                    "run the same command again: it goes on from what has come; or pass a folder that has the file",
                ) from None
            if not part.exists() or part.stat().st_size == before:
                time.sleep(wait)
                wait *= 2
        except OSError as error:
            raise UserError(
                f"{part}: can't be written: {error.strerror}", "free space or mend the folder, then run again"
            ) from None
    _check(url, part, sha256)
    part.replace(target)
    _etag_file(part).unlink(missing_ok=True)
    return target


def _fetch(url: str, part: Path) -> None:
    """Append to `part` what is missing of the file at `url`, or write it anew if the server's version changed."""
    have = part.stat().st_size if part.exists() else 0
    etag = _etag_file(part).read_text(encoding="utf-8") if have and _etag_file(part).exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": etag} if etag else {})
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise httpx.ReadError("the part on disk is not of this file; starting again")
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise UserError(
                f"{url}: the server answers {response.status_code} {response.reason_phrase}",
                "check the address in the record, or pass a folder that has the file",
            )
        megabytes = int(response.headers.get("Content-Length", 0)) / 1e6
        print(f"downloading {url} ({megabytes:.1f} MB)", file=sys.stderr)
        _etag_file(part).write_text(response.headers.get("ETag", ""), encoding="utf-8")
        with part.open("ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb") as handle:
            for chunk in response.iter_raw():
                handle.write(chunk)


def _check(url: str, part: Path, sha256: str) -> None:
    if sha256 and (found := sha256_file(part)) != sha256:
        part.unlink()
        _etag_file(part).unlink(missing_ok=True)
        raise UserError(
            f"{url}: has SHA-256 {found}, the record says {sha256}; it was not used",
            "run again; if it stays, the file was changed upstream: check it, then correct sha256 in the record",
        )


def _etag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")
