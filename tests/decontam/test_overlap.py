"""Text and picture overlap of frames, and which overlaps training keeps."""

import polars as pl

from lingshu.decontam.overlap import closest, on_purpose
from lingshu.decontam.params import DecontamParams, KeptOnPurpose
from lingshu.decontam.pictures import hash_overlaps
from lingshu.decontam.texts import ItemTexts

RULE = DecontamParams(picture_radius=2, ngram_words=13, coverage=0.5)
ORGANS = "which organ of the human body makes bile for the gut"


def train_texts(rows: list[tuple[str, str]]) -> pl.DataFrame:
    """Prompt and reply of each row."""
    prompts, replies = zip(*rows, strict=True)
    names = pl.DataFrame({"sample_id": [f"{i}" for i in range(len(rows))], "source": "s"})
    texts = names.with_columns(prompt=pl.Series(prompts), answer=pl.Series(replies), target=pl.Series(replies))
    return texts.with_columns(image_ids=pl.lit([], pl.List(pl.String)))


def item_texts(rows: list[tuple[str, str]], benchmark: str) -> pl.DataFrame:
    items = train_texts(rows).drop("source", "target").rename({"sample_id": "item_id"})
    return items.with_columns(benchmark=pl.lit(benchmark))


def found(item: tuple[str, str], *train: tuple[str, str], rule: DecontamParams = RULE) -> list[tuple[str, str]]:
    """Return number and method of each training text that overlaps an item."""
    pairs = ItemTexts(item_texts([item], "b"), rule).overlaps(train_texts(list(train)))
    return sorted(pairs.select("train_id", "method").rows())


def test_short_texts_overlap_when_equal_or_when_the_question_is_asked_and_its_answer_given() -> None:
    item = ("Is gastritis an inflammation?", "yes")
    equal, longer, other = (
        ("Is gastritis an inflammation", "Yes"),
        ("Is gastritis an inflammation?\nA. no\nB. yes", "It is, in every case known: yes."),
        ("Is gastritis an inflammation?", "In no case known."),
    )
    assert found(item, equal, longer, other) == [("0", "exact"), ("1", "exact")]
    assert found(item, ("Read this. Is gastritis an inflammation? yes", "Done.")) == []


def test_a_question_of_some_words_is_found_without_its_answer() -> None:
    thinking = ("Answer.\n" + ORGANS, "The gall bladder only stores it. " * 40 + "So: B.")
    part = (" ".join(ORGANS.split()[:9]), "the liver")
    inside = ("Read.", f"They asked {ORGANS}-bladder")
    stated = ("Read.", f"It is known {ORGANS} and why")
    answered = ("Read.", f"It is known {ORGANS}: the liver.")
    assert found((ORGANS, "the liver"), thinking, part, inside, stated, answered) == [("0", "ngram"), ("4", "ngram")]
    many_words = RULE.model_copy(update={"question_words": 12})
    assert found((ORGANS, "the liver"), thinking, part, rule=many_words) == []


def test_two_han_characters_count_as_a_word() -> None:
    short, longer = "高血压的诊断标准是", "关于原发性高血压的诊断标准下列哪一项说法正确"
    patient = ("请问高血压的诊断标准是什么？", "收缩压一百四十以上。")
    asking = (f"{short}？", "收缩压一百四十以上，请咨询医生。")
    assert found((short, "收缩压一百四十"), patient, asking) == [("1", "exact"), ("1", "ngram")]
    assert found((longer, "甲"), (f"选择题：{longer}？", "乙。")) == [("0", "ngram")]


def test_a_long_question_is_found_beside_a_long_answer_of_another() -> None:
    long = " ".join(f"x{i}" for i in range(14))
    assert found((long, " ".join(f"y{i}" for i in range(60))), (long, "B")) == [("0", "ngram")]


def test_what_is_said_beside_the_gold_answer_is_searched() -> None:
    train = train_texts([("Read.", "B")]).with_columns(target=pl.lit(f"They ask {ORGANS}. The liver: B"))
    pairs = ItemTexts(item_texts([(ORGANS, "the liver")], "b"), RULE).overlaps(train)
    assert pairs.select("train_id", "method", "coverage").rows() == [("0", "ngram", 1.0)]


