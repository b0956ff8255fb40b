"""The one sample schema: a conversation with explicit image slots, and its Arrow form at rest.

A row is one conversation. Image slots are content parts with an `image_index`, never a marker inside text, so a
count mismatch between text and pictures can't be written (`check` refuses it).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, listed
from lingshu.core.ids import content_id

SCHEMA_VERSION = "1"
ROWS_PER_PART = 100_000
GROUP_ROWS = 10_000  # of a row group that is written as samples come
GROUP_CHARACTERS = 256 << 20  # of its texts, where they are long

Task = Literal["caption", "vqa_open", "vqa_closed", "mcq", "report", "ocr", "dialogue", "text_qa", "reasoning"]
AnswerKind = Literal["mcq", "yesno", "closed", "open"]
Split = Literal["train", "validation", "test"]
TASKS: tuple[str, ...] = get_args(Task)
ROLES: tuple[str, ...] = ("system", "user", "assistant")
ANSWER_KINDS: tuple[str, ...] = get_args(AnswerKind)
SPLITS: tuple[str, ...] = get_args(Split)


@dataclass(frozen=True, slots=True)
class Part:
    """One content part: `text` (with `text`) or `image` (with `image_index` into `Sample.images`)."""

    type: Literal["text", "image"]
    text: str | None = None
    image_index: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: role `system`, `user` or `assistant`, and its parts in reading order."""

    role: str
    content: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A stored picture: `image_id` is the SHA-256 of its bytes; width and height in pixels."""

    image_id: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The gold answer: `text` as shown, option strings in `choices` (or none), option letter in `label` (or "")."""

    kind: AnswerKind
    text: str
    choices: tuple[str, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """How a generated sample came to be; `parents` are the sample or image ids it was written from."""

    recipe: str
    teacher: str
    prompt_digest: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation. `topic` is the question type (modality, plane, count, …) that scores break down by."""

    source: str
    split: Split
    revision: str
    origin_id: str
    group_id: str
    task: Task
    topic: str
    messages: tuple[Message, ...]
    licence: str
    access: str = "open"
    modality: tuple[str, ...] = ()
    body_part: str = ""
    language: str = "en"
    images: tuple[ImageRef, ...] = ()
    answer: Answer | None = None
    rationale: str = ""
    synthetic: Synthetic | None = None
    sample_id: str = field(default="")

    def with_id(self) -> Sample:
        """Return the sample with `sample_id` set from its canonical content (source, task, turns, pictures, answer)."""
        content = {
            "task": self.task,
            "messages": [_message_row(m) for m in self.messages],
            "images": [i.image_id for i in self.images],
            "answer": _fields(self.answer) if self.answer else None,
            "origin": self.origin_id,
        }
        return replace(self, sample_id=content_id(self.source, content))

    def prompt_text(self) -> str:
        """Return the text of all turns but the last, joined by line feeds."""
        return "\n".join(p.text for m in self.messages[:-1] for p in m.content if p.text is not None)

    def target_text(self) -> str:
        """Return the text of the last (assistant) turn."""
        return "\n".join(p.text for p in self.messages[-1].content if p.text is not None)


def text_part(text: str) -> Part:
    """Return a text part."""
    return Part("text", text=text)


def image_part(index: int) -> Part:
    """Return a slot for `Sample.images[index]`."""
    return Part("image", image_index=index)


def turn(question: str, reply: str, num_images: int = 0) -> tuple[Message, Message]:
    """Return a user turn (pictures first, then `question`) and the assistant's `reply`."""
    slots = tuple(image_part(i) for i in range(num_images))
    return Message("user", (*slots, text_part(question))), Message("assistant", (text_part(reply),))


_PART = pa.struct([("type", pa.string()), ("text", pa.string()), ("image_index", pa.int32())])
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.list_(_PART))])
_IMAGE = pa.struct([("image_id", pa.string()), ("width", pa.int32()), ("height", pa.int32())])
_ANSWER = pa.struct(
    [("kind", pa.string()), ("text", pa.string()), ("choices", pa.list_(pa.string())), ("label", pa.string())]
)
_SYNTHETIC = pa.struct(
    [
        ("recipe", pa.string()),
        ("teacher", pa.string()),
        ("prompt_digest", pa.string()),
        ("parents", pa.list_(pa.string())),
    ]
)
SAMPLE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("revision", pa.string()),
        ("origin_id", pa.string()),
        ("group_id", pa.string()),
        ("task", pa.string()),
        ("topic", pa.string()),
        ("modality", pa.list_(pa.string())),
        ("body_part", pa.string()),
        ("language", pa.string()),
        ("messages", pa.list_(_MESSAGE)),
        ("images", pa.list_(_IMAGE)),
        ("answer", _ANSWER),
        ("rationale", pa.string()),
        ("licence", pa.string()),
        ("access", pa.string()),
        ("synthetic", _SYNTHETIC),
    ],
    metadata={"lingshu.schema_version": SCHEMA_VERSION},
)


