"""Invented files in the shape of upstream's: for each form of a text or general source, a folder and what it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sources.invented_exams import (
    PAIRS,
    PQAL,
    healthbench,
    medmcqa_csv,
    medmcqa_hub,
    medmcqa_lines,
    medxpert,
    mmlu_all,
    mmlu_csv,
    mmlu_hub,
    pubmed_hub,
    pubmed_ids,
    pubmed_labelled,
    with_picture,
)
from tests.sources.invented_files import lines, parquet, picture, put

OPTIONS = {"A": "the liver", "B": "the spleen", "C": "the heart", "D": "the lung"}
TURNS = [{"from": "human", "value": "What pumps blood?"}, {"from": "gpt", "value": "The heart."}]


@dataclass(frozen=True)
class Made:
    """A form of a source as it was made: rows that are kept, the first user turn's text and the last reply's."""

    source: str
    form: str
    make: Callable[[Path], None]
    rows: int
    asked: str
    replied: str
    task: str
    pictures: int = 0
    rationale: str = ""
    refused: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()


def mcq(text: str, n: int) -> list[dict[str, Any]]:
    return [{"question": f"{text} {i}?", "options": OPTIONS, "answer_idx": "C", "meta_info": "step1"} for i in range(n)]


def medqa(folder: Path) -> None:
    put(folder / "phrases_no_exclude_train.jsonl", lines(mcq("Which organ pumps blood", 3)))


def medqa_release(pattern: str, extra: dict[str, str] | None = None) -> Callable[[Path], None]:
    """A row in each of the three files; the question bank beside them is not read."""

    def made(folder: Path) -> None:
        for split, row in zip(("train", "dev", "test"), mcq("Which organ pumps blood", 3), strict=True):
            more = {"options": OPTIONS | (extra or {}), "answer": "the heart", "metamap_phrases": ["organ"]}
            put(folder / pattern.format(split), lines([row | more]))
        put(folder / "data_clean/questions/US/US_qbank.jsonl", lines(mcq("Which organ pumps blood", 3)))

    return made


def medqa_hub(folder: Path) -> None:
    pairs = [{"key": key, "value": value} for key, value in OPTIONS.items()]
    for name in ("train", "validation", "test"):
        rows = [row | {"options": pairs} for row in mcq(f"Which organ pumps blood {name}", 1)]
        parquet(folder / f"med_qa_en_source/{name}-00000-of-00001.parquet", rows)


def medqa_letters(folder: Path) -> None:
    for name in ("train", "test"):
        parquet(folder / f"{name}.parquet", mcq(f"Which organ pumps blood {name}", 1))


def medqa_nested(folder: Path) -> None:
    for name in ("train", "dev", "test"):
        data = {"Question": f"Which organ pumps blood {name}?", "Options": OPTIONS, "Correct Option": "C"}
        row = {"id": name, "data": data | {"Correct Answer": "the heart"}, "subject_name": None}
        parquet(folder / f"data/{name}-00000-of-00001.parquet", [row])


def medqa_endings(folder: Path) -> None:
    endings = {f"ending{n}": text for n, text in enumerate(OPTIONS.values())}
    for name in ("train", "validation", "test"):
        row = {"id": name, "sent1": f"Which organ pumps blood {name}?", "sent2": "", **endings, "label": 2}
        parquet(folder / f"data/{name}-00000-of-00001.parquet", [row])


def in_question(name: str) -> Callable[[Path], None]:
    asked = "Which organ pumps blood?\nAnswer Choices: (A) the liver (B) the spleen (C) the heart (D) the lung"
    row = {"id": "q1", "question": asked, "label": ["C"], "subject_name": "Physiology"}
    return lambda folder: put(folder / name, lines([row]))


MEDQUAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000007" source="X" url="http://example.org/hearts">
<Focus>Hearts</Focus>
<QAPairs>
	<QAPair pid="1"><Question qid="0000007-1" qtype="information">What are hearts ?</Question>
			<Answer>A heart is
                    a pump.    - It beats.</Answer></QAPair>
	<QAPair pid="2"><Question qid="0000007-2" qtype="causes">What makes hearts beat ?</Question><Answer/></QAPair>
</QAPairs>
</Document>
"""


def medquad(folder: Path) -> None:
    put(folder / "1_X_QA/0000007.xml", MEDQUAD)
    put(folder / "2_Y_QA/0000007.xml", MEDQUAD)
    put(folder / "2_Y_QA/0000007_1.xml", MEDQUAD)  # another page of the article, with the same ids


