"""Which copies are dropped, which copy is kept, and what is left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.hashes import phash, phash_thumbnail
from lingshu.core.params import load_section, validate
from lingshu.core.sample import Answer, Sample
from lingshu.dedup.deduplicate import deduplicate
from lingshu.dedup.params import DedupParams, PictureParams, Scope, TextParams
from tests.corpora import Corpus, scene

PARAMS = DedupParams(
    reliability=("good", "poor"),
    pictures=PictureParams(radius=0, within_groups=False, scopes=(Scope(tasks=("caption",)),)),
    text=TextParams(shingle_words=3, permutations=128, bands=32, threshold=0.8, within_groups=True, seed=1),
)
LONG = "the left ventricle pumps blood into the aorta and the right ventricle into the pulmonary artery of the lung"


def run(corpus: Corpus, params: DedupParams = PARAMS) -> dict[str, str]:
    corpus.write()
    corpus.keep_all("gate")
    verdicts = deduplicate(corpus.sources, params, corpus.root).verdicts
    return dict(verdicts.select("sample_id", "reason").iter_rows())


def with_pictures(**changes: Any) -> DedupParams:
    return PARAMS.model_copy(update={"pictures": PARAMS.pictures.model_copy(update=changes)})


def dropped(corpus: Corpus, params: DedupParams = PARAMS) -> dict[str, str]:
    return {sample_id: reason for sample_id, reason in run(corpus, params).items() if reason != "KEPT"}


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def test_the_copy_of_the_reliable_source_is_kept(corpus: Corpus) -> None:
    kept = corpus.sample("good", "Which vessel?", LONG)
    exact = corpus.sample("poor", "which vessel", LONG.upper())
    near = corpus.sample("poor", "Which vessel?", LONG + " again")
    assert dropped(corpus) == {exact.sample_id: "EXACT_DUPLICATE", near.sample_id: "NEAR_DUPLICATE_TEXT"}
    turned = PARAMS.model_copy(update={"reliability": ("poor", "good")})
    assert kept.sample_id in dropped(corpus, turned)


def test_report_only_keeps_copies_and_tells_of_them(corpus: Corpus) -> None:
    kept = corpus.sample("good", "Which vessel?", LONG)
    exact = corpus.sample("poor", "which vessel", LONG.upper())
    told = PARAMS.model_copy(update={"report_only": True})
    assert dropped(corpus, told) == {}
    done = deduplicate(corpus.sources, told, corpus.root)
    details = dict(done.verdicts.select("sample_id", "detail").iter_rows())
    assert details == {
        kept.sample_id: "",
        exact.sample_id: f"EXACT_DUPLICATE: copy of {kept.sample_id} (report only)",
    }
    assert done.metrics["report_only"]["poor"] == {"EXACT_DUPLICATE": 1}
    assert done.metrics["kept"] == done.metrics["in"]


def test_one_picture_in_two_caption_sets_is_kept_once(corpus: Corpus) -> None:
    first = corpus.caption("good", "An axial slice.", corpus.picture("good", scene(1)))
    lighter = np.clip(scene(1).astype(int) + 4, 0, 255).astype(np.uint8)
    second = corpus.caption("poor", "Another wording.", corpus.picture("poor", lighter))
    other = corpus.caption("poor", "A third one.", corpus.picture("poor", scene(2)))
    reasons = run(corpus)
    assert reasons == {first.sample_id: "KEPT", second.sample_id: "PICTURE_DUPLICATE", other.sample_id: "KEPT"}


def test_questions_about_one_picture_are_copies_only_when_all_is_equal(corpus: Corpus) -> None:
    picture, twin, different = (corpus.picture("good", scene(seed)) for seed in (1, 1, 2))
    ask = ("Which modality is this picture of, among those that a hospital has?", "Computed tomography")
    samples = [corpus.sample("good", *ask, one, task="vqa_open") for one in (picture, different)]
    second_question = corpus.sample("good", "Which plane?", "axial", picture, task="vqa_open")
    copy = corpus.sample("good", *ask, twin, task="vqa_open")
    kept_first, dropped_second = sorted((samples[0], copy), key=lambda s: (s.group_id, s.sample_id))
    assert kept_first.sample_id != dropped_second.sample_id
    assert dropped(corpus) == {dropped_second.sample_id: "EXACT_DUPLICATE"}
    assert second_question.sample_id not in dropped(corpus)


def test_options_tell_questions_apart(corpus: Corpus) -> None:
    def ask(choices: tuple[str, ...], label: str) -> Sample:
        return corpus.sample("good", "Which?", label, task="mcq", answer=Answer("mcq", "lung", choices, label))

    ask(("lung", "heart"), "A")
    ask(("lung", "liver"), "A")
    again = ask(("lung", "liver"), "A")
    assert len(dropped(corpus)) == 1
    assert again.answer is not None


def test_slices_of_one_volume_are_no_copies_of_each_other(corpus: Corpus) -> None:
    slices = [scene(3), np.clip(scene(3).astype(int) + 3, 0, 255).astype(np.uint8)]
    for number, pixels in enumerate(slices):
        corpus.caption("good", f"Slice number {number}.", corpus.picture("good", pixels, group="volume"))
    assert dropped(corpus) == {}


def test_all_kept_copies_are_of_one_group(corpus: Corpus) -> None:
    def volume(source: str, group: str) -> list[Sample]:
        pictures = [
            corpus.picture(source, np.clip(scene(seed).astype(int) + shift, 0, 255).astype(np.uint8), group=group)
            for seed, shift in ((1, 0), (1, 2), (2, 0))
        ]
        return [corpus.caption(source, f"{group} {number}", one) for number, one in enumerate(pictures)]

    kept, lost = volume("poor", "a"), volume("poor", "b")
    reasons = run(corpus)
    assert {reasons[s.sample_id] for s in kept} == {"KEPT"}
    assert {reasons[s.sample_id] for s in lost} == {"PICTURE_DUPLICATE"}


def nudged(seed: int, bits: int) -> np.ndarray:
    """A scene whose perceptual hash is so many bits away from `scene(seed)`'s."""
    rng = np.random.default_rng(0)
    for strength in range(1, 400):
        pixels = np.clip(scene(seed) + rng.normal(0, strength / 4, (96, 96)), 0, 255).astype(np.uint8)
        thumbnails = np.stack([phash_thumbnail(Image.fromarray(p)) for p in (scene(seed), pixels)])
        if int(np.bitwise_count(np.bitwise_xor(*phash(thumbnails)))) == bits:
            return pixels
    raise AssertionError(f"no noise turns {bits} bits")


