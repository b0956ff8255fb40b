"""Real rows of the benchmarks, read from the slices that lie beside a developer's checkout."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from tests.benchmarks.public_made import PICTURE
from tests.benchmarks.test_public_forms import CATALOG
from tests.loopback_hub import LoopbackHub

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def sample(name):
    if not (SAMPLES / name).exists():
        pytest.skip(f"no shared samples beside this checkout: {name}")
    return SAMPLES / name


def stand_ins(folder, names):
    """Lay pictures of the right names: the slices have none."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PICTURE)


def read(name, folder):
    loaded = load(name, root_catalog=CATALOG, folder=folder, accept_rows=True)
    assert loaded.data_errors == ()
    assert loaded.rows == len(loaded.questions) == len({question.id for question in loaded.questions})
    return loaded


@pytest.mark.parametrize(
    ("name", "folder", "rows", "options", "breakdowns"),
    [
        ("medqa_usmle", "medqa", 150, {4}, set()),
        ("med_mcqa", "medmcqa", 150, {4}, {"subject"}),
        ("medxpertqa_text", "medxpertqa", 100, {10}, {"question_type", "medical_task", "body_system"}),
        ("mmlu_med", "mmlu_medical", 220, {4}, {"subject"}),
        ("pubmed_qa", "pubmedqa", 150, {3}, set()),
    ],
)
def test_text(name, folder, rows, options, breakdowns):
    loaded = read(name, sample(folder))
    assert loaded.rows == rows
    assert loaded.record.checked == "real sample"
    for question in loaded.questions:
        assert question.kind == "mcq"
        assert question.answer in "ABCDEFGHIJ"[: len(question.choices)]
        assert breakdowns <= set(question.meta)
        assert all(choice in question.turns[-1].text for choice in question.choices)
        assert name == "medxpertqa_text" or "Answer Choices" not in question.turns[-1].text
    assert {len(question.choices) for question in loaded.questions} == options


def test_text_of_options_is_that_of_the_source():
    """Options cut out of the question equal those of MedXpertQA's own list, where both stand in the row."""
    from lingshu.intake.answers import options_of
    from lingshu.intake.shapes import Choices

    path = sample("medxpertqa") / "medxpertqa_sampled_text_input.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found = options_of(Choices(shape="in_question", field="question"), row, row["question"])
        assert list(found.texts) == [option["content"] for option in row["options"]]


def test_medxpertqa_with_pictures(tmp_path):
    shutil.copytree(sample("medxpertqa"), tmp_path / "in")
    rows = [json.loads(line) for line in (tmp_path / "in/medxpertqa_mm_input.jsonl").read_text().splitlines()]
    stand_ins(tmp_path / "in/images", [image["image_path"] for row in rows for image in row["images"]])
    loaded = read("medxpertqa_mm", tmp_path / "in")
    assert [len(q.pictures) for q in loaded.questions] == [len(row["images"]) for row in rows]
    assert {len(q.choices) for q in loaded.questions} == {5}


def test_vqa_rad():
    loaded = read("vqa_rad", sample("vqa_rad"))
    assert loaded.rows == 57
    assert set(loaded.questions[0].meta) == {"language", "question_type", "organ", "phrase_type"}
    assert Counter(q.kind for q in loaded.questions).keys() == {"yesno", "open"}
    assert all(q.pictures[0].read()[:2] == b"\xff\xd8" for q in loaded.questions)
    assert len({q.cluster for q in loaded.questions}) < 57


def test_slake(tmp_path):
    shutil.copytree(sample("slake") / "Slake1.0", tmp_path / "in")
    rows = json.loads((tmp_path / "in/test.json").read_text(encoding="utf-8"))
    stand_ins(tmp_path / "in/imgs", [row["img_name"] for row in rows])
    loaded = read("slake", tmp_path / "in")
    kinds = Counter((q.meta["language"], q.meta["answer_type"], q.kind) for q in loaded.questions)
    assert kinds["en", "OPEN", "open"] == 125
    assert kinds["en", "CLOSED", "yesno"] == 53
    assert kinds["en", "CLOSED", "closed"] == 8
    assert kinds["zh", "CLOSED", "yesno"] + kinds["zh", "CLOSED", "closed"] == 56
    endings = {"en": "single word or phrase.", "zh": "请用一个单词或者短语回答该问题。"}
    assert all(q.turns[-1].text.endswith(endings[q.meta["language"]]) for q in loaded.questions if q.kind != "open")
    assert len({q.cluster for q in loaded.questions}) == 24


def test_path_vqa(tmp_path):
    shutil.copytree(sample("pathvqa"), tmp_path / "in")
    rows = json.loads((tmp_path / "in/pvqa_test.json").read_text(encoding="utf-8"))
    stand_ins(tmp_path / "in/images", [f"{row['img_id']}.jpg" for row in rows])
    loaded = read("path_vqa", tmp_path / "in")
    assert Counter(q.kind for q in loaded.questions) == {"open": 108, "yesno": 95}
    assert len({q.cluster for q in loaded.questions}) == 25


def test_a_row_whose_picture_is_missing_is_named_once_however_many_its_questions():
    with pytest.raises(UserError, match="none of 203 rows could be asked") as caught:
        read("path_vqa", sample("pathvqa"))
    shown = [line for line in str(caught.value).splitlines() if "picture is missing" in line]
    assert len(shown) == len(set(shown)) == 3


def test_healthbench():
    loaded = read("healthbench", sample("healthbench"))
    assert loaded.notes == ("healthbench: no file *oss_eval.jsonl; judge_responses.jsonl, the only *.jsonl, is read",)
    assert loaded.rows == 25
    for question in loaded.questions:
        assert question.turns[-1].role == "user"
        assert any(rubric["points"] > 0 for rubric in question.meta["rubrics"])
        assert any(tag.startswith("theme:") for tag in question.meta["tags"])
    assert any(len(question.turns) > 1 for question in loaded.questions)


def test_a_slice_is_not_taken_for_the_whole():
    with pytest.raises(UserError, match=r"medqa_usmle: 150 rows in the files .*, 1273 in the record \(counted\)"):
        load("medqa_usmle", root_catalog=CATALOG, folder=sample("medqa"))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("medqa_usmle", "medqa"),
        ("med_mcqa", "medmcqa"),
        ("medxpertqa_text", "medxpertqa"),
        ("mmlu_med", "mmlu_medical"),
        ("pubmed_qa", "pubmedqa"),
        ("vqa_rad", "vqa_rad"),
    ],
)
def test_the_hub_gives_what_the_folder_gives(name, folder, tmp_path):
    root = sample(folder)
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    local = read(name, root)
    with LoopbackHub() as hub:
        where = local.record.where[0]
        commit = hub.add(where.hub, files, commit=where.revision)
        served = load(name, root_catalog=CATALOG, endpoint=hub.endpoint, cache=tmp_path, accept_rows=True, limit=40)
        for ours, theirs in zip(served.questions, local.questions, strict=False):
            assert (ours.id, ours.turns, ours.answer, ours.cluster) == (
                theirs.id,
                theirs.turns,
                theirs.answer,
                theirs.cluster,
            )
            assert [p.read() for p in ours.pictures] == [p.read() for p in theirs.pictures]
    assert served.rows == local.rows
    assert set(served.revisions.values()) == {commit}