def test_a_question_with_several_answers_in_one_benchmark_is_a_template() -> None:
    two = item_texts([(ORGANS, "the liver"), (ORGANS, "the spleen")], "b")
    assert ItemTexts(two, RULE).overlaps(train_texts([(ORGANS, "none")])).is_empty()
    alike = pl.concat([item_texts([(ORGANS, "the liver")], "b"), item_texts([(ORGANS, "liver")], "c")])
    pairs = ItemTexts(alike, RULE).overlaps(train_texts([(ORGANS, "none")]))
    assert sorted(pairs["benchmark"]) == ["b", "c"]


def test_long_questions_about_pictures_are_found_and_templates_are_not() -> None:
    history = " ".join(f"finding{i}" for i in range(30))
    shown = [["p"], ["p"], ["q"], ["r"]]
    asked = [(history, "a"), (ORGANS + " " + ORGANS, "b"), ("t " * 30 + "x", "c"), ("t " * 30 + "x", "c")]
    items = item_texts(asked, "b").with_columns(image_ids=pl.Series(shown))
    train = train_texts([(question, "none") for question, _ in asked[:3]])
    for pictures in ([], ["other"]):
        train = train.with_columns(image_ids=pl.lit(pictures, pl.List(pl.String)))
        pairs = ItemTexts(items, RULE).overlaps(train)
        assert pairs.select("train_id", "item_id", "method").rows() == [("0", "0", "ngram")]


def test_reports_of_pictures_are_found_in_texts_without_pictures() -> None:
    report, normal = (" ".join(f"{kind}{i}" for i in range(30)) for kind in ("finding", "normal"))
    items = item_texts([("", report), ("", normal), ("", normal), ("", "the lungs are clear")], "b")
    items = items.with_columns(image_ids=pl.Series([["p"], ["q"], ["r"], ["s"]]))
    train = train_texts([("Write a report.", said) for said in (report, normal, "the lungs are clear")])
    for pictures, expected in (([], [("0", "0", "ngram")]), (["other"], [])):
        shown = train.with_columns(image_ids=pl.lit(pictures, pl.List(pl.String)))
        assert ItemTexts(items, RULE).overlaps(shown).select("train_id", "item_id", "method").rows() == expected


def test_the_closest_item_of_a_benchmark_is_the_evidence() -> None:
    long = " ".join(f"x{i}" for i in range(40))
    items = pl.concat(
        [
            item_texts([("a " * 15, long), ("", long)], "one"),
            item_texts([("", long[: len(long) // 2])], "two"),
        ]
    )
    pairs = ItemTexts(items, RULE.model_copy(update={"coverage": 0.1})).overlaps(train_texts([("", long)]))
    pairs = pairs.filter(method="ngram")
    assert len(pairs) == 3
    evidence = closest(pairs).select("benchmark", "item_id", "coverage")
    assert evidence.rows() == [("one", "1", 1.0), ("two", "0", 1.0)]


def test_hashes_within_the_radius() -> None:
    hashes = pl.Series("phash", [0b1011, 0xFFFF << 40], dtype=pl.UInt64)
    train = pl.DataFrame({"train_id": ["a", "b"], "source": "s", "pixel_digest": "x", "phash": hashes})
    other = pl.Series("phash", [0b1000, 0b1011], dtype=pl.UInt64)
    items = pl.DataFrame({"benchmark": "t", "item_id": ["i", "j"], "pixel_digest": "y", "phash": other})
    near = hash_overlaps(train, items, 2).select("train_id", "item_id", "distance")
    assert sorted(near.rows()) == [("a", "i", 2), ("a", "j", 0)]


def test_what_is_kept_on_purpose() -> None:
    table = pl.DataFrame(
        {
            "source": ["s", "s", "s", "t"],
            "benchmark": ["b", "b", "c", "b"],
            "method": ["exact", "ngram", "exact", "exact"],
        }
    )
    some = KeptOnPurpose(source="s", benchmark="b", method="exact", why="a test")
    every = KeptOnPurpose(source="t", benchmark="any", method="any", why="a test")
    assert table.select(on_purpose([some, every])).to_series().to_list() == [True, False, False, True]
    assert table.select(kept=pl.lit(True) & on_purpose([])).to_series().to_list()[0] is False
