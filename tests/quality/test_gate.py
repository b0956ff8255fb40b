"""The gate drops what breaks a threshold, says why, accounts for every row, and stops on broken tables."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lingshu.core.errors import UserError
from lingshu.core.params import load_section, validate
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import funnel, read_verdicts
from lingshu.quality.column_types import check_types
from lingshu.quality.gate import gate
from lingshu.quality.inputs import Tables
from lingshu.quality.params import QualityParams
from lingshu.quality.rules import judge
from tests.corpora import Corpus, scene

PARAMS = QualityParams(
    min_side=64,
    max_blank_share=0.98,
    min_entropy=0.5,
    caption_tokens={"min": 4, "max": 20},
    max_repetition=0.5,
    max_markup=0,
    max_assistant_phrases=0,
    min_kept_share=0.0,
)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path)
    for seed in range(3):
        corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(seed)))
    corpus.sample("terms", "What is a myocardial infarction?", "Death of heart muscle.")
    return corpus


def decisions(corpus: Corpus, params: QualityParams = PARAMS) -> pl.DataFrame:
    """The row-wise part alone, without the suites (which cost a second a run)."""
    corpus.write()
    folders = [corpus.root / "data/signals" / source for source in corpus.sources]
    texts = pl.concat(pl.read_parquet(folder / "texts.parquet") for folder in folders)
    pictures = pl.concat(
        pl.read_parquet(folder / "images.parquet").with_columns(source=pl.lit(folder.name)) for folder in folders
    )
    samples = sample_table(corpus.root / "data/samples" / source for source in corpus.sources)
    return judge(samples, texts, pictures, params)


def reasons(corpus: Corpus, params: QualityParams = PARAMS) -> dict[str, str]:
    frame = decisions(corpus, params)
    return dict(zip(frame["sample_id"], frame["reason"], strict=True))


def test_good_samples_are_kept(corpus: Corpus) -> None:
    assert set(reasons(corpus).values()) == {"KEPT"}


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (scene(9, side=63), "TOO_SMALL"),
        (np.full((80, 80), 40, dtype=np.uint8), "BLANK"),
        (np.repeat(np.array([[0], [80]], dtype=np.uint8), [2, 78], axis=0).repeat(80, axis=1), "LOW_ENTROPY"),
    ],
)
def test_bad_pictures(corpus: Corpus, pixels: np.ndarray, reason: str) -> None:
    bad = corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", pixels))
    assert reasons(corpus)[bad.sample_id] == reason


def test_one_bad_picture_drops_a_sample_of_several(corpus: Corpus) -> None:
    good, bad = corpus.picture("scans", scene(7)), corpus.picture("scans", scene(8, side=40))
    pair = corpus.sample("scans", "Compare them.", "The second is smaller.", good, bad, task="vqa_open")
    assert reasons(corpus)[pair.sample_id] == "TOO_SMALL"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("A film.", "CAPTION_TOO_SHORT"),
        ("word " * 10 + "and some more of other words that follow here", "REPETITIVE"),
        ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
         "seventeen eighteen nineteen twenty twentyone", "CAPTION_TOO_LONG"),
        ("A <b>chest</b> film from the front", "MARKUP"),
        ("As an AI I can not see this film", "ASSISTANT_PHRASE"),
    ],
)  # fmt: skip
def test_bad_captions(corpus: Corpus, reply: str, reason: str) -> None:
    bad = corpus.caption("scans", reply, corpus.picture("scans", scene(5)))
    params = PARAMS.model_copy(update={"max_repetition": 0.3})
    assert reasons(corpus, params)[bad.sample_id] == reason


def test_caption_limits_spare_answers(corpus: Corpus) -> None:
    answer = corpus.sample("scans", "Modality?", "CT", corpus.picture("scans", scene(6)), task="vqa_open")
    assert reasons(corpus)[answer.sample_id] == "KEPT"


def test_a_text_that_points_at_no_picture(corpus: Corpus) -> None:
    blind = corpus.sample("terms", "What does this image show?", "A fracture.")
    seeing = corpus.sample("scans", "What does this image show?", "A lung.", corpus.picture("scans", scene(4)))
    decided = reasons(corpus)
    assert decided[blind.sample_id] == "IMAGE_MENTIONED_NOT_GIVEN"
    assert decided[seeing.sample_id] == "KEPT"


def test_first_rule_is_the_reason_and_detail_names_all(corpus: Corpus) -> None:
    bad = corpus.caption("scans", "<br>", corpus.picture("scans", np.full((50, 50), 9, dtype=np.uint8)))
    verdict = decisions(corpus).row(by_predicate=pl.col("sample_id") == bad.sample_id, named=True)
    assert not verdict["keep"]
    assert verdict["reason"] == "TOO_SMALL"
    assert verdict["score"] == 50
    assert verdict["detail"] == (
        "TOO_SMALL (min_side 50 < 64); BLANK (blank_share 1.0 > 0.98); LOW_ENTROPY (entropy 0.0 < 0.5); "
        "CAPTION_TOO_SHORT (target_tokens 3 < 4); MARKUP (markup 1 > 0)"
    )


def test_rows_add_up_without_the_test_split_and_another_run_writes_the_same_bytes(corpus: Corpus) -> None:
    held_out = corpus.picture("scans", scene(11, side=32), split="test")
    corpus.caption("scans", "tiny", held_out)
    corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(12, side=32)))
    corpus.write()
    folder = corpus.root / "data/verdicts/gate"
    runs, written = [], []
    for _ in range(2):
        runs.append(gate(corpus.sources, PARAMS, corpus.root))
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert len(written[0]) == 2
    assert written[0] == written[1]
    assert funnel(runs[0]) == {
        "in": {"scans": 4, "terms": 1},
        "kept": {"scans": 3, "terms": 1},
        "dropped": {"scans": {"TOO_SMALL": 1}, "terms": {}},
    }
    decided = read_verdicts(folder / "verdicts.parquet")
    assert Counter(decided["reason"]) == {"KEPT": 4, "TOO_SMALL": 1}
    assert gate(corpus.sources[::-1], PARAMS, corpus.root).equals(runs[0])  # whatever the order of sources


def test_a_test_split_that_is_let_into_training_is_judged_as_the_others_are(corpus: Corpus) -> None:
    held_out = [
        corpus.caption("scans", text, corpus.picture("scans", scene(place, side=side), split="test"))
        for place, side, text in ((11, 96, "A chest film seen from the front."), (12, 32, "tiny"))
    ]
    corpus.write()
    without = gate(corpus.sources, PARAMS, corpus.root)
    let_in = gate(corpus.sources, PARAMS, corpus.root, ["scans/test"])
    assert gate(corpus.sources, PARAMS, corpus.root, ["terms/test", "scans/validation"]).equals(without)
    added = dict(let_in.join(without, on="sample_id", how="anti").select("sample_id", "reason").iter_rows())
    assert added == {held_out[0].sample_id: "KEPT", held_out[1].sample_id: "TOO_SMALL"}


def test_a_picture_that_was_never_stored(corpus: Corpus) -> None:
    lost = corpus.picture("scans", scene(20))
    corpus.pictures["scans"].remove(lost)
    blind = corpus.caption("scans", "A chest film seen from the front.", lost)
    assert reasons(corpus)[blind.sample_id] == "IMAGE_ABSENT"


def test_signals_with_a_value_out_of_range_stop_the_stage(corpus: Corpus) -> None:
    corpus.write()
    path = corpus.root / "data/signals/scans/images.parquet"
    pl.read_parquet(path).with_columns(pl.lit(1.5).alias("blank_share")).write_parquet(path)
    with pytest.raises(UserError, match=r"pictures: .*_to_be_between column=blank_share in \[0, 1\]") as failure:
        gate(corpus.sources, PARAMS, corpus.root)
    assert "saw blank_share in [0, 1]=3, source=scans" in str(failure.value)
    record = json.loads((corpus.root / "data/verdicts/gate/expectations.json").read_text())
    assert [r["kwargs"]["column"] for r in record if not r["success"]] == ["blank_share in [0, 1]"]


@pytest.mark.parametrize(("name", "column"), [("texts", "repetition"), ("images", "phash")])
def test_signals_without_a_column_stop_the_stage(corpus: Corpus, name: str, column: str) -> None:
    corpus.write()
    path = corpus.root / f"data/signals/scans/{name}.parquet"
    pl.read_parquet(path).drop(column).write_parquet(path)
    with pytest.raises(UserError, match="columns of scans .*expect_table_columns_to_match_set.*" + column):
        gate(corpus.sources, PARAMS, corpus.root)


@pytest.mark.parametrize(
    ("name", "column", "kind", "due"),
    [
        ("texts", "repetition", pl.String, "String, where a number"),
        ("texts", "prompt_tokens", pl.Float64, "Float64, where a whole number"),
        ("texts", "task", pl.Categorical, "Categorical, where a text"),
        ("images", "phash", pl.Int64, "Int64, where a whole number of 64 bits without sign"),
        ("images", "sharpness", pl.Boolean, "Boolean, where a number"),
        ("images", "burned_in_claimed", pl.String, "String, where true or false"),
        ("images", "variants", pl.String, "String, where a list of hashes"),
    ],
)
def test_signals_with_a_column_of_another_type_are_named(
    corpus: Corpus, name: str, column: str, kind: pl.DataType, due: str
) -> None:
    corpus.write()
    path = corpus.root / f"data/signals/scans/{name}.parquet"
    pl.read_parquet(path).with_columns(pl.lit(None, pl.String).cast(kind).alias(column)).write_parquet(path)
    with pytest.raises(UserError) as failure:
        check_types(Tables(corpus.root, tuple(corpus.sources)))
    assert failure.value.what == f"data/signals/scans/{name}.parquet: column '{column}' is {due} is due"
    assert "measure@scans" in failure.value.fix


def test_the_gate_stops_at_a_column_of_another_type(corpus: Corpus) -> None:
    corpus.write()
    check_types(Tables(corpus.root, tuple(corpus.sources)))
    path = corpus.root / "data/signals/terms/texts.parquet"
    pl.read_parquet(path).with_columns(pl.col("language").cast(pl.Categorical)).write_parquet(path)
    with pytest.raises(UserError, match="column 'language' is Categorical, where a text is due"):
        gate(corpus.sources, PARAMS, corpus.root)


def test_signals_that_cover_less_than_the_samples_stop_the_stage(corpus: Corpus) -> None:
    corpus.write()
    path = corpus.root / "data/signals/scans/images.parquet"
    pl.read_parquet(path).head(2).write_parquet(path)
    with pytest.raises(UserError, match="coverage: expect_column_pair_values_to_be_equal column_A=stored") as failure:
        gate(corpus.sources, PARAMS, corpus.root)
    assert "measured=2, source=scans, stored=3" in str(failure.value)


def test_a_gate_that_drops_most_of_a_source_stops_the_stage(corpus: Corpus) -> None:
    corpus.write()
    params = PARAMS.model_copy(update={"min_side": 500, "min_kept_share": 0.5})
    with pytest.raises(UserError, match=r"outcome: .*kept_share.*saw kept_share=0.0, source=scans"):
        gate(corpus.sources, params, corpus.root)


def test_text_only_sources_need_no_pictures(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.sample("terms", "q?", "a")
    corpus.write()
    assert gate(corpus.sources, PARAMS, tmp_path)["reason"].to_list() == ["KEPT"]


def test_params_file_has_the_section() -> None:
    assert load_section("quality", QualityParams, Path(__file__).parents[2] / "params.yaml").min_side == 64


def test_an_empty_token_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"quality.caption_tokens: .*min 30 is above max 20"):
        validate(QualityParams, {**PARAMS.model_dump(), "caption_tokens": {"min": 30, "max": 20}}, "p: quality")
