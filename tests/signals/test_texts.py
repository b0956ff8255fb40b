"""Text signals, and the measuring of a whole source."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from lingshu.core.errors import UserError
from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.parallel import ALONE
from lingshu.core.params import load_section, validate
from lingshu.core.sample import ImageRef, Sample, turn, write_samples
from lingshu.core.tables import sample_table
from lingshu.signals.measure import measure_source
from lingshu.signals.params import EmbeddingsParams, SignalsParams
from lingshu.signals.texts import _hits, measure_texts

PARAMS = SignalsParams(
    workers=ALONE,
    embeddings=EmbeddingsParams(sources=(), dtype="float16", batch=4, device="cpu", threads=1),
    grey_tolerance=6,
    assistant_phrases=("as an ai", "i'm sorry", "作为人工智能"),
    refusal_phrases=("i can't help", "无法回答"),
    picture_phrases=("this image", "shown above", "如图所示"),
)


def sample(question: str, reply: str, image_id: str = "", origin: str = "o") -> Sample:
    images = (ImageRef(image_id, 8, 8),) if image_id else ()
    messages = turn(question, reply, len(images))
    return Sample("s", "train", "r", origin, "g", "text_qa", "t", messages, "MIT", images=images).with_id()


def signals(tmp_path: Path, question: str, reply: str) -> dict:
    write_samples(tmp_path, [sample(question, reply)])
    frame = measure_texts(sample_table([tmp_path]), PARAMS)
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("reply", "tokens"), [("Chest film, frontal.", 5), ("左肺有结节。", 6), ("5 mg/ml", 4), ("T2-weighted", 3)]
)
def test_tokens(tmp_path: Path, reply: str, tokens: int) -> None:
    assert signals(tmp_path, "q", reply)["target_tokens"] == tokens


@pytest.mark.parametrize(
    ("reply", "share"), [("a b c", 0.0), ("a b c d e f", 0.0), ("a b c a b c", 0.25), ("no " * 12, 0.9), ("x", 0.0)]
)
def test_repetition_is_the_share_of_three_word_runs_seen_before(tmp_path: Path, reply: str, share: float) -> None:
    assert signals(tmp_path, "q", reply)["repetition"] == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("<p>one</p> &amp; <BR/>", 4),
        ("<image>\nwhat is this", 1),
        ("pH < 7 and pO2 > 60", 0),
        ("<think>so</think><answer>A</answer>", 0),
        ("AT&T; R&D", 0),
    ],
)
def test_markup(tmp_path: Path, text: str, hits: int) -> None:
    assert signals(tmp_path, "q", text)["markup"] == hits


def test_phrases_are_whole_words_in_any_case(tmp_path: Path) -> None:
    row = signals(
        tmp_path, "What does THIS IMAGE show? This imagery is new.", "As an AI I can't; has an aim. I'm sorry"
    )
    assert row["assistant_phrases"] == 2
    assert row["picture_phrases"] == 1


def test_chinese_phrases_are_found_inside_a_sentence(tmp_path: Path) -> None:
    row = signals(tmp_path, "病变如图所示，诊断是什么？", "我作为人工智能无法回答这个问题。")
    assert (row["picture_phrases"], row["assistant_phrases"], row["refusal_phrases"]) == (1, 1, 1)


def test_refusals_count_in_the_reply_only(tmp_path: Path) -> None:
    assert signals(tmp_path, "Why do you say I can't help?", "Because.")["refusal_phrases"] == 0
    assert signals(tmp_path, "Is it benign?", "Sorry, I can't help with that.")["refusal_phrases"] == 1


SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())["signals"]


@pytest.mark.parametrize(
    ("column", "hits", "others"),
    [
        (
            "picture_phrases",
            ("如上图所示,病变为", "请看上图", "根据下图判断", "上图为胸片", "What does the image show?"),
            ("晚上图书馆开门", "地下图书馆", "在乡下图个清静", "Is this image-guided biopsy safe?"),
        ),
        (
            "assistant_phrases",
            ("作为人工智能，我不能", "作为人工智能助手", "作为AI语言模型", "As an AI, I think", "I help. As an AI"),
            ("作为人工智能领域的分支", "作为AI辅助诊断的输入", "It serves as an AI-based tool"),
        ),
        (
            "refusal_phrases",
            ("抱歉,我无法提供医疗建议", "我无法回答这个问题", "很抱歉,无法为您提供诊断", "I'm sorry, but I can't"),
            ("基层医院无法提供手术", "病人昏迷,无法回答问题"),
        ),
    ],
)
def test_the_phrases_of_the_recipe(column: str, hits: tuple[str, ...], others: tuple[str, ...]) -> None:
    texts = pl.DataFrame({"text": [*hits, *others]})
    found = texts.select(_hits(pl.col("text"), tuple(SHIPPED[column])))["text"].to_list()
    assert found == [1] * len(hits) + [0] * len(others)


def test_no_phrases_no_hits(tmp_path: Path) -> None:
    write_samples(tmp_path, [sample("q", "I can't help")])
    frame = measure_texts(sample_table([tmp_path]), PARAMS.model_copy(update={"refusal_phrases": ()}))
    assert frame["refusal_phrases"].to_list() == [0]


@pytest.mark.parametrize(
    ("report", "headings"),
    [
        ("The lungs are clear. No effusion.", 0),
        ("FINDINGS: The lungs are clear.", 0),
        ("FINDINGS: Clear lungs. IMPRESSION: No acute disease.", 1),
        ("Indication: cough\nFindings: clear\nImpression: normal", 2),
        ("In comparison to the prior study: unchanged. Impression of a nodule.", 0),
        ("检查所见：双肺清晰。诊断意见：未见异常。", 1),
    ],
)
def test_sections_beside_the_findings(tmp_path: Path, report: str, headings: int) -> None:
    assert signals(tmp_path, "q", report)["other_sections"] == headings


def test_text_digest_ignores_form_only(tmp_path: Path) -> None:
    first = signals(tmp_path, "Which side?", "Left")["text_digest"]
    assert signals(tmp_path, "which  side", "LEFT.")["text_digest"] == first
    assert signals(tmp_path, "Which side?", "Right")["text_digest"] != first
    assert signals(tmp_path, "Which", "side? Left")["text_digest"] != first


def test_measuring_a_source_covers_every_picture_and_text_and_repeats(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        Picture(
            encode_png(rng.integers(0, 256, (70, 80), dtype=np.uint8)), "PNG", 80, 70, "s", str(i), "g", "train", "MIT"
        )
        for i in range(3)
    ]
    write_images(tmp_path / "data/images/s", pictures)
    samples = [sample("q?", "a", one.image_id, str(i)) for i, one in enumerate(pictures)]
    write_samples(tmp_path / "data/samples/s", samples)
    measured = measure_source("s", PARAMS, tmp_path)
    first = [path.read_bytes() for path in sorted(measured.folder.iterdir())]
    images, texts = (pl.read_parquet(measured.folder / name) for name in ("images.parquet", "texts.parquet"))
    assert images["image_id"].to_list() == sorted(one.image_id for one in pictures)
    assert texts["sample_id"].to_list() == sorted(one.sample_id for one in samples)
    assert texts["images"].to_list() == [1, 1, 1]
    measure_source("s", PARAMS, tmp_path)
    assert [path.read_bytes() for path in sorted(measured.folder.iterdir())] == first


def test_identifiers_in_a_rationale_are_found(tmp_path: Path) -> None:
    reasoned = replace(sample("Side?", "Left"), rationale="Dr. Okonkwo saw it on 03/04/2019.").with_id()
    write_samples(tmp_path / "data/samples/s", [reasoned])
    write_images(tmp_path / "data/images/s", [])
    measured = measure_source("s", PARAMS, tmp_path)
    row = pl.read_parquet(measured.folder / "texts.parquet").row(0, named=True)
    assert (row["identifier_name"], row["identifier_date"], row["identifier_phone"]) == (1, 1, 0)


def test_a_source_without_pictures_has_an_empty_table(tmp_path: Path) -> None:
    write_samples(tmp_path / "data/samples/s", [sample("q?", "a")])
    measured = measure_source("s", PARAMS, tmp_path)
    assert (measured.pictures, measured.texts) == (0, 1)
    assert pl.read_parquet(measured.folder / "images.parquet").height == 0


def test_params_file_has_the_section() -> None:
    params = load_section("signals", SignalsParams, Path(__file__).parents[2] / "params.yaml")
    assert params.assistant_phrases


def test_a_mistyped_parameter_is_named() -> None:
    with pytest.raises(UserError, match=r"params: signals.grey_tolerence: unknown key; did you mean 'grey_tolerance'"):
        validate(SignalsParams, {**PARAMS.model_dump(), "grey_tolerence": 3}, "params: signals")
