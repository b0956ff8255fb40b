"""A prefix of an S3 bucket, through botocore, the library that DVC's own S3 remote stands on.

Address, region and credentials are the machine's, as for every client of AWS: `AWS_ENDPOINT_URL` or `endpoint_url` in
~/.aws/config, `AWS_PROFILE`, keys. Without credentials requests are not signed, as public buckets want them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from urllib3.exceptions import HTTPError

from lingshu.core.errors import UserError
from lingshu.intake.download import Interrupted, begin, complete, discard, persist, size_of, version_of
from lingshu.intake.listing import Listing, RemoteFile, chosen
from lingshu.intake.meter import Moved
from lingshu.intake.place import Place

CHUNK_BYTES = 1 << 20
BUSY_CODES = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "503", "500", "429"}
MD5_ETAG = re.compile(r"[0-9a-f]{32}")  # of an object that was sent in one piece
T = TypeVar("T")


class S3Remote:
    """See `Remote`.

    Args:
        source: its name, for messages.
        place: bucket and prefix, and patterns of files below the prefix.
        downloads: files that are downloaded at a time.
    """

    def __init__(self, source: str, place: Place, downloads: int = 1) -> None:
        self._place = place
        self._subject = f"{source}: {place.label}"
        self._bucket, _, prefix = place.s3.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
        self._downloads = downloads

    def listing(self) -> Listing:
        """See `Remote.listing`."""
        found = {entry["Key"].removeprefix(self._prefix): entry for entry in self._asked("its list", self._entries)}
        names = chosen(self._subject, found, self._place.files)
        files = [RemoteFile(name=n, bytes=found[n]["Size"], version=found[n]["ETag"].strip('"')) for n in names]
        return Listing(place=self._place.label, files=files)

    def fetch(self, file: RemoteFile, target: Path, moved: Moved) -> None:
        """See `Remote.fetch`."""
        part = target.with_name(target.name + ".part")
        what = f"{self._subject}: {file.name}"
        encrypted: list[bool] = []
        persist(what, part, lambda: encrypted.append(self._append(file, part, moved)), moved)
        if not encrypted[-1] and MD5_ETAG.fullmatch(file.version) and (digest := _md5(part)) != file.version:
            discard(part)
            raise UserError(f"{what}: has MD5 {digest}, the bucket says {file.version}; it was not used", "run again")
        complete(what, part, target, size=file.bytes)

    @cached_property
    def _client(self) -> Any:
        session = botocore.session.get_session()
        try:
            known = session.get_credentials() is not None
            return session.create_client(
                "s3",
                region_name=session.get_config_variable("region") or "us-east-1",
                config=Config(
                    retries={"mode": "standard", "max_attempts": 5},
                    max_pool_connections=max(self._downloads, 10),
                    **({} if known else {"signature_version": UNSIGNED}),
                ),
            )
        except (BotoCoreError, ValueError) as error:
            raise UserError(f"{self._subject}: the settings of AWS can't be used: {error}", "mend ~/.aws") from None

    def _entries(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        return [entry for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]

    def _append(self, file: RemoteFile, part: Path, moved: Moved) -> bool:
        """Append what is missing to the part; return whether the object's ETag is no digest, as it is encrypted.

        Raises:
            Interrupted: the connection broke, or the bucket is busy.
        """
        have = size_of(part)
        if have and (version_of(part) != file.version or have > (file.bytes or 0)):
            moved(-have)
            have = 0
        if not have:
            begin(part, file.version)
        if have == file.bytes:
            return self._encrypted(self._asked(file.name, lambda: self._client.head_object(**self._key(file))))
        wanted = {"IfMatch": f'"{file.version}"'} | ({"Range": f"bytes={have}-"} if have else {})
        answer = self._asked(file.name, lambda: self._client.get_object(**self._key(file), **wanted))
        try:
            with part.open("ab") as handle:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    handle.write(chunk)
                    moved(len(chunk))
        except (BotoCoreError, HTTPError) as error:
            raise Interrupted(f"the connection failed ({error})") from None
        return self._encrypted(answer)

    def _key(self, file: RemoteFile) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{file.name}"}

    @staticmethod
    def _encrypted(answer: dict[str, Any]) -> bool:
        return answer.get("ServerSideEncryption", "").startswith("aws:kms") or "SSECustomerAlgorithm" in answer

    def _asked(self, what: str, call: Callable[[], T]) -> T:
        """Return what a call of the client gives; its failures become errors that name the source and the fix."""
        try:
            return call()
        except ClientError as error:
            raise self._said_no(what, error) from None
        except (NoConnectionError, HTTPClientError) as error:
            raise UserError(
                f"{self._subject}: the bucket can't be reached for {what} ({error})",
                "connect and run again (what has come is kept), or mend AWS_ENDPOINT_URL or ~/.aws/config",
            ) from None
        except BotoCoreError as error:
            raise UserError(f"{self._subject}: {what}: {error}", "mend the keys or settings in ~/.aws") from None

    def _said_no(self, what: str, error: ClientError) -> Exception:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in BUSY_CODES or status in (429, 500, 503):
            return UserError(
                f"{self._subject}: the bucket is busy at {what} ({code})", "run again later; what has come is kept"
            )
        if code == "NoSuchBucket":
            return UserError(f"{self._subject}: no such bucket", "correct `s3` in the record, or AWS_ENDPOINT_URL")
        if code in ("NoSuchKey", "404"):
            return UserError(f"{self._subject}: {what} is not there (any more)", "run again with --refresh")
        if code in ("PreconditionFailed", "412"):
            return UserError(f"{self._subject}: {what} was changed in the bucket", "run again with --refresh")
        if status in (401, 403):
            return UserError(
                f"{self._subject}: the bucket refuses {what} ({code})",
                "use the keys of an account that may read it (AWS_PROFILE, ~/.aws), or none for a public bucket",
            )
        return UserError(f"{self._subject}: {what}: {error}", "mend what is named, then run again")


def _md5(path: Path) -> str:
    state = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()