def medquad_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "MedQuAD.zip", "w") as archive:
        archive.writestr("MedQuAD-577bd37b/1_X_QA/0000007.xml", MEDQUAD)


def medquad_hub(folder: Path) -> None:
    row = {"document_url": "http://example.org/hearts", "question_id": "0000007-1", "question_type": "information"}
    rows = [row | {"question": "What are hearts ?", "answer": a} for a in ("A heart is a pump.", None)]
    parquet(folder / "data/train-00000-of-00001.parquet", rows)


def medquad_csv(folder: Path) -> None:
    rows = 'question,answer,source,focus_area\nWhat are hearts ?,"A heart,\nin short, is a pump.",X,Hearts\nWhy ?,,X,\n'
    put(folder / "medquad.csv", rows)


def apollo(folder: Path) -> None:
    put(folder / "train/sft/medicalExam_zh_clean.json", [["心脏做什么?", "泵血。"]])
    put(
        folder / "train/sft/medicalPatient_fr.json",
        [["Que fait le coeur ?", "Il pompe.", "Et le foie ?", "Il filtre."]],
    )


ALPACA = [
    {"instruction": "Answer the question.", "input": "What pumps blood?", "output": "The heart.", "source": "a"},
    {"instruction": "Name an organ.", "input": "", "output": "The liver.", "source": "b"},
]


def medthoughts(folder: Path) -> None:
    row = mcq("Which organ pumps blood", 1)[0] | {"question_id": 1, "ds_think": "Blood is pumped.", "ds_answer": "C."}
    put(folder / "MedThoughts-8K.jsonl", lines([row]))


def medreason(folder: Path) -> None:
    row = {
        "dataset_name": "medqa", "id_in_dataset": 7, "question": "What pumps blood?", "answer": "The heart. It beats.",
        "reasoning": "Blood is pumped by a pump.", "options": "Answer Choices:\nA. the liver\nB. the heart",
    }  # fmt: skip
    put(folder / "ours_quality_33000.jsonl", lines([row]))


def o1(folder: Path) -> None:
    row = {"Question": "What pumps blood?", "Complex_CoT": "Let me think.", "Response": "The heart."}
    put(folder / "medical_o1_sft.json", [row])
    put(
        folder / "medical_o1_sft_Chinese.json",
        [{"Question": "什么泵血?", "Complex_CoT": "想一想。", "Response": "心脏。"}],
    )


def verifiable(folder: Path) -> None:
    row = {"Open-ended Verifiable Question": "What pumps blood?", "Ground-True Answer": "The heart"}
    put(folder / "medical_o1_verifiable_problem.json", [row])


def r1(folder: Path) -> None:
    row = {
        "question": "What pumps blood?", "reasoning (reasoning_content)": "A pump.", "response (content)": "The heart.",
    }  # fmt: skip
    put(folder / "medical_r1_distill_sft.json", [row])


MAGIC = {
    "instruction": "If you are a doctor, please answer the medical questions based on the patient's description.",
    "input": "My knee hurts.", "output": "Rest it.",
}  # fmt: skip
ICLINIQ = {"input": "My knee hurts.", "answer_icliniq": "Rest it.", "answer_chatgpt": "a", "answer_chatdoctor": "b"}


def huatuo(folder: Path) -> None:
    turns = [{"from": "human", "value": "膝盖疼。"}, {"from": "gpt", "value": "请休息。"}]
    put(folder / "HuatuoGPT2-GPT4-SFT-140K.json", [{"id": 1, "conversations": turns}])


LLAVA = [{"from": "human", "value": "<image>\nWhat pumps blood?"}, {"from": "gpt", "value": "The heart."}]


def llava_pretrain(folder: Path) -> None:
    put(folder / "blip_laion_cc_sbu_558k.json", [{"id": "1", "image": "00453/1.jpg", "conversations": LLAVA}])
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        archive.writestr("00453/1.jpg", picture(kind="JPEG"))


def llava_mix(folder: Path) -> None:
    rows = [{"id": "a", "image": "coco/train2017/1.jpg", "conversations": LLAVA}, {"id": "b", "conversations": TURNS}]
    put(folder / "llava_v1_5_mix665k.json", rows)
    put(folder / "coco/train2017/1.jpg", picture(kind="JPEG"))


