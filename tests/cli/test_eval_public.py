"""`lingshu eval` over public benchmarks: names are checked first, what is out of reach is told, real samples run."""

import json
import subprocess
from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.items import read_items
from lingshu.inference.setup import make_setup
from tests.commanding import lingshu

ROOT = Path(__file__).resolve().parents[2]
VQA_RAD = ROOT.parent / "shared" / "samples" / "vqa_rad"


def run(*arguments, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return lingshu("eval", "--model", "echo", *arguments, at=at)


def test_d50_an_unknown_benchmark_is_named_before_anything_is_loaded(tmp_path):
    result = run("--benchmarks", "vqa_rad,vqarad", "--out", tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.startswith("error: no benchmark is called 'vqarad'")
    assert "vqa_rad" in result.stderr.splitlines()[1]
    assert not (tmp_path / "out").exists()


def test_a_folder_for_an_unknown_benchmark_is_named(tmp_path):
    result = run("--suite", "text", "--folder", f"vqarad={tmp_path}", "--out", tmp_path / "out")
    assert result.returncode == 2
    assert "no benchmark is called 'vqarad'" in result.stderr


def test_a_suite_out_of_reach_is_told_and_the_rest_is_asked(tmp_path):
    """The report suite needs folders: none is given, so nothing of it is asked, but the questions of one's own are."""
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"id": "1", "kind": "open", "prompt": "What?", "answer": "x"}) + "\n")
    result = run("--suite", "report", "--questions", own, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "own  1 of 1 answered" in result.stdout
    assert "error: mimic_cxr: not asked: " in result.stderr


def test_one_that_is_named_must_load(tmp_path):
    from lingshu.commands.evaluate import parse_wanted
    from lingshu.commands.public_questions import find_public

    with pytest.raises(UserError, match="mimic_cxr"):
        find_public(parse_wanted("", "mimic_cxr", []))


@pytest.mark.skipif(not VQA_RAD.is_dir(), reason="no real sample of VQA-RAD beside the checkout")
def test_real_samples_from_a_folder_and_from_anywhere(tmp_path):
    options = ("--benchmarks", "vqa_rad", "--folder", f"vqa_rad={VQA_RAD}", "--accept-rows", "--limit", "20")
    result = run(*options, "--out", "out", at=tmp_path)
    assert result.returncode == 0, result.stderr
    items = list(read_items(tmp_path / "out" / "responses" / "vqa_rad.jsonl"))
    assert len(items) == 20
    assert {item.kind for item in items} <= {"yesno", "open"}
    record = json.loads((tmp_path / "out" / "run.json").read_text())["benchmarks"]["vqa_rad"]["record"]
    assert record["suite"] == "multimodal"
    assert record["limit"] == 20


def test_rows_that_can_not_be_asked_are_told_with_an_example(tmp_path):
    row = {"question": "Which?", "options": {"A": "x", "B": "y"}, "answer_idx": "B", "meta_info": "step1"}
    (tmp_path / "files").mkdir()
    (tmp_path / "files/test.jsonl").write_text(f'{json.dumps(row)}\n{{"torn":\n{json.dumps(row | {"options": {}})}\n')
    options = ("--benchmarks", "medqa_usmle", "--folder", f"medqa_usmle={tmp_path / 'files'}", "--accept-rows")
    result = run(*options, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "medqa_usmle  1 of 1 answered" in result.stdout
    assert "warning: medqa_usmle: 2 of 3 rows can't be asked and are left out (" in result.stderr
    assert "\n  test.jsonl: row 2: unreadable row: not JSON" in result.stderr


def test_pictures_are_needed_only_where_they_are_looked_at(tmp_path):
    """A blind run, and answers that are in a file, need none; a model that looks does, and is told before it starts."""
    from lingshu.commands.evaluate import Wanted
    from lingshu.commands.public_questions import find_public

    asked = {"pvqa": ["Is it?", "Is it round?"]}, {"pvqa": [{"no": 1}, {"yes": 1}]}
    rows = [{"img_id": f"t{n}", "sentf": asked[0], "labelf": asked[1]} for n in (1, 2)]
    (tmp_path / "files").mkdir()
    (tmp_path / "files/pvqa_test.json").write_text(json.dumps(rows))
    folders = (("path_vqa", tmp_path / "files"),)
    with pytest.raises(UserError, match=r"none of 4 rows could be asked(.|\n)*picture is missing: t1.jpg"):
        find_public(Wanted((), folders=folders, benchmarks=("path_vqa",), accept_rows=True))
    assert make_setup("owner/model", {}).looks
    assert not make_setup("owner/model", {"blind": True}).looks
    told = run("--blind", "--benchmarks", "path_vqa", "--folder", f"path_vqa={tmp_path / 'files'}", "--accept-rows",
               "--out", tmp_path / "blind")  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "note: path_vqa: 2 of its pictures not in " in told.stderr
    lines = (tmp_path / "blind/responses/path_vqa.jsonl").read_text().splitlines()
    assert len({json.loads(line)["cluster"] for line in lines}) == 2
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps({"id": json.loads(one)["id"], "response": "No."}) + "\n" for one in lines))
    told = lingshu("eval", "--model", answers, "--benchmarks", "path_vqa", "--folder",
                   f"path_vqa={tmp_path / 'files'}", "--accept-rows", "--out", tmp_path / "file", at=ROOT)  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "path_vqa  4 of 4 answered" in told.stdout
