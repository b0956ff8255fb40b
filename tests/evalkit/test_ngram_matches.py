"""Shared n-grams, counted in machine code, against Counters of Python."""

import random
from collections import Counter

import numpy as np
import pytest

from lingshu.evalkit.ngram_matches import matches


def grams(tokens, order):
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))


def by_hand(references, candidate):
    """Clipped at the largest count of any reference; and the closest length, the shorter of two as close."""
    correct = []
    for order in range(1, 5):
        best = Counter()
        for reference in references:
            best |= grams(reference, order)
        correct.append(sum((grams(candidate, order) & best).values()))
    return correct, min((abs(len(r) - len(candidate)), len(r)) for r in references)[1]


@pytest.mark.parametrize("words", [1, 2, 6, 60])
def test_counts_are_those_of_counters(words):
    draw = random.Random(words)

    def text(longest):
        return [f"w{draw.randrange(words)}" for _ in range(draw.randrange(longest))]

    candidates = [text(draw.choice([1, 3, 80])) for _ in range(150)]
    references = [[text(draw.choice([1, 3, 80])) for _ in range(draw.randrange(1, 4))] for _ in candidates]
    found = matches(references, candidates)
    expected = [by_hand(group, own) for group, own in zip(references, candidates, strict=True)]
    assert found.correct.T.tolist() == [correct for correct, _ in expected]
    assert found.closest.tolist() == [closest for _, closest in expected]
    assert found.lengths.tolist() == [len(own) for own in candidates]
    assert found.guesses.T.tolist() == [[max(len(own) - n, 0) for n in range(4)] for own in candidates]


def test_clipping_and_the_shorter_of_two_lengths_as_close():
    found = matches([[["a", "a"], ["a", "a", "b", "c"]]], [["a", "a", "a"]])
    assert found.correct[:, 0].tolist() == [2, 1, 0, 0]
    assert found.closest.tolist() == [2]


def test_no_sample_and_no_reference():
    empty = matches([], [])
    assert empty.correct.shape == (4, 0)
    assert empty.closest.shape == (0,)
    assert np.array_equal(matches([[[]]], [[]]).correct, np.zeros((4, 1)))
    with pytest.raises(ValueError, match="at least one reference"):
        matches([[]], [["a"]])