def pixmo(folder: Path) -> None:
    row = {
        "image": {"bytes": picture(), "path": None}, "image_url": "http://x/1", "caption": "A red square.",
        "transcripts": ["so"],
    }  # fmt: skip
    parquet(folder / "data/train-00000-of-00002.parquet", [row])


def allava(folder: Path) -> None:
    for part, name in (("laion", "LAION"), ("vflan", "VFLAN")):
        row = {"id": "1", "image": f"allava_{part}/images/1.jpeg", "conversations": LLAVA}
        put(folder / f"allava_{part}/ALLaVA-Instruct-{name}-4V.json", [row])
        put(folder / f"allava_{part}/images/1.jpeg", picture(kind="JPEG", shade=40 if part == "laion" else 50))


def hermes(folder: Path) -> None:
    put(
        folder / "openhermes2_5.json",
        [{"conversations": [{"from": "system", "value": "Be kind."}, *TURNS], "source": "x"}],
    )


Q, H = "What pumps blood?", "The heart."
EMPTY = ("NO_TEXT",)
ALL = ("test", "train", "validation")
MADE: tuple[Made, ...] = (
    Made("medqa", "hub (JSON lines), training split", medqa, 3, "Which organ pumps blood 0?", "C", "mcq"),
    Made("medqa", "authors' archive, United States, four options, all three splits",
         medqa_release("questions/US/4_options/phrases_no_exclude_{}.jsonl"), 3, "Which organ pumps blood 0?",
         "C", "mcq", splits=ALL),
    Made("medqa", "authors' archive, United States, five options, all three splits",
         medqa_release("questions/US/{}.jsonl", {"E": "the skin"}), 3, "Which organ pumps blood 0?", "C", "mcq",
         splits=ALL),
    Made("medqa", "authors' archive, mainland of China, all three splits", medqa_release("Mainland/{}.jsonl"), 3,
         "Which organ pumps blood 0?", "C", "mcq", splits=ALL),
    Made("medqa", "authors' archive, Taiwan, all three splits", medqa_release("Taiwan/{}.jsonl"), 3,
         "Which organ pumps blood 0?", "C", "mcq", splits=ALL),
    Made("medqa", "hub (Parquet; bigbio/med_qa and others), options as a list of key and value", medqa_hub, 3,
         "Which organ pumps blood train 0?", "C", "mcq", splits=ALL),
    Made("medqa", "hub (Parquet; GBaker/MedQA-USMLE-4-options as the hub converts it), options by letter",
         medqa_letters, 2, "Which organ pumps blood train 0?", "C", "mcq", splits=("test", "train")),
    Made("medqa", "hub (Parquet; openlifescienceai/medqa), nested", medqa_nested, 3, "Which organ pumps blood train?",
         "C", "mcq", splits=ALL),
    Made("medqa", "hub (Parquet; MedQA-USMLE-4-options-hf of two owners), endings", medqa_endings, 3,
         "Which organ pumps blood train?", "C", "mcq", splits=ALL),
    Made("medqa", "test split in the evaluation repository of MedXpertQA", in_question("medqa_input.jsonl"), 1,
         "Which organ pumps blood?", "C", "mcq"),
    Made("medquad", "authors' XML files, a folder for each collection", medquad, 3, "What are hearts ?",
         "A heart is\na pump. - It beats.", "text_qa", refused=EMPTY * 3),
    Made("medquad", "authors' repository as an archive", medquad_zip, 1, "What are hearts ?",
         "A heart is\na pump. - It beats.", "text_qa", refused=EMPTY),
    Made("medquad", "a copy on the hub (Parquet, lavita/MedQuAD)", medquad_hub, 1, "What are hearts ?",
         "A heart is a pump.", "text_qa", refused=("MISSING_FIELD",)),
    Made("medquad", "medquad.csv of Kaggle; rows whose answer the authors took out are not in it", medquad_csv, 1,
         "What are hearts ?", "A heart,\nin short, is a pump.", "text_qa", refused=EMPTY),
    Made("apollo_corpus", "hub (JSON, lists of texts)", apollo, 2, "心脏做什么?", "泵血。", "dialogue"),
    Made("pmc_llama_instructions", "hub (JSON)", lambda f: put(f / "x.json", ALPACA), 2,
         f"Answer the question.\n\n{Q}", H, "text_qa"),
    Made("pmc_llama_instructions", "hub (Parquet)", lambda f: parquet(f / "data/t.parquet", ALPACA), 2,
         f"Answer the question.\n\n{Q}", H, "text_qa"),
    Made("medthoughts_8k", "hub (JSON lines)", medthoughts, 1, "Which organ pumps blood 0?",
         "<think>Blood is pumped.</think><answer>C</answer>", "reasoning", rationale="Blood is pumped."),
    Made("medreason", "hub (JSON lines)", medreason, 1, f"{Q}\n\nAnswer Choices:\nA. the liver\nB. the heart",
         "<think>Blood is pumped by a pump.</think><answer>The heart. It beats.</answer>", "reasoning",
         rationale="Blood is pumped by a pump."),
    Made("medical_o1_reasoning", "hub (JSON, a file for each language)", o1, 2, Q,
         f"<think>Let me think.</think><answer>{H}</answer>", "reasoning", rationale="Let me think."),
    Made("medical_o1_verifiable", "hub (JSON)", verifiable, 1, Q, "The heart", "text_qa"),
    Made("medical_r1_distill", "hub (JSON)", r1, 1, Q, f"<think>A pump.</think><answer>{H}</answer>", "reasoning",
         rationale="A pump."),
    Made("healthcaremagic_100k", "hub (Parquet)", lambda f: parquet(f / "data/train-0.parquet", [MAGIC]), 1,
         "My knee hurts.", "Rest it.", "dialogue"),
    Made("healthcaremagic_100k", "authors' JSON", lambda f: put(f / "HealthCareMagic-100k.json", [MAGIC]), 1,
         "My knee hurts.", "Rest it.", "dialogue"),
    Made("icliniq_10k", "hub (Parquet)", lambda f: parquet(f / "data/train-0.parquet", [ICLINIQ]), 1,
         "My knee hurts.", "Rest it.", "dialogue"),
    Made("icliniq_10k", "authors' JSON", lambda f: put(f / "iCliniq.json", [ICLINIQ]), 1, "My knee hurts.", "Rest it.",
         "dialogue"),
    Made("huatuogpt2_sft", "hub (JSON)", huatuo, 1, "膝盖疼。", "请休息。", "dialogue"),
    Made("alpacare_52k", "hub (Parquet)", lambda f: parquet(f / "data/train-0.parquet", ALPACA), 2,
         f"Answer the question.\n\n{Q}", H, "text_qa"),
    Made("pubmed_qa", "hub (Parquet, nested)", pubmed_hub, 1,
         "Hearts were watched.\n\nThey beat.\n\nDo hearts beat?", "A", "mcq"),
    Made("pubmed_qa", "authors' JSON with the ids of the test split", pubmed_ids, 1,
         "Hearts were watched.\n\nDo hearts beat?", "A", "mcq"),
    Made("pubmed_qa", "authors' JSON alone; nothing tells which are of the test split, so none may be trained on",
         lambda f: put(f / "ori_pqal.json", PQAL), 2, "Hearts were watched.\n\nDo hearts beat?", "A", "mcq"),
    Made("pubmed_qa", "test_set.json, as the authors' preprocess/split_dataset.py writes it",
         lambda f: put(f / "data/test_set.json", PQAL), 2, "Hearts were watched.\n\nDo hearts beat?", "A", "mcq"),
    Made("pubmed_qa",
         "the authors' hub copy (qiaojin/PubMedQA, folder pqa_labeled), with or without the ids of the test split",
         pubmed_labelled, 1, "Hearts were watched.\n\nDo hearts beat?", "A", "mcq"),
    Made("med_mcqa", "hub (Parquet), all three splits; the test split has no answers (-1), so its rows are refused",
         medmcqa_hub("train", "validation", "test"), 2, Q, "B", "mcq", refused=("GOLD_NOT_AMONG_OPTIONS",),
         splits=("test", "train")),
    Made("med_mcqa", "hub (Parquet), development split", medmcqa_hub("validation"), 1, Q, "B", "mcq"),
    Made("med_mcqa",
         "authors' JSON lines, all three splits; options count from 1, and the test split has no answers",
         medmcqa_lines("train", "dev", "test"), 2, Q, "B", "mcq", refused=("NO_GOLD",), splits=("test", "train")),
    Made("med_mcqa", "authors' JSON lines, development split; options count from 1", medmcqa_lines("dev"), 1, Q, "B",
         "mcq"),
    Made("med_mcqa", "evaluation repository of MedXpertQA", in_question("medmcqa_input.jsonl"), 1,
         "Which organ pumps blood?", "C", "mcq"),
    Made("med_mcqa",
         "CSV files that people export, by split; whether options count from 0 or 1 is told by the rows, or refused",
         medmcqa_csv("MedMCQA_train", "val"), 4, Q, "B", "mcq", refused=("NO_GOLD", "NO_GOLD"),
         splits=("test", "train")),
    Made("med_mcqa", "one CSV file of another name; nothing tells the splits, so none may be trained on",
         medmcqa_csv("medmcqa"), 2, Q, "B", "mcq", refused=("NO_GOLD",)),
    Made("mmlu_med", "hub (Parquet, a folder for each subject)", mmlu_hub, 1, Q, "B", "mcq"),
    Made("mmlu_med", "hub (Parquet, all subjects in one)", mmlu_all, 1, Q, "B", "mcq"),
    Made("mmlu_med", "authors' CSV without header", mmlu_csv, 1, Q, "B", "mcq"),
    Made("medxpertqa_text", "hub (JSON lines)", medxpert("Text/test.jsonl", {"A": "the liver", "B": "the heart"}), 1, Q,
         "B", "mcq"),
    Made("mmlu_med", "evaluation repository of MedXpertQA, six subjects", in_question("mmlu_medical_input.jsonl"), 1,
         "Which organ pumps blood?", "C", "mcq"),
    Made("medxpertqa_text", "authors' evaluation repository",
         medxpert("medxpertqa_text_input.jsonl", PAIRS, label=["B"]), 1, Q, "B", "mcq"),
    Made("medxpertqa_text", "authors' evaluation repository, sampled",
         medxpert("eval/medxpertqa_sampled_text_input.jsonl", PAIRS, label=["B"]), 1, Q, "B", "mcq"),
    Made("medxpertqa_mm", "hub (JSON lines) with pictures in images/ or images.zip", with_picture(
        medxpert("MM/test.jsonl", {"A": "the liver", "B": "the heart"}, images=["MM-1-a.png"]), "images/MM-1-a.png"), 1,
        Q, "B", "mcq", 1),
    Made("medxpertqa_mm", "authors' evaluation repository", with_picture(
        medxpert("medxpertqa_mm_input.jsonl", PAIRS, label=["B"], images=[{"image_path": "MM-1-a.png"}]),
        "images/MM-1-a.png"), 1, Q, "B", "mcq", 1),
    Made("healthbench", "authors' JSON lines", healthbench("2025_oss_eval.jsonl"), 1, "My knee hurts.",
         "Says to rest.", "dialogue"),
    Made("medxpertqa_mm", "authors' evaluation repository, sampled", with_picture(
        medxpert("medxpertqa_sampled_mm_input.jsonl", PAIRS, label=["B"], images=[{"image_path": "MM-1-a.png"}]),
        "images/MM-1-a.png"), 1, Q, "B", "mcq", 1),
    Made("healthbench", "authors' JSON lines under another name (m42-health/healthbench)",
         healthbench("data/benchmark/health_bench.jsonl"), 1, "My knee hurts.", "Says to rest.", "dialogue"),
    Made("healthbench", "authors' JSON lines, hard subset", healthbench("hard_2025-05-08.jsonl"), 1, "My knee hurts.",
         "Says to rest.", "dialogue"),
    Made("healthbench", "authors' JSON lines, consensus subset", healthbench("consensus_2025-05-09.jsonl"), 1,
         "My knee hurts.", "Says to rest.", "dialogue"),
    Made("healthbench", "a repository with judged replies", healthbench("judge_responses.jsonl"), 1, "My knee hurts.",
         "Says to rest.", "dialogue"),
    Made("llava_pretrain", "hub (JSON) with pictures in images.zip", llava_pretrain, 1, Q, H, "caption", 1),
    Made("llava_instruct_665k", "hub (JSON) with folders of pictures", llava_mix, 1, Q, H, "dialogue", 1),
    Made("llava_text_40k", "hub (JSON)", llava_mix, 1, Q, H, "dialogue"),
    Made("pixmo_cap", "hub (Parquet with pictures)", pixmo, 1, "", "A red square.", "caption", 1),
    Made("allava", "hub (JSON) with pictures in folders or archives", allava, 2, Q, H, "dialogue", 2),
    Made("openhermes_2_5", "hub (JSON)", hermes, 1, Q, H, "dialogue"),
)  # fmt: skip
