"""An S3 on loopback that speaks enough of the real protocol for the real clients: botocore, and s3fs under DVC.

It lists buckets in pages (ListObjectsV2), serves objects with ETag, Range and If-Match, answers errors in S3's XML, and
checks the signature (AWS Signature Version 4) of every request for a bucket that is not public.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from tests.loopback import Asked, Loopback, Reply, file_reply

KEY, SECRET, REGION = "AKIALOOPBACK", "loopback/secret", "us-east-1"
SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)
PAGE = 2  # keys on one page of a list
DATE = "Fri, 01 Jan 2027 00:00:00 GMT"


class LoopbackS3(Loopback):
    """`buckets` maps a bucket to its objects by key; `public` names buckets that anyone may read."""

    def __init__(self) -> None:
        super().__init__(self._bucket)
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.public: set[str] = set()
        self.etags: dict[str, str] = {}  # of objects whose ETag is no MD5, by key
        self.encrypted: set[str] = set()  # keys of objects under a key of KMS

    def downloads(self, bucket: str, key: str) -> list[str]:
        return [asked.range for asked in self.asked(f"/{bucket}/{key}") if asked.method == "GET"]

    def _bucket(self, asked: Asked) -> Reply:
        bucket, _, key = asked.path.removeprefix("/").partition("/")
        if bucket not in self.public and not self._signed(asked):
            code = "SignatureDoesNotMatch" if "Authorization" in asked.headers else "AccessDenied"
            return _error(403, code)
        if bucket not in self.buckets:
            return _error(404, "NoSuchBucket")
        if not key:
            return Reply(200) if asked.method == "HEAD" else self._list(bucket, dict(parse_qsl(asked.query)))
        if key not in self.buckets[bucket]:
            return _error(404, "NoSuchKey")
        headers = {"ETag": f'"{self._etag(bucket, key)}"', "Last-Modified": DATE, "Accept-Ranges": "bytes"}
        if key in self.encrypted:
            headers["x-amz-server-side-encryption"] = "aws:kms"
        reply = file_reply(asked, self.buckets[bucket][key], headers)
        return _error(412, "PreconditionFailed") if reply.status == 412 else reply

    def _etag(self, bucket: str, key: str) -> str:
        return self.etags.get(key) or hashlib.md5(self.buckets[bucket][key]).hexdigest()

    def _list(self, bucket: str, query: dict[str, str]) -> Reply:
        prefix, start = query.get("prefix", ""), query.get("continuation-token", "")
        keys = [key for key in sorted(self.buckets[bucket]) if key.startswith(prefix) and key > start]
        shared: list[str] = []
        if query.get("delimiter") == "/":
            below = {key: key[len(prefix) :].partition("/") for key in keys}
            shared = sorted({f"{prefix}{first}/" for first, slash, _ in below.values() if slash})
            keys = [key for key in keys if not below[key][1]]
        page, more = keys[:PAGE], len(keys) > PAGE
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2027-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self._etag(bucket, key)}&quot;</ETag><Size>{len(self.buckets[bucket][key])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        folders = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in shared)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return _xml(
            200,
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}{folders}</ListBucketResult>",
        )

    @staticmethod
    def _signed(asked: Asked) -> bool:
        """Whether the request carries the right signature, computed as Amazon's document of version 4 says."""
        found = SIGNATURE.fullmatch(asked.headers.get("Authorization", ""))
        if found is None or found[1] != KEY:
            return False
        _, day, region, names, signature = found.groups()
        query = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted(parse_qsl(asked.query, keep_blank_values=True))
        )
        headers = "".join(f"{name}:{' '.join(asked.headers[name].split())}\n" for name in names.split(";"))
        body = asked.headers["x-amz-content-sha256"]
        request = "\n".join([asked.method, asked.raw_path, query, headers, names, body])
        scope = f"{day}/{region}/s3/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", asked.headers["x-amz-date"], scope, digest])
        key = f"AWS4{SECRET}".encode()
        for part in (day, region, "s3", "aws4_request", text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key.hex() == signature


def _error(status: int, code: str) -> Reply:
    return _xml(status, f"<Error><Code>{code}</Code><Message>{code}</Message><RequestId>1</RequestId></Error>")


def _xml(status: int, body: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return Reply(status, text.encode(), {"Content-Type": "application/xml"})
