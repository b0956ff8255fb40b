"""Invented files in every on-disk form of the multimodal and report benchmarks, and the first question of each.

A form is named by its benchmark and its place in the record.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.public_made import (
    ABCD,
    EMBEDDED,
    MMMU_PICTURES,
    OMNI,
    PAIRS,
    PICTURE,
    RAD_FILES,
    REFERENCE,
    REPORT,
    TEXTS,
    Made,
    as_csv,
    as_json,
    as_lines,
    as_parquet,
    as_zip,
    medxpert,
    mmmu,
    vqa_parquet,
)

MULTIMODAL: dict[tuple[str, int], Callable[[], Made]] = {
    ("vqa_rad", 0): lambda: Made(
        {"data/test-00000-of-00001.parquet": vqa_parquet([("Is it normal?", "Yes"), ("Where?", "left")])},
        "test-00000-of-00001.parquet#1",
        "yesno",
        None,
        "Yes",
        1,
        EMBEDDED,
        2,
    ),
    ("vqa_rad", 1): lambda: Made(
        {
            "VQA_RAD Dataset Public.json": as_json(
                [
                    {"qid": 1, "phrase_type": "freeform", "image_name": "a.jpg", "question": "Train?", "answer": "no"},
                    {
                        "qid": 2,
                        "phrase_type": "test_para",
                        "image_name": "a.jpg",
                        "question": "Size in cm?",
                        "answer": 3,
                        "question_type": "SIZE",
                        "image_organ": "CHEST",
                    },
                ]
            ),
            "VQA_RAD Image Folder/a.jpg": PICTURE,
        },
        "2",
        "open",
        None,
        "3",
        1,
        "VQA_RAD Image Folder/a.jpg",
    ),
    ("vqa_rad", 2): lambda: Made(
        {
            "testset.json": as_json([{"qid": "2", "image_name": "a.jpg", "question": "Size in cm?", "answer": 3}]),
            "VQA_RAD Image Folder.zip": as_zip({"VQA_RAD Image Folder/a.jpg": PICTURE}),
        },
        "2",
        "open",
        None,
        "3",
        1,
        "VQA_RAD Image Folder/a.jpg",
    ),
    ("slake", 0): lambda: Made(
        {
            "test.json": as_json(
                [
                    {
                        "qid": 5,
                        "img_name": "xmlab1/source.jpg",
                        "question": "图中有肺吗?",
                        "answer": "有",
                        "q_lang": "zh",
                        "answer_type": "CLOSED",
                        "modality": "CT",
                        "content_type": "Organ",
                        "location": "Lung",
                        "base_type": "vqa",
                    }
                ]
            ),
            "imgs.zip": as_zip({"imgs/xmlab1/source.jpg": PICTURE, "imgs/xmlab1/mask.png": b"-"}),
        },
        "5",
        "yesno",
        None,
        "有",
        1,
        "imgs/xmlab1/source.jpg",
    ),
    ("path_vqa", 0): lambda: Made(
        {"data/test-00000-of-00001.parquet": vqa_parquet([("What is it?", "cells")])},
        "test-00000-of-00001.parquet#1",
        "open",
        None,
        "cells",
        1,
        EMBEDDED,
    ),
    ("path_vqa", 1): lambda: Made(
        {
            "pvqa_test.json": as_json(
                [
                    {
                        "img_id": "t1",
                        "sentf": {"pvqa": ["Where?", "Is it?", "Is it?"]},
                        "labelf": {"pvqa": [{"skin": 1}, {"no": 1}, {"no": 1}]},
                    }
                ]
            ),
            "images/t1.jpg": PICTURE,
        },
        "pvqa_test.json#1.1",
        "open",
        None,
        "skin",
        1,
        "t1",
        2,
    ),
    ("pmc_vqa", 0): lambda: Made(
        {
            "test_2.csv": as_csv(
                [
                    "index",
                    "Figure_path",
                    "Caption",
                    "Question",
                    "Choice A",
                    "Choice B",
                    "Choice C",
                    "Choice D",
                    "Answer",
                    "split",
                ],
                ["9", "PMC1_F1.jpg", "c", "What?", "A:heart", "B:lung", "liver", " D:spleen", "B", "test"],
            ),
            "images_2.zip": as_zip({"figures/PMC1_F1.jpg": PICTURE}),
        },
        "9",
        "mcq",
        ("A:heart", "B:lung", "C:liver", " D:spleen"),
        "B",
        1,
        "figures/PMC1_F1.jpg",
    ),
    ("pmc_vqa_clean", 0): lambda: Made(
        {
            "test_clean.csv": as_csv(
                ["Figure_path", "Question", "Answer", "Choice A", "Choice B", "Choice C", "Choice D", "Answer_label"],
                ["PMC1_F1.jpg", "What?", "lung", " A: heart", " B: lung", " C: liver", " D: spleen", "B"],
            ),
            "images/PMC1_F1.jpg": PICTURE,
        },
        "test_clean.csv#1",
        "mcq",
        (" A: heart", " B: lung", " C: liver", " D: spleen"),
        "B",
        1,
        "images/PMC1_F1.jpg",
    ),
    ("omnimed_vqa", 0): lambda: Made(
        {"QA_information/Open-access/Drawn.json": as_json([OMNI]), "Images/Drawn/a.png": PICTURE},
        "Drawn_0000/Drawn",
        "mcq",
        ("A. CT", "B. MR"),
        "B",
        1,
        "Images/Drawn/a.png",
    ),
    ("omnimed_vqa", 1): lambda: Made(
        {
            "OmniMedVQA.zip": as_zip(
                {
                    "OmniMedVQA/QA_information/Open-access/Drawn.json": as_json([OMNI]),
                    "OmniMedVQA/QA_information/Restricted-access/Other.json": as_json([OMNI]),
                    "OmniMedVQA/Images/Drawn/a.png": PICTURE,
                }
            )
        },
        "Drawn_0000/Drawn",
        "mcq",
        ("A. CT", "B. MR"),
        "B",
        1,
        "OmniMedVQA/Images/Drawn/a.png",
    ),
    ("mmmu_med_val", 0): lambda: Made(
        {
            "Pharmacy/validation-00000-of-00001.parquet": as_parquet([mmmu("B")], MMMU_PICTURES),
            "Art/validation-00000-of-00001.parquet": as_parquet([mmmu("B")], MMMU_PICTURES),
        },
        "test_Pharmacy_1",
        "mmmu",
        ("(A) heart", "(B) lung"),
        "B",
        2,
        EMBEDDED,
    ),
    ("mmmu_med_test", 0): lambda: Made(
        {
            "Pharmacy/test-00000-of-00001.parquet": as_parquet([mmmu("?")], MMMU_PICTURES),
            "answer.json": as_json(
                {
                    "test_Pharmacy_1": {"question_type": "multiple-choice", "ground_truth": "A"},
                    "test_Art_1": {"ground_truth": "C"},
                }
            ),
        },
        "test_Pharmacy_1",
        "mmmu",
        ("(A) heart", "(B) lung"),
        "A",
        2,
        EMBEDDED,
    ),
    ("medxpertqa_mm", 0): lambda: Made(
        {
            "MM/test.jsonl": as_lines(medxpert("MM-1", TEXTS, "C", images=["MM-1-a.jpeg", "MM-1-b.jpeg"])),
            "images.zip": as_zip({"images/MM-1-a.jpeg": PICTURE, "images/MM-1-b.jpeg": PICTURE}),
        },
        "MM-1",
        "mcq",
        ABCD,
        "C",
        2,
        "MM-1",
    ),
    ("medxpertqa_mm", 1): lambda: Made(
        {
            "medxpertqa_mm_input.jsonl": as_lines(
                medxpert("MM-1", PAIRS, ["C"], images=[{"image_path": "MM-1-a.jpeg"}])
            ),
            "images/MM-1-a.jpeg": PICTURE,
        },
        "MM-1",
        "mcq",
        ABCD,
        "C",
        1,
        "MM-1",
    ),
    ("medframe_qa", 0): lambda: Made(
        {
            "data/test-00000-of-00002.parquet": as_parquet(
                [
                    {
                        "question": "Which?",
                        "options": ["heart", "lung"],
                        "correct_answer": "B",
                        "system": "s",
                        "organ": "o",
                        "modality": "CT",
                    }
                    | {f"image_{n}": PICTURE if n < 4 else None for n in range(1, 6)}
                ],
                tuple(f"image_{n}" for n in range(1, 6)),
            )
        },
        "test-00000-of-00002.parquet#1",
        "mcq",
        ("A.heart", "B.lung"),
        "B",
        3,
        EMBEDDED,
    ),
    ("rad_restruct", 0): lambda: Made(RAD_FILES, "7.json#1.1", "yesno", None, "yes", 1, "7", 4),
    ("mimic_cxr", 0): lambda: Made(
        {
            "test.json": as_json([REPORT | {"image": ["p1/a.png", "p1/b.png"]}]),
            "images/p1/a.png": PICTURE,
            "images/p1/b.png": PICTURE,
        },
        "test.json#1",
        "report",
        None,
        REFERENCE,
        2,
    ),
    ("iu_xray", 0): lambda: Made(
        {"test.json": as_json([REPORT | {"id": "o1", "image": ["a.png"]}]), "images/a.png": PICTURE},
        "o1",
        "report",
        None,
        REFERENCE,
        1,
    ),
    ("chexpert_plus", 0): lambda: Made(
        {"test.json": as_json([REPORT | {"image": "patient1/a.png"}]), "images/patient1/a.png": PICTURE},
        "test.json#1",
        "report",
        None,
        REFERENCE,
        1,
    ),
}
