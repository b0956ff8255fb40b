"""Every on-disk form of every record is read from small invented files: what is asked, and what is right."""

from pathlib import Path

import pytest

from lingshu.benchmarks.public.catalog import read_public
from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from tests.benchmarks.public_made import EMBEDDED, PICTURE, as_parquet, write
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT

CATALOG = Path(__file__).parents[2] / "catalog"
MADE = MULTIMODAL | TEXT


def test_every_form_has_files_here():
    forms = {(name, n) for name, record in read_public(CATALOG).items() for n in range(len(record.forms))}
    assert forms == set(MADE)


@pytest.mark.parametrize("key", sorted(MADE), ids=lambda key: f"{key[0]}-{key[1]}")
def test_form(key, tmp_path):
    name, number = key
    made = MADE[key]()
    loaded = load(name, root_catalog=CATALOG, folder=write(made.files, tmp_path), accept_rows=True)
    assert loaded.data_errors == ()
    assert loaded.form == loaded.record.forms[number].name
    assert loaded.rows == len(loaded.questions) == made.rows
    first = loaded.questions[0]
    assert (first.id, first.kind, first.choices, first.answer) == (made.id, made.kind, made.choices, made.answer)
    assert [picture.read() for picture in first.pictures] == [PICTURE] * made.pictures
    cluster = first.cluster[: len(EMBEDDED)] if made.cluster == EMBEDDED else first.cluster
    assert cluster == made.cluster
    assert len({question.id for question in loaded.questions}) == made.rows
    for question in loaded.questions:
        assert question.benchmark == name
        assert question.turns[-1].role == "user"
        for choice in question.choices or ():
            assert choice in question.turns[-1].text


@pytest.mark.parametrize("key", sorted(MADE), ids=lambda key: f"{key[0]}-{key[1]}")
def test_breakdowns_and_ids_are_the_same_in_every_load(key, tmp_path):
    folder = write(MADE[key]().files, tmp_path)
    first, second = (load(key[0], root_catalog=CATALOG, folder=folder, accept_rows=True) for _ in range(2))
    assert [q.id for q in first.questions] == [q.id for q in second.questions]
    assert [q.turns for q in first.questions] == [q.turns for q in second.questions]
    assert all(set(q.meta) <= {"language", *first.record.forms[key[1]].meta} for q in first.questions)


def test_meta_is_what_the_row_says(tmp_path):
    folder = write(MADE["slake", 0]().files, tmp_path)
    question = load("slake", root_catalog=CATALOG, folder=folder, accept_rows=True).questions[0]
    assert question.meta == {
        "language": "zh",
        "modality": "CT",
        "question_type": "Organ",
        "body_part": "Lung",
        "answer_type": "CLOSED",
        "base_type": "vqa",
    }
    assert question.turns[-1].text == "图中有肺吗?\n请用一个单词或者短语回答该问题。"


def test_a_break_down_without_a_value_is_counted(tmp_path):
    folder = write(MADE["med_mcqa", 0]().files, tmp_path)
    loaded = load("med_mcqa", root_catalog=CATALOG, folder=folder, accept_rows=True)
    assert loaded.absent_meta == {"topic": 1}
    assert loaded.questions[0].meta == {"language": "en", "subject": "Anatomy"}


