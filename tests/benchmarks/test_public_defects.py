"""Defects of MedEvalKit that concern loading (ids as in its audit): what goes wrong there is right here."""

import json

import pytest

from lingshu.benchmarks.public.catalog import read_public
from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from lingshu.evalkit.items import Item
from lingshu.evalkit.rules import score_strict
from lingshu.intake.errors import Reason
from tests.benchmarks.public_made import (
    MMMU_PICTURES,
    OMNI,
    PICTURE,
    RUBRIC,
    as_json,
    as_lines,
    as_parquet,
    as_zip,
    mmmu,
    write,
)
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT
from tests.benchmarks.test_public_forms import CATALOG


def read(name, folder, **more):
    return load(name, root_catalog=CATALOG, folder=folder, accept_rows=True, **more)


def asked(name, number, folder):
    return read(name, write((MULTIMODAL | TEXT)[name, number]().files, folder)).questions


def verdict(question, response):
    return score_strict(
        Item(question.id, question.kind, question.question, question.choices, question.answer, response)
    ).correct


@pytest.mark.parametrize("written", ["ABD", "A,B,D", "A、B、D", "DBA", "ＡＢＤ", "a b d"])
def test_d12_several_golds_are_kept_apart(written, tmp_path):
    options = [{"key": key, "value": value} for key, value in zip("ABCD", "甲乙丙丁", strict=True)]
    write({"test.json": as_json([{"Question": "?", "Options": options, "Answer": written}])}, tmp_path)
    question = read("cmexam", tmp_path).questions[0]
    assert set(question.answer) == {"A", "B", "D"}
    assert isinstance(question.answer, tuple)
    assert verdict(question, "B、A、D")
    assert not verdict(question, "ABCD")


def test_d18_a_gold_that_is_no_option_is_a_data_error(tmp_path):
    rows = [OMNI, OMNI | {"question_id": "Drawn_0001", "gt_answer": "PET"}]
    write({"QA_information/Open-access/Drawn.json": as_json(rows), "Images/Drawn/a.png": PICTURE}, tmp_path)
    loaded = read("omnimed_vqa", tmp_path)
    assert [q.answer for q in loaded.questions] == ["B"]
    assert loaded.error_counts() == {"gold answer is not among the options": 1}
    assert str(loaded.data_errors[0]) == (
        "QA_information/Open-access/Drawn.json: row 2: gold answer is not among the options: 'PET' is none of 'CT | MR'"
    )


def test_d24_a_capital_yes_is_a_yes_no_gold(tmp_path):
    row = {"qid": 1, "img_name": "x/source.jpg", "q_lang": "en", "answer_type": "CLOSED", "question": "Is it a lung?"}
    rows = [row | {"answer": "Yes"}, row | {"qid": 2, "answer": "No"}, row | {"qid": 3, "answer": "X-Ray"}]
    write({"test.json": as_json(rows), "imgs/x/source.jpg": PICTURE}, tmp_path)
    questions = read("slake", tmp_path).questions
    assert [q.kind for q in questions] == ["yesno", "yesno", "closed"]
    assert [verdict(q, "yes, it is") for q in questions] == [True, False, False]


def test_d30_field_and_difficulty_bear_their_own_names(tmp_path):
    meta = asked("supergpqa_med", 0, tmp_path)[0].meta
    assert (meta["field"], meta["difficulty"]) == ("Clinical Medicine", "hard")


def test_d33_the_three_sets_of_healthbench_are_three_records(tmp_path):
    names = ("healthbench", "healthbench_hard", "healthbench_consensus")
    records = read_public(CATALOG)
    assert [records[name].expected.rows for name in names] == [5000, 1000, 3671]
    files = {file: data for name in names for file, data in TEXT[name, 0]().files.items()}
    assert len(files) == 3
    write(files, tmp_path)
    assert [read(name, tmp_path).rows for name in names] == [1, 1, 1]


@pytest.mark.parametrize("points", [[], [-3], [0, -1]])
def test_d34_a_conversation_without_positive_rubric_is_a_data_error(points, tmp_path):
    rubrics = [{"criterion": "c", "points": p, "tags": []} for p in points]
    write({"x_oss_eval.jsonl": as_lines(RUBRIC, RUBRIC | {"prompt_id": "p2", "rubrics": rubrics})}, tmp_path)
    loaded = read("healthbench", tmp_path)
    assert [q.id for q in loaded.questions] == ["p1"]
    assert [(e.id, e.reason) for e in loaded.data_errors] == [("p2", Reason.NO_RUBRIC)]


def test_d40_mmmu_test_has_its_golds_beside_each_question(tmp_path):
    rows = [mmmu("?"), mmmu("?", "[]", "open") | {"id": "test_Pharmacy_2"}, mmmu("?") | {"id": "test_Pharmacy_3"}]
    answers = {
        "test_Pharmacy_1": {"question_type": "multiple-choice", "ground_truth": "B"},
        "test_Pharmacy_2": {"question_type": "short-answer", "ground_truth": "['5', 'five']"},
    }
    files = {"Pharmacy/test-0.parquet": as_parquet(rows, MMMU_PICTURES), "answer.json": as_json(answers)}
    loaded = read("mmmu_med_test", write(files, tmp_path))
    assert [(q.choices, q.answer) for q in loaded.questions] == [
        (("(A) heart", "(B) lung"), "B"),
        (None, ("5", "five")),
    ]
    assert [(e.id, e.reason) for e in loaded.data_errors] == [(["Pharmacy", "test-0.parquet#3"][1], Reason.NO_JOIN)]


