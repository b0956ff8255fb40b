"""What is dropped because of which benchmark item, and what is left alone."""

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import ExifTags, Image

from lingshu.benchmarks.public.load import load
from lingshu.benchmarks.public.several import load_several
from lingshu.core.errors import UserError
from lingshu.core.layout import aside_file
from lingshu.core.parallel import Workers
from lingshu.core.params import load_section
from lingshu.core.question import Question
from lingshu.core.sample import Answer
from lingshu.core.verdicts import Verdict, eligible_aside, read_verdicts
from lingshu.decontam.decontaminate import decontaminate
from lingshu.decontam.params import DecontamParams, KeptOnPurpose
from lingshu.evalkit.clean import flagged_items
from lingshu.sources.stills import StillLimits, still_of
from tests.benchmarks.public_made import write
from tests.benchmarks.public_text import TEXT
from tests.corpora import Corpus, scene

ROOT = Path(__file__).parents[2]
PARAMS = DecontamParams(picture_radius=2, ngram_words=13, coverage=0.5)
LONG = "the left ventricle pumps blood into the aorta and the right ventricle into the pulmonary artery of the lung"


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def run(corpus: Corpus, params: DecontamParams = PARAMS) -> dict[str, Verdict]:
    """Every held-out sample is an item of the benchmark `held_out`."""
    corpus.write()
    corpus.keep_all("deduplicate")
    held_out = [s for samples in corpus.samples.values() for s in samples if s.split == "test"]
    corpus.write_benchmark("held_out", held_out)
    rows = decontaminate(corpus.sources, params, corpus.root).verdicts.iter_rows(named=True)
    return {row["sample_id"]: Verdict(**row) for row in rows}


def test_equal_pixels_whatever_the_question(corpus: Corpus) -> None:
    item = corpus.sample("s", "Which plane?", "axial", corpus.picture("s", scene(1), split="test"), task="vqa_open")
    copy = corpus.caption("s", "An axial slice.", corpus.picture("s", scene(1)))
    other = corpus.sample("s", "Which plane?", "axial", corpus.picture("s", scene(2)), task="vqa_open")
    verdicts = run(corpus)
    assert verdicts[copy.sample_id].reason == "PICTURE_IN_BENCHMARK"
    assert verdicts[copy.sample_id].detail == f"held_out: {item.sample_id}"
    assert verdicts[other.sample_id].keep


def test_near_pixels_within_the_radius(corpus: Corpus) -> None:
    corpus.caption("s", "one", corpus.picture("s", scene(1), split="test"))
    lighter = np.clip(scene(1).astype(int) + 4, 0, 255).astype(np.uint8)
    near = corpus.caption("s", "two", corpus.picture("s", lighter))
    verdict = run(corpus)[near.sample_id]
    assert verdict.reason == "PICTURE_NEAR_BENCHMARK"
    assert verdict.score is not None
    assert verdict.score <= 2


def test_one_of_several_pictures_is_enough(corpus: Corpus) -> None:
    corpus.caption("s", "one", corpus.picture("s", scene(1), split="test"))
    pair = corpus.sample("s", "Compare.", "alike", corpus.picture("s", scene(5)), corpus.picture("s", scene(1)))
    assert run(corpus)[pair.sample_id].reason == "PICTURE_IN_BENCHMARK"


def test_texts(corpus: Corpus) -> None:
    corpus.sample("t", "Is gastritis an inflammation?", "yes", split="test")
    corpus.sample("t", "How does blood flow?", LONG, split="test")
    exact = corpus.sample("t", "is gastritis an  inflammation", "Yes.")
    negated = corpus.sample("t", "Is gastritis an inflammation?", "no")
    quoting = corpus.sample("t", "A text to read", f"Long before, {LONG}, and so on.")
    touching = corpus.sample("t", "A text to read", " ".join(LONG.split()[:12]) + " of other animals")
    reasons = {sample_id: verdict.reason for sample_id, verdict in run(corpus).items()}
    assert reasons == {
        exact.sample_id: "TEXT_IN_BENCHMARK",
        negated.sample_id: "KEPT",
        quoting.sample_id: "TEXT_OVERLAPS_BENCHMARK",
        touching.sample_id: "KEPT",
    }