def problems(sample: Sample) -> list[str]:
    """Return what breaks the schema's invariants in `sample`; an empty list means it may be written."""
    found: list[str] = []
    if sample.task not in TASKS:
        found.append(f"unknown task {sample.task!r}")
    if sample.split not in SPLITS:
        found.append(f"unknown split {sample.split!r}")
    if not sample.group_id or not sample.topic or not sample.licence:
        found.append("group_id, topic and licence must not be empty")
    if not sample.messages or sample.messages[-1].role != "assistant":
        found.append("the last turn must be the assistant's")
    found.extend(_message_problems(sample))
    found.extend(_answer_problems(sample.answer))
    return found


def _message_problems(sample: Sample) -> list[str]:
    found: list[str] = []
    slots: list[int] = []
    for message in sample.messages:
        if message.role not in ROLES:
            found.append(f"unknown role {message.role!r}")
        if not message.content:
            found.append("a turn without content")
        for part in message.content:
            if part.type == "image":
                slots.append(-1 if part.image_index is None else part.image_index)
            elif not (part.text or "").strip():
                found.append("empty text part")
    if sorted(slots) != list(range(len(sample.images))):
        found.append(f"image slots {slots} do not match {len(sample.images)} images, one slot each")
    return found


def _answer_problems(answer: Answer | None) -> list[str]:
    if answer is None:
        return []
    if answer.kind not in ANSWER_KINDS:
        return [f"unknown answer kind {answer.kind!r}"]
    if not answer.text.strip():
        return ["empty answer text"]
    if answer.kind == "mcq" and (not answer.choices or len(answer.label) != 1):
        return ["a multiple-choice answer needs choices and a one-letter label"]
    if answer.kind == "mcq" and not 0 <= ord(answer.label) - ord("A") < len(answer.choices):
        return [f"label {answer.label!r} names no choice"]
    return []


def to_table(samples: Iterable[Sample]) -> pa.Table:
    """Return the samples as an Arrow table of `SAMPLE_SCHEMA`.

    Raises:
        ValueError: a sample breaks an invariant (message names source, origin and what is wrong).
    """
    rows: list[dict[str, Any]] = []
    for sample in samples:
        if not sample.sample_id:
            raise ValueError(f"{sample.source}: {sample.origin_id}: sample without id; call with_id()")
        if wrong := problems(sample):
            raise ValueError(f"{sample.source}: {sample.origin_id}: {'; '.join(wrong)}")
        rows.append(_to_row(sample))
    return pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA)


def _fields(record: Answer | ImageRef | Part | Sample | Synthetic) -> dict[str, Any]:
    """Return the fields by name, values as they are (`dataclasses.asdict` copies deeply, at ten times the cost)."""
    return {name: getattr(record, name) for name in record.__slots__}


