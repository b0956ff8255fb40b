"""Embeddings of real small pictures by a tiny encoder, from the stage's function to semantic duplicates dropped."""

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.parallel import ALONE, Workers
from lingshu.dedup.deduplicate import deduplicate
from lingshu.dedup.params import DedupParams
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_encoder import load_open_clip
from lingshu.signals import embeddings
from lingshu.signals.embeddings import Embedded, Eye, embed_source, runs
from lingshu.signals.params import EmbeddingsParams
from lingshu.sources.fetch_encoder import pull_open_clip
from tests.corpora import Corpus, scene
from tests.dedup.test_deduplicate import PARAMS as DEDUP
from tests.random_encoder import ENCODER, put_encoder
from tests.tiny_open_clip import SIDE, put_open_clip

PARAMS = EmbeddingsParams(sources=("scans",), dtype="float16", batch=4, device="cpu", threads=1)
CHOICE = OpenClipParams(folder="mine")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("open_clip") / "encoder"
    put_open_clip(path)
    return path


@pytest.fixture
def corpus(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    monkeypatch.setattr(embeddings, "PICTURES_A_RUN", 8)
    pull_open_clip(OpenClipParams(folder=str(encoder)), tmp_path)
    made = Corpus(tmp_path)
    for seed in range(40):
        made.caption("scans", f"Picture {seed}.", made.picture("scans", scene(seed)))
    made.write()
    return made


def embed(corpus: Corpus, workers: Workers = ALONE, **more: object) -> Embedded:
    eye = Eye(CHOICE, SIDE, corpus.root)
    return embed_source("scans", eye, PARAMS.model_copy(update=more), workers)


def read(path: Path) -> tuple[list[str], np.ndarray]:
    table = pq.read_table(path)
    return table["image_id"].to_pylist(), np.array(table["embedding"].to_pylist())


@given(st.sets(st.binary(max_size=6), max_size=120), st.binary(min_size=7, max_size=7))
def test_runs_hold_every_id_once_and_a_new_one_changes_few(names: set[bytes], new: bytes) -> None:
    ids = sorted(hashlib.sha256(name).hexdigest() for name in names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "PICTURES_A_RUN", 8)
        found = list(runs(ids))
        more = list(runs(sorted([*ids, hashlib.sha256(new).hexdigest()])))
    assert [one for run in found for one in run] == ids
    assert all(0 < len(run) <= 16 for run in found)
    if all(len(run) < 15 for run in found):  # no run was cut for its length
        assert len([run for run in more if run not in found]) <= 2


def test_the_table_is_sorted_and_holds_what_the_encoder_says(corpus: Corpus, encoder: Path) -> None:
    done = embed(corpus, dtype="float32")
    ids, vectors = read(done.path)
    store = ImageStore([corpus.root / "data/images/scans"])
    assert ids == store.ids()
    assert done == Embedded(corpus.root / "data/signals/embeddings/scans.parquet", 40, 40)
    straight = load_open_clip(encoder).features(store.image(one) for one in ids)
    np.testing.assert_allclose(vectors, straight, atol=1e-6)
    half, small = read(embed(corpus).path)[1], pq.read_schema(done.path).field("embedding").type.value_type
    assert str(small) == "halffloat"
    half = half / np.linalg.norm(half, axis=1, keepdims=True)
    assert np.abs(half @ half.T - vectors @ vectors.T).max() < 0.001


def test_workers_write_the_same_bytes(corpus: Corpus) -> None:
    """As float32, of which float16 is a rounding: each worker's start costs seconds, so it is shown once."""
    alone = embed(corpus, dtype="float32").path.read_bytes()
    shutil.rmtree(corpus.root / ".work")
    two = embed(corpus, Workers(engine="local", processes=2), dtype="float32")
    assert two.encoded == 40
    assert two.path.read_bytes() == alone


def test_a_run_that_was_cut_goes_on_to_the_same_bytes(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = embed(corpus).path.read_bytes()
    shutil.rmtree(corpus.root / ".work")
    (corpus.root / "data/signals/embeddings/scans.parquet").unlink()
    store = ImageStore([corpus.root / "data/images/scans"])
    first = list(runs(store.ids()))[:2]
    real = embeddings.decode

    def killed(image_id: str, data: bytes) -> Image.Image:
        if image_id not in {one for run in first for one in run}:
            raise KeyboardInterrupt
        return real(image_id, data)

    monkeypatch.setattr(embeddings, "decode", killed)
    with pytest.raises(KeyboardInterrupt):
        embed(corpus)
    assert not (corpus.root / "data/signals/embeddings/scans.parquet").exists()
    monkeypatch.setattr(embeddings, "decode", real)
    again = embed(corpus)
    assert again.encoded == 40 - sum(map(len, first))
    assert again.path.read_bytes() == whole
    assert embed(corpus).encoded == 0


def test_new_pictures_are_encoded_with_their_run_only_and_as_in_a_fresh_one(corpus: Corpus) -> None:
    embed(corpus)
    corpus.picture("scans", scene(77))
    corpus.write()
    grown = embed(corpus)
    assert grown.pictures == 41
    assert 0 < grown.encoded <= 32
    written = grown.path.read_bytes()
    shutil.rmtree(corpus.root / ".work")
    assert embed(corpus).path.read_bytes() == written


def test_another_encoder_or_knob_forgets(corpus: Corpus) -> None:
    embed(corpus)
    assert embed(corpus, batch=3).encoded == 40
    vocabulary = corpus.root / "data/raw/encoder/vocab.txt"
    vocabulary.write_text(vocabulary.read_text() + "lung\n")
    assert embed(corpus, batch=3).encoded == 40
    assert len(list((corpus.root / ".work/embed/scans").iterdir())) == 1


def test_no_pictures_make_an_empty_table_and_a_broken_one_is_named(corpus: Corpus) -> None:
    (corpus.root / "data/images/none").mkdir()
    done = embed_source("none", Eye(CHOICE, SIDE, corpus.root), PARAMS)
    assert (done.pictures, pq.read_table(done.path).num_rows) == (0, 0)
    with pytest.raises(UserError, match="picture abc: can't be decoded"):
        embeddings.decode("abc", b"no picture")


def test_an_encoder_of_the_catalogue_embeds_as_well(corpus: Corpus) -> None:
    shutil.rmtree(corpus.root / "data/raw/encoder")
    put_encoder(corpus.root)
    eye = Eye(ENCODER, 64, corpus.root)
    vectors = read(embed_source("scans", eye, PARAMS.model_copy(update={"dtype": "float32"})).path)[1]
    assert vectors.shape == (40, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def tiles() -> list[np.ndarray]:
    """Sixteen real small pictures: parts of the two photographs that scikit-learn ships."""
    parts = []
    for photograph in load_sample_images().images:
        parts += [photograph[y : y + 96, x : x + 96] for y in (60, 200) for x in (20, 160, 300, 440)]
    return parts


def recompressed(pixels: np.ndarray) -> np.ndarray:
    """The picture as a poor copy shows it: a little brighter, and through a JPEG of quality 60."""
    buffer = io.BytesIO()
    ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(1.03).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


def semantic(threshold: float) -> DedupParams:
    check = {"threshold": threshold, "within_groups": False, "scopes": ({"tasks": ("caption",)},)}
    off = {**DEDUP.pictures.model_dump(), "scopes": ()}
    return DedupParams.model_validate({**DEDUP.model_dump(), "pictures": off, "semantic": check})


def test_semantic_duplicates_of_real_pictures_are_dropped_by_the_table(tmp_path: Path, encoder: Path) -> None:
    corpus = Corpus(tmp_path)
    shown: dict[str, str] = {}  # in order of preference: the source, then the group
    for source, change in (("good", np.asarray), ("poor", recompressed)):
        for number, pixels in enumerate(tiles()):
            one = corpus.picture(source, change(pixels), group=f"{source}-{number:02d}")
            shown[corpus.caption(source, f"From {source}, {number}.", one).sample_id] = one.image_id
    corpus.write()
    corpus.keep_all("gate")
    pull_open_clip(OpenClipParams(folder=str(encoder)), tmp_path)
    with pytest.raises(UserError, match=r"good\.parquet: no such file"):
        deduplicate(corpus.sources, semantic(0.9), tmp_path)
    vectors = {}
    for source in corpus.sources:
        ids, rows = read(embed_source(source, Eye(CHOICE, SIDE, tmp_path), PARAMS).path)
        vectors |= dict(zip(ids, rows.astype(np.float64), strict=True))
    numbers = []
    for threshold in (0.9, 0.995, 0.999):
        verdicts = deduplicate(corpus.sources, semantic(threshold), tmp_path).verdicts
        expected, kept = {}, []
        for name, image_id in shown.items():
            cosines = {k: _cosine(vectors[image_id], vectors[shown[k]]) for k in kept}
            near = max(cosines, key=lambda k: cosines[k], default="")
            if near and cosines[near] >= threshold:
                expected[name] = cosines[near]
            else:
                kept.append(name)
        dropped = verdicts.filter(~pl.col("keep"))
        assert dict(dropped.select("sample_id", "score").iter_rows()) == pytest.approx(expected, abs=1e-5)
        assert set(dropped["reason"]) == {"SEMANTIC_DUPLICATE"}
        numbers.append(len(expected))
    assert numbers == sorted(numbers, reverse=True)
    assert 0 < numbers[2] < numbers[0] < 32


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