def test_an_answer_in_words_leaks_whatever_its_letter(corpus: Corpus) -> None:
    options = ("heart", "lung")
    corpus.sample("t", "Which organ?", "B", task="mcq", answer=Answer("mcq", "lung", options, "B"), split="test")
    shuffled = corpus.sample("t", "Which organ?", "A", task="mcq", answer=Answer("mcq", "lung", options[::-1], "A"))
    open_form = corpus.sample("t", "Which organ?", "Lung")
    assert {v.reason for v in run(corpus).values()} == {"TEXT_IN_BENCHMARK"}
    assert shuffled.sample_id != open_form.sample_id


def test_a_templated_question_about_another_picture_is_no_overlap(corpus: Corpus) -> None:
    question = "Which imaging modality was used to acquire this picture among those that are in clinical use today?"
    corpus.sample("s", question, "CT", corpus.picture("s", scene(1), split="test"), task="vqa_open")
    same_text = corpus.sample("s", question, "CT", corpus.picture("s", scene(2)), task="vqa_open")
    text_only = corpus.sample("t", question, "CT")
    verdicts = run(corpus)
    assert verdicts[same_text.sample_id].keep
    assert verdicts[text_only.sample_id].keep


def test_a_group_of_a_benchmark_is_not_trained_on(corpus: Corpus) -> None:
    corpus.sample("t", "q one?", "a", group="chapter", split="test")
    member = corpus.sample("t", "q two?", "b", group="chapter")
    namesake = corpus.sample("u", "q three?", "c", group="chapter")
    verdicts = run(corpus)
    assert verdicts[member.sample_id].reason == "SHARED_GROUP"
    assert verdicts[namesake.sample_id].keep


def test_evidence_and_matrix(corpus: Corpus) -> None:
    item = corpus.sample("t", "Is gastritis an inflammation?", "yes", split="test")
    copy = corpus.sample("u", "Is gastritis an inflammation?", "yes")
    corpus.sample("t", "Another?", "no")
    run(corpus)
    done = decontaminate(corpus.sources, PARAMS, corpus.root)
    assert done.metrics == {
        "in": {"t": 1, "u": 1},
        "kept": {"t": 1, "u": 0},
        "dropped": {"t": {}, "u": {"TEXT_IN_BENCHMARK": 1}},
        "matrix": {"t": {"held_out": 0}, "u": {"held_out": 1}},
    }
    table = pl.read_parquet(corpus.root / "data/verdicts/decontaminate/overlaps.parquet")
    assert table.rows() == [(copy.sample_id, "u", "held_out", item.sample_id, "text", "exact", None, 1.0)]


