"""`lingshu overlap` on data of a user's own."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from lingshu.cli import app
from tests.corpora import Corpus, scene
from tests.decontam.overlapping import QUESTION, found, lines, overlap, picture, words


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


def test_named_fields_of_one_side(tmp_path: Path) -> None:
    """The other side has the usual names; a row that has both is asked by the named one, and says the other too."""
    against = lines(tmp_path / "t.jsonl", [{"id": "x", "question": "Which organ?", "answer": "Lung"}])
    rows = [
        {"Frage": "which organ", "Antwort": "lung"},
        {"Frage": "Whose?", "question": f"{QUESTION} {words(9)}", "Antwort": "ours", "answer": "lung"},
        {"question": "which organ", "answer": "lung"},
    ]
    train = lines(tmp_path / "train.jsonl", rows)
    options = ("--field", "question=Frage", "answer=Antwort")
    pairs = found(overlap(tmp_path / "out", [train], [against], *options), tmp_path)
    assert {row[0] for row in pairs if row[3] == "question_answer"} == {"train.jsonl:1", "train.jsonl:3"}
    assert {row[0] for row in pairs} == {"train.jsonl:1", "train.jsonl:3"}
    held = lines(tmp_path / "q.jsonl", [{"question": QUESTION, "answer": "x"}])
    pairs = found(overlap(tmp_path / "out2", [train], [held], *options), tmp_path)
    assert {(row[0], row[3]) for row in pairs} == {("train.jsonl:2", "ngram13")}


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
    picture(tmp_path / "train/turned.jpg", Image.fromarray(scene(0, 100)).rotate(8).crop((10, 10, 90, 90)), quality=80)
    written = []
    for name, options in (("a", ()), ("b", ("--processes", "2"))):
        assert len(overlap(tmp_path / name, [tmp_path / "train"], [tmp_path / "test"], *options)) == 5
        written.append((tmp_path / name / "pairs.csv").read_bytes())
    assert written[0] == written[1]
