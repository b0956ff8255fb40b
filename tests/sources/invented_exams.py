"""Invented files of sources that are benchmarks too: PubMedQA, MedMCQA, MMLU, MedXpertQA, HealthBench."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sources.invented_files import lines, parquet, picture, put


def pubmed_hub(folder: Path) -> None:
    data = {
        "Question": "Do hearts beat?", "Context": ["Hearts were watched.", "They beat."], "Correct Option": "A",
        "Options": {"A": "yes", "B": "no", "C": "maybe"},
    }  # fmt: skip
    parquet(folder / "data/test-00000-of-00001.parquet", [{"id": "1", "data": data}])


PQAL = {
    "11": {
        "QUESTION": "Do hearts beat?",
        "CONTEXTS": ["Hearts were watched."],
        "final_decision": "yes",
        "YEAR": "2001",
    },
    "12": {"QUESTION": "Do livers beat?", "CONTEXTS": ["Livers were watched."], "final_decision": "no", "YEAR": "2002"},
}


def pubmed_ids(folder: Path) -> None:
    put(folder / "ori_pqal.json", PQAL)
    put(folder / "test_ground_truth.json", {"11": "yes"})


def pubmed_labelled(folder: Path) -> None:
    context = {"contexts": ["Hearts were watched."], "labels": ["BACKGROUND"], "meshes": ["Heart"]}
    row = {
        "pubid": 11,
        "question": "Do hearts beat?",
        "context": context,
        "long_answer": "Yes.",
        "final_decision": "yes",
    }
    parquet(folder / "pqa_labeled/train-00000-of-00001.parquet", [row])
    parquet(folder / "pqa_artificial/train-00000-of-00001.parquet", [row])


MEDMCQA = {
    "id": "x", "question": "What pumps blood?", "opa": "liver", "opb": "heart", "opc": "lung", "opd": "skin",
    "choice_type": "multi", "exp": None, "subject_name": "Anatomy", "topic_name": None,
}  # fmt: skip


def medmcqa_hub(*names: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        for name in names:
            row = MEDMCQA | {"id": name, "cop": -1 if name == "test" else 1}
            parquet(folder / f"data/{name}-00000-of-00001.parquet", [row])

    return made


def medmcqa_lines(*names: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        for name in names:
            row = MEDMCQA | {"id": name} | ({} if name == "test" else {"cop": 2})
            put(folder / f"data/{name}.json", lines([row]))

    return made


def medmcqa_csv(*names: str) -> Callable[[Path], None]:
    """Options count from 1, as the numbers tell; a column with gaps is written as floats by who exports it."""

    def made(folder: Path) -> None:
        header = ["id", "question", "opa", "opb", "opc", "opd", "cop", "subject_name"]
        for name in names:
            rows = [MEDMCQA | {"id": f"{name}{n}", "cop": cop} for n, cop in enumerate(("2.0", "4.0", ""))]
            text = "".join(",".join(str(row[key]) for key in header) + "\n" for row in rows)
            put(folder / f"{name}.csv", ",".join(header) + "\n" + text)

    return made


def mmlu_hub(folder: Path) -> None:
    rows = [{"question": "What pumps blood?", "choices": ["liver", "heart", "lung", "skin"], "answer": 1}]
    parquet(folder / "anatomy/test-00000.parquet", rows)
    parquet(folder / "astronomy/test-00000.parquet", rows)


def mmlu_all(folder: Path) -> None:
    row = {"question": "What pumps blood?", "choices": ["liver", "heart", "lung", "skin"], "answer": 1}
    parquet(folder / "all/test-00000.parquet", [row | {"subject": "astronomy"}, row | {"subject": "anatomy"}])


def mmlu_csv(folder: Path) -> None:
    put(folder / "data/test/virology_test.csv", "What pumps blood?,liver,heart,lung,skin,B\n")
    put(folder / "data/test/astronomy_test.csv", "What shines?,liver,heart,lung,star,D\n")
    put(folder / "data/dev/virology_dev.csv", "What beats?,liver,heart,lung,skin,B\n")


def medxpert(name: str, options: Any, **more: Any) -> Callable[[Path], None]:
    asked = "What pumps blood?\nAnswer Choices: (A) the liver (B) the heart"
    row = {"id": "T-1", "question": asked, "options": options, "label": "B", "question_type": "Reasoning"}
    return lambda folder: put(folder / name, lines([row | more]))


PAIRS = [{"letter": "A", "content": "the liver"}, {"letter": "B", "content": "the heart"}]


def with_picture(make: Callable[[Path], None], name: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        make(folder)
        put(folder / name, picture())

    return made


def healthbench(name: str) -> Callable[[Path], None]:
    rubrics = [{"criterion": "Says to rest.", "points": 5}, {"criterion": "Is rude.", "points": -5}]
    row = {"prompt_id": "p1", "prompt": [{"role": "user", "content": "My knee hurts."}], "rubrics": rubrics}
    return lambda folder: put(folder / name, lines([row]))