def test_two_runs_write_the_same_bytes(corpus: Corpus) -> None:
    corpus.caption("s", "one", corpus.picture("s", scene(1), split="test"))
    for seed in range(4):
        corpus.caption("s", "two", corpus.picture("s", scene(seed)))
        corpus.sample("t", f"q{seed % 2}", LONG, split=("test", "train")[seed // 2])
    folder = corpus.root / "data/verdicts/decontaminate"
    written = []
    for _ in range(2):
        run(corpus)
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]


def test_a_picture_of_a_benchmark_that_was_not_measured_is_named(corpus: Corpus) -> None:
    item = corpus.caption("s", "one", corpus.picture("s", scene(1), split="test"))
    corpus.caption("s", "two", corpus.picture("s", scene(2)))
    run(corpus)
    path = corpus.root / "data/signals/s/images.parquet"
    table = pl.read_parquet(path)
    table.filter(pl.col("image_id") != item.images[0].image_id).write_parquet(path)
    with pytest.raises(UserError, match=f"{item.sample_id}: picture {item.images[0].image_id} was not measured"):
        decontaminate(corpus.sources, PARAMS, corpus.root)


def test_what_is_kept_on_purpose_is_flagged(corpus: Corpus) -> None:
    item = corpus.sample("t", "Is gastritis an inflammation?", "yes", split="test")
    other = corpus.sample("t", "How does blood flow?", LONG, split="test")
    spared = corpus.sample("u", "Is gastritis an inflammation?", "yes")
    both = corpus.sample("u", f"Is gastritis an inflammation? yes. {LONG}", LONG)
    purpose = KeptOnPurpose(source="u", benchmark="held_out", method="exact", why="the source is the benchmark's own")
    params = PARAMS.model_copy(update={"kept_on_purpose": [purpose]})
    verdicts = run(corpus, params)
    assert verdicts[spared.sample_id].keep
    assert verdicts[both.sample_id].reason == "TEXT_OVERLAPS_BENCHMARK"
    flags = pl.read_parquet(corpus.root / "data/decontam/flags.parquet")
    assert flags.select("benchmark", "item_id", "train_id", "method").rows() == [
        ("held_out", item.sample_id, spared.sample_id, "exact")
    ]
    assert flagged_items(corpus.root) == {"held_out": {item.sample_id}}
    assert other.sample_id not in flagged_items(corpus.root)["held_out"]
    metrics = decontaminate(corpus.sources, params, corpus.root).metrics
    assert metrics["matrix"]["u"] == {"held_out": 2}
    assert metrics["kept_on_purpose"]["u"] == {"held_out": 1}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"source": "x"}, r"kept_on_purpose\.0\.source: 'x' is not enabled"),
        ({"benchmark": "y"}, r"kept_on_purpose\.0\.benchmark: training is not checked against 'y'"),
    ],
)
def test_what_is_kept_on_purpose_must_be_there(corpus: Corpus, changed: dict[str, str], problem: str) -> None:
    corpus.sample("t", "Is gastritis an inflammation?", "yes", split="test")
    purpose = KeptOnPurpose(source="t", benchmark="held_out", method="any", why="a slip").model_copy(update=changed)
    with pytest.raises(UserError, match=problem):
        run(corpus, PARAMS.model_copy(update={"kept_on_purpose": [purpose]}))


def test_report_only_drops_nothing_and_flags_all(corpus: Corpus) -> None:
    item = corpus.sample("t", "Is gastritis an inflammation?", "yes", split="test")
    met = corpus.sample("u", "Is gastritis an inflammation?", "yes")
    clean = corpus.sample("u", "How does blood flow?", LONG)
    verdicts = run(corpus, PARAMS.model_copy(update={"report_only": True}))
    assert verdicts[met.sample_id].keep
    assert verdicts[met.sample_id].detail == f"TEXT_IN_BENCHMARK: held_out: {item.sample_id} (report only)"
    assert (verdicts[clean.sample_id].keep, verdicts[clean.sample_id].detail) == (True, "")
    assert flagged_items(corpus.root) == {"held_out": {item.sample_id}}
    metrics = decontaminate(corpus.sources, PARAMS.model_copy(update={"report_only": True}), corpus.root).metrics
    assert metrics["report_only"]["u"] == {"TEXT_IN_BENCHMARK": 1}
    assert metrics["dropped"]["u"] == {}
    assert metrics["kept_on_purpose"] == metrics["matrix"]


def test_public_benchmarks_by_their_own_record(corpus: Corpus, tmp_path: Path) -> None:
    """VQA-RAD's own pictures and MedQA's own questions, as their loaders read them."""
    samples = Path(__file__).parents[3] / "shared" / "samples"
    if not samples.is_dir():
        pytest.skip("no ../shared/samples")
    files = tmp_path / "files"
    files.mkdir()
    (files / "vqa_rad").symlink_to(samples / "vqa_rad")
    loaded = load("vqa_rad", root_catalog=ROOT / "catalog", folder=files / "vqa_rad", accept_rows=True)
    question = loaded.questions[0]
    pixels = np.asarray(Image.open(io.BytesIO(question.pictures[0].read())).convert("RGB"))
    seen = corpus.caption("s", "A film.", corpus.picture("s", pixels))
    other = corpus.caption("s", "A scene.", corpus.picture("s", scene(2)))
    corpus.write()
    corpus.keep_all("deduplicate")
    done = decontaminate(["s"], PARAMS, corpus.root, loaded.questions)
    rows = {row["sample_id"]: row for row in done.verdicts.iter_rows(named=True)}
    assert rows[seen.sample_id]["reason"] == "PICTURE_IN_BENCHMARK"
    assert rows[seen.sample_id]["detail"].startswith("vqa_rad: ")
    assert rows[other.sample_id]["keep"]
    assert done.metrics["matrix"] == {"s": {"vqa_rad": 1}}


