"""Checks that are off by default: embeddings, and turned, cropped or re-windowed copies."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.hashes import phash, phash_thumbnail
from lingshu.dedup.deduplicate import deduplicate
from lingshu.dedup.keys import string_keys
from lingshu.dedup.looks import embeddings
from lingshu.dedup.params import DedupParams, SemanticParams, VariantParams
from lingshu.dedup.semantic import semantic_copies
from lingshu.dedup.variants import variant_copies
from lingshu.signals.measure import measure_source
from lingshu.signals.variants import variant_hashes
from tests.corpora import SIGNALS_PARAMS, Corpus, scene
from tests.dedup.test_deduplicate import PARAMS

CAPTIONS = ({"tasks": ("caption",)},)


def with_check(**checks: Any) -> DedupParams:
    return DedupParams.model_validate({**PARAMS.model_dump(), **checks})


def reasons(corpus: Corpus, params: DedupParams) -> dict[str, str]:
    verdicts = deduplicate(corpus.sources, params, corpus.root).verdicts
    return dict(verdicts.filter(~pl.col("keep")).select("sample_id", "reason").iter_rows())


def nearest_kept(vectors: np.ndarray, groups: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """One row after another, every kept row looked at."""
    cosine = np.round((vectors @ vectors.T).astype(float), 6)
    dropped: list[tuple[int, int]] = []
    kept: list[int] = []
    for row in range(len(vectors)):
        near = [k for k in kept if groups[k] != groups[row] and cosine[row, k] >= threshold]
        if near:
            dropped.append((row, max(near, key=lambda k: (cosine[row, k], -k))))
        else:
            kept.append(row)
    return dropped


def test_embeddings_are_compared_like_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingshu.dedup.semantic.ROWS_A_BLOCK", 16)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(150, 8)).astype(np.float32)
    vectors[50:] = vectors[rng.integers(0, 50, 100)] + rng.normal(scale=0.15, size=(100, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = rng.integers(0, 60, 400)
    rows = np.sort(rng.choice(400, 150, replace=False))
    params = SemanticParams(embeddings="x", threshold=0.97, within_groups=False, scopes=CAPTIONS)
    for given in (groups, None):
        copies = semantic_copies(rows, vectors, given, params)
        expected = nearest_kept(vectors, np.arange(150) if given is None else groups[rows], 0.97)
        assert list(zip(copies.rows.tolist(), copies.kept.tolist(), strict=True)) == [
            (rows[a], rows[b]) for a, b in expected
        ]
        assert len(expected) > 20


def test_semantic_copies_are_dropped_and_bad_embeddings_named(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    pictures = [corpus.picture(source, scene(seed)) for source, seed in (("good", 1), ("poor", 2), ("poor", 3))]
    samples = [corpus.caption(one.source, f"Picture {n}.", one) for n, one in enumerate(pictures)]
    corpus.write()
    corpus.keep_all("gate")
    check = {"embeddings": "vectors", "threshold": 0.9, "within_groups": False, "scopes": CAPTIONS}

    def embed(source: str, vectors: list[list[float]]) -> None:
        ids = [one.image_id for one in pictures if one.source == source]
        table = pl.DataFrame({"image_id": ids[: len(vectors)], "embedding": vectors})
        (tmp_path / "vectors").mkdir(exist_ok=True)
        table.write_parquet(tmp_path / f"vectors/{source}.parquet")

    with pytest.raises(UserError, match=r"good\.parquet: no such file"):
        deduplicate(corpus.sources, with_check(semantic=check), tmp_path)
    embed("good", [[1.0, 0.0]])
    embed("poor", [[2.0, 0.1], [0.0, 1.0]])
    assert reasons(corpus, with_check(semantic=check)) == {samples[1].sample_id: "SEMANTIC_DUPLICATE"}
    for vectors, problem in (
        ([[1.0, 0.0]], "1 of 2 pictures of the source are absent"),
        ([[1.0, 0.0, 0.0]] * 2, "several lengths: 2 of good, 3 of poor"),
        ([[1.0], [1.0, 2.0]], r"embeddings of \[1, 2\] numbers"),
        ([[0.0, 0.0], [1.0, 0.0]], f"1 embeddings are zero or no number, one that of picture {pictures[1].image_id}"),
        ([[float("nan"), 0.0], [1.0, 0.0]], f"one that of picture {pictures[1].image_id}"),
    ):
        embed("poor", vectors)
        with pytest.raises(UserError, match=problem):
            deduplicate(corpus.sources, with_check(semantic=check), tmp_path)


FORM = r"poor\.parquet: .*\n  fix: write a Parquet table of a row a picture: image_id \(string\) and embedding"


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"image_id": ["a", "b"], "vector": [[1.0], [1.0]]}, FORM),
        ({"image_id": [1, 2], "embedding": [[1.0], [1.0]]}, FORM),
        ({"image_id": ["a", "b"], "embedding": ["1.0", "1.0"]}, FORM),
        ({"image_id": ["a", "b"], "embedding": [["1.0"], ["1.0"]]}, FORM),
        ({"image_id": ["a", "b"], "embedding": [[1.0], None]}, "column embedding is empty in 1 rows"),
        ({"image_id": ["a", "b", "b"], "embedding": [[1.0]] * 3}, "picture b is there more than once"),
    ],
)
def test_a_table_that_is_not_one_of_embeddings_is_told(tmp_path: Path, columns: dict, problem: str) -> None:
    path = tmp_path / "poor.parquet"
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(UserError, match=problem):
        embeddings(path, string_keys(pl.Series(["a", "b"])))
    path.write_text("image_id,embedding\n")
    with pytest.raises(UserError, match=FORM):
        embeddings(path, string_keys(pl.Series(["a", "b"])))


def test_embeddings_of_one_fixed_length_are_read(tmp_path: Path) -> None:
    table = pl.DataFrame({"image_id": ["b", "a"], "embedding": np.array([[0, 2], [3, 4]], dtype=np.float32)})
    assert isinstance(table.schema["embedding"], pl.Array)
    table.write_parquet(tmp_path / "own.parquet")
    vectors = embeddings(tmp_path / "own.parquet", string_keys(pl.Series(["a", "b"])))
    assert np.allclose(vectors, [[0.6, 0.8], [0, 1]])


def hashed(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    greys = [Image.fromarray(pixels) for pixels in pictures]
    return phash(np.stack([phash_thumbnail(grey) for grey in greys])), variant_hashes(greys)


@pytest.mark.parametrize(
    "change",
    [np.rot90, np.flipud, np.fliplr, np.transpose, lambda x: 255 - x, lambda x: (x * 0.5 + 60).astype(np.uint8),
     lambda x: (255 * (x / 255) ** 1.8).astype(np.uint8), lambda x: x[16:144, 16:144]],
    ids=["turned", "upside down", "mirrored", "transposed", "inverted", "dimmed", "gamma", "cropped"],
)  # fmt: skip
def test_variants_of_a_picture_are_found_and_others_are_not(change) -> None:
    pictures = [scene(seed, 160) for seed in range(12)]
    copies = [np.ascontiguousarray(change(pixels)) for pixels in pictures[:6]]
    hashes, variants = hashed(pictures + copies)
    for order in (np.arange(18), np.arange(18)[::-1]):  # whichever is preferred
        found = variant_copies(np.arange(18), hashes[order], variants[order], None, radius=6)
        pairs = {frozenset((int(order[a]), int(order[b]))) for a, b in zip(found.rows, found.kept, strict=True)}
        assert pairs == {frozenset((number, 12 + number)) for number in range(6)}


def test_variants_need_their_signal_and_respect_groups(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    first = corpus.picture("good", scene(1, 120), group="study")
    mirrored = np.ascontiguousarray(np.fliplr(scene(1, 120)))
    corpus.caption("good", "One.", first)
    corpus.caption("good", "Same study.", corpus.picture("good", mirrored, group="study"))
    other = corpus.caption("poor", "Another.", corpus.picture("poor", np.ascontiguousarray(np.flipud(scene(1, 120)))))
    corpus.write()
    corpus.keep_all("gate")
    check = VariantParams(radius=4, within_groups=False, scopes=CAPTIONS).model_dump()
    with pytest.raises(UserError, match="good: its pictures were measured without variants"):
        deduplicate(corpus.sources, with_check(variants=check), tmp_path)
    for source in corpus.sources:
        measure_source(source, SIGNALS_PARAMS.model_copy(update={"variants": True}), tmp_path)
    assert reasons(corpus, with_check(variants=check)) == {other.sample_id: "PICTURE_VARIANT"}
    assert len(reasons(corpus, with_check(variants={**check, "within_groups": True}))) == 2
