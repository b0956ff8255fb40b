"""Broken files, broken rows and wrong names: each is named, and what can be asked still is."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from lingshu.benchmarks.public.catalog import read_public
from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from lingshu.intake.answers import gold_of, options_of
from lingshu.intake.errors import Reason, RowError
from tests.benchmarks.public_made import OMNI, PICTURE, REPORT, RUBRIC, as_csv, as_json, as_lines, as_zip, write
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT
from tests.benchmarks.test_public_forms import CATALOG

GOOD = {"question": "Where?", "options": {"A": "x", "B": "y"}, "answer_idx": "A", "meta_info": "step1"}
HEADER = ["", "Question", "A", "B", "C", "D", "Answer"]


def read(name, folder, **more):
    return load(name, root_catalog=CATALOG, folder=folder, **({"accept_rows": True} | more))


def first_error(loaded):
    assert len(loaded.data_errors) == 1
    assert len(loaded.questions) == 1
    return loaded.data_errors[0]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"options": {"A": "x", "B": "y"}, "answer_idx": "A"}, Reason.MISSING_FIELD, "no field 'question'"),
        (GOOD | {"question": None}, Reason.MISSING_FIELD, "'question' is None"),
        (GOOD | {"question": " "}, Reason.NO_QUESTION, "'question' is empty"),
        (GOOD | {"options": ["x", "y"]}, Reason.MISSING_FIELD, "not a mapping of options"),
        (GOOD | {"options": {"A": "x"}}, Reason.NO_OPTIONS, "1 options"),
        (GOOD | {"options": {"A": "x", "B": None, "C": "y"}}, Reason.BROKEN_OPTIONS, "letters are A, C"),
        (GOOD | {"options": {"A": "x", "B": ["y"]}}, Reason.MISSING_FIELD, "option ['y'] is not a text"),
        (GOOD | {"answer_idx": None}, Reason.NO_GOLD, "None"),
        (GOOD | {"answer_idx": ""}, Reason.NO_GOLD, "''"),
        (GOOD | {"answer_idx": "C"}, Reason.GOLD_NOT_AMONG_OPTIONS, "'C' with options A to B"),
        (GOOD | {"answer_idx": "x marks"}, Reason.GOLD_NOT_AMONG_OPTIONS, "'x marks'"),
        ([1, 2], Reason.UNREADABLE_ROW, "not an object: [1, 2]"),
    ],
)
def test_a_broken_row_is_counted_and_named(row, reason, detail, tmp_path):
    error = first_error(read("medqa_usmle", write({"a_test.jsonl": as_lines(GOOD, row)}, tmp_path)))
    assert (error.where, error.reason) == ("a_test.jsonl: row 2", reason)
    assert detail in error.detail


def test_a_line_that_is_not_json(tmp_path):
    error = first_error(read("medqa_usmle", write({"a_test.jsonl": as_lines(GOOD) + b'{"question": '}, tmp_path)))
    assert str(error).startswith("a_test.jsonl: row 2: unreadable row: not JSON")


@pytest.mark.parametrize("cop", [-1, 4, True, "x", None])
def test_the_number_of_an_option(cop):
    columns = {"id": "m", "question": "?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "subject_name": "s"}
    form = read_public(CATALOG)["med_mcqa"].forms[0]
    options = options_of(form.choices, columns, "?")
    with pytest.raises(RowError) as raised:
        gold_of(form.gold, columns | {"cop": cop}, options)
    assert raised.value.reason == (Reason.GOLD_NOT_AMONG_OPTIONS if cop in (-1, 4) else Reason.NO_GOLD)


def test_two_options_that_equal_the_gold(tmp_path):
    rows = [OMNI, OMNI | {"question_id": "2", "option_C": "mr "}]
    write({"QA_information/Open-access/D.json": as_json(rows), "Images/Drawn/a.png": PICTURE}, tmp_path)
    error = first_error(read("omnimed_vqa", tmp_path))
    assert (error.reason, error.detail) == (Reason.AMBIGUOUS_GOLD, "'MR' is option B and C")


def test_an_empty_option_between_others(tmp_path):
    rows = [OMNI, OMNI | {"question_id": "2", "option_A": "", "gt_answer": "MR"}]
    write({"QA_information/Open-access/D.json": as_json(rows), "Images/Drawn/a.png": PICTURE}, tmp_path)
    error = first_error(read("omnimed_vqa", tmp_path))
    assert (error.reason, error.detail) == (Reason.BROKEN_OPTIONS, "option A is empty")


def test_an_id_that_comes_twice(tmp_path):
    write({"x_oss_eval.jsonl": as_lines(RUBRIC, RUBRIC)}, tmp_path)
    error = first_error(read("healthbench", tmp_path))
    assert (error.reason, error.id, error.where) == (Reason.DUPLICATE_ID, "p1", "x_oss_eval.jsonl: row 2")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompt": "I have a cough."}, Reason.MISSING_FIELD),
        ({"prompt": []}, Reason.MISSING_FIELD),
        ({"prompt": [{"role": "doctor", "content": "x"}]}, Reason.MISSING_FIELD),
        ({"prompt": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}, Reason.NO_QUESTION),
        ({"rubrics": [{"criterion": "c"}]}, Reason.NO_RUBRIC),
    ],
)
def test_a_broken_conversation(change, reason, tmp_path):
    write({"x_oss_eval.jsonl": as_lines(RUBRIC, RUBRIC | {"prompt_id": "p2"} | change)}, tmp_path)
    assert first_error(read("healthbench", tmp_path)).reason == reason


def test_a_file_of_another_name_is_taken_if_it_is_alone(tmp_path):
    write({"mine.jsonl": as_lines(RUBRIC), "README.md": b"x"}, tmp_path)
    loaded = read("healthbench_hard", tmp_path)
    assert loaded.notes == ("healthbench_hard: no file hard_*.jsonl; mine.jsonl, the only *.jsonl, is read",)
    assert (loaded.rows, loaded.form) == (1, "authors' JSON lines")
    with pytest.raises(UserError, match=r"1 rows in the files .*, 1000 in the record"):
        load("healthbench_hard", root_catalog=CATALOG, folder=tmp_path)
    write({"other.jsonl": as_lines(RUBRIC)}, tmp_path)
    with pytest.raises(UserError, match=r"the only \*\.jsonl\n  it has mine\.jsonl, other\.jsonl"):
        read("healthbench_hard", tmp_path)
    write({"hard_1.jsonl": as_lines(RUBRIC)}, tmp_path)
    assert read("healthbench_hard", tmp_path).notes == ()


def test_a_file_of_another_set_is_not_taken(tmp_path):
    write({"consensus_2025-05-09-20-00-46.jsonl": as_lines(RUBRIC)}, tmp_path)
    with pytest.raises(UserError, match="a file of healthbench_consensus"):
        read("healthbench", tmp_path)


def test_a_report_without_words(tmp_path):
    report = {"image": "a.png", "findings": "", "impression": None}
    rows = [report, report | {"findings": "Clear."}]
    loaded = read("chexpert_plus", write({"test.json": as_json(rows), "images/a.png": PICTURE}, tmp_path))
    assert first_error(loaded).reason == Reason.NO_REPORT
    assert loaded.questions[0].answer == "Findings: Clear. Impression: ."


def test_one_missing_picture_of_two(tmp_path):
    files = MULTIMODAL["rad_restruct", 0]().files
    loaded = read("rad_restruct", write({k: v for k, v in files.items() if k != "imgs/F2.png"}, tmp_path))
    assert len(loaded.questions) == len(loaded.data_errors) == 2
    assert "F2.png is not in imgs/" in loaded.data_errors[0].detail


def test_earlier_questions_and_contexts_that_are_none(tmp_path):
    rows = json.loads(MULTIMODAL["rad_restruct", 0]().files["test_qa_pairs/7.json"])
    rows[1][2] = None
    files = MULTIMODAL["rad_restruct", 0]().files | {"test_qa_pairs/7.json": as_json(rows)}
    loaded = read("rad_restruct", write(files, tmp_path / "rad"))
    assert [error.detail for error in loaded.data_errors] == ["'history' is None, not a list"] * 2
    good = {"QUESTION": "Does it?", "CONTEXTS": ["One."], "final_decision": "no"}
    pubmed = {"ori_pqal.json": as_json({"1": good, "2": good | {"CONTEXTS": None}})}
    loaded = read("pubmed_qa", write(pubmed, tmp_path / "pubmed"))
    assert first_error(loaded).detail == "'CONTEXTS' is None, not a text or a list"


def test_a_name_that_no_file_can_have_is_a_missing_picture(tmp_path):
    rows = [REPORT | {"image": name} for name in ("a.png", "x" * 5000, "a\0.png")]
    loaded = read("chexpert_plus", write({"test.json": as_json(rows), "images/a.png": PICTURE}, tmp_path))
    assert [error.reason for error in loaded.data_errors] == [Reason.MISSING_PICTURE] * 2


def test_a_number_that_is_none_in_a_row_that_may_come_twice(tmp_path):
    labels = [{"left": 1}, {"left": 1}, float("nan"), float("nan")]
    row = {"img_id": "a", "sentf": {"pvqa": ["Where?"] * 4}, "labelf": {"pvqa": labels}}
    files = {"pvqa_test.json": json.dumps([row]).encode(), "images/a.jpg": PICTURE}
    loaded = read("path_vqa", write(files, tmp_path))
    assert len(loaded.questions) == len(loaded.data_errors) == 1


def test_a_csv_row_of_another_width(tmp_path):
    table = as_csv(HEADER, ["0", "?", "1", "2", "3", "4", "B"], ["1", "?", "1", "2", "3", "B"])
    error = first_error(read("cmmlu_med", write({"test/anatomy.csv": table}, tmp_path)))
    assert str(error) == "test/anatomy.csv: row 2: unreadable row: 6 columns where 7 are due"


@pytest.mark.parametrize(
    ("name", "files", "named"),
    [
        ("slake", {"test.json": b'[{"a": 1},\n{"b": '}, r"test\.json:2: not JSON"),
        ("slake", {"test.json": b'{"a": 1}'}, r"test\.json: the file is not a list of rows"),
        ("slake", {"test.json": b"\xff\xfe"}, r"test\.json: not UTF-8 at byte 0"),
        ("medbullets_op5", {"medbullets_op5.json": b"[]"}, "the file is not an object of columns"),
        ("medbullets_op5", {"medbullets_op5.json": b'{"question": 1}'}, "the file is not an object of columns"),
        ("pubmed_qa", {"ori_pqal.json": b"[]"}, "the file is not an object of rows"),
        ("cmmlu_med", {"test/anatomy.csv": b'a,b\n"x,y'}, r"anatomy\.csv:2: not CSV"),
        ("cmmlu_med", {"cmmlu_1.zip": b"PK no zip"}, r"cmmlu_1\.zip: not a zip archive"),
        ("vqa_rad", {"data/test-0.parquet": b"PAR1"}, "not a Parquet file that can be read"),
        ("mmmu_med_test", {"Pharmacy/test-0.parquet": b"x", "answer.json": b"[]"}, r"answer\.json: the file is not an"),
    ],
)
def test_a_broken_file_ends_the_load(name, files, named, tmp_path):
    with pytest.raises(UserError, match=named):
        read(name, write(files, tmp_path))


def test_a_broken_archive_of_pictures(tmp_path):
    files = dict(MULTIMODAL["slake", 0]().files) | {"imgs.zip": b"nothing"}
    with pytest.raises(UserError, match=r"imgs\.zip: not a zip archive that can be read"):
        read("slake", write(files, tmp_path))


def test_a_picture_that_is_broken_inside_its_archive(tmp_path):
    archive = bytearray(as_zip({"imgs/xmlab1/source.jpg": PICTURE}))
    archive[archive.index(PICTURE)] ^= 0xFF
    files = dict(MULTIMODAL["slake", 0]().files) | {"imgs.zip": bytes(archive)}
    picture = read("slake", write(files, tmp_path)).questions[0].pictures[0]
    with pytest.raises(UserError, match=r"imgs\.zip!/imgs/xmlab1/source\.jpg: can't be read"):
        picture.read()


def test_a_picture_that_went_away_after_loading(tmp_path):
    files = MULTIMODAL["chexpert_plus", 0]().files
    picture = read("chexpert_plus", write(files, tmp_path)).questions[0].pictures[0]
    (tmp_path / "images/patient1/a.png").unlink()
    with pytest.raises(UserError, match=r"a\.png: no such file"):
        picture.read()


def test_rows_are_counted_against_the_record(tmp_path):
    write(TEXT["med_mcqa", 0]().files, tmp_path)
    with pytest.raises(UserError, match=r"1 rows in the files .*, 4183 in the record \(counted\)") as raised:
        read("med_mcqa", tmp_path, accept_rows=False)
    assert "accept the number of rows" in raised.value.fix
    with pytest.raises(UserError, match="4183 in the record"):
        read("med_mcqa", tmp_path, accept_rows=False, limit=1)


def test_a_folder_without_the_files_names_each_form(tmp_path):
    with pytest.raises(UserError, match=r"mmmu_med_test: .* has the files of no known form") as raised:
        read("mmmu_med_test", write({"x.txt": b""}, tmp_path))
    assert "*/test-*.parquet and answer.json" in raised.value.what
    assert "answer.json is at https://" in raised.value.fix


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder"):
        read("slake", tmp_path / "nowhere")


@pytest.mark.parametrize(("name", "hint"), [("VQA-RAD", "vqa_rad"), ("medqa", "medqa_usmle"), ("zzz", "known: c")])
def test_an_unknown_benchmark(name, hint, tmp_path):
    with pytest.raises(UserError, match=f"no benchmark is called '{name}'") as raised:
        read(name, tmp_path)
    assert hint in raised.value.fix


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"suit": "text"}, "did you mean 'suite'"),
        ({"prompt": {"mcq": "mcqs"}}, "'mcqs' is none of"),
        ({"official": {"open": "none"}}, "official and prompt must name the same kinds"),
        ({"breakdowns": ["organ"]}, "breakdowns: 'organ' is in no form's meta"),
        ({"where": [{"hub": "a/b", "bring": "x"}]}, "exactly one of hub, url, physionet, s3 and bring"),
        ({"where": [{"url": "https://x"}]}, "url and file go together"),
        ({"expected": {"rows": None, "known": "published"}}, "rows is null exactly where"),
        ({"chance": 25}, "less than or equal to 1"),
    ],
)
def test_a_wrong_record_is_named(change, named, tmp_path):
    record = yaml.safe_load((CATALOG / "public_benchmarks.yaml").read_text())["medqa_usmle"] | change
    Path(tmp_path / "public_benchmarks.yaml").write_text(yaml.safe_dump({"mine": record}))
    with pytest.raises(UserError, match="mine") as raised:
        read_public(tmp_path)
    assert named in raised.value.what


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"file_pattern": "("}, "not a regular expression"),
        ({"choices": {"shape": "columns"}}, "needs columns"),
        ({"gold": {"shape": "letter"}}, "gold.shape"),
        ({"tables": []}, "tables"),
        ({"question": ""}, "every form needs question"),
    ],
)
def test_a_wrong_form_is_named(change, named, tmp_path):
    record = yaml.safe_load((CATALOG / "public_benchmarks.yaml").read_text())["medqa_usmle"]
    record["forms"][0] |= change
    Path(tmp_path / "public_benchmarks.yaml").write_text(yaml.safe_dump({"mine": record}))
    with pytest.raises(UserError, match="mine") as raised:
        read_public(tmp_path)
    assert named in raised.value.what


def test_a_row_that_holds_the_name_of_a_picture_instead_of_it(tmp_path):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    held = [
        {"bytes": PICTURE, "path": None},
        {"bytes": None, "path": "beside.png"},
        {"bytes": None, "path": "gone.png"},
        {"bytes": None, "path": None},
        None,
    ]
    rows = {"image": pa.array(held, kind), "question": ["?"] * 5, "answer": ["no"] * 5}
    folder = write({"beside.png": PICTURE}, tmp_path)
    (folder / "data").mkdir()
    pq.write_table(pa.table(rows), folder / "data/test-0.parquet")
    loaded = read("vqa_rad", folder)
    assert [question.pictures[0].read() for question in loaded.questions] == [PICTURE, PICTURE]
    assert [error.reason for error in loaded.data_errors] == [Reason.MISSING_PICTURE] * 3
    assert "gone.png is not in" in loaded.data_errors[0].detail
    pq.write_table(pa.table(rows | {"image": ["beside.png"] * 5}), folder / "data/test-0.parquet")
    assert len(read("vqa_rad", folder).questions) == 5


def test_json_lines_that_are_called_json_and_a_list_that_is_called_json_lines(tmp_path):
    row = {"Question": "?", "Options": [{"key": "A", "value": "x"}, {"key": "B", "value": "y"}], "Answer": "B"}
    assert len(read("cmexam", write({"test.json": as_lines(row, row)}, tmp_path / "a")).questions) == 2
    with pytest.raises(UserError, match="not a list of rows"):
        read("cmexam", write({"test.json": as_lines(row)}, tmp_path / "b"))
    asked = {"question": "?", "options": {"A": "x", "B": "y"}, "answer_idx": "B"}
    assert len(read("medqa_usmle", write({"test.jsonl": as_json([asked, asked])}, tmp_path / "c")).questions) == 2
