"""`lingshu overlap` on files that are damaged, odd or missing: each is named, the rest is compared."""

import base64
import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lingshu.cli import app
from lingshu.core.errors import UserError
from lingshu.decontam import tables
from tests.corpora import Corpus, scene
from tests.decontam.overlapping import lines, overlap, picture, words


@pytest.mark.parametrize(
    ("train", "against", "said"),
    [
        ("absent", "t.jsonl", "absent: no such file or folder"),
        ("t.jsonl", "absent/x", "absent/x: no such file or folder"),
        ("t.jsonl", "vqa_rat", "no benchmark is called 'vqa_rat'"),
        ("empty", "t.jsonl", "empty: holds nothing to compare"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, monkeypatch, train: str, against: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "t.jsonl", [{"text": "one two"}])
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["overlap", "--train", train, "--against", against, "--out", "out"])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


def test_no_overlap_is_not_said_where_nothing_was_compared(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/a.png").write_bytes(b"no picture")
    picture(tmp_path / "films/a.png", scene(1, 100))
    lines(tmp_path / "t.jsonl", [{"text": words(20)}])

    def run(*arguments: str):
        return CliRunner().invoke(app, ["overlap", "--out", "o", *arguments])

    for sides in (("broken", "films"), ("films", "broken")):
        done = run("--train", sides[0], "--against", sides[1])
        assert "broken: nothing of it could be compared; broken/a.png: not a picture" in str(done.exception)
        assert "broken/a.png" in (tmp_path / "o/problems.csv").read_text()
    done = run("--train", "t.jsonl", "--against", "t.jsonl", "--field", "text=Text", "question=Frage")
    assert "--field question=frage: no row has a column of this name" in str(done.exception)
    done = run("--train", "t.jsonl", "--against", "films")
    assert (done.exit_code, "one side has texts only, the other pictures only" in done.stderr) == (0, True)
    done = run("--train", "t.jsonl", "--against", "mimic_cxr", "chexpert_plus", "--raw", "films")
    assert "films/mimic_cxr, or" in str(done.exception)


def test_results_of_an_earlier_run_are_no_data_and_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    picture(tmp_path / "far/a.png", scene(1, 100))
    (tmp_path / "train").mkdir()
    (tmp_path / "train/linked").symlink_to(tmp_path / "far")
    for _ in range(2):
        assert len(overlap(tmp_path / "train/out", [tmp_path / "train"], [tmp_path / "far"])) == 1
        read = json.loads((tmp_path / "train/out/summary.json").read_text())["read"]["train"][f"{tmp_path}/train"]
        assert read == {"records": 1, "texts": 0, "pictures": 1, "problems": 0}


def test_links_that_lead_nowhere_are_told_of(tmp_path: Path, monkeypatch) -> None:
    """As in a clone whose large files were never fetched; a row that names such a picture is told of too."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "train/a.png", scene(1, 100))
    picture(tmp_path / "films/a.png", scene(1, 100))
    lines(tmp_path / "train/t.jsonl", [{"image": "gone.png", "text": words(20)}])
    for name, to in (("gone.png", "away/x"), ("more.jsonl", "away/y"), ("loop.csv", "loop.csv"), ("folder", "away")):
        (tmp_path / "train" / name).symlink_to(to)
    for _ in range(2):  # the second time with results of an earlier run below the folder
        assert len(overlap(Path("train/out"), ["train"], ["films"])) == 1
    problems = (tmp_path / "train/out/problems.csv").read_text().splitlines()[1:]
    led_nowhere = [
        f"train/{name},a link that leads nowhere" for name in ("folder", "gone.png", "loop.csv", "more.jsonl")
    ]
    assert problems == [*led_nowhere, "train/t.jsonl:1!gone.png,the picture is missing"]
    done = CliRunner().invoke(app, ["overlap", "--train", "train/more.jsonl", "--against", "films", "--out", "o"])
    assert "train/more.jsonl: no such file" in str(done.exception)


def test_pictures_inside_rows_as_base64(tmp_path: Path, monkeypatch) -> None:
    """As tables of VLMEvalKit and data URIs hold them, on either side; what is damaged or no name is told of."""
    monkeypatch.chdir(tmp_path)
    film = picture(tmp_path / "films/a.png", scene(1, 100))
    held = base64.b64encode(film.read_bytes()).decode()
    shown = [held, f"data:image/png;base64,{held}", held[:600], held[:200] + "=", f"{'x' * 400}.png", held]
    lines(tmp_path / "t.jsonl", [{"image": image, "text": words(20)} for image in shown])
    (tmp_path / "t.tsv").write_text(f"index\timage\tquestion\n1\t{held}\tWhat is it?\n", encoding="utf-8")
    for sides in (("t.jsonl", "films"), ("films", "t.jsonl")):
        rows = overlap(Path("o"), [sides[0]], [sides[1]])
        assert [row["train" if sides[0] == "t.jsonl" else "against"] for row in rows] == [
            f"t.jsonl:{number}!0" for number in (1, 2, 6)
        ]
        problems = dict(csv.reader((tmp_path / "o/problems.csv").read_text().splitlines()[1:]))
        assert sorted(problems) == ["t.jsonl:3!0", "t.jsonl:4!0", f"t.jsonl:5!{'x' * 200}"]
        assert problems[f"t.jsonl:5!{'x' * 200}"] == "the picture is missing"
    assert [row["train"] for row in overlap(Path("o"), ["t.tsv"], ["films"])] == ["t.tsv:1#1!0"]


def test_json_lines_called_json_and_rows_of_any_length(tmp_path: Path, monkeypatch) -> None:
    """As MedMCQA's own files are called; a row too long for memory is told of, and no more of it is held."""
    monkeypatch.chdir(tmp_path)
    for limit in ("LINE_BYTES", "OBJECT_CHARACTERS", "WHOLE_BYTES"):
        monkeypatch.setattr(tables, limit, 1 << 16)
    texts = [words(20) for _ in range(3)]
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    lines(tmp_path / "all.jsonl", [{"text": text} for text in texts])
    Path("train").mkdir()
    Path("train/dev.json").write_text("\ufeff" + rows.replace("\n", "\nbroken\n", 1))
    assert [row["train"] for row in overlap(Path("o"), ["train"], ["all.jsonl"])] == [
        f"train/dev.json:{n}" for n in (1, 3, 4)
    ]
    long = "x" * (3 << 20)
    Path("train/dev.json").write_text(f"[{rows.splitlines()[0]},\n" + json.dumps({"text": long}) + "]")
    Path("train/long.jsonl").write_text(json.dumps({"text": long}) + "\n" + rows.splitlines()[1] + "\n")
    Path("train/long.csv").write_text(f"text\n{texts[2]}\n{long}\n")
    Path("train/long.txt").write_text(long)
    Path("train/long.xml").write_text(f"<a>{long}</a>")
    Path("train/none.json").write_text("")
    found = overlap(Path("o"), ["train"], ["all.jsonl"])
    assert [row["train"] for row in found] == ["train/dev.json:1", "train/long.csv:1", "train/long.jsonl:2"]
    problems = dict(csv.reader(Path("o/problems.csv").read_text().splitlines()[1:]))
    assert {name.removeprefix("train/"): problem.split(": ")[0][:30] for name, problem in problems.items()} == {
        "dev.json": "not JSON from here on",
        "long.csv": "not read from a line of more t",
        "long.jsonl:1": "a line of more than 65536 byte",
        "long.txt": "a text of 3145728 bytes, more ",
        "long.xml": "a text of 3145735 bytes, more ",
        "none.json": "not JSON from here on",
    }


def test_names_and_texts_without_a_form_in_utf_8(tmp_path: Path, monkeypatch) -> None:
    """A file's name in Latin-1, and half a surrogate pair that JSON can name: both had ended a run in a traceback."""
    monkeypatch.chdir(tmp_path)
    film = picture(tmp_path / "films/a.png", scene(1, 100)).read_bytes()
    Path("train").mkdir()
    for name in (b"caf\xe9.png", b"p\xe8re.txt"):
        Path("train", os.fsdecode(name)).write_bytes(film if name.endswith(b"png") else b"x\xff")
    text = words(20)
    Path("train/t.jsonl").write_text(json.dumps({"id": "\ud800", "text": f"{text} \ud83d"}))
    lines(tmp_path / "films/t.jsonl", [{"text": f"{text} \N{REPLACEMENT CHARACTER}"}])
    found = overlap(Path("o"), ["train"], ["films"])
    assert [row["train"] for row in found] == ["train/caf\\udce9.png", "train/t.jsonl:1#\N{REPLACEMENT CHARACTER}"]
    assert "train/p\\udce8re.txt,not UTF-8" in Path("o/problems.csv").read_text()


def test_damaged_parquet_files_are_told_of(tmp_path: Path, monkeypatch) -> None:
    """A text that is no UTF-8 had ended the run in a traceback, as had a sample row without messages."""
    monkeypatch.chdir(tmp_path)
    films = Corpus(tmp_path / "own")
    films.caption("films", "A film.", films.picture("films", scene(1, 100)))
    films.write()
    (part,) = (tmp_path / "own/data/samples/films").glob("part-*.parquet")
    table = pq.read_table(part)
    place = table.schema.get_field_index("messages")
    bare = table.set_column(place, table.schema.field(place), pa.nulls(1, table.schema.field(place).type))
    lines(tmp_path / "good.jsonl", [{"text": words(20)}])
    (tmp_path / "train").mkdir()
    pq.write_table(bare, tmp_path / "train/part-00000.parquet")
    pq.write_table(
        pa.table({"text": [words(20), "zzzz" * 5]}),
        tmp_path / "train/b.parquet",
        use_dictionary=False,
        compression="none",
    )
    data = (tmp_path / "train/b.parquet").read_bytes()
    (tmp_path / "train/b.parquet").write_bytes(data.replace(b"zzzz" * 5, b"\xff\xfezz" * 5))
    (tmp_path / "train/c.parquet").write_bytes(data[: len(data) // 2])
    lines(tmp_path / "train/d.jsonl", [json.loads((tmp_path / "good.jsonl").read_text())])
    assert len(overlap(Path("o"), ["train"], ["good.jsonl"])) == 1
    problems = dict(csv.reader((tmp_path / "o/problems.csv").read_text().splitlines()[1:]))
    assert sorted(problems) == ["train/b.parquet", "train/c.parquet", "train/part-00000.parquet:1"]
    assert "not a Parquet file that can be read: 'utf-8' codec" in problems["train/b.parquet"]
    assert "has not what every sample has" in problems["train/part-00000.parquet:1"]


def test_rows_that_could_not_be_read_are_told_of(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "t.jsonl", [{"text": words(20)}, "broken"])
    with (tmp_path / "t.jsonl").open("a") as handle:
        handle.write('{"text": "cut of')
    done = CliRunner().invoke(app, ["overlap", "--train", "t.jsonl", "--against", "t.jsonl", "--out", "o"])
    assert done.exit_code == 0
    assert "wrote o/pairs.csv: 2 pairs" in done.stdout
    assert "t.jsonl:3: not JSON" in done.stderr
    assert "4 could not" not in done.stderr
