"""`lingshu overlap` on data of a user's own."""

import base64
import csv
import gzip
import io
import json
import os
import random
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from lingshu.cli import app
from lingshu.core.errors import UserError
from lingshu.decontam import tables
from tests.corpora import Corpus, scene

QUESTION = "A man of fifty years has had chest pain for two hours; which artery is most probably closed?"
RNG = random.Random(5)
VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "st", "l")]


def words(count: int) -> str:
    return " ".join(RNG.choices(VOCABULARY, k=count))


def lines(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def picture(path: Path, pixels: np.ndarray | Image.Image, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def overlap(out: Path, train: list[Path | str], against: list[Path | str], *options: str) -> list[dict[str, str]]:
    arguments = ["overlap", "--train", *map(str, train), "--against", *map(str, against), "--out", str(out), *options]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with (out / "pairs.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def found(rows: list[dict[str, str]], root: Path) -> set[tuple[str, str, str, str, float]]:
    cut = f"{root}{os.sep}"
    return {
        (r["train"].replace(cut, ""), r["against"].replace(cut, ""), r["kind"], r["method"], float(r["distance"]))
        for r in rows
    }


def test_texts(tmp_path: Path) -> None:
    against = lines(
        tmp_path / "test.jsonl",
        [
            {"id": "t0", "question": QUESTION, "answer": "The left anterior descending artery"},
            {"id": "t1", "question": words(30), "answer": "no"},
            {"id": "t2", "question": "Is gastritis an inflammation?", "answer": "yes"},
            {"id": "t3", "question": words(10), "answer": "yes"},
        ],
    )
    items = [json.loads(line) for line in against.read_text().splitlines()]
    train = lines(
        tmp_path / "train.jsonl",
        [
            {"id": "copy", "question": QUESTION.upper().replace(" ", "  "), "answer": "other"},
            {"id": "pair", "question": "is gastritis an inflammation", "answer": "Yes."},
            {"id": "negated", "question": "is gastritis an inflammation", "answer": "no"},
            {"id": "long", "text": f"{words(400)} {items[1]['question']} {words(300)}"},
            {"id": "half", "text": f"{words(40)} {' '.join(items[1]['question'].split()[:23])}"},
            {"id": "short", "text": f"{words(40)}, {items[3]['question'].upper()}! {words(9)}"},
            {"id": "unrelated", "text": words(300)},
        ],
    )
    rows = found(overlap(tmp_path / "out", [train], [against]), tmp_path)
    assert rows == {
        ("train.jsonl:1#copy", "test.jsonl:1#t0", "text", "exact_text", 0),
        ("train.jsonl:2#pair", "test.jsonl:3#t2", "text", "exact_text", 0),
        ("train.jsonl:2#pair", "test.jsonl:3#t2", "text", "question_answer", 0),
        ("train.jsonl:4#long", "test.jsonl:2#t1", "text", "ngram13", 0),
        ("train.jsonl:5#half", "test.jsonl:2#t1", "text", "ngram13", round(1 - 11 / 18, 6)),
        ("train.jsonl:6#short", "test.jsonl:4#t3", "text", "ngram13", 0),
    }


def test_pictures(tmp_path: Path) -> None:
    train, test = tmp_path / "train", tmp_path / "test"
    for number in range(6):
        picture(test / f"t{number}.png", scene(number, 300))
    (train / "deep").mkdir(parents=True)
    (train / "deep" / "bytes.png").write_bytes((test / "t0.png").read_bytes())
    picture(train / "small.jpg", Image.fromarray(scene(1, 300)).resize((150, 150)), quality=60)
    picture(train / "crop.png", scene(2, 300)[20:240, 30:260])
    picture(train / "crop.jpg", Image.fromarray(scene(3, 300)[:210, 60:300]).resize((400, 350)), quality=80)
    picture(train / "mirrored.png", 255 - np.rot90(scene(4, 300))[:, ::-1])
    for number in range(20, 40):
        picture(train / f"other{number}.png", scene(number, 300))
    (train / "broken.png").write_bytes((test / "t0.png").read_bytes()[:200])
    (train / "notes.docx").write_bytes(b"x")
    rows = overlap(tmp_path / "out", [train], [test])
    assert {row[:4] for row in found(rows, tmp_path)} == {
        ("train/deep/bytes.png", "test/t0.png", "image", "exact"),
        ("train/small.jpg", "test/t1.png", "image", "perceptual"),
        ("train/crop.png", "test/t2.png", "image", "crop"),
        ("train/crop.jpg", "test/t3.png", "image", "crop"),
        ("train/mirrored.png", "test/t4.png", "image", "turned"),
    }
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["matrix"] == {str(train): {str(test): 5}}
    assert summary["read"]["train"][str(train)] == {"records": 26, "texts": 0, "pictures": 25, "problems": 2}
    problems = (tmp_path / "out/problems.csv").read_text()
    assert f"{train}/broken.png,not a picture that can be decoded" in problems
    assert f"{train}/notes.docx,a file of a kind that is not read (.docx)" in problems
    without = overlap(tmp_path / "out2", [train], [test], "--no-crops", "--no-turned")
    assert {row["method"] for row in without} == {"exact", "perceptual"}


def test_rows_with_pictures(tmp_path: Path) -> None:
    """A template asked of several pictures is nobody's own text; a picture named by a row is told with the row."""
    for number in range(3):
        picture(tmp_path / f"img/{number}.png", scene(number, 200))
    template = "Which imaging modality was used to take the picture that is shown here?"
    against = lines(
        tmp_path / "test.jsonl",
        [
            {"qid": "a", "image": "img/0.png", "question": template, "answer": "CT"},
            {"qid": "b", "image": "img/1.png", "question": template, "answer": "MRI"},
            {"qid": "c", "image": "img/2.png", "question": QUESTION, "answer": "LAD"},
        ],
    )
    buffer = io.BytesIO()
    Image.fromarray(scene(1, 200)).save(buffer, "PNG", compress_level=1)
    table = pa.table(
        {
            "id": ["p0", "p1", "p2"],
            "image": [{"bytes": buffer.getvalue(), "path": "x.png"}, {"bytes": b"no", "path": "y.png"}, None],
            "question": [template, template, QUESTION],
            "answer": ["CT", "MRI", "none"],
        }
    )
    pq.write_table(table, tmp_path / "train.parquet")
    rows = found(overlap(tmp_path / "out", [tmp_path / "train.parquet"], [against]), tmp_path)
    assert {row[:4] for row in rows} == {
        ("train.parquet:1#p0!x.png", "test.jsonl:2#b!img/1.png", "image", "perceptual"),
        ("train.parquet:3#p2", "test.jsonl:3#c", "text", "exact_text"),
    }
    assert "p1!y.png" in (tmp_path / "out/problems.csv").read_text()
    back = found(overlap(tmp_path / "out2", [against], [tmp_path / "train.parquet"]), tmp_path)
    assert ("test.jsonl:2#b!img/1.png", "train.parquet:1#p0!x.png", "image", "perceptual") in {row[:4] for row in back}


def test_chinese_questions_have_words_too(tmp_path: Path) -> None:
    """Chinese has no spaces: a question about a picture was taken for a single word, and so for a template."""
    picture(tmp_path / "img/0.png", scene(0, 200))
    question = "患者突发胸痛两小时，结合图像所见，最可能的诊断是什么"
    asked = [
        {"qid": "a", "image": "img/0.png", "question": question, "answer": "主动脉夹层"},
        {"qid": "b", "image": "img/0.png", "question": "这是什么器官", "answer": "肺"},
    ]
    against = lines(tmp_path / "test.jsonl", asked)
    told = [{"id": number, "question": row["question"] + "？", "answer": "不知道"} for number, row in enumerate(asked)]
    rows = found(overlap(tmp_path / "out", [lines(tmp_path / "train.jsonl", told)], [against]), tmp_path)
    assert rows == {("train.jsonl:1#0", "test.jsonl:1#a", "text", "exact_text", 0.0)}


def test_other_tables_and_texts(tmp_path: Path) -> None:
    item = words(20)
    (tmp_path / "items.txt").write_text(f"{item}\n{words(20)}\n")
    (tmp_path / "train.txt").write_text("\n".join([words(9), *_wrapped(f"{words(30)} {item} {words(30)}")]))
    (tmp_path / "train.csv").write_text(
        f'text,source\n"{item.upper()}.",web\n"open,web\n"{item}",web\nlast {words(15)},"open {item}\n'
    )
    (tmp_path / "train.json").write_text(json.dumps({"data": [{"id": 7, "body": words(30)}, {"id": 8, "body": item}]}))
    conversation = [{"from": "human", "value": item}, {"from": "gpt", "value": "well"}]
    lines(tmp_path / "chat.jsonl", [{"id": "c", "conversations": conversation}])
    (tmp_path / "mmlu.csv").write_text(f"The sign of this is:,one,two,three,four,C\n{item},1,2,3,4,A\n")
    with gzip.open(tmp_path / "packed.jsonl.gz", "wt") as handle:
        handle.write(json.dumps({"id": "z", "text": item}))
    (tmp_path / "page.xml").write_text(f"<doc><title>t</title><answer>{item}</answer></doc>")
    names = ("train.txt", "train.csv", "train.json", "chat.jsonl", "mmlu.csv", "packed.jsonl.gz", "page.xml")
    rows = found(overlap(tmp_path / "out", [tmp_path / n for n in names], [tmp_path / "items.txt"]), tmp_path)
    assert rows == {
        ("train.txt", "items.txt:1", "text", "ngram13", 0),
        ("train.csv:1", "items.txt:1", "text", "exact_text", 0),
        ("train.csv:3", "items.txt:1", "text", "exact_text", 0),
        ("train.csv:4", "items.txt:1", "text", "ngram13", 0),
        ("train.json:2#8", "items.txt:1", "text", "exact_text", 0),
        ("chat.jsonl:1#c", "items.txt:1", "text", "exact_text", 0),
        ("mmlu.csv:2", "items.txt:1", "text", "exact_text", 0),
        ("packed.jsonl.gz:1#z", "items.txt:1", "text", "exact_text", 0),
        ("page.xml", "items.txt:1", "text", "ngram13", 0),
        ("page.xml:3", "items.txt:1", "text", "exact_text", 0),
    }
    problems = (tmp_path / "out/problems.csv").read_text()
    assert "train.csv, line 3" in problems
    assert "train.csv, line 5" in problems
    assert problems.count("the line is compared as it stands") == 2


def test_scans_and_archives(tmp_path: Path, monkeypatch) -> None:
    """Frames and slices are told by number; a row finds its picture in an archive beside it; names lead nowhere."""
    monkeypatch.chdir(tmp_path)
    volume = np.stack([scene(number, 96) for number in range(6)], axis=-1)
    nib.save(nib.Nifti1Image(volume.transpose(1, 0, 2)[::-1, ::-1].copy(), np.diag([1, 1, 9, 1])), "scan.nii.gz")
    for number in range(8):
        picture(Path(f"test/t{number}.png"), scene(number, 96))
    _dicom(Path("frame"), scene(6, 96))
    with zipfile.ZipFile("set.zip", "w") as archive:
        archive.writestr("../up/rows.jsonl", json.dumps({"id": 1, "image": "7.png", "caption": words(9)}))
        archive.write("test/t7.png", "img/7.png")
        archive.write("frame", "series/IM0001")
        archive.writestr("__MACOSX/._7.png", b"x")
    Path("cut.zip").write_bytes(Path("set.zip").read_bytes()[:-9])
    train = ["scan.nii.gz", "set.zip", "frame"]
    pairs = {(r["train"], r["against"], r["method"]) for r in overlap(Path("out"), train, ["test"], "--slices", "4")}
    assert pairs == {
        *((f"scan.nii.gz!axial-{n:03d}", f"test/t{n}.png", "perceptual") for n in (0, 2, 3, 5)),
        ("set.zip!/../up/rows.jsonl:1#1!7.png", "test/t7.png", "exact"),
        ("set.zip!/series/IM0001", "test/t6.png", "perceptual"),
        ("frame", "test/t6.png", "perceptual"),
    }
    assert "scan.nii.gz," in Path("out/problems.csv").read_text()  # which slices were left out
    assert overlap(Path("out2"), ["test"], ["set.zip"])[0]["against"] == "set.zip!/series/IM0001"
    arguments = ["overlap", "--train", "cut.zip", "--against", "test", "--out", "out3"]
    assert "cut.zip: not a zip archive" in str(CliRunner().invoke(app, arguments).exception)


def _dicom(path: Path, pixels: np.ndarray) -> None:
    dataset = Dataset()
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


def test_options_inside_a_question(tmp_path: Path) -> None:
    """The same item is found whether its options stand in fields, in the question, or in another's words."""
    (item,) = [{"question": "Which one?", "options": {"A": "liver", "B": "heart"}, "answer": "B"}]
    against = lines(tmp_path / "t.jsonl", [item])
    rows = [
        {"question": "Which one?\nAnswer Choices: (A) liver (B) heart", "label": ["B"]},
        {
            "messages": [
                {"role": "user", "content": "Which one?\nA. liver\nB. heart"},
                {"role": "assistant", "content": "heart"},
            ]
        },
        {"question": "Which one? (B) heart", "answer": "heart"},
    ]
    pairs = found(overlap(tmp_path / "o", [lines(tmp_path / "train.jsonl", rows)], [against]), tmp_path)
    answered = {row[0] for row in pairs if row[3] == "question_answer"}
    assert answered == {"train.jsonl:1", "train.jsonl:2"}


def _wrapped(text: str) -> list[str]:
    parts = text.split()
    return [" ".join(parts[i : i + 6]) for i in range(0, len(parts), 6)]


def test_an_option_letter_is_its_text(tmp_path: Path) -> None:
    lettered = {"question": "Which organ?", "options": {"A": "heart", "B": "lung"}, "answer": "B"}
    numbered = {"question": "Which organ?", "choices": ["lung", "heart"], "answer": 0}
    wrong = {"question": "Which organ?", "choices": ["lung", "heart"], "answer": 1}
    train = lines(tmp_path / "train.jsonl", [numbered, wrong])
    rows = found(overlap(tmp_path / "out", [train], [lines(tmp_path / "t.jsonl", [lettered])]), tmp_path)
    assert rows == {("train.jsonl:1", "t.jsonl:1", "text", "question_answer", 0)}


def test_named_fields(tmp_path: Path) -> None:
    against = lines(tmp_path / "t.jsonl", [{"nr": "x", "Frage": "Welches Organ?", "Antwort": "Lunge"}])
    train = lines(tmp_path / "train.jsonl", [{"nr": "y", "Frage": "welches organ", "Antwort": "lunge"}])
    options = ("--field", "id=nr", "question=Frage", "answer=Antwort")
    rows = overlap(tmp_path / "out", [train], [against], *options)
    assert ("train.jsonl:1#y", "t.jsonl:1#x", "text", "question_answer", 0) in found(rows, tmp_path)


def test_a_samples_folder(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "data_root")
    one = corpus.caption("s", "A slice of a head.", corpus.picture("s", scene(1, 200)))
    corpus.caption("s", "Another.", corpus.picture("s", scene(2, 200)))
    text = corpus.sample("t", QUESTION, "the left one")
    corpus.write()
    picture(tmp_path / "test/a.jpg", Image.fromarray(scene(1, 200)), quality=70)
    lines(tmp_path / "test/q.jsonl", [{"id": "q", "question": QUESTION, "answer": "the left one"}])
    expected = {
        (one.sample_id, f"{tmp_path}/test/a.jpg", "perceptual"),
        (text.sample_id, f"{tmp_path}/test/q.jsonl:1#q", "exact_text"),
        (text.sample_id, f"{tmp_path}/test/q.jsonl:1#q", "question_answer"),
    }
    for folder in ("data", "data/samples"):
        rows = overlap(tmp_path / "out", [corpus.root / folder], [tmp_path / "test"])
        assert {(r["train"], r["against"], r["method"]) for r in rows} == expected
    shards = overlap(tmp_path / "out", [corpus.root / "data/images"], [tmp_path / "test"])
    assert [(r["train"], r["method"]) for r in shards] == [(one.images[0].image_id, "perceptual")]


def test_two_runs_and_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / f"test/{number}.png", scene(number, 100))
        picture(tmp_path / f"train/{number}.jpg", Image.fromarray(scene(number, 100)), quality=80)
    written = []
    for name, options in (("a", ()), ("b", ("--processes", "2"))):
        assert len(overlap(tmp_path / name, [tmp_path / "train"], [tmp_path / "test"], *options)) == 4
        written.append((tmp_path / name / "pairs.csv").read_bytes())
    assert written[0] == written[1]


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
