"""The archive of a RadGraph model: configuration, label names and weights, as the package radgraph 0.1.18 reads them.

An archive is a gzipped tar, or its unpacked folder, with `config.json`, `vocabulary/*.txt` and `weights.th`: what
AllenNLP writes of a DyGIE++ model (Wadden et al. 2019). Nothing is unpacked to disk, and the weights are read by the
weights-only loader: no code in them runs. StanfordAIMI/RRG_scorers on the hub has an archive for each type.
"""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.evalkit.reports.radgraph import RadGraphType
from lingshu.evalkit.reports.weights import weights_file

CONFIG, WEIGHTS, VOCABULARY = "config.json", "weights.th", "vocabulary"
_FIX = "name a RadGraph archive, its unpacked folder, or StanfordAIMI/RRG_scorers"


class _Part(BaseModel):
    """A part of AllenNLP's configuration; its other keys are about training."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Encoder(_Part):
    """The base model, and how many word pieces (with special tokens) it is given at once; None: any number."""

    model_name: str
    max_length: int | None = Field(None, gt=2)


class _Bert(_Part):
    bert: Encoder


class _Reader(_Part):
    token_indexers: _Bert
    max_span_width: int


class _Embedder(_Part):
    token_embedders: _Bert


class Layers(_Part):
    """The hidden layers of every scorer."""

    num_layers: int
    hidden_dims: int | list[int]

    def widths(self) -> list[int]:
        """Return the width of each layer."""
        return self.hidden_dims if isinstance(self.hidden_dims, list) else [self.hidden_dims] * self.num_layers


class _Relation(_Part):
    spans_per_word: float = Field(gt=0)


class _Coref(_Part):
    coref_prop: int = 0


class _Modules(_Part):
    relation: _Relation
    coref: _Coref = _Coref()


class _Model(_Part):
    embedder: _Embedder
    feature_size: int
    max_span_width: int
    feedforward_params: Layers
    loss_weights: dict[str, float]
    modules: _Modules


class Config(_Part):
    """What of an archive's configuration its answers depend on."""

    dataset_reader: _Reader
    model: _Model

    @property
    def encoder(self) -> Encoder:
        """The base model."""
        return self.model.embedder.token_embedders.bert


@dataclass(frozen=True, slots=True)
class Archive:
    """A RadGraph model as stored; `entities` and `relations` are names of labels, the first entity's is "": none."""

    path: Path
    kind: RadGraphType
    config: Config
    entities: list[str]
    relations: list[str]
    weights: dict[str, torch.Tensor]


def archive_path(given: str, kind: RadGraphType) -> Path:
    """Return where the archive is: `given` itself, packed or not, or `KIND.tar.gz` in that folder or hub repository.

    Raises:
        UserError: there is none.
    """
    if (Path(given) / CONFIG).is_file():
        return Path(given)
    return weights_file(given, f"{kind}.tar.gz", "--radgraph")


def read_archive(path: Path, kind: RadGraphType) -> Archive:
    """Return the archive at `path`, a file or a folder.

    Raises:
        UserError: it can't be read, lacks a file, has labels of another type, or is of a model that isn't known here.
    """
    parts = _folder(path) if path.is_dir() else _members(path)
    for name in (CONFIG, WEIGHTS):
        if name not in parts:
            raise UserError(f"--radgraph: {path} has no {name}", _FIX)
    try:
        config = validate(Config, json.loads(parts[CONFIG]), f"--radgraph: {path}: {CONFIG}:")
    except ValueError as error:  # not UTF-8, not JSON
        raise UserError(f"--radgraph: {path}: {CONFIG} is not JSON: {error}", _FIX) from None
    _check(config, path)
    entities = _labels(parts, f"{kind}__ner_labels", path)
    if not entities or entities[0]:
        raise UserError(f"--radgraph: {path}: the first entity label has a name, not the empty one of no entity", _FIX)
    relations = _labels(parts, f"{kind}__relation_labels", path)
    return Archive(path, kind, config, entities, relations, _weights(parts[WEIGHTS], path))


def _check(config: Config, path: Path) -> None:
    """Check that the configuration agrees with itself, and asks for nothing that isn't computed here."""
    model, reader = config.model, config.dataset_reader
    wrong = [
        (model.max_span_width != reader.max_span_width, "two values of max_span_width"),
        (config.encoder != reader.token_indexers.bert, "two base models, or two values of max_length"),
        (len(model.feedforward_params.widths()) != model.feedforward_params.num_layers, "a width too few or too many"),
        (not all(model.loss_weights.get(task, 0) > 0 for task in ("ner", "relation")), "no entities or no relations"),
        (model.modules.coref.coref_prop > 0, "spans that learn from coreference (coref_prop), not computed here"),
    ]
    for is_wrong, what in wrong:
        if is_wrong:
            raise UserError(f"--radgraph: {path}: {CONFIG} has {what}", _FIX)


def _folder(path: Path) -> dict[str, bytes]:
    names = [CONFIG, WEIGHTS, *(f"{VOCABULARY}/{file.name}" for file in (path / VOCABULARY).glob("*.txt"))]
    try:
        return {name: (path / name).read_bytes() for name in names if (path / name).is_file()}
    except OSError as error:
        raise UserError(f"--radgraph: {path}: {error.strerror}", _FIX) from None


def _members(path: Path) -> dict[str, bytes]:
    """Return the files of a packed archive that are needed; a name may begin with `./`."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = str(PurePosixPath(member.name))
                stream = archive.extractfile(member) if member.isfile() else None
                if stream and (name in (CONFIG, WEIGHTS) or name.startswith(f"{VOCABULARY}/")):
                    found[name] = stream.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UserError(f"--radgraph: {path} can't be read ({type(error).__name__}: {error})", _FIX) from None
    return found


def _labels(parts: Mapping[str, bytes], space: str, path: Path) -> list[str]:
    """Return the label names of a vocabulary, by number: one a line, the last line's end may lack."""
    if (name := f"{VOCABULARY}/{space}.txt") not in parts:
        suffix = space.partition("__")[2]
        others = sorted(
            key.removeprefix(f"{VOCABULARY}/").partition("__")[0] for key in parts if key.endswith(f"__{suffix}.txt")
        )
        raise UserError(
            f"--radgraph: {path} has no {name}; it has labels of: {', '.join(others) or 'nothing'}",
            "name the archive's type with --radgraph-type",
        )
    try:
        lines = parts[name].decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"--radgraph: {path}: {name}: {error}", _FIX) from None
    return lines if lines[-1] else lines[:-1]


def _weights(data: bytes, path: Path) -> dict[str, torch.Tensor]:
    try:
        state: Any = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        what = str(error).partition("\n")[0]
        raise UserError(f"--radgraph: {path}: {WEIGHTS} can't be read ({type(error).__name__}: {what})", _FIX) from None
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"--radgraph: {path}: {WEIGHTS} is no state dict", _FIX)
    return {str(key): value for key, value in state.items()}