def test_break_downs_that_the_files_have_not_are_told(tmp_path):
    folder = write(MADE["vqa_rad", 0]().files, tmp_path / "parquet")
    told = load("vqa_rad", root_catalog=CATALOG, folder=folder, accept_rows=True).notes
    assert told == ("vqa_rad: no question_type, organ in the files (hub (Parquet)): no scores by that",)
    folder = write(MADE["vqa_rad", 1]().files, tmp_path / "json")
    assert load("vqa_rad", root_catalog=CATALOG, folder=folder, accept_rows=True).notes == ()
    row = {"question": "Is it?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 1, "id": "1"}
    rows = as_parquet([row | {"subject_name": name, "id": name or "2"} for name in ("Anatomy", "")])
    folder = write({"data/validation-00000-of-00001.parquet": rows}, tmp_path / "some")
    told = load("med_mcqa", root_catalog=CATALOG, folder=folder, accept_rows=True).notes
    assert [note.partition(" in the files")[0] for note in told] == ["med_mcqa: no subject for 1 of 2 questions"]


def test_pubmed_context_comes_first(tmp_path):
    folder = write(MADE["pubmed_qa", 0]().files, tmp_path)
    question = load("pubmed_qa", root_catalog=CATALOG, folder=folder, accept_rows=True).questions[0]
    assert question.question == "Does it?"
    assert question.turns[-1].text == (
        "Context: One.\nTwo.\n\nQuestion: Does it?\nOptions: \nA.yes\nB.no\nC.maybe\n"
        "Answer with the option's letter from the given choices directly."
    )


def test_the_reasoning_mode_changes_the_instruction_only(tmp_path):
    folder = write(MADE["medqa_usmle", 0]().files, tmp_path)
    direct, reasoned = (
        load("medqa_usmle", root_catalog=CATALOG, folder=folder, accept_rows=True, reasoning=mode).questions[0]
        for mode in (False, True)
    )
    assert direct.turns[0].text.splitlines()[:-1] == reasoned.turns[0].text.splitlines()[:-1]
    assert reasoned.turns[0].text.endswith('put the letter in one "\\boxed{}".')
    assert direct.id == reasoned.id


def test_chance_is_that_of_a_uniform_guess(tmp_path):
    folder = write(MADE["rad_restruct", 0]().files, tmp_path)
    loaded = load("rad_restruct", root_catalog=CATALOG, folder=folder, accept_rows=True)
    assert loaded.chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    folder = write(MADE["iu_xray", 0]().files, tmp_path / "reports")
    assert load("iu_xray", root_catalog=CATALOG, folder=folder, accept_rows=True).chance is None


def test_a_limit_makes_few_questions_and_counts_all_rows(tmp_path):
    folder = write(MADE["rad_restruct", 0]().files, tmp_path)
    loaded = load("rad_restruct", root_catalog=CATALOG, folder=folder, accept_rows=True, limit=1)
    assert (len(loaded.questions), loaded.rows) == (1, 4)


def test_pictures_in_rows_are_read_row_group_by_row_group(tmp_path):
    rows = [{"image": b"picture %d" % n, "question": "Where?", "answer": "left"} for n in range(7)]
    write({"data/test-00000-of-00001.parquet": as_parquet(rows, ("image",), group=3)}, tmp_path)
    questions = load("vqa_rad", root_catalog=CATALOG, folder=tmp_path, accept_rows=True).questions
    for n in (6, 0, 3, 2):
        assert questions[n].pictures[0].read() == b"picture %d" % n
    assert len({question.cluster for question in questions}) == 7


def test_a_folder_around_the_files_or_within_them_will_do(tmp_path):
    parquet = next(
        key for key in sorted(MADE) if key[0] == "vqa_rad" and any("/" in file for file in MADE[key]().files)
    )
    files = MADE[parquet]().files
    inner = write(files, tmp_path / "downloads" / "vqa-rad")
    plain = load("vqa_rad", root_catalog=CATALOG, folder=inner, accept_rows=True)
    for folder in (tmp_path, tmp_path / "downloads", inner / "data"):
        loaded = load("vqa_rad", root_catalog=CATALOG, folder=folder, accept_rows=True)
        assert [one.id for one in loaded.questions] == [one.id for one in plain.questions]
        assert str(inner) in loaded.notes[0]
    write({str(Path(name).with_name(f"._{Path(name).name}")): b"of a Mac" for name in files}, inner)
    assert load("vqa_rad", root_catalog=CATALOG, folder=inner, accept_rows=True).rows == len(plain.questions)
    write(files, tmp_path / "older")
    with pytest.raises(UserError, match=r"several folders below .*older, .*vqa-rad"):
        load("vqa_rad", root_catalog=CATALOG, folder=tmp_path, accept_rows=True)
