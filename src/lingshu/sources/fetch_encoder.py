"""An open_clip encoder from the hub or a folder to data/raw/encoder, complete: later stages ask no network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

import httpx
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RevisionNotFoundError,
)

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir, write_json
from lingshu.core.layout import RAW
from lingshu.core.manifest import Manifest, write_manifest
from lingshu.core.progress import track
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_files import (
    CONFIG,
    ORIGIN,
    TEXT_CONFIG,
    TOKENIZER_FILES,
    TOKENIZERS,
    WEIGHTS,
    check_folder,
    is_text_config,
    read_config,
)

KEY = "params.yaml: modality.encoder"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hub:
    """Address and cache of the hub's client; its own defaults where None."""

    endpoint: str | None = None
    cache: Path | None = None


def pull_open_clip(choice: OpenClipParams, root: Path = Path(), hub: Hub | None = None) -> Manifest:
    """Write configuration, weights, tokenizer and text configuration to data/raw/encoder, with `origin.json`.

    Args:
        choice: a repository of the hub, or a folder.
        root: where `data/` lies.
        hub: see `Hub`.

    Raises:
        UserError: the hub does not give the repository, the revision or a file, or files are missing in the folder.
    """
    out = root / RAW / "encoder"
    partial = fresh_dir(out.with_name(f".{out.name}.partial"))
    if choice.folder is not None:
        origin = _from_folder(Path(choice.folder), partial)
    else:
        origin = _from_hub(choice, partial, hub or Hub())
    check_folder(partial)
    write_json(partial / ORIGIN, origin)
    manifest = write_manifest(partial, "pull_encoder", 1)
    fresh_dir(out).rmdir()
    partial.replace(out)
    return manifest


def _from_folder(folder: Path, out: Path) -> dict[str, str]:
    check_folder(folder)
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file()]
    for name in _wanted(names) + [name for name in (TEXT_CONFIG, *TOKENIZER_FILES) if name in names]:
        shutil.copyfile(folder / name, out / name)
    return {"folder": folder.name}


def _from_hub(choice: OpenClipParams, out: Path, hub: Hub) -> dict[str, str]:
    assert choice.hub is not None
    own = _Repository(choice.hub, choice.revision, hub)
    for name in track(_wanted(own.names), f"pull {choice.hub}", 2):
        own.take(name, out)
    config = read_config(out / CONFIG)["text_cfg"]
    for name in own.having(TEXT_CONFIG, *TOKENIZER_FILES):
        own.take(name, out)
    origin = {"hub": choice.hub, "revision": own.commit}
    tower = config.get("hf_model_name")
    if tower and not is_text_config(out / TEXT_CONFIG):
        text = _Repository(tower, choice.text_revision, hub)
        text.take(TEXT_CONFIG, out)
        origin |= {"text_hub": tower, "text_revision": text.commit}
    tower = config.get("hf_tokenizer_name")
    if tower and not any((out / name).is_file() for name in TOKENIZERS):
        same = tower == config.get("hf_model_name")
        text = _Repository(tower, choice.text_revision if same else None, hub)
        for name in text.having(*TOKENIZER_FILES):
            text.take(name, out)
        origin |= {"tokenizer_hub": tower, "tokenizer_revision": text.commit}
    return origin


def _wanted(names: list[str]) -> list[str]:
    """Return the configuration and the one file of weights; without them, the names that are asked for all the same."""
    for pattern in WEIGHTS:
        own = [f"open_clip_{name}" for name in ("model.safetensors", "pytorch_model.bin")]
        if found := sorted(name for name in names if "/" not in name and fnmatchcase(name, pattern)):
            return [CONFIG, next((name for name in own if name in found), found[0])]
    return [CONFIG]


class _Repository:
    """A model repository of the hub at one commit."""

    def __init__(self, name: str, revision: str | None, hub: Hub) -> None:
        self._name, self._revision, self._hub = name, revision, hub
        info = self._asked(lambda: HfApi(endpoint=hub.endpoint).model_info(name, revision=revision))
        if info.sha is None:
            raise UserError(f"{KEY}: {name}: the hub names no commit", "give modality.encoder a folder")
        self.commit = info.sha
        self.names = [one.rfilename for one in info.siblings or []]

    def having(self, *names: str) -> list[str]:
        """Return those of the names that the repository has."""
        return [name for name in names if name in self.names]

    def take(self, name: str, out: Path) -> None:
        """Download a file and copy it to a folder: DVC makes its files read-only, and the client's cache is not ours.

        Raises:
            UserError: the repository has no such file, or the hub does not give it.
        """
        if name not in self.names:
            raise UserError(
                f"{KEY}: {self._name} at {self.commit} has no {name}", "name an encoder for open_clip, or a folder"
            )
        found = self._asked(
            lambda: hf_hub_download(
                self._name, name, revision=self.commit, endpoint=self._hub.endpoint, cache_dir=self._hub.cache
            )
        )
        shutil.copyfile(found, out / name)

    def _asked(self, call: Callable[[], T]) -> T:
        where = f"{KEY}: {self._name}"
        folder = "or give modality.encoder a folder with its files"
        try:
            return call()
        except RevisionNotFoundError:
            raise UserError(
                f"{where}: revision {self._revision} is not there (any more)", f"correct the revision, {folder}"
            ) from None
        except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.TransportError, OSError) as error:
            reason = str(error).strip().split("\n", maxsplit=1)[0]
            raise UserError(
                f"{where}: the hub does not give it at {self._revision or 'its default branch'} ({reason})",
                f"check the name, run `hf auth login` if you must, run again (what has come is kept), {folder}",
            ) from None
