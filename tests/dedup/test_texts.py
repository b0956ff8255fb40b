"""Near duplicates of texts against exact Jaccard over all pairs."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.dedup import texts as near
from lingshu.dedup.copies import Copies
from lingshu.dedup.params import TextParams
from lingshu.dedup.texts import text_copies

PARAMS = TextParams(shingle_words=3, permutations=128, bands=32, threshold=0.8, within_groups=True, seed=1)


def shingles(text: str, size: int = 3) -> frozenset[tuple[str, ...]]:
    words = text.split()
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def jaccard(left: str, right: str) -> float:
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b) if a or b else 0.0


def corpus(seed: int, documents: int = 300) -> list[str]:
    """Random texts, a third of them edited copies of an earlier one (one word in about 20 replaced)."""
    rng = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(400)]
    texts: list[str] = []
    for _ in range(documents):
        if texts and rng.random() < 0.35:
            words = rng.choice(texts).split()
            words = [rng.choice(vocabulary) if rng.random() < 0.04 else word for word in words]
        else:
            words = rng.choices(vocabulary, k=rng.randint(1, 60))
        texts.append(" ".join(words))
    return texts


def found(texts: list[str], params: TextParams = PARAMS, groups: np.ndarray | None = None, batch: int = 64) -> Copies:
    """Copies among the texts, which come in batches, the last ones first."""
    column = pl.Series(texts, dtype=pl.String)

    def read(wanted: np.ndarray):
        for start in range(0, len(texts), batch)[::-1]:
            rows = np.arange(start, min(start + batch, len(texts)))
            rows = rows[wanted[rows]][::-1]
            yield rows, column.gather(rows)

    return text_copies(read, np.ones(len(texts), dtype=bool), groups, params)


def twins_of(copies: Copies) -> list[tuple[int, int, float]]:
    return list(zip(copies.rows.tolist(), copies.kept.tolist(), copies.similarity.tolist(), strict=True))


def greedy(texts: list[str], threshold: float) -> set[int]:
    """Every pair compared exactly: drop a text that is near an earlier text which was kept."""
    sets = [shingles(text) for text in texts]
    kept: list[int] = []
    dropped: set[int] = set()
    for number, mine in enumerate(sets):
        near = mine and any(len(mine & sets[k]) >= threshold * len(mine | sets[k]) for k in kept)
        if near:
            dropped.add(number)
        else:
            kept.append(number)
    return dropped


def test_recall_against_exact_jaccard_and_no_false_drop() -> None:
    mine = expected = agreed = 0
    for seed in range(4):
        texts = corpus(seed)
        oracle = greedy(texts, PARAMS.threshold)
        copies = found(texts)
        rows = set(copies.rows.tolist())
        mine, expected, agreed = mine + len(rows), expected + len(oracle), agreed + len(rows & oracle)
        for row, kept, similarity in twins_of(copies):
            assert similarity == pytest.approx(jaccard(texts[row], texts[kept]))
            assert similarity >= PARAMS.threshold
            assert kept < row
            assert kept not in rows
        assert copies.distance.tolist() == [1 - value for value in copies.similarity.tolist()]
    assert expected > 100
    assert agreed / expected >= 0.99
    assert agreed / mine >= 0.99


def test_batches_and_their_order_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = corpus(5)
    whole = twins_of(found(texts, batch=1000))
    assert twins_of(found(texts, batch=7)) == whole
    monkeypatch.setattr(near, "SHINGLES_AT_ONCE", 100)
    monkeypatch.setattr(near, "TEXTS_A_BATCH", 5)
    assert twins_of(found(texts)) == whole
    assert len(whole) > 30


def test_texts_of_one_group_are_no_copies() -> None:
    text = " ".join(f"w{i}" for i in range(30))
    texts = [text, text + " a", text + " b", text + " c"]
    copies = found(texts, groups=np.array([7, 7, 8, 9]))
    assert [(row, kept) for row, kept, _ in twins_of(copies)] == [(2, 0), (3, 0)]


@given(st.lists(st.sampled_from(["a b c d", "a b c d e f g h", "x y z", "a", "", "a b", "Ä b, C"]), max_size=12))
@settings(deadline=None, max_examples=40)
def test_equal_texts_keep_the_first_and_short_texts_are_left_alone(texts: list[str]) -> None:
    copies = found(texts)
    expected = [i for i, text in enumerate(texts) if shingles(text) and text in texts[:i]]
    assert copies.rows.tolist() == expected
    assert copies.kept.tolist() == [texts.index(texts[i]) for i in expected]


def nearest_kept(texts: list[str], groups: np.ndarray, threshold: float) -> list[tuple[int, int, float]]:
    """Every pair compared exactly: each dropped text with the nearest kept one before it, the first of several."""
    sets = [shingles(text) for text in texts]
    kept: list[int] = []
    twins: list[tuple[int, int, float]] = []
    for number, mine in enumerate(sets):
        others = [k for k in kept if groups[k] != groups[number]]
        alike = [(len(mine & sets[k]) / len(mine | sets[k]), -k) for k in others] if mine else []
        if alike and max(alike)[0] >= threshold:
            twins.append((number, -max(alike)[1], max(alike)[0]))
        else:
            kept.append(number)
    return twins


@pytest.mark.parametrize("seed", range(6))
def test_texts_of_one_template_are_compared_as_all_pairs_are(seed: int) -> None:
    """So many share bands that what tells candidates apart, and chains that leave copies out, must not err."""
    rng = random.Random(seed)
    template = rng.choices([f"w{i}" for i in range(300)], k=rng.choice((12, 40, 160)))
    texts = []
    for _ in range(250):
        words = list(template)
        for _ in range(rng.randrange(1 + len(template) // 12)):
            words[rng.randrange(len(words))] = f"x{rng.randrange(6)}"
        texts.append(" ".join(words[: rng.choice((len(words), len(words), len(words) - 2))]))
    groups = np.array([rng.randrange(40) for _ in texts])
    every = PARAMS.model_copy(update={"bands": 128})  # so that a pair within the threshold shares one, to all intents
    expected = nearest_kept(texts, groups, PARAMS.threshold)
    assert 20 < len(expected) < 245
    assert twins_of(found(texts, every, groups)) == [pytest.approx(one) for one in expected]
