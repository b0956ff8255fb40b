"""Invented files in every on-disk form of the Chinese text benchmarks, as `public_text` has them of the others."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.public_made import (
    ZH,
    ZH_SHOWN,
    Made,
    as_csv,
    as_json,
    as_lines,
    as_parquet,
    as_zip,
)

CHINESE: dict[tuple[str, int], Callable[[], Made]] = {
    ("cmb", 0): lambda: Made(
        {
            "CMB-Exam/CMB-test/CMB-test-choice-question-merge.json": as_json(
                [
                    {
                        "id": 1,
                        "exam_type": "医师考试",
                        "exam_class": "c",
                        "exam_subject": "s",
                        "question_type": "多项选择题",
                        "question": "?",
                        "option": ZH,
                    },
                    {
                        "id": 2,
                        "exam_type": "医师考试",
                        "exam_class": "c",
                        "exam_subject": "s",
                        "question_type": "单项选择题",
                        "question": "何处?",
                        "option": ZH | {"D": "", "E": None},
                    },
                ]
            ),
            "CMB-test-choice-answer.json": as_json([{"id": 2, "answer": "C"}]),
        },
        "2",
        "mcq",
        ZH_SHOWN,
        "C",
    ),
    ("cmexam", 0): lambda: Made(
        {
            "test.json": as_json(
                [{"Question": "何处?", "Options": [{"key": k, "value": v} for k, v in ZH.items()], "Answer": "AC"}]
            )
        },
        "test.json#1",
        "mcq",
        ZH_SHOWN,
        ("A", "C"),
    ),
    ("cmexam", 1): lambda: Made(
        {
            "test_with_annotations.csv": as_csv(
                ["Question", "Options", "Answer", "Clinical Department", "Medical Discipline"],
                ["何处?", "A 心脏\nB 肺\nC 肝", "A", "内科", "临床"],
            )
        },
        "test_with_annotations.csv#1",
        "mcq",
        ZH_SHOWN,
        "A",
    ),
    ("cmexam", 2): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [{"Question": "何处?", "Options": [{"key": k, "value": v} for k, v in ZH.items()], "Answer": "AC"}]
            )
        },
        "test-00000-of-00001.parquet#1",
        "mcq",
        ZH_SHOWN,
        ("A", "C"),
    ),
    ("cmmlu_med", 0): lambda: Made(
        {
            "cmmlu_v1_0_1.zip": as_zip(
                {
                    "test/nutrition.csv": as_csv(
                        ["", "Question", "A", "B", "C", "D", "Answer"], ["0", "何处?", "心脏", "肺", "肝", "脾", "B"]
                    ),
                    "test/agronomy.csv": as_csv(
                        ["", "Question", "A", "B", "C", "D", "Answer"], ["0", "?", "1", "2", "3", "4", "B"]
                    ),
                }
            )
        },
        "nutrition.csv#1",
        "mcq",
        (*ZH_SHOWN, "D.脾"),
        "B",
    ),
    ("cmmlu_med", 1): lambda: Made(
        {
            "test/nutrition.csv": as_csv(
                ["", "Question", "A", "B", "C", "D", "Answer"], ["0", "何处?", "心脏", "肺", "肝", "脾", "B"]
            )
        },
        "nutrition.csv#1",
        "mcq",
        (*ZH_SHOWN, "D.脾"),
        "B",
    ),
    ("cmmlu_med", 2): lambda: Made(
        {
            "train-00000-of-00001.parquet": as_parquet(
                [{"task": "virology", "question": "何处?", "A": "心脏", "B": "肺", "C": "肝", "D": "脾", "answer": "B"}]
            )
        },
        "train-00000-of-00001.parquet#1",
        "mcq",
        (*ZH_SHOWN, "D.脾"),
        "B",
    ),
    ("medqa_mcmle", 0): lambda: Made(
        {"test.jsonl": as_lines({"question": "何处?", "options": ZH, "answer": "肺", "answer_idx": "B"})},
        "test.jsonl#1",
        "mcq",
        ZH_SHOWN,
        "B",
    ),
    ("medqa_mcmle", 1): lambda: Made(
        {"data/train-00000-of-00001.parquet": as_parquet([{"question": "何处?", "options": ZH, "answer_idx": "B"}])},
        "train-00000-of-00001.parquet#1",
        "mcq",
        ZH_SHOWN,
        "B",
    ),
    ("medqa_mcmle", 2): lambda: Made(
        {"medqa_mcmle_test.json": as_json([{"question": "何处?", "options": ZH, "answer_idx": "B"}])},
        "medqa_mcmle_test.json#1",
        "mcq",
        ZH_SHOWN,
        "B",
    ),
}