def _message_row(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": [_fields(part) for part in message.content]}


def _to_row(sample: Sample) -> dict[str, Any]:
    return _fields(sample) | {
        "messages": [_message_row(message) for message in sample.messages],
        "images": [_fields(image) for image in sample.images],
        "answer": _fields(sample.answer) if sample.answer else None,
        "synthetic": _fields(sample.synthetic) if sample.synthetic else None,
    }


def from_row(row: dict[str, Any]) -> Sample:
    """Return the sample of one Arrow row (`pa.Table.to_pylist`)."""
    answer, synthetic = row["answer"], row["synthetic"]
    return Sample(
        **{
            **row,
            "modality": tuple(row["modality"]),
            "messages": tuple(
                Message(m["role"], tuple(Part(p["type"], p["text"], p["image_index"]) for p in m["content"]))
                for m in row["messages"]
            ),
            "images": tuple(ImageRef(**i) for i in row["images"]),
            "answer": answer and Answer(**{**answer, "choices": tuple(answer["choices"])}),
            "synthetic": synthetic and Synthetic(**{**synthetic, "parents": tuple(synthetic["parents"])}),
        }
    )


def write_samples(folder: Path, samples: Iterable[Sample]) -> int:
    """Write samples, sorted by id, as `part-NNNNN.parquet` (zstd) under `folder`; return how many rows.

    Raises:
        ValueError: a sample breaks an invariant, or two samples have the same id.
    """
    ordered = sorted(samples, key=lambda s: s.sample_id)
    for left, right in itertools.pairwise(ordered):
        if left.sample_id == right.sample_id:
            raise ValueError(f"duplicate sample id {left.sample_id} (origins {left.origin_id}, {right.origin_id})")
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, max(len(ordered), 1), ROWS_PER_PART)):
        table = to_table(ordered[start : start + ROWS_PER_PART])
        with atomic_path(folder / f"part-{number:05d}.parquet") as temporary:
            pq.write_table(table, temporary, compression="zstd")
    return len(ordered)


class SampleWriter:
    """Writes samples as `part-NNNNN.parquet` (zstd) in the order they come; `GROUP_ROWS` at most are held in memory.

    Used as a context: what it wrote is complete when the context ends without an error. Ids are not compared here;
    whoever streams samples knows what makes them differ.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rows: list[Sample] = []
        self._part = contextlib.ExitStack()
        self._table: pq.ParquetWriter | None = None
        self._in_part = self._parts = self._characters = self.written = 0

    def __enter__(self) -> SampleWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._rows or self._parts == 0:
                self._flush()
            self._part.close()
        else:
            self._part.__exit__(kind, error, trace)

    def add(self, sample: Sample) -> None:
        """Write a sample.

        Raises:
            ValueError: it breaks an invariant (raised when its row group is written).
        """
        self._rows.append(sample)
        self.written += 1
        self._characters += sum(len(part.text or "") for turn in sample.messages for part in turn.content)
        if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if self._table is None:
            temporary = self._part.enter_context(atomic_path(self._folder / f"part-{self._parts:05d}.parquet"))
            self._table = self._part.enter_context(pq.ParquetWriter(temporary, SAMPLE_SCHEMA, compression="zstd"))
            self._in_part, self._parts = 0, self._parts + 1
        self._table.write_table(to_table(self._rows))
        self._in_part += len(self._rows)
        self._rows, self._characters = [], 0
        if self._in_part >= ROWS_PER_PART:
            self._part.close()
            self._table = None


def sample_parts(folders: Iterable[Path]) -> list[Path]:
    """Return the sample files of the folders, sorted by path.

    Raises:
        PermissionError: a folder can't be listed.
    """
    return sorted(path for folder in folders for path in listed(folder, "part-*.parquet"))


def open_part(path: Path) -> pq.ParquetFile:
    """Return a sample file, opened.

    Raises:
        UserError: it has another schema version than this code.
    """
    reader = pq.ParquetFile(path)
    version = (reader.schema_arrow.metadata or {}).get(b"lingshu.schema_version", b"?").decode()
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path}: sample schema version {version}, this code reads {SCHEMA_VERSION}",
            "make the samples again with `dvc repro normalize` or `lingshu normalize`",
        )
    return reader


def read_samples(folders: Iterable[Path], ids: Collection[str] | None = None) -> Iterator[Sample]:
    """Yield the samples of the folders in path and row order: all, or those whose id is in `ids`.

    Raises:
        UserError: a file has another schema version than this code.
    """
    for path in sample_parts(folders):
        for batch in open_part(path).iter_batches(batch_size=4096):
            wanted = batch if ids is None else _rows_with(batch, ids)
            for row in wanted.to_pylist():
                yield from_row(row)


def _rows_with(batch: pa.RecordBatch, ids: Collection[str]) -> pa.RecordBatch:
    return batch.filter(pa.array([sample_id in ids for sample_id in batch.column("sample_id").to_pylist()], pa.bool_()))