def test_d41_mmlu_loads_and_its_options_are_whole(tmp_path):
    question = asked("mmlu_med", 0, tmp_path)[0]
    assert question.choices == ("A.heart", "B.lung", "C.liver", "D.spleen")
    assert question.turns[-1].text.startswith("\nQuestion: Where?\nOptions: \nA.heart\n")


def test_d42_radrestruct_questions_are_distinct_lettered_and_keep_all_golds(tmp_path):
    questions = asked("rad_restruct", 0, tmp_path)
    assert len({(q.id, q.question, q.pictures[0].name) for q in questions}) == 4
    several = questions[2]
    assert several.choices == ("A. left", "B. middle", "C. right")
    assert several.answer == ("A", "C")
    assert [turn.text for turn in several.turns[:-1]] == ["Are there any signs in the lung?", "yes"]
    assert (questions[0].kind, questions[0].turns[-1].text.split("\n")[1]) == (
        "yesno",
        "Please output 'yes' or 'no'(no extra output).",
    )


def test_d42_a_single_choice_that_is_not_yes_or_no_is_not_asked_as_one(tmp_path):
    info = {"answer_type": "single_choice", "options": ["left", "right", "unspecified"], "path": "area"}
    files = dict(MULTIMODAL["rad_restruct", 0]().files)
    files["test_qa_pairs/7.json"] = as_json([["In which area?", ["right"], [], info]])
    question = read("rad_restruct", write(files, tmp_path)).questions[0]
    assert (question.kind, question.answer) == ("mcq", "B")


def test_d43_iu_xray_loads_with_its_prompt(tmp_path):
    question = asked("iu_xray", 0, tmp_path)[0]
    assert question.turns[-1].text.startswith("You are a helpful assistant. Please generate a report")
    assert question.answer == "Findings: Clear lungs. Impression: Normal.."


def test_d45_options_of_mcmle_bear_letters(tmp_path):
    assert asked("medqa_mcmle", 0, tmp_path)[0].choices == ("A.心脏", "B.肺", "C.肝")


@pytest.mark.parametrize(
    ("written", "gold"), [("5", "5"), ("aspirin", "aspirin"), ("['5', 'five']", ("5", "five")), ("[2.5]", "2.5")]
)
def test_d46_an_open_mmmu_gold_is_a_text_or_a_list_of_texts(written, gold, tmp_path):
    files = {"Pharmacy/validation-0.parquet": as_parquet([mmmu(written, "[]", "open")], MMMU_PICTURES)}
    question = read("mmmu_med_val", write(files, tmp_path)).questions[0]
    assert (question.choices, question.answer) == (None, gold)


@pytest.mark.parametrize("where", ["figures/PMC1_F1.jpg", "images/PMC1_F1.jpg", "PMC1_F1.jpg", "images_2.zip"])
def test_d51_a_figure_is_found_wherever_upstream_puts_it(where, tmp_path):
    files = dict(MULTIMODAL["pmc_vqa", 0]().files)
    del files["images_2.zip"]
    files[where] = as_zip({"images_2/PMC1_F1.jpg": PICTURE}) if where.endswith(".zip") else PICTURE
    assert read("pmc_vqa", write(files, tmp_path)).questions[0].pictures[0].read() == PICTURE


def test_d52_missing_pictures_are_said_before_any_question_is_asked(tmp_path):
    files = dict(MULTIMODAL["medxpertqa_mm", 0]().files)
    del files["images.zip"]
    with pytest.raises(UserError, match="none of 1 rows could be asked") as raised:
        read("medxpertqa_mm", write(files, tmp_path))
    assert "MM-1-a.jpeg is not in images/, ./, images.zip" in raised.value.what


def test_d60_no_row_is_left_out_silently(tmp_path):
    rows = [{"question": "Where?", "options": {"A": "x", "B": "y"}, "answer_idx": letter} for letter in "ABCAB"]
    text = as_lines(*rows) + b"{broken\n"
    loaded = read("medqa_usmle", write({"a_test.jsonl": text}, tmp_path))
    assert loaded.rows == len(loaded.questions) + len(loaded.data_errors) == 6
    assert loaded.error_counts() == {"gold answer is not among the options": 1, "unreadable row": 1}
    with pytest.raises(UserError, match=r"medqa_usmle: 6 rows in the files .*, 1273 in the record"):
        load("medqa_usmle", root_catalog=CATALOG, folder=tmp_path)


@pytest.mark.parametrize("options", ["__import__('os').abort()", "[open('x', 'w')]", "['a', print()]", "(" * 500])
def test_d69_options_written_as_text_are_never_executed(options, tmp_path):
    files = {"Pharmacy/validation-0.parquet": as_parquet([mmmu("A", options), mmmu("A") | {"id": "2"}], MMMU_PICTURES)}
    loaded = read("mmmu_med_val", write(files, tmp_path))
    assert [(e.id, e.reason) for e in loaded.data_errors] == [("test_Pharmacy_1", Reason.MISSING_FIELD)]
    assert [path.name for path in tmp_path.iterdir()] == ["Pharmacy"]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a/../../secret.png"])
def test_d69_a_picture_outside_the_folder_is_not_read(name, tmp_path):
    (tmp_path / "secret.png").write_bytes(PICTURE)
    row = json.loads(MULTIMODAL["chexpert_plus", 0]().files["test.json"])[0] | {"image": name}
    good = json.loads(MULTIMODAL["chexpert_plus", 0]().files["test.json"])[0]
    files = {"test.json": as_json([row, good]), "images/patient1/a.png": PICTURE}
    loaded = read("chexpert_plus", write(files, tmp_path / "in"))
    assert [e.reason for e in loaded.data_errors] == [Reason.MISSING_PICTURE]
