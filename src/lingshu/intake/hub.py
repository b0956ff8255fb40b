"""A data-set repository of the hub, through the `huggingface_hub` client; its failures become errors with a fix.

The client resumes cut connections, keeps files by commit in its cache, and takes the token of `hf auth login` or of
`HF_TOKEN`. Rate limits are waited for as long as the hub asks, within reason (`hub_waits`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
from huggingface_hub import HfApi, constants, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # exported lazily
from huggingface_hub.utils.tqdm import tqdm

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.intake.download import Interrupted, discard, persist, size_of
from lingshu.intake.http_wait import LONGEST_WAIT_SECONDS, pause
from lingshu.intake.hub_waits import RateLimitedError, bounded_waits, wait_of
from lingshu.intake.listing import Listing, RemoteFile, chosen
from lingshu.intake.meter import Moved
from lingshu.intake.places import matching
from lingshu.intake.share import share

HUB = "https://huggingface.co"
COMMIT = re.compile(r"[0-9a-f]{40}")
RATE_LIMITED = 429
TIMES_ASKED = 5  # where the hub asks to wait
T = TypeVar("T")


class HubFiles:
    """Files of one data-set repository at one commit.

    Args:
        record: its name, for messages.
        repo: `owner/name`.
        revision: commit, tag or branch; the default branch's newest commit if None.
        endpoint: address of the hub; the client's own default if None.
        cache: folder of the client's cache; the client's own default if None.
    """

    def __init__(
        self, record: str, repo: str, revision: str | None, endpoint: str | None = None, cache: Path | None = None
    ) -> None:
        self._record = record
        self._repo = repo
        self._revision = revision
        self._endpoint = endpoint
        self._cache = cache
        self.label = f"data-set repository {repo}"

    @cached_property
    def commit(self) -> str:
        """The commit that is read.

        Raises:
            UserError: the hub can't be reached, or doesn't give the repository or the revision.
        """
        if self._revision is not None and COMMIT.fullmatch(self._revision):
            return self._revision
        info = self._asked(
            self._revision or "the default branch",
            lambda: HfApi(endpoint=self._endpoint).dataset_info(self._repo, revision=self._revision),
        )
        if info.sha is None:
            raise UserError(f"{self._record}: {self.label}: the hub names no commit", "pass a folder instead")
        return info.sha

    @cached_property
    def entries(self) -> dict[str, RemoteFile]:
        """Every file of the commit by name, with its size and digest; errors as `commit`."""
        found = self._asked(
            "its list of files",
            lambda: list(
                HfApi(endpoint=self._endpoint).list_repo_tree(
                    self._repo, repo_type="dataset", revision=self.commit, recursive=True
                )
            ),
        )
        return {entry.path: _remote(entry) for entry in found if isinstance(entry, RepoFile)}

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`.

        Raises:
            UserError: the repository can't be listed.
        """
        return matching(self.entries, pattern)

    def has(self, name: str) -> bool:
        """See `Files.has`; errors as `match`."""
        return name in self.entries

    def path(self, name: str, **more: Any) -> Path:
        """See `Files.path`; `more` goes to the client."""
        commit = self.commit
        return Path(
            self._asked(
                name,
                lambda: hf_hub_download(
                    self._repo,
                    name,
                    repo_type="dataset",
                    revision=commit,
                    endpoint=self._endpoint,
                    cache_dir=self._cache,
                    **more,
                ),
            )
        )

    def download(self, name: str, part: Path, moved: Moved) -> None:
        """Append what is missing of a file to `part`, as far as the connection holds.

        The client's own function of streams is called, not `hf_hub_download`: that one throws away what had come when
        it is stopped or killed. `moved` is told of bytes beyond those that the part has.

        Raises:
            Interrupted: the hub is busy.
            UserError: as `commit`.
        """
        url = hf_hub_url(self._repo, name, repo_type="dataset", revision=self.commit, endpoint=self._endpoint)
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        part.touch()

        def more() -> None:
            with part.open("r+b", buffering=0) as handle:
                have = handle.seek(0, io.SEEK_END)
                try:
                    http_get(url, handle, resume_size=have, headers=headers, tqdm_class=_bar_of(moved, have))
                except HfHubHTTPError as error:
                    if error.response.is_server_error:
                        raise Interrupted(f"the hub fails ({_first_line(error)})", wait_of(error.response)) from None
                    raise

        self._asked(name, more)

    def _asked(self, what: str, call: Callable[[], T]) -> T:
        """Return what a call of the client gives; a rate limit is waited for; errors as `_translated`."""
        for left in reversed(range(TIMES_ASKED)):
            try:
                with self._translated(what), bounded_waits():
                    return call()
            except RateLimitedError as limit:
                if not left or limit.seconds > LONGEST_WAIT_SECONDS:
                    raise UserError(
                        f"{self._record}: {self.label}: the hub limits how often it is asked, at {what} "
                        f"({limit.status})",
                        f"run again in {limit.seconds:.0f} s (what has come is kept); `hf auth login` raises the limit",
                    ) from None
                pause(limit.seconds)
        raise AssertionError("the last try returns or raises")

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turn what the client raises into a `UserError` that names the record, what was asked, and the fix."""
        subject = f"{self._record}: {self.label}"
        folder = "or pass a folder that has its files"
        try:
            yield
        except GatedRepoError:
            page = f"{(self._endpoint or HUB).rstrip('/')}/datasets/{self._repo}"
            raise UserError(
                f"{subject}: access is gated", f"accept the terms at {page}, run `hf auth login`, {folder}"
            ) from None
        except RevisionNotFoundError:
            raise UserError(
                f"{subject}: revision {self._revision or self.commit} is not there (any more)",
                f"correct `revision` in the record, {folder}",
            ) from None
        except RepositoryNotFoundError:
            raise UserError(
                f"{subject}: no such repository, or it is private",
                f"run `hf auth login` if you have access, correct `hub` in the record, {folder}",
            ) from None
        except (LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.TransportError) as error:
            raise UserError(
                f"{subject}: the hub can't be reached for {what} ({_first_line(error)})",
                f"connect and run again (what has come is kept), {folder}",
            ) from None
        except EntryNotFoundError:
            raise UserError(f"{subject}: no file {what}", f"correct the record, {folder}") from None
        except HfHubHTTPError as error:
            raise _said_no(error, subject, what, folder) from None
        except OSError as error:
            raise UserError(
                f"{subject}: {what} can't be kept: {_first_line(error)}", "free space in the client's cache, or mend it"
            ) from None


class HubRemote:
    """A repository as a place to download from: see `Remote`.

    Args:
        files: of the repository, with a cache of its own.
        subject: source and place, for messages.
        patterns: of the files that are taken.
    """

    def __init__(self, files: HubFiles, subject: str, patterns: list[str]) -> None:
        self._files, self._subject, self._patterns = files, subject, patterns

    def listing(self) -> Listing:
        """See `Remote.listing`."""
        names = chosen(self._subject, self._files.entries, self._patterns)
        files = [self._files.entries[name] for name in names]
        return Listing(place=self._files.label, revision=self._files.commit, files=files)

    def fetch(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """See `Remote.fetch`."""
        if (file.bytes or 0) > constants.MAX_HTTP_DOWNLOAD_SIZE:  # the hub gives such files to its own protocol alone
            self._fetch_largest(file, target, moved)
            return
        part = target.with_name(target.name + ".part")
        if size_of(part) > (file.bytes or 0):
            moved(-size_of(part))
            discard(part)
        what = f"{self._subject}: {file.name}"
        if size_of(part) < (file.bytes or 0) or not part.exists():
            persist(what, part, lambda: self._files.download(file.name, part, moved), moved)
        self._check(part, file)
        part.replace(target)

    def _fetch_largest(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """Write a file by the client's cache, which shares its bytes with `target` where the file system lets it."""
        found = self._files.path(file.name, tqdm_class=_bar_of(moved)).resolve()
        self._check(found, file)
        share(found, target)

    def _check(self, found: Path, file: RemoteFile) -> None:
        if not _is(found, file):
            found.unlink()
            raise UserError(
                f"{self._subject}: {file.name} is not what the hub says it is; it was not used", "run again"
            )


