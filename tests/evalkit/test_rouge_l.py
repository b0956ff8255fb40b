"""ROUGE-L equals rouge-score to 1e-9 on any texts, and leaves the compiler alone until it is asked for."""

import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from lingshu.evalkit.ngrams import plain_tokens, plain_words
from lingshu.evalkit.report_metrics import rouge_l
from lingshu.evalkit.reports.text_metrics import unicode_tokens, unicode_words
from lingshu.evalkit.subsequences import common_words, found_words

KELVIN, DOTTED_I = "\u212a", "\u0130"
# Few letters, so that words meet; what lower-cases to ASCII, or to more characters; what ends a text here or there.
LETTERS = f"aB c,.1é\n\0 ?_{KELVIN}{DOTTED_I}kIΣß\u2028\ud800𝟏"
TEXTS = st.one_of(st.text(alphabet=LETTERS, max_size=60), st.text(max_size=20))
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)


def upstream(references, candidates):
    scorer = RougeScorer(["rougeL"])
    return [scorer.score(r, c)["rougeL"].fmeasure for r, c in zip(references, candidates, strict=True)]


def check(references, candidates):
    ours = rouge_l(references, candidates)
    assert ours.shape == (len(references),)
    np.testing.assert_allclose(ours, upstream(references, candidates), rtol=0, atol=1e-9)


def draw(rng, length, vocabulary):
    return " ".join(f"w{rng.randrange(vocabulary)}" for _ in range(length))


@settings(deadline=None, max_examples=300)
@given(PAIRS)
def test_rouge_l_is_rouge_scores(pairs):
    check([r for r, _ in pairs], [c for _, c in pairs])


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_words_are_the_plain_tokens(texts):
    *parts, rest = plain_words(texts).split(b"\0")
    assert [part.decode().split() for part in parts] == [plain_tokens(text) for text in texts]
    assert rest == b""


@pytest.mark.parametrize("reference", [0, 1, 63, 64, 65, 128, 129, 4097])
@pytest.mark.parametrize("candidate", [0, 1, 64, 150])
def test_lengths_on_both_sides_of_a_block(reference, candidate):
    rng = random.Random(reference * 1000 + candidate)
    texts = [draw(rng, reference, vocabulary) for vocabulary in (2, 40, 9000)]
    others = [draw(rng, candidate, vocabulary) for vocabulary in (2, 40, 9000)]
    check(texts, others)
    check(others, texts)


def test_a_carry_runs_through_every_block():
    same = draw(random.Random(1), 5000, 7)
    assert rouge_l([same, "x " * 5000, "a " * 200], [same, "x " * 5000, "a " * 5000]).tolist() == [
        1.0, 1.0, pytest.approx(2 * 200 / 5200),
    ]  # fmt: skip


def test_short_texts_after_long_ones_start_afresh():
    rng = random.Random(2)
    lengths = [300, 2, 70, 0, 1, 128, 5]
    check([draw(rng, n, 30) for n in lengths], [draw(rng, n + 3, 30) for n in reversed(lengths)])


def test_words_with_one_hash_are_two_words():
    left, right = "abcdefghijklmnop", "ijklmnopabcdefgh"
    letters = np.frombuffer(plain_words([left, right]), dtype=np.uint8)
    words, _ = found_words(letters, 2)
    assert words[0, 0] == words[1, 0]
    check([left, f"{left} {right}", f"{right} {left} b"], [right, f"{right} {left}", f"{left} b"])
    assert rouge_l([left], [right]).tolist() == [0.0]


def test_a_word_and_its_beginning_are_two_words():
    check(["a ab abc", "abcdefghi", "aaaaaaaaa"], ["abc ab a", "abcdefgh", "aaaaaaaa aaaaaaaaa"])


def test_odd_letters_by_hand():
    found = rouge_l([f"5 {KELVIN}", f"{DOTTED_I}n", "a\0b", ""], ["5 k", "i n", "a b", ""])
    assert found.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_no_sample_and_too_few():
    assert rouge_l([], []).shape == (0,)
    assert common_words(b"", b"").shape == (3, 0)
    with pytest.raises(ValueError, match="2 references and 1 candidates"):
        rouge_l(["a", "b"], ["a"])


@settings(deadline=None)
@given(PAIRS)
def test_letters_of_every_script_count_as_tokens(pairs):
    """As rouge-score counts them, when each token is written as a number."""
    numbers: dict[str, int] = {}

    def numbered(text):
        return " ".join(str(numbers.setdefault(token, len(numbers))) for token in unicode_tokens(text))

    ours = rouge_l([r for r, _ in pairs], [c for _, c in pairs], unicode_words)
    expected = upstream([numbered(r) for r, _ in pairs], [numbered(c) for _, c in pairs])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


def test_scoring_without_reports_imports_no_compiler():
    code = "import sys, lingshu.evalkit.scoring, lingshu.evalkit.reports.text_metrics; print('numba' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
