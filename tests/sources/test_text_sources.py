"""Text and general sources: every form of every record reads invented files of its shape, and real ones we have."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.sample import read_samples
from lingshu.intake.places import FolderFiles
from lingshu.sources.catalog import SOURCES_FOLDER, read_source, read_sources
from lingshu.sources.params import RowParams
from lingshu.sources.rows import normalize_rows
from tests.sources.invented_files import parquet, put
from tests.sources.invented_text import MADE, Made

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"
LIMITS = RowParams(max_side_px=2048, max_megapixels=80, max_picture_mb=64, max_row_mb=64, accept_rows=[])
TEXT = {n: r for n, r in read_sources(ROOT / SOURCES_FOLDER).items() if r.group in ("text", "general")}
EVALUATION_ONLY = {"pubmed_qa", "med_mcqa", "mmlu_med", "medxpertqa_text", "healthbench"}


def normalized(source: str, raw: Path, out: Path):
    record = read_source(source, ROOT / SOURCES_FOLDER)
    summary = normalize_rows(
        source,
        record,
        FolderFiles(raw),
        params=LIMITS,
        samples=out / "samples",
        images=out / "images",
        accept_rows=True,
    )
    return summary, list(read_samples([out / "samples"]))


def test_every_form_of_every_record_is_tried() -> None:
    forms = {(name, form.name) for name, record in TEXT.items() for form in record.forms}
    tried = {(made.source, made.form) for made in MADE}
    assert forms <= tried
    assert {name for name, _ in tried - forms} <= {"medxpertqa_mm"}


@pytest.mark.parametrize("made", MADE, ids=lambda made: f"{made.source}: {made.form}")
def test_a_form_of_upstream_is_read(made: Made, tmp_path: Path) -> None:
    made.make(tmp_path)
    summary, samples = normalized(made.source, tmp_path, tmp_path / "out")
    assert summary.form == made.form
    assert (summary.rows, summary.kept) == (made.rows + len(made.refused), made.rows)
    verdicts = pl.read_parquet(tmp_path / "out/samples/verdicts.parquet")
    assert verdicts["reason"].to_list() == list(made.refused)
    assert len(samples) == made.rows
    assert summary.pictures_stored == made.pictures
    first = next(s for s in samples if not made.asked or made.asked in [_asked(s)])
    assert first.target_text() == made.replied
    assert (first.task, first.rationale) == (made.task, made.rationale)
    only_test = made.source in EVALUATION_ONLY or made.source == "medxpertqa_mm" or "test split" in made.form
    assert {s.split for s in samples} == set(made.splits or [("test" if only_test else "train")])


def _asked(sample) -> str:
    return "\n".join(p.text for m in sample.messages if m.role == "user" for p in m.content if p.text)


@pytest.mark.parametrize(
    ("numbers", "told", "problem"),
    [
        ((0, 2, 3), "A", ""),
        ((1, 2, 4), "", ""),
        ((1, 2, 3), "", "neither 0 nor the last option's number"),
        ((0, 1, 4), "", "both 0 and the last option's number"),
        (("", "-1"), "", "has -1: it can't be told"),
    ],
)
def test_options_of_an_exported_table_are_counted_as_its_rows_prove(
    numbers: tuple[int | str, ...], told: str, problem: str, tmp_path: Path
) -> None:
    rows = "".join(f"r{n},Which?,a,b,c,d,{cop}\n" for n, cop in enumerate(numbers))
    put(tmp_path / "medmcqa.csv", "id,question,opa,opb,opc,opd,cop\n" + rows)
    if problem:
        with pytest.raises(UserError, match=re.escape(problem)) as caught:
            normalized("med_mcqa", tmp_path, tmp_path / "out")
        assert "medmcqa.csv: column 'cop'" in caught.value.what
        return
    _, samples = normalized("med_mcqa", tmp_path, tmp_path / "out")
    first = 0 if told else 1
    assert sorted(s.target_text() for s in samples) == ["ABCD"[int(n) - first] for n in numbers]


def test_other_names_of_a_validation_split_are_as_much_of_a_benchmark(tmp_path: Path) -> None:
    row = "Which?,a,b,c,d,"
    for name in ("train", "Val", "VALIDATION", "dev"):
        put(tmp_path / f"{name}.csv", f"id,question,opa,opb,opc,opd,cop\n{name}0,{row}0\n{name}1,{row}1\n")
    _, samples = normalized("med_mcqa", tmp_path, tmp_path / "out")
    assert Counter(s.split for s in samples) == {"train": 2, "test": 6}


def test_what_is_only_for_evaluation_says_of_which_benchmark() -> None:
    for name in EVALUATION_ONLY:
        assert TEXT[name].benchmarks
        for form in TEXT[name].forms:
            told = form.split_names.get("validation") == form.split_names.get("dev") == "test"
            assert form.split == "test" or told, f"{name}: {form.name}"


def test_languages_and_longer_talks(tmp_path: Path) -> None:
    for source in ("apollo_corpus", "medical_o1_reasoning"):
        next(made for made in MADE if made.source == source).make(tmp_path / source)
    _, samples = normalized("apollo_corpus", tmp_path / "apollo_corpus", tmp_path / "a")
    assert {(s.language, len(s.messages), s.topic) for s in samples} == {
        ("zh", 2, "medicalexam"),
        ("fr", 4, "medicalpatient"),
    }
    _, samples = normalized("medical_o1_reasoning", tmp_path / "medical_o1_reasoning", tmp_path / "o")
    assert {s.language for s in samples} == {"en", "zh"}


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    rows = [
        {"input": "My knee hurts.", "output": ""},
        {"input": "", "output": "Rest it."},
        {"input": "My knee hurts.", "output": "Rest it."},
    ]
    parquet(tmp_path / "data/train-0.parquet", rows)
    summary, samples = normalized("healthcaremagic_100k", tmp_path, tmp_path / "out")
    assert {reason.name: n for reason, n in summary.refused.items()} == {"NO_TEXT": 2}
    assert len(samples) == 1


ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    "text",
    [
        "<Document>\n<QAPairs>",
        f'<!DOCTYPE d [<!ENTITY e0 "heart">{ENTITIES}]><Document><QAPairs>&e9;</QAPairs></Document>',
    ],
    ids=["cut", "grows without end"],
)
def test_an_xml_file_that_cannot_be_read_is_a_verdict(text: str, tmp_path: Path) -> None:
    next(made for made in MADE if made.source == "medquad").make(tmp_path)
    put(tmp_path / "3_Z_QA/1.xml", text)
    summary, _ = normalized("medquad", tmp_path, tmp_path / "out")
    assert {reason.name: number for reason, number in summary.refused.items()} == {"NO_TEXT": 3, "UNREADABLE_ROW": 1}


@pytest.mark.parametrize(
    ("source", "folder", "rows"),
    [
        ("medqa", "medqa", 150),
        ("medquad", "medquad", 302),
        ("med_mcqa", "medmcqa", 150),
        ("mmlu_med", "mmlu_medical", 220),
        ("pubmed_qa", "pubmedqa", 150),
        ("medxpertqa_text", "medxpertqa", 100),
        ("healthbench", "healthbench", 25),
    ],
)
def test_real_samples_give_the_right_counts(source: str, folder: str, rows: int, tmp_path: Path) -> None:
    if not (SAMPLES / folder).exists():
        pytest.skip(f"no shared samples beside this checkout: {folder}")
    summary, samples = normalized(source, SAMPLES / folder, tmp_path)
    assert (summary.rows, summary.kept, summary.refused.total()) == (rows, rows, 0)
    assert summary.checked == "real sample"
    assert {s.split for s in samples} == ({"train"} if source == "medquad" else {"test"})
    if source in ("medqa", "med_mcqa", "mmlu_med", "medxpertqa_text", "pubmed_qa"):
        assert all(
            s.answer is not None and s.answer.text == s.answer.choices["ABCDEFGHIJ".index(s.answer.label)]
            for s in samples
        )
        assert not any("Answer Choices" in s.prompt_text() for s in samples)


def test_the_real_medquad_pages_are_groups_that_no_split_cuts(tmp_path: Path) -> None:
    if not (SAMPLES / "medquad").exists():
        pytest.skip("no shared samples beside this checkout: medquad")
    _, samples = normalized("medquad", SAMPLES / "medquad", tmp_path)
    assert len({s.origin_id for s in samples}) == 302
    groups = Counter(s.group_id for s in samples)
    assert 1 < len(groups) <= 58
    assert not any("  " in s.target_text() for s in samples)


def test_medxpertqa_with_stand_ins_for_its_pictures(tmp_path: Path) -> None:
    if not (SAMPLES / "medxpertqa").exists():
        pytest.skip("no shared samples beside this checkout: medxpertqa")
    text = (SAMPLES / "medxpertqa/medxpertqa_mm_input.jsonl").read_text(encoding="utf-8")
    put(tmp_path / "in/medxpertqa_mm_input.jsonl", text)
    from tests.sources.invented_files import picture

    for line in text.splitlines():
        for image in json.loads(line)["images"]:
            put(tmp_path / "in/images" / image["image_path"], picture())
    summary, samples = normalized("medxpertqa_mm", tmp_path / "in", tmp_path / "out")
    assert (summary.rows, summary.kept) == (100, 100)
    assert {s.split for s in samples} == {"test"}
