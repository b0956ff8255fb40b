"""Which model `--model` names, what its digest is, and the engine that runs it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lingshu.core.errors import UserError
from lingshu.core.ids import canonical_json, sha256_bytes, sha256_file
from lingshu.core.question import Question
from lingshu.inference.echo import EchoEngine
from lingshu.inference.engine import Engine, Request
from lingshu.inference.file_engine import read_answers
from lingshu.inference.settings import Decoding, EngineName, LocalExecution, ServerLimits

ECHO = "echo"
SERVED = re.compile(r"openai:(?P<name>.+)@(?P<url>https?://.+)")
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_FORMS = "a hub id (owner/name), a folder, openai:NAME@URL, a .jsonl file of answers, or echo"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What `--model` says; `name` is shown, `url` and `path` are where it is."""

    engine: EngineName
    name: str
    url: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model answers: `digest` goes into every key, `revision` is for people, `folder` holds the files."""

    digest: str
    revision: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """All that `lingshu eval` is told about the model; `key` is a secret and shown nowhere."""

    spec: ModelSpec
    decoding: Decoding
    execution: LocalExecution = field(default_factory=LocalExecution)
    limits: ServerLimits = field(default_factory=ServerLimits)
    key: str | None = field(default=None, repr=False)
    revision: str | None = None

    @property
    def looks(self) -> bool:
        """Whether pictures are read: not in a blind run, nor for answers that are in a file."""
        return not self.decoding.blind and self.spec.engine != "responses"

    def settings(self) -> dict[str, Any]:
        """Return what decides answers beside model and question: the engine, and what differs from the defaults.

        Temperature and limit are always named, so that a row can be read without knowing the defaults.
        """
        decoding = self.decoding
        named: dict[str, Any] = {"temperature": decoding.temperature, "max_new_tokens": decoding.max_new_tokens}
        if decoding.chat_template is not None:
            # A digest: the text would stand in every row.
            named["chat_template"] = sha256_bytes(decoding.chat_template.encode())
        return {"engine": self.spec.engine} | decoding.model_dump(mode="json", exclude_defaults=True) | named


def parse_model(text: str, local: EngineName = "transformers") -> ModelSpec:
    """Return what `--model` names; `local` runs folders and hub ids.

    Raises:
        UserError: it has none of the known forms, or the address holds a password or a query.
    """
    if text == ECHO:
        return ModelSpec("echo", ECHO)
    if text.startswith("openai:"):
        return _served(text)
    path = Path(text)
    if path.suffix == ".jsonl":
        if not path.is_file():
            raise UserError(f"--model {text}: no such file", "name a JSON-lines file of answers")
        return ModelSpec("responses", path.stem, path=path)
    if path.is_dir():
        return ModelSpec(local, path.resolve().name, path=path)
    if HUB_ID.fullmatch(text):
        return ModelSpec(local, text)
    raise UserError(f"--model {text}: no such folder, and not the name of a model", f"give {_FORMS}")


def _served(text: str) -> ModelSpec:
    found = SERVED.fullmatch(text)
    if found is None:
        raise UserError(
            f"--model {text}: not of the form openai:NAME@URL", "as in openai:NAME@http://localhost:8000/v1"
        )
    url = found["url"].rstrip("/")
    if "@" in url or "?" in url:
        raise UserError(
            "--model openai:…: a user name, key or query in the address", "give the key by --api-key-env or -file"
        )
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise UserError(f"--model {text}: not an address: {error}", "mend it") from None
    return ModelSpec("openai", found["name"], url=url)


def identify(setup: Setup) -> Identity:
    """Return which model answers; a hub id is downloaded (or found in the hub's cache).

    A server's model is told by name and address, since its weights can't be seen; a revision given by the user stands
    for the address, so that the same model may be served elsewhere later.

    Raises:
        UserError: the hub has no such model or can't be reached, a file is missing.
    """
    spec = setup.spec
    if spec.engine == "echo":
        return Identity("echo:1", "1")
    if spec.engine == "openai":
        where = spec.url if setup.revision is None else setup.revision
        return Identity(f"openai:{spec.name}@{where}", where)
    if spec.engine == "responses":
        assert spec.path is not None
        digest = sha256_file(spec.path)
        return Identity(f"responses:{digest}", digest[:16])
    if spec.path is not None:
        digest = folder_digest(spec.path)
        return Identity(f"folder:{digest}", digest[:16], spec.path)
    return _from_hub(spec.name, setup.revision)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over names and contents of the files of a folder, hidden ones left out."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        raise UserError(f"{folder}: no files in it", "name a model's folder")
    found = [[path.relative_to(folder).as_posix(), sha256_file(path)] for path in files]
    return sha256_bytes(canonical_json(found).encode())


def _from_hub(name: str, revision: str | None) -> Identity:
    # Imported here: only this kind of model needs the hub's client.
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(name, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(
            f"--model {name}: the hub does not give it: {error}",
            "check the name, log in for a gated model, or give a folder",
        ) from None
    # A snapshot's folder is named by its commit.
    return Identity(f"hub:{name}@{folder.name}", folder.name, folder)


@contextlib.contextmanager
def open_engine(setup: Setup, identity: Identity, questions: Sequence[Question]) -> Iterator[Engine]:
    """Yield the engine, ready to be asked; torch, vllm and httpx are imported only for the engine that needs them.

    Raises:
        UserError: the model can't be loaded, or a file of answers does not answer exactly `questions`.
    """
    spec = setup.spec
    if spec.engine == "openai":
        from lingshu.inference.openai_engine import OpenAIEngine  # noqa: PLC0415

        with OpenAIEngine(spec.name, spec.url, setup.key, setup.decoding, setup.limits) as engine:
            yield engine
    else:
        yield _local(setup, identity, questions)


def _local(setup: Setup, identity: Identity, questions: Sequence[Question]) -> Engine:
    spec = setup.spec
    if spec.engine == "echo":
        return EchoEngine()
    if spec.engine == "responses":
        assert spec.path is not None
        return read_answers(spec.path, questions)
    assert identity.folder is not None
    if spec.engine == "vllm":
        from lingshu.inference.vllm_engine import VLLMEngine  # noqa: PLC0415

        pictures = 0 if setup.decoding.blind else max((len(q.pictures) for q in questions), default=0)
        return VLLMEngine(identity.folder, setup.decoding, setup.execution, pictures)
    from lingshu.inference.chat_engine import ChatEngine  # noqa: PLC0415

    return ChatEngine(identity.folder, setup.decoding, setup.execution)


def _by_length(request: Request) -> tuple[int, int, str]:
    return len(request.pictures), len(request.prompt()), request.id


def _by_picture(request: Request) -> tuple[list[str], str, str]:
    return [picture.name for picture in request.pictures], request.prompt(), request.id


ORDERS: dict[EngineName, Callable[[Request], Any]] = {"transformers": _by_length, "vllm": _by_picture}
"""By what to sort requests for an engine: similar lengths for batches, equal beginnings for vLLM's prefix cache."""
