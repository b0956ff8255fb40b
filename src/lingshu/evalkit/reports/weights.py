"""Where a metric's model is: a folder or file the user names, or a hub id, which is downloaded once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lingshu.core.errors import UserError


def weights_folder(given: str, option: str, files: Sequence[str] | None = None) -> Path:
    """Return the folder of a model that `given` names: an existing folder, or a hub id.

    `files` are patterns of the files to download; None: all.

    Raises:
        UserError: there is no such folder, and the hub can't give it (names the option).
    """
    if Path(given).is_dir():
        return Path(given)
    import httpx  # noqa: PLC0415 - slow to import
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import

    try:
        return Path(snapshot_download(given, allow_patterns=None if files is None else list(files)))
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise _missing(given, option, error) from None


def weights_file(given: str, name: str, option: str) -> Path:
    """Return the file that `given` names: a file, the file `name` in a folder, or that of a hub id.

    Raises:
        UserError: there is no such file, and the hub can't give it (names the option).
    """
    path = Path(given)
    if path.is_file():
        return path
    if path.is_dir():
        if not (path / name).is_file():
            raise UserError(f"{option}: {path} has no {name}", f"put {name} there, or name the file itself")
        return path / name
    import httpx  # noqa: PLC0415 - slow to import
    from huggingface_hub import hf_hub_download  # noqa: PLC0415 - slow to import

    try:
        return Path(hf_hub_download(given, name))
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise _missing(given, option, error) from None


def _missing(given: str, option: str, error: Exception) -> UserError:
    reason = str(error).partition("\n")[0]
    return UserError(
        f"{option}: {given} is no folder or file here, and the hub does not give it ({type(error).__name__}: {reason})",
        "download the weights where there is a network, and name their folder",
    )
