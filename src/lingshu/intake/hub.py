"""A data-set repository of the hub, through the `huggingface_hub` client; its failures become errors with a fix.

The client resumes cut connections, keeps files by commit in its cache, and takes the token of `hf auth login`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import httpx
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from lingshu.core.errors import UserError
from lingshu.intake.places import matching

HUB = "https://huggingface.co"


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
        with self._translated(self._revision or "the default branch"):
            info = HfApi(endpoint=self._endpoint).dataset_info(self._repo, revision=self._revision)
        if info.sha is None:
            raise UserError(f"{self._record}: {self.label}: the hub names no commit", "pass a folder instead")
        return info.sha

    @cached_property
    def _names(self) -> list[str]:
        with self._translated("its list of files"):
            api = HfApi(endpoint=self._endpoint)
            return api.list_repo_files(self._repo, repo_type="dataset", revision=self.commit)

    @cached_property
    def _name_set(self) -> frozenset[str]:
        return frozenset(self._names)

    def match(self, pattern: str) -> list[str]:
        """See `Files.match`.

        Raises:
            UserError: the repository can't be listed.
        """
        return matching(self._names, pattern)

    def has(self, name: str) -> bool:
        """See `Files.has`; errors as `match`."""
        return name in self._name_set

    def path(self, name: str) -> Path:
        """See `Files.path`."""
        with self._translated(name):
            found = hf_hub_download(
                self._repo,
                name,
                repo_type="dataset",
                revision=self.commit,
                endpoint=self._endpoint,
                cache_dir=self._cache,
            )
        return Path(found)

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
            failing = error.response.is_server_error
            raise UserError(
                f"{subject}: the hub {'fails at' if failing else 'refuses'} {what} ({_first_line(error)})",
                f"{'run again later' if failing else 'run `hf auth login`'}, {folder}",
            ) from None
        except OSError as error:
            raise UserError(
                f"{subject}: {what} can't be kept: {_first_line(error)}", "free space in the client's cache, or mend it"
            ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
