"""A small invented folder for every form of the sources of rows, and what must come of it. No real item stands here."""

# ruff: noqa: E501 - a fixture a few lines

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from lingshu.intake.xml_rows import xml_rows
from tests.benchmarks.public_made import Files, as_csv, as_json, as_lines, as_parquet, as_zip


def picture(seed: int = 0, kind: str = "PNG") -> bytes:
    """An encoded picture of 70 x 66 pixels, another for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (66, 70, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind)
    return buffer.getvalue()


def tgz(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@dataclass(frozen=True)
class Form:
    """Files of a form: splits of the samples in order, target of the first, its pictures, group and choices."""

    files: Files
    splits: tuple[str, ...]
    target: str
    pictures: int = 1
    group: str = ""
    task: str = ""
    kinds: tuple[str, ...] = ()
    licence: str = ""
    choices: tuple[str, ...] = field(default=())
    prompt: str = ""
    refused: int = 0


PNG, OTHER = picture(1), picture(2)
JPG = picture(3, "JPEG")
EMBEDDED_QA = as_parquet(
    [
        {"image": PNG, "question": "Is it large?", "answer": "Yes"},
        {"image": OTHER, "question": "Where?", "answer": "left"},
    ],
    ("image",),
)
TURNS = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A drawn cell."}]
PLAIN_TURNS = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A drawn cell."}]
RAD = {"qid": 1, "image_name": "a.jpg", "image_organ": "CHEST", "question_type": "PRES", "answer_type": "CLOSED "}
SLAKE = {
    "img_name": "xmlab1/source.jpg", "q_lang": "en", "location": "Lung", "modality": "X-Ray", "answer_type": "OPEN",
    "content_type": "Modality", "question": "Which kind?", "answer": "X-Ray",
}  # fmt: skip
CHINESE = {"q_lang": "zh", "qid": 3, "question": "这是什么?", "answer": "肺", "answer_type": "CLOSED"}
V2 = ["index", "Figure_path", "Caption", "Question", "Choice A", "Choice B", "Choice C", "Choice D", "Answer", "split"]
V1 = ["Figure_path", "Question", "Answer", "Choice A", "Choice B", "Choice C", "Choice D", "Answer_label"]
OPTIONS = [" A:heart", " B:lung", " C:liver", " D:spleen"]
SHOWN = ("heart", "lung", "liver", "spleen")
ROCO_LICENCES = as_csv(["ROCO_ID", "PMC_ID", "CC"], ["ROCO_1", "PMC7_a.jpg", "CC BY"], ["ROCO_2", "PMC8_b.jpg", "CC0"])
STUDIES = [["study", "impression", "findings"], ["s501", "Normal.", "Clear\nlungs."], ["s502", "", ""]]
FILMS = [
    ["dicom_id", "study_id", "subject_id", "split"],
    ["d1", "501", "10001", "train"], ["d2", "501", "10001", "train"], ["d3", "502", "10002", "test"],
]  # fmt: skip
MIMIC = {
    "mimic_cxr_sectioned.csv": as_csv(*STUDIES),
    "mimic-cxr-2.0.0-split.csv.gz": gzip.compress(as_csv(*FILMS)),
    "files/p10/p10001/s501/d1.jpg": JPG,
    "files/p10/p10001/s501/d2.jpg": picture(4, "JPEG"),
    "files/p10/p10002/s502/d3.jpg": picture(5, "JPEG"),
}


def open_i(uid: str, findings: str, impression: str, films: tuple[str, ...]) -> bytes:
    """A report as Open-i writes it, invented."""
    images = "".join(f'<parentImage id="{film}"><figureId>F1</figureId></parentImage>' for film in films)
    texts = f'<AbstractText Label="FINDINGS">{findings}</AbstractText>'
    texts += f'<AbstractText Label="IMPRESSION">{impression}</AbstractText>'
    abstract = f"<MedlineCitation><Article><Abstract>{texts}</Abstract></Article></MedlineCitation>"
    made = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<eCitation><uId id="{uid}"/>{abstract}{images}</eCitation>'.encode()
    )
    assert xml_rows(made, "")
    return made


# CXR1 trains, CXR2 is a test report by catalog/splits/iu_xray.csv; CXR9999 is in no split and is left out.
OPEN_I = {
    "ecgen-radiology/1.xml": open_i("CXR1", "Clear.", "Normal.", ("CXR1_1", "CXR1_2")),
    "ecgen-radiology/2.xml": open_i("CXR2", "", "Normal.", ("CXR2_1",)),
    "ecgen-radiology/9999.xml": open_i("CXR9999", "Clear.", "Normal.", ("CXR9999_1",)),
}
FILMS_OF_OPEN_I = {f"{name}.png": picture(n + 10) for n, name in enumerate(("CXR1_1", "CXR1_2", "CXR2_1"))}
NPZ = io.BytesIO()
np.savez(NPZ, slo_fundus=np.full((66, 70), 7, np.float32), note=np.array("invented"))
CHEXPERT = ["path_to_image", "deid_patient_id", "section_findings", "section_impression", "split"]
LXMERT = {"labelf": {"pvqa": [{"yes": 1}, {"yes": 1}, {"a cell": 1}]}, "sentf": {"pvqa": ["Is it?", "Is it?", "What?"]}}
MEDPIX = {
    "Type": "MR", "U_id": "MPX1", "image": "MPX1_s1", "Location": "Spine", "Description": {"Caption": "A drawn spine."},
}  # fmt: skip
MEDICAT = {
    "pdf_hash": "ab", "fig_uri": "1-Figure1-1.png", "s2_caption": "Figure 1. Drawn.", "oa_info": {"oa": {"license": "cc-by"}},
}  # fmt: skip
CXR_VQA = {
    "split": "train", "idx": 1, "subject_id": "10001", "image_path": "p10/p10001/s501/d1.jpg", "question": "Which?",
    "content_type": "anatomy", "answer": ["left lung", "right lung"],
}  # fmt: skip

FORMS: dict[tuple[str, int], Form] = {
    ("vqa_rad", 0): Form(
        {"data/train-00000-of-00001.parquet": EMBEDDED_QA, "data/test-00000-of-00001.parquet": EMBEDDED_QA},
        ("test", "test", "train", "train"), "yes", task="vqa_closed",
    ),
    ("vqa_rad", 1): Form(
        {
            "VQA_RAD Dataset Public.json": as_json([
                RAD | {"phrase_type": "freeform", "question": "Clear?", "answer": "No"},
                RAD | {"qid": "2", "phrase_type": "test_para", "question": "Size?", "answer": "small"},
            ]),
            "VQA_RAD Image Folder/a.jpg": JPG,
        },
        ("train", "test"), "no", task="vqa_closed",
    ),
    ("vqa_rad", 2): Form(
        {
            "trainset.json": as_json([RAD | {"question": "Clear?", "answer": "No"}]),
            "testset.json": as_json([RAD | {"qid": 2, "question": "Size?", "answer": "small"}]),
            "images/a.jpg": JPG,
        },
        ("test", "train"), "small", task="vqa_closed",
    ),
    ("slake", 0): Form(
        {
            "train.json": as_json([SLAKE | {"qid": 1}]),
            "validate.json": as_json([SLAKE | {"qid": 2}]),
            "test.json": as_json([SLAKE | CHINESE]),
            "imgs.zip": as_zip({"imgs/xmlab1/source.jpg": JPG}),
        },
        ("test", "train", "validation"), "肺", group="slake/picture/xmlab1", kinds=("x-ray",), task="vqa_closed",
    ),
    ("slake", 1): Form({"data/test-00000-of-00001.parquet": EMBEDDED_QA}, ("test", "test"), "yes", task="vqa_closed"),
    ("path_vqa", 0): Form(
        {"data/train-00000-of-00001.parquet": EMBEDDED_QA}, ("train", "train"), "yes", kinds=("histopathology",),
    ),
    ("path_vqa", 1): Form(
        {
            "pvqa/qas/train/train_qa.pkl": pickle.dumps([{"image": "train_0", "question": "Is it?", "answer": "yes"}]),
            "pvqa/qas/val/val_qa.pkl": pickle.dumps([{"image": "val_0", "question": "What?", "answer": "a cell"}]),
            "pvqa/images/train/train_0.jpg": JPG, "pvqa/images/val/val_0.jpg": picture(6, "JPEG"),
        },
        ("train", "validation"), "yes", group="path_vqa/picture/train_0",
    ),
    ("path_vqa", 2): Form(
        {"pvqa_test.json": as_json([{"img_id": "test_0"} | LXMERT]), "images/test/test_0.jpg": JPG},
        ("test", "test"), "yes", group="path_vqa/picture/test_0", refused=1,
    ),
    ("pmc_vqa", 0): Form(
        {
            "train_2.csv": as_csv(V2, ["0", "PMC1_F1.jpg", "c", "Which?", *OPTIONS, "B", "train"]),
            "test_2.csv": as_csv(V2, ["0", "PMC2_F1.jpg", "c", "Which?", *OPTIONS, "A", "test"]),
            "images_2.zip": as_zip({"figures/PMC1_F1.jpg": JPG, "figures/PMC2_F1.jpg": picture(7, "JPEG")}),
        },
        ("test", "train"), "A", group="pmc_vqa/article/PMC2", choices=SHOWN, task="mcq",
    ),
    ("pmc_vqa", 1): Form(
        {
            "train.csv": as_csv(V1, ["PMC1_F1.jpg", "Which?", "lung", *OPTIONS, "B"]),
            "test_clean.csv": as_csv(V1, ["PMC1_F1.jpg", "Which?", "heart", *OPTIONS, "A"]),
            "images/PMC1_F1.jpg": JPG,
        },
        ("test", "train"), "A", group="pmc_vqa/article/PMC1", choices=SHOWN, task="mcq",
    ),
    ("vqa_med_2019", 0): Form(
        {
            "All_QA_Pairs_train.txt": b'synpic1|is it a "scan"?|yes\nsynpic1|what kind?|ct with iv contrast\n',
            "All_QA_Pairs_val.txt": b"synpic2|which plane?|axial\n",
            "Train_images/synpic1.jpg": JPG, "Val_images/synpic2.jpg": picture(8, "JPEG"),
        },
        ("train", "train", "validation"), "yes", prompt='is it a "scan"?', group="vqa_med_2019/picture/synpic1",
    ),
    ("vqa_med_2019", 1): Form(
        {
            "T.zip": as_zip({"T/All_QA_Pairs_train.txt": b"s1|which plane?|axial\n", "T/Train_images/s1.jpg": JPG}),
        },
        ("train",), "axial",
    ),
    ("vqa_med_2019", 2): Form(
        {
            "VQAMed2019_Test_Questions_w_Ref_Answers.txt": b"s1|plane|which plane?|axial#lateral\n",
            "Images.zip": as_zip({"VQAMed2019_Test_Images/s1.jpg": JPG}),
        },
        ("test",), "axial", task="vqa_open",
    ),
    ("kvasir_vqa", 0): Form(
        {"data/00000.parquet": as_parquet(
            [{"image": PNG, "source": "s", "question": "Any polyp?", "answer": "no", "img_id": "i1"}], ("image",),
        )},
        ("train",), "no", group="kvasir_vqa/picture/i1",
    ),
    ("kvasir_vqa", 1): Form(
        {"metadata.csv": as_csv(["file_name", "question", "answer", "img_id"], ["i/1.jpg", "Any?", "no", "i1"]),
         "i/1.jpg": JPG},
        ("train",), "no",
    ),
    ("roco", 0): Form(
        {
            "data/train/radiology/captions.txt": b'ROCO_1\t A "drawn" film.\n',
            "data/test/radiology/captions.txt": b"ROCO_2\t Another.\n",
            "data/train/radiology/licences.txt": ROCO_LICENCES, "data/test/radiology/licences.txt": ROCO_LICENCES,
            "data/train/radiology/images/ROCO_1.jpg": JPG, "data/test/radiology/images/ROCO_2.jpg": picture(9, "JPEG"),
        },
        ("test", "train"), "Another.", group="roco/article/PMC8", licence="CC0",
    ),
    ("roco", 1): Form(
        {
            "all_data/train/radiology/traindata.csv": as_csv(["id", "name", "caption"], ["R1", "R1.jpg", "Drawn,\n one."]),
            "all_data/train/radiology/images/R1.jpg": JPG,
        },
        ("train",), "Drawn,\n one.",
    ),
    ("roco", 2): Form(
        {
            "train.jsonl": as_lines({"id": "R1", "image": "R1.jpg", "conversations": TURNS}),
            "validation.jsonl": as_lines({"id": "R2", "image": "R1.jpg", "conversations": TURNS}), "images/R1.jpg": JPG,
        },
        ("train", "validation"), "A drawn cell.", task="caption",
    ),
    ("roco", 3): Form(
        {"data/validation-00000-of-00001.parquet": as_parquet(
            [{"image": PNG, "image_id": "R1", "caption": "Drawn."}], ("image",))},
        ("validation",), "Drawn.",
    ),
    ("rocov2", 0): Form(
        {"data/test-00000-of-00001.parquet": as_parquet(
            [{"image": PNG, "image_id": "R1", "caption": "Drawn.", "cui": ["C1"]}], ("image",))},
        ("test",), "Drawn.",
    ),
    ("rocov2", 1): Form(
        {"train_captions.csv": as_csv(["ID", "Caption"], ["ROCOv2_2023_train_000001", "Drawn, too."]),
         "train_images.zip": as_zip({"train/ROCOv2_2023_train_000001.jpg": JPG})},
        ("train",), "Drawn, too.",
    ),
    ("pmc_oa", 0): Form(
        {"pmc_oa.jsonl": as_lines({"image": "PMC21_Fig3_4.jpg", "caption": "Drawn."}),
         "images.zip": as_zip({"x/PMC21_Fig3_4.jpg": JPG})},
        ("train",), "Drawn.", group="pmc_oa/article/PMC21",
    ),
    ("pmc_oa", 1): Form(
        {"valid.jsonl": as_lines({"image": "PMC21_Fig3_4.jpg", "caption": "Drawn.", "pmcid": "PMC21"}),
         "images/PMC21_Fig3_4.jpg": JPG},
        ("validation",), "Drawn.",
    ),
    ("iu_xray", 0): Form(
        {"NLMCXR_reports.tgz": tgz(OPEN_I), "NLMCXR_png.tgz": tgz(FILMS_OF_OPEN_I)},
        ("train", "test"), "Findings: Clear. Impression: Normal.", pictures=2, group="iu_xray/study/CXR1", task="report",
    ),
    ("iu_xray", 1): Form(
        OPEN_I | {f"NLMCXR_png/{name}": data for name, data in FILMS_OF_OPEN_I.items()},
        ("train", "test"), "Findings: Clear. Impression: Normal.", pictures=2,
    ),
    ("iu_xray", 2): Form(
        {"annotation.json": as_json({
            "train": [{"id": "CXR1_IM", "report": "Clear.", "image_path": ["CXR1_IM/0.png", "CXR1_IM/1.png"]}],
            "val": [], "test": [{"id": "CXR2_IM", "report": "Clear.", "image_path": ["CXR1_IM/0.png"]}]}),
         "images/CXR1_IM/0.png": PNG, "images/CXR1_IM/1.png": OTHER},
        ("train", "test"), "Findings: Clear.", pictures=2,
    ),
    ("iu_xray_reports", 0): Form(
        {"torchxrayvision/torchxrayvision/data/NLMCXR_reports.tgz": tgz(OPEN_I)},
        ("train",), "Normal.", pictures=0, prompt="Write the impression of these radiology findings.\nClear.", refused=1,
    ),
    ("llava_med_alignment", 0): Form(
        {"llava_med_alignment_500k.json": as_json(
            [{"id": "17_F1", "image": "17_F1.jpg", "domain": {"ct_scan": True, "mri": False}, "conversatons": TURNS}]),
         "images/17_F1.jpg": JPG},
        ("train",), "A drawn cell.", task="caption", kinds=("ct",), group="llava_med_alignment/article/17",
    ),
    ("llava_med_instruct", 0): Form(
        {"data/instruct/llava_med_instruct_60k_inline_mention.json": as_json(
            [{"id": "17_F1", "image": "17_F1.jpg", "conversatons": TURNS}]), "images/17_F1.jpg": JPG},
        ("train",), "A drawn cell.", task="dialogue",
    ),
    ("llava_med_instruct", 1): Form(
        {"llava_med_instruct_10k.json": as_json([{"id": "17_F1", "image": "17_F1.jpg", "conversations": TURNS}]),
         "images/17_F1.jpg": JPG},
        ("train",), "A drawn cell.",
    ),
    ("pubmedvision", 0): Form(
        {
            "PubMedVision_Alignment_VQA.json": as_json([{
                "id": "Alignment_VQA_0", "image": ["images/pmc_1_0.jpg", "images/pmc_1_1.jpg"], "modality": "Mammography",
                "body_part": "Breast", "conversations": PLAIN_TURNS,
            }]),
            "PubMedVision_InstructionTuning_VQA.json": as_json([{
                "id": "Instruction_VQA_0", "image": ["images/pmc_1_0.jpg"], "conversations": PLAIN_TURNS,
            }]),
            "images_0.zip": as_zip({"a/b/pmc_1_0.jpg": JPG}), "images_1.zip": as_zip({"pmc_1_1.jpg": picture(14, "JPEG")}),
        },
        ("train", "train"), "A drawn cell.", pictures=2, kinds=("mammography",),
    ),
    ("quilt_llava_pretrain", 0): Form(
        {"quilt_pretrain.json": as_json([{"id": 1, "image": "a/1.jpg", "conversations": TURNS}]), "quilt_1m/1.jpg": JPG},
        ("train",), "A drawn cell.", task="caption",
    ),
    ("quilt_llava_instruct", 0): Form(
        {"quilt_instruct_107k.json": as_json([{"id": 1, "image": "1.jpg", "conversations": TURNS}]),
         "quilt_instruct.zip": as_zip({"quilt_instruct/1.jpg": JPG})},
        ("train",), "A drawn cell.",
    ),
    ("medicat", 0): Form(
        {"sample.jsonl": as_lines(MEDICAT), "figures/ab_1-Figure1-1.png": PNG},
        ("train",), "Figure 1. Drawn.", group="medicat/article/ab", licence="cc-by",
    ),
    ("medicat", 1): Form(
        {"medicat_release.tar.gz": tgz(
            {"release/s2_full_figures_x.jsonl": as_lines(MEDICAT), "release/figures/ab_1-Figure1-1.png": PNG})},
        ("train",), "Figure 1. Drawn.", licence="cc-by",
    ),
    ("medpix2", 0): Form(
        {"splitted_dataset/descriptions_dev.jsonl": as_lines(MEDPIX), "images/MPX1_s1.png": PNG},
        ("validation",), "A drawn spine.", group="medpix2/patient/MPX1", kinds=("mri",),
    ),
    ("fairvlmed", 0): Form(
        {"data_summary.csv": as_csv(["filename", "use", "note", "gpt4_summary"], ["data_1.npz", "validation", "x", "Drawn."]),
         "Validation/data_1.npz": NPZ.getvalue()},
        ("validation",), "Drawn.", group="fairvlmed/patient/data_1.npz", kinds=("fundus photograph",),
    ),
    ("mimic_cxr_findings", 0): Form(
        MIMIC, ("train",), "Clear\nlungs.", pictures=2, group="mimic_cxr_findings/patient/10001", task="caption", refused=1,
    ),
    ("mimic_cxr_reports", 0): Form(
        MIMIC, ("train",), "Findings: Clear\nlungs. Impression: Normal.", pictures=2, task="report", refused=1,
    ),
    ("mimic_cxr_vqa", 0): Form(
        {"dataset/train.json": as_json([CXR_VQA, CXR_VQA | {"idx": 2, "answer": []}]),
         "dataset/valid.json": as_json([CXR_VQA | {"split": "valid", "answer": ["yes"]}]),
         "files/p10/p10001/s501/d1.jpg": JPG},
        ("train", "validation"), "left lung, right lung", group="mimic_cxr_vqa/patient/10001", refused=1,
    ),
    ("chexpert_plus", 0): Form(
        {"df_chexpert_plus_240401.csv": as_csv(
            CHEXPERT, ["train/p1/s1/v1.jpg", "p1", "", "No change.", "train"], ["valid/p2/s1/v1.jpg", "p2", "Clear.", "", "valid"]),
         "PNG/train/p1/s1/v1.png": PNG, "PNG/valid/p2/s1/v1.png": OTHER},
        ("train", "test"), "Impression: No change.", group="chexpert_plus/patient/p1", task="report", kinds=("x-ray",),
    ),
}  # fmt: skip
