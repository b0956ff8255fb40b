"""Multi-index hashing against comparing every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu.core import hamming
from lingshu.core.hamming import Pairs, cross_pairs, near_pairs


def hashes(seed: int, count: int) -> np.ndarray:
    """Distinct hashes, in random order; half of them are another one with up to a dozen bits turned over."""
    rng = np.random.default_rng(seed)
    far = rng.integers(0, 2**64, (count + 1) // 2, dtype=np.uint64)
    near = rng.choice(far, count // 2)
    for _ in range(12):
        turned = near ^ (np.uint64(1) << rng.integers(0, 64, len(near), dtype=np.uint64))
        near = np.where(rng.random(len(near)) < 0.4, turned, near)
    return rng.permutation(np.unique(np.concatenate([far, near])))


def every_pair(left: np.ndarray, right: np.ndarray, radius: int) -> list[tuple[int, int, int]]:
    distance = np.bitwise_count(left[:, None] ^ right[None, :])
    return [(int(a), int(b), int(distance[a, b])) for a, b in np.argwhere(distance <= radius)]


def listed(pairs: Pairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 300), st.integers(0, 16))
def test_every_pair_is_found_once(seed: int, count: int, radius: int) -> None:
    values = hashes(seed, count)
    expected = [pair for pair in every_pair(values, values, radius) if pair[0] < pair[1]]
    assert listed(near_pairs(values, radius)) == expected


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(0, 200), st.integers(0, 12))
def test_every_pair_of_two_sets_is_found_once(seed: int, here: int, there: int, radius: int) -> None:
    both = hashes(seed, here + there)
    left, right = both[:here], np.concatenate([both[here:], both[: here // 3]])
    assert listed(cross_pairs(left, right, radius)) == every_pair(left, right, radius)


@pytest.mark.parametrize("blocks", range(4, 13))
def test_the_number_of_blocks_changes_nothing(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = hashes(1, 2000)
    expected = listed(near_pairs(values, 3))
    monkeypatch.setattr(hamming, "_best_blocks", lambda count, radius: blocks)
    assert listed(near_pairs(values, 3)) == expected
    assert len(expected) > 200


def test_crowded_hashes_outgrow_the_first_room() -> None:
    crowd = np.arange(1 << 10, dtype=np.uint64)  # of every two, a tenth of the bits at most differ
    expected = int((np.bitwise_count(crowd[:, None] ^ crowd[None, :]) <= 3).sum() - len(crowd)) // 2
    assert len(near_pairs(crowd, 3).left) == expected > hamming.FIRST_ROOM


def test_a_radius_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="radius 17"):
        near_pairs(np.arange(3, dtype=np.uint64), 17)