def _said_no(error: HfHubHTTPError, subject: str, what: str, folder: str) -> Exception:
    if error.response.status_code == RATE_LIMITED:
        return RateLimitedError(wait_of(error.response) or 1.0, RATE_LIMITED)
    failing = error.response.is_server_error
    return UserError(
        f"{subject}: the hub {'fails at' if failing else 'refuses'} {what} ({_first_line(error)})",
        f"{'run again later' if failing else 'run `hf auth login`'}, {folder}",
    )


def _remote(entry: RepoFile) -> RemoteFile:
    large = entry.lfs.sha256 if entry.lfs else ""
    return RemoteFile(name=entry.path, bytes=entry.size, sha256=large, version="" if large else entry.blob_id)


def _is(path: Path, file: RemoteFile) -> bool:
    """Whether a file has the digest that the hub lists: SHA-256 of a large one, Git's own of a small one."""
    if file.sha256:
        return sha256_file(path) == file.sha256
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return blob.hexdigest() == file.version


def _bar_of(moved: Moved, known: int = 0) -> type[tqdm]:
    """Return the class of a progress bar for the client that shows nothing and tells `moved`.

    `known` bytes were told of before; the client may throw them away and begin anew.
    """

    class Told(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)  # the client's own bars have one
            super().__init__(*args, **kwargs | {"disable": True})  # type: ignore[no-untyped-call]
            moved(int(kwargs.get("initial") or 0) - known)

        def update(self, n: float | None = 1) -> bool | None:
            moved(int(n or 0))
            return None

    return Told


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
