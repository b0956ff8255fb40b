"""Invented files in every on-disk form of the text benchmarks, and the first question that each must give.

A form is named by its benchmark and its place in the record.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.public_chinese import CHINESE
from tests.benchmarks.public_made import (
    ABCD,
    OP5,
    PAIRS,
    RUBRIC,
    TEXTS,
    TIGHT,
    Made,
    as_csv,
    as_json,
    as_lines,
    as_parquet,
    by_columns,
    medxpert,
)

ENDINGS = {f"ending{n}": text for n, text in enumerate(TEXTS.values())}
PAIRED = [{"key": letter, "value": text} for letter, text in TEXTS.items()]

TEXT: dict[tuple[str, int], Callable[[], Made]] = CHINESE | {
    ("mmlu_med", 0): lambda: Made(
        {
            "virology/test-00000-of-00001.parquet": as_parquet(
                [{"question": "Where?", "subject": "virology", "choices": list(TEXTS.values()), "answer": 3}]
            ),
            "astronomy/test-00000-of-00001.parquet": as_parquet(
                [{"question": "Where?", "subject": "astronomy", "choices": list(TEXTS.values()), "answer": 3}]
            ),
        },
        "test-00000-of-00001.parquet#1",
        "mcq",
        TIGHT,
        "D",
    ),
    ("mmlu_med", 1): lambda: Made(
        {
            "all/test-00000-of-00001.parquet": as_parquet(
                [
                    {"question": "Where?", "subject": subject, "choices": list(TEXTS.values()), "answer": 3}
                    for subject in ("astronomy", "virology")
                ]
            )
        },
        "test-00000-of-00001.parquet#2",
        "mcq",
        TIGHT,
        "D",
    ),
    ("mmlu_med", 2): lambda: Made(
        {
            "test/anatomy_test.csv": as_csv(["Where, in the body?", *TEXTS.values(), "D"]),
            "test/astronomy_test.csv": as_csv(["Where?", *TEXTS.values(), "D"]),
        },
        "anatomy_test.csv#1",
        "mcq",
        TIGHT,
        "D",
    ),
    ("pubmed_qa", 0): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [
                    {
                        "id": "11",
                        "data": {
                            "Question": "Does it?",
                            "Context": ["One.", "Two."],
                            "Options": {"A": "yes", "B": "no", "C": "maybe"},
                            "Correct Option": "B",
                            "Correct Answer": "no",
                        },
                    }
                ]
            )
        },
        "11",
        "mcq",
        ("A.yes", "B.no", "C.maybe"),
        "B",
    ),
    ("pubmed_qa", 1): lambda: Made(
        {
            "ori_pqal.json": as_json(
                {
                    "1": {"QUESTION": "Other?", "CONTEXTS": ["x"], "final_decision": "yes", "YEAR": "2010"},
                    "2": {
                        "QUESTION": "Does it?",
                        "CONTEXTS": ["One.", "Two."],
                        "final_decision": "maybe",
                        "YEAR": "2011",
                    },
                }
            ),
            "test_ground_truth.json": as_json({"2": "maybe"}),
        },
        "2",
        "mcq",
        ("A.yes", "B.no", "C.maybe"),
        "C",
    ),
    ("pubmed_qa", 2): lambda: Made(
        {
            "ori_pqal.json": as_json(
                {"1": {"QUESTION": "Does it?", "CONTEXTS": ["One."], "final_decision": "yes", "YEAR": "2010"}}
            )
        },
        "1",
        "mcq",
        ("A.yes", "B.no", "C.maybe"),
        "A",
    ),
    ("med_mcqa", 0): lambda: Made(
        {
            "data/validation-00000-of-00001.parquet": as_parquet(
                [
                    {
                        "id": "m1",
                        "question": "Where?",
                        **{k: v for k, v in OP5.items() if k != "ope"},
                        "cop": 2,
                        "subject_name": "Anatomy",
                        "topic_name": None,
                    }
                ]
            )
        },
        "m1",
        "mcq",
        ABCD,
        "C",
    ),
    ("pubmed_qa", 3): lambda: Made(
        {
            "test_set.json": as_json(
                {"7": {"QUESTION": "Does it?", "CONTEXTS": ["One."], "final_decision": "no", "YEAR": "2010"}}
            )
        },
        "7",
        "mcq",
        ("A.yes", "B.no", "C.maybe"),
        "B",
    ),
    ("pubmed_qa", 4): lambda: Made(
        {
            "pqa_labeled/train-00000-of-00001.parquet": as_parquet(
                [
                    {"pubid": number, "question": "Does it?", "context": {"contexts": ["One."]}, "final_decision": "no"}
                    for number in (7, 8)
                ]
            ),
            "test_ground_truth.json": as_json({"8": "no"}),
        },
        "8",
        "mcq",
        ("A.yes", "B.no", "C.maybe"),
        "B",
    ),
    ("med_mcqa", 1): lambda: Made(
        {
            "dev.json": as_lines(
                {
                    "id": "m1",
                    "question": "Where?",
                    **{k: v for k, v in OP5.items() if k != "ope"},
                    "cop": 3,
                    "subject_name": "Anatomy",
                    "topic_name": None,
                }
            )
        },
        "m1",
        "mcq",
        ABCD,
        "C",
    ),
    ("med_mcqa", 2): lambda: Made(
        {
            "validation.csv": b"id,question,opa,opb,opc,opd,cop\nm1,Where?,heart,lung,liver,spleen,2\n"
            b"m2,Where?,heart,lung,liver,spleen,0\n",
            "train.csv": b"id,question,opa,opb,opc,opd,cop\nt1,Where?,heart,lung,liver,spleen,4\n",
        },
        "m1",
        "mcq",
        ABCD,
        "C",
        rows=2,
    ),
    ("med_mcqa", 3): lambda: Made(
        {
            "medmcqa_input.jsonl": as_lines(
                {
                    "id": "m1",
                    "question": "Where?\nAnswer Choices: (A) heart (B) lung (C) liver (D) spleen",
                    "label": ["C"],
                    "subject_name": "Anatomy",
                    "topic_name": "t",
                }
            )
        },
        "m1",
        "mcq",
        ABCD,
        "C",
    ),
    ("medqa_usmle", 0): lambda: Made(
        {
            "phrases_no_exclude_test.jsonl": as_lines(
                {"question": "Where?", "answer": "lung", "options": TEXTS, "meta_info": "step1", "answer_idx": "B"}
            )
        },
        "phrases_no_exclude_test.jsonl#1",
        "mcq",
        ABCD,
        "B",
    ),
    ("medqa_usmle", 1): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [{"question": "Where?", "options": TEXTS, "meta_info": "step1", "answer_idx": "B"}]
            )
        },
        "test-00000-of-00001.parquet#1",
        "mcq",
        ABCD,
        "B",
    ),
    ("medqa_usmle", 2): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [{"question": "Where?", "options": PAIRED, "meta_info": "step1", "answer_idx": "B"}]
            )
        },
        "test-00000-of-00001.parquet#1",
        "mcq",
        ABCD,
        "B",
    ),
    ("medqa_usmle", 3): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [{"id": "q", "data": {"Question": "Where?", "Options": TEXTS, "Correct Option": "B"}}]
            )
        },
        "q",
        "mcq",
        ABCD,
        "B",
    ),
    ("medqa_usmle", 4): lambda: Made(
        {
            "data/test-00000-of-00001.parquet": as_parquet(
                [{"id": "q", "sent1": "Where?", "sent2": "", **ENDINGS, "label": 1}]
            )
        },
        "q",
        "mcq",
        ABCD,
        "B",
    ),
    ("medqa_usmle", 5): lambda: Made(
        {
            "medqa_input.jsonl": as_lines(
                {
                    "id": "test-1",
                    "question": "Where (A) is it?\nAnswer Choices: (A) heart (B) lung (C) liver (D) spleen",
                    "label": ["B"],
                }
            )
        },
        "test-1",
        "mcq",
        ABCD,
        "B",
    ),
    ("medbullets_op4", 0): lambda: Made(
        {
            "data/train-00000-of-00001.parquet": as_parquet(
                [{"question": "Where?", "options": TEXTS | {"E": None}, "answer_idx": "A"}]
            )
        },
        "train-00000-of-00001.parquet#1",
        "mcq",
        TIGHT,
        "A",
    ),
    ("medbullets_op4", 1): lambda: Made(
        {"medbullets_op4.json": by_columns({"question": "Where?", **OP5, "answer_idx": "A"})},
        "medbullets_op4.json#1",
        "mcq",
        TIGHT,
        "A",
    ),
    ("medbullets_op5", 0): lambda: Made(
        {"data/train-00000-of-00001.parquet": as_parquet([{"question": "Where?", **OP5, "answer_idx": "E"}])},
        "train-00000-of-00001.parquet#1",
        "mcq",
        (*TIGHT, "E.skin"),
        "E",
    ),
    ("medbullets_op5", 1): lambda: Made(
        {"medbullets_op5.json": by_columns({"question": "Where?", **OP5, "answer_idx": "E"})},
        "medbullets_op5.json#1",
        "mcq",
        (*TIGHT, "E.skin"),
        "E",
    ),
    ("medxpertqa_text", 0): lambda: Made(
        {"Text/test.jsonl": as_lines(medxpert("Text-1", TEXTS, "A"))}, "Text-1", "mcq", ABCD, "A"
    ),
    ("medxpertqa_text", 1): lambda: Made(
        {"medxpertqa_text_input.jsonl": as_lines(medxpert("Text-1", PAIRS, ["A"]))}, "Text-1", "mcq", ABCD, "A"
    ),
    ("supergpqa_med", 0): lambda: Made(
        {
            "SuperGPQA-all.jsonl": as_lines(
                {"uuid": "u0", "discipline": "Law", "question": "?", "options": ["a", "b"], "answer_letter": "A"},
                {
                    "uuid": "u1",
                    "discipline": "Medicine",
                    "field": "Clinical Medicine",
                    "subfield": "Surgery",
                    "difficulty": "hard",
                    "question": "Where?",
                    "options": list(TEXTS.values()),
                    "answer": "lung",
                    "answer_letter": "B",
                },
            )
        },
        "u1",
        "mcq",
        TIGHT,
        "B",
    ),
    ("healthbench", 0): lambda: Made(
        {"2025-05-07-06-14-12_oss_eval.jsonl": as_lines(RUBRIC)}, "p1", "rubric", None, ""
    ),
    ("healthbench_hard", 0): lambda: Made(
        {"hard_2025-05-08-21-00-10.jsonl": as_lines(RUBRIC)}, "p1", "rubric", None, ""
    ),
    ("healthbench_consensus", 0): lambda: Made(
        {"consensus_2025-05-09-20-00-46.jsonl": as_lines(RUBRIC)}, "p1", "rubric", None, ""
    ),
}