@dataclass(frozen=True)
class Encoded:
    """A picture file in memory."""

    name: str
    data: bytes

    def read(self) -> bytes:
        return self.data


def files_of_one_scene(seed: int) -> dict[str, bytes]:
    """The same picture as files that `normalize` writes anew: deep, transparent, turned by EXIF."""
    grey = scene(seed, 200)[:150]
    alpha = np.where(np.indices(grey.shape)[0] > 40, 255, 0).astype(np.uint8)
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    pictures: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "deep": (Image.fromarray(grey.astype(np.uint16) * 200), {"format": "PNG"}),
        "float": (Image.fromarray(grey.astype(np.float32) * 7), {"format": "TIFF"}),
        "alpha": (Image.fromarray(np.dstack([grey, grey, grey, alpha])), {"format": "PNG"}),
        "exif": (Image.fromarray(grey), {"format": "JPEG", "exif": turned}),
    }
    files = {}
    for name, (picture, how) in pictures.items():
        buffer = io.BytesIO()
        picture.save(buffer, **how)
        files[name] = buffer.getvalue()
    return files


@pytest.mark.parametrize("crops", [False, True])
def test_a_benchmark_file_is_its_stored_copy_whatever_its_pixels_are(corpus: Corpus, crops: bool) -> None:
    limits = StillLimits(2048, 10**6, 10**6)
    questions, stored = [], {}
    for seed, name in enumerate(("deep", "float", "alpha", "exif")):
        data = files_of_one_scene(seed)[name]
        pictures = (Encoded(name, data),)
        questions.append(Question(name, "b", "open", (), pictures, "What is shown?", None, "a scene"))
        pixels = np.asarray(Image.open(io.BytesIO(still_of(data, name, limits).data)))
        stored[corpus.caption("s", name, corpus.picture("s", pixels)).sample_id] = name
    corpus.write()
    corpus.keep_all("deduplicate")
    params = PARAMS.model_copy(update={"crops": crops})
    for row in decontaminate(["s"], params, corpus.root, questions).verdicts.iter_rows(named=True):
        assert row["reason"] in {"PICTURE_IN_BENCHMARK", "PICTURE_NEAR_BENCHMARK"}
        assert row["detail"] == f"b: {stored[row['sample_id']]}"


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels.astype(np.uint8)).rotate(degrees, Image.Resampling.BICUBIC)).copy()


def test_crops_and_other_looks_are_looked_for_if_asked(corpus: Corpus) -> None:
    whole = scene(1, 300)
    item = corpus.caption("s", "one", corpus.picture("s", whole, split="test"))
    crop = corpus.caption("s", "two", corpus.picture("s", np.ascontiguousarray(whole[30:250, 60:300])))
    other = corpus.caption("s", "three", corpus.picture("s", scene(2, 300)))
    window = np.clip((whole.astype(int) - 60) * 2, 0, 255).astype(np.uint8)
    looks = {
        "PICTURE_CROPPED_FROM_BENCHMARK": [
            crop,
            corpus.caption(
                "s", "mirrored crop", corpus.picture("s", np.ascontiguousarray(255 - whole[30:250, 299:60:-1]))
            ),
            corpus.caption("s", "turned", corpus.picture("s", turned(whole, 7))),
            corpus.caption(
                "s", "all three", corpus.picture("s", turned(np.sqrt(whole / 255) * 255, -12)[40:250, 50:260])
            ),
        ],
        "PICTURE_NEAR_BENCHMARK": [corpus.caption("s", "four", corpus.picture("s", window))],
        "PICTURE_TURNED_FROM_BENCHMARK": [
            corpus.caption("s", str(number), corpus.picture("s", np.ascontiguousarray(pixels)))
            for number, pixels in enumerate((np.rot90(whole), whole[:, ::-1], 255 - whole))
        ],
    }
    changed = {sample.sample_id: reason for reason, samples in looks.items() for sample in samples}
    before = run(corpus)
    assert all(before[sample_id].keep for sample_id in changed)
    verdicts = run(corpus, PARAMS.model_copy(update={"crops": True}))
    assert {sample_id: verdicts[sample_id].reason for sample_id in changed} == changed
    assert {verdicts[sample_id].detail for sample_id in changed} == {f"held_out: {item.sample_id}"}
    assert verdicts[other.sample_id].keep
    assert run(corpus, PARAMS.model_copy(update={"crops": True, "workers": Workers(processes=2)})) == verdicts


