"""Where files are, as a record writes it: a repository of the hub, one URL, or a folder that the user brings."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints, model_validator

from lingshu.core.params import Strict


class Place(Strict):
    """One place that holds files: exactly one of `hub`, `url` and `bring`.

    Attributes:
        hub: data-set repository, `owner/name`.
        revision: commit of it; null where nobody pins one (the commit that was read is recorded at each load).
        url: of one file.
        file: name that the file at `url` gets.
        sha256: digest of the file at `url`, where known.
        bring: what a user must bring in a folder, and where it is from.
    """

    hub: str = ""
    revision: str | None = None
    url: str = ""
    file: str = ""
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    bring: str = ""

    @model_validator(mode="after")
    def _one(self) -> Place:
        if sum(map(bool, (self.hub, self.url, self.bring))) != 1:
            raise ValueError("give exactly one of hub, url and bring")
        if bool(self.url) != bool(self.file):
            raise ValueError("url and file go together")
        return self