def test_near_pictures_are_copies_within_the_radius_only(corpus: Corpus) -> None:
    first = corpus.caption("good", "One.", corpus.picture("good", scene(1)))
    near = corpus.caption("poor", "Another.", corpus.picture("poor", nudged(1, 2)))
    assert dropped(corpus, with_pictures(radius=1)) == {}
    assert dropped(corpus, with_pictures(radius=2)) == {near.sample_id: "PICTURE_DUPLICATE"}
    table = pl.read_parquet(corpus.root / "data/verdicts/deduplicate/clusters.parquet")
    assert table.select("cluster", "sample_id", "distance").rows() == [
        (first.sample_id, first.sample_id, 0.0),
        (first.sample_id, near.sample_id, 2.0),
    ]


def test_each_scope_is_looked_through_by_itself(corpus: Corpus) -> None:
    def ask(source: str, task: str, shift: int) -> Sample:
        pixels = np.clip(scene(1).astype(int) + shift, 0, 255).astype(np.uint8)
        return corpus.sample(source, f"What is {shift}?", "it", corpus.picture(source, pixels), task=task)

    good, again = ask("good", "vqa_open", 0), ask("good", "vqa_open", 2)
    poor, other = ask("poor", "vqa_open", 4), ask("poor", "mcq", 6)
    caption = ask("poor", "caption", 8)
    assert dropped(corpus) == {}

    questions = ("vqa_open", "mcq")
    only_poor = with_pictures(scopes=(Scope(tasks=questions, sources=("poor",)),))
    assert dropped(corpus, only_poor) == {other.sample_id: "PICTURE_DUPLICATE"}
    each = with_pictures(scopes=tuple(Scope(tasks=questions, sources=(name,)) for name in ("good", "poor")))
    assert set(dropped(corpus, each)) == {again.sample_id, other.sample_id}
    together = with_pictures(scopes=(Scope(tasks=questions),))
    assert set(dropped(corpus, together)) == {again.sample_id, other.sample_id, poor.sample_id}
    assert set(dropped(corpus, with_pictures(scopes=(Scope(tasks=("caption", *questions)),)))) == {
        again.sample_id, other.sample_id, poor.sample_id, caption.sample_id,
    }  # fmt: skip
    assert good.sample_id not in dropped(corpus, together)


def test_several_pictures_are_copies_when_each_is(corpus: Corpus) -> None:
    def report(source: str, *seeds: int) -> Sample:
        shift = len(corpus.samples.get(source, []))
        pictures = [
            corpus.picture(source, np.clip(scene(seed).astype(int) + shift, 0, 255).astype(np.uint8)) for seed in seeds
        ]
        return corpus.sample(source, "Describe both.", f"{source} {seeds}", *pictures, task="caption")

    report("good", 1, 2)
    same = report("poor", 1, 2)
    for seeds in ((1,), (1, 3), (2, 1), (1, 2, 3)):
        report("poor", *seeds)
    assert dropped(corpus) == {same.sample_id: "PICTURE_DUPLICATE"}
    assert dropped(corpus, with_pictures(radius=4)) == {same.sample_id: "PICTURE_DUPLICATE"}


def test_groups_can_be_thinned_when_asked(corpus: Corpus) -> None:
    slices = [scene(3), np.clip(scene(3).astype(int) + 3, 0, 255).astype(np.uint8)]
    for number, pixels in enumerate(slices):
        corpus.caption("good", f"Slice number {number}.", corpus.picture("good", pixels, group="volume"))
    assert len(dropped(corpus, with_pictures(within_groups=True))) == 1