def test_a_public_benchmark_that_can_not_be_had(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mimic_cxr.*\n.*may_be_absent"):
        load_several(["mimic_cxr"], ROOT / "catalog", str(tmp_path), may_be_absent=[], accept_rows=[])
    found = load_several(["mimic_cxr"], ROOT / "catalog", str(tmp_path), may_be_absent=["mimic_cxr"], accept_rows=[])
    assert found.loaded == []
    assert list(found.absent) == ["mimic_cxr"]


def test_a_public_benchmark_of_another_number_of_rows(tmp_path: Path) -> None:
    write(TEXT["med_mcqa", 1]().files, tmp_path / "med_mcqa")
    named = partial(load_several, ["med_mcqa"], ROOT / "catalog", str(tmp_path), may_be_absent=[])
    with pytest.raises(UserError, match=r"1 rows in the files.*\n.*decontam\.public\.accept_rows"):
        named(accept_rows=[])
    assert [len(one.questions) for one in named(accept_rows=["med_mcqa"]).loaded] == [1]


def test_params_file_has_the_section() -> None:
    assert load_section("decontam", DecontamParams, Path(__file__).parents[2] / "params.yaml").ngram_words == 13


def test_texts_that_the_gate_put_aside_are_judged_apart(corpus: Corpus) -> None:
    item = corpus.sample("s", "What does the heart do?", LONG, split="test")
    copy = corpus.sample("s", "What does the heart do, Dr. Quill?", LONG)
    other = corpus.sample("s", "What do the kidneys do, Dr. Quill?", "They filter the blood and make urine from it.")
    kept = corpus.sample("s", "What do the lungs do?", "They take oxygen out of the air and give carbon dioxide back.")
    corpus.write()
    corpus.keep_all("deduplicate", (copy, other))
    corpus.write_benchmark("held_out", [item])
    done = decontaminate(corpus.sources, PARAMS, corpus.root)
    assert done.verdicts["sample_id"].to_list() == [kept.sample_id]
    apart = read_verdicts(corpus.root / aside_file("decontaminate")).select("sample_id", "reason", "detail")
    assert {tuple(row) for row in apart.iter_rows()} == {
        (copy.sample_id, "TEXT_OVERLAPS_BENCHMARK", f"held_out: {item.sample_id}"),
        (other.sample_id, "KEPT", ""),
    }
    assert eligible_aside(corpus.root) == {other.sample_id}
    assert (done.metrics["kept"], done.metrics["aside"]["dropped"]) == (
        {"s": 1},
        {"s": {"TEXT_OVERLAPS_BENCHMARK": 1}},
    )
    spared = PARAMS.model_copy(
        update={"kept_on_purpose": (KeptOnPurpose(source="s", benchmark="held_out", method="any", why="a test"),)}
    )
    decontaminate(corpus.sources, spared, corpus.root)
    assert eligible_aside(corpus.root) == {copy.sample_id, other.sample_id}
    assert flagged_items(corpus.root) == {"held_out": {item.sample_id}}
