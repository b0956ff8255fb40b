"""Writers of small invented files, and what a benchmark must be read as from them. No real item stands here."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PICTURE = b"\x89PNG invented"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Made:
    """Files of a form, and its first question: id, kind, choices as shown, gold, number of pictures, cluster."""

    files: Files
    id: str
    kind: str
    choices: tuple[str, ...] | None
    answer: str | tuple[str, ...]
    pictures: int = 0
    cluster: str = ""
    rows: int = 1


def write(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def as_lines(*rows: Any) -> bytes:
    return b"".join(as_json(row) + b"\n" for row in rows)


def as_csv(*rows: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def as_zip(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def as_parquet(rows: list[dict[str, Any]], pictures: tuple[str, ...] = (), *, group: int = 2) -> bytes:
    """Rows as the hub stores them: a picture column is a struct of bytes and path."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        name: pa.array(
            [
                {"bytes": row[name], "path": None} if name in pictures and row[name] is not None else row[name]
                for row in rows
            ],
            type=kind if name in pictures else None,
        )
        for name in rows[0]
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=group)
    return buffer.getvalue()


ABCD = ("A. heart", "B. lung", "C. liver", "D. spleen")
TIGHT = ("A.heart", "B.lung", "C.liver", "D.spleen")
TEXTS = {"A": "heart", "B": "lung", "C": "liver", "D": "spleen"}
ZH = {"A": "心脏", "B": "肺", "C": "肝"}
ZH_SHOWN = ("A.心脏", "B.肺", "C.肝")
OMNI = {
    "dataset": "Drawn",
    "question_id": "Drawn_0000",
    "question_type": "Modality Recognition",
    "question": "How was this made?",
    "gt_answer": "MR",
    "image_path": "Images/Drawn/a.png",
    "option_A": "CT",
    "option_B": "MR",
    "modality_type": "MR",
}
RUBRIC = {
    "prompt_id": "p1",
    "prompt": [{"role": "user", "content": "I have a cough."}],
    "rubrics": [{"criterion": "Asks how long", "points": 5, "tags": ["axis:completeness"]}],
    "example_tags": ["theme:context_seeking"],
}
REPORT = {"findings": "Clear lungs.", "impression": "Normal."}
REFERENCE = "Findings: Clear lungs. Impression: Normal.."


def vqa_parquet(rows: list[tuple[str, str]]) -> bytes:
    made = [{"image": PICTURE, "question": question, "answer": answer} for question, answer in rows]
    return as_parquet(made, ("image",))


def mmmu(answer: str, options: str = "['heart', 'lung']", kind: str = "multiple-choice") -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "test_Pharmacy_1",
        "question": "What does <image 1> show?",
        "options": options,
        "answer": answer,
        "question_type": kind,
        "topic_difficulty": "Easy",
        "img_type": "['Diagrams']",
        "subfield": "Drugs",
    }
    return row | {f"image_{n}": PICTURE if n <= 2 else None for n in range(1, 8)}


MMMU_PICTURES = tuple(f"image_{n}" for n in range(1, 8))


def medxpert(identity: str, options: Any, label: Any, **more: Any) -> dict[str, Any]:
    facts = {"medical_task": "Diagnosis", "body_system": "Lymphatic", "question_type": "Reasoning"}
    return {"id": identity, "question": "Where?", "options": options, "label": label, **facts, **more}


PAIRS = [{"letter": letter, "content": text} for letter, text in TEXTS.items()]
OP5 = {"opa": "heart", "opb": "lung", "opc": "liver", "opd": "spleen", "ope": "skin"}


def by_columns(row: dict[str, str]) -> bytes:
    return as_json({name: {"0": value} for name, value in row.items()})


RAD_FILES = {
    "test_qa_pairs/7.json": as_json(
        [
            [
                "Are there any signs in the lung?",
                ["yes"],
                [],
                {"answer_type": "single_choice", "options": ["yes", "no"], "path": "lung"},
            ],
            [
                "In which part of the body?",
                ["left", "right"],
                [["Are there any signs in the lung?", ["yes"]]],
                {"answer_type": "multi_choice", "options": ["left", "middle", "right"], "path": "lung_part"},
            ],
        ]
    ),
    "id_to_img_mapping_frontal_reports.json": as_json({"7": ["F1", "F2"], "8": ["F3"]}),
    "imgs/F1.png": PICTURE,
    "imgs/F2.png": PICTURE,
}
EMBEDDED = "sha256:"  # cluster of a picture inside a row: a digest of its bytes, compared by its beginning