def test_texts_of_one_group_are_left_alone_when_asked(corpus: Corpus) -> None:
    first = corpus.sample("good", "Findings?", LONG, group="patient")
    second = corpus.sample("good", "Findings?", LONG + " today", group="patient")
    other = corpus.sample("poor", "Findings?", LONG + " now", group="another")
    assert len(dropped(corpus)) == 2
    apart = PARAMS.model_copy(update={"text": PARAMS.text.model_copy(update={"within_groups": False})})
    assert dropped(corpus, apart) == {other.sample_id: "NEAR_DUPLICATE_TEXT"}
    assert first.sample_id != second.sample_id


def test_what_was_not_measured_is_named(corpus: Corpus) -> None:
    corpus.caption("good", "One.", corpus.picture("good", scene(1)))
    corpus.write()
    corpus.keep_all("gate")
    path = corpus.root / "data/signals/good/images.parquet"
    pl.read_parquet(path).clear().write_parquet(path)
    with pytest.raises(UserError, match="good: a picture that the gate kept was not measured"):
        deduplicate(corpus.sources, PARAMS, corpus.root)


def test_scopes_name_ranked_sources() -> None:
    scope = {"tasks": ["caption"], "sources": ["goood"]}
    data = {**PARAMS.model_dump(), "pictures": {"radius": 0, "within_groups": False, "scopes": [scope]}}
    with pytest.raises(UserError, match=r"scopes name \['goood'\], which reliability does not rank"):
        validate(DedupParams, data, "params.yaml: dedup")


def test_short_templated_texts_that_differ_in_a_word_are_kept(corpus: Corpus) -> None:
    for name in ("gastritis", "nephritis", "arthritis"):
        corpus.sample("good", f"Is {name} an inflammation?", "yes")
    assert dropped(corpus) == {}


def test_clusters_name_kept_and_dropped(corpus: Corpus) -> None:
    kept = corpus.sample("good", "q one two three", LONG)
    exact, near = corpus.sample("poor", "q one two three", LONG), corpus.sample("poor", "q one two three", LONG + " x")
    corpus.sample("good", "alone", "here")
    run(corpus)
    table = pl.read_parquet(corpus.root / "data/verdicts/deduplicate/clusters.parquet")
    assert set(table["cluster"]) == {kept.sample_id}
    assert table.select("sample_id", "method", "kept").rows() == [
        (kept.sample_id, "exact", True),
        (exact.sample_id, "exact", False),
        (kept.sample_id, "minhash", True),
        (near.sample_id, "minhash", False),
    ]
    assert table["similarity"].to_list() == [1.0, 1.0, 1.0, pytest.approx(21 / 22)]
    assert table["distance"].to_list() == [0.0, 0.0, 0.0, pytest.approx(1 / 22)]


def test_what_a_later_method_drops_is_not_called_kept(corpus: Corpus) -> None:
    kept = corpus.sample("good", "q one two three", LONG)
    twins = [corpus.sample("poor", "q one two three", LONG + " x") for _ in range(2)]
    run(corpus)
    table = pl.read_parquet(corpus.root / "data/verdicts/deduplicate/clusters.parquet")
    assert table.filter("kept")["sample_id"].to_list() == [kept.sample_id]
    assert {one.sample_id for one in twins} == set(table.filter(~pl.col("kept"))["sample_id"])


def test_only_rows_the_gate_kept_are_judged(corpus: Corpus) -> None:
    corpus.sample("good", "same", LONG, split="test")
    trained = corpus.sample("poor", "same", LONG)
    assert run(corpus) == {trained.sample_id: "KEPT"}


def test_metrics_count_by_source_and_reason(corpus: Corpus) -> None:
    corpus.sample("good", "same", LONG)
    corpus.sample("poor", "same", LONG)
    corpus.write()
    corpus.keep_all("gate")
    assert deduplicate(corpus.sources, PARAMS, corpus.root).metrics == {
        "in": {"good": 1, "poor": 1},
        "kept": {"good": 1, "poor": 0},
        "dropped": {"good": {}, "poor": {"EXACT_DUPLICATE": 1}},
    }


def test_two_runs_write_the_same_bytes(corpus: Corpus) -> None:
    for number in range(20):
        corpus.sample("good", f"q{number % 7}", LONG + f" {number % 3}")
    folder = corpus.root / "data/verdicts/deduplicate"
    written = []
    for _ in range(2):
        run(corpus)
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]


def test_a_source_without_a_rank_is_named(corpus: Corpus) -> None:
    corpus.sample("new", "q", "a")
    with pytest.raises(UserError, match=r"dedup.reliability does not rank \['new'\]"):
        run(corpus)


def test_params_file_has_the_section() -> None:
    params = load_section("dedup", DedupParams, Path(__file__).parents[2] / "params.yaml")
    assert params.reliability


def test_a_seed_is_one_of_64_bits() -> None:
    text = load_section("dedup", DedupParams, Path(__file__).parents[2] / "params.yaml").text.model_dump()
    with pytest.raises(UserError, match="seed"):
        validate(TextParams, text | {"seed": 2**63}, "params.yaml: dedup.text")
