"""Where files are, as a record says: a hub repository, a URL, PhysioNet, a bucket, or a folder the user brings."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from lingshu.core.params import Strict

PlaceKind = Literal["hub", "url", "physionet", "s3", "bring"]


def safe(name: str) -> bool:
    """Return whether a name stays below the folder it is put in."""
    path = PurePosixPath(name)
    parts = name.split("/")
    return not path.is_absolute() and not any(part in ("", ".", "..") for part in parts) and not set("\\\0") & set(name)


class Place(Strict):
    """One place that holds files: exactly one of `hub`, `url`, `physionet`, `s3` and `bring`.

    Attributes:
        hub: data-set repository, `owner/name`.
        revision: commit of it; null where nobody pins one (the commit that was read is recorded at each load).
        url: http or https, of one file.
        file: name that the file at `url` gets.
        sha256: digest of the file at `url`, where known.
        bytes: size of the file at `url`, where known.
        physionet: project and version, `mimic-cxr/2.1.0`; read with the user's own credentials, which are never stored.
        s3: `s3://bucket/prefix`.
        bring: what a user must bring in a folder, and where it is from.
        optional: of what is to be brought: the source can be read without it.
        files: patterns of what is pulled from a hub repository, PhysioNet or a bucket, or read of a brought folder; all
            files if empty.
    """

    hub: Annotated[str, StringConstraints(pattern=r"^([\w.-]+/[\w.-]+)?$")] = ""
    revision: str | None = None
    url: str = ""
    file: str = ""
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    bytes: int | None = Field(default=None, ge=1)
    physionet: Annotated[str, StringConstraints(pattern=r"^([a-z0-9-]+/[0-9.]+)?$")] = ""
    s3: Annotated[str, StringConstraints(pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/.*)?)?$")] = ""
    bring: str = ""
    optional: bool = False
    files: list[str] = []  # noqa: RUF012 - pydantic copies defaults

    @property
    def label(self) -> str:
        """The place in words, for messages."""
        said = {
            "hub": f"data-set repository {self.hub}", "url": self.url, "physionet": f"PhysioNet {self.physionet}",
            "s3": self.s3, "bring": "the brought folder",
        }  # fmt: skip
        return said[self.kind]

    @property
    def kind(self) -> PlaceKind:
        """Which of the five it is."""
        given: dict[PlaceKind, str] = {
            "hub": self.hub, "url": self.url, "physionet": self.physionet, "s3": self.s3, "bring": self.bring,
        }  # fmt: skip
        return next(kind for kind, value in given.items() if value)

    @model_validator(mode="after")
    def _one(self) -> Place:
        if sum(map(bool, (self.hub, self.url, self.physionet, self.s3, self.bring))) != 1:
            raise ValueError("give exactly one of hub, url, physionet, s3 and bring")
        if bool(self.url) != bool(self.file):
            raise ValueError("url and file go together")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url begins with http:// or https://")
        if self.file and not safe(self.file):
            raise ValueError("file is a name, or a path below the folder it is put in")
        if self.files and self.kind == "url":
            raise ValueError("files are patterns of a hub repository, PhysioNet, a bucket or a brought folder")
        if self.optional and not self.bring:
            raise ValueError("only what is to be brought may be optional")
        return self
