"""Our report metrics equal their upstreams to 1e-9 on any text."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from lingshu.evalkit.ngrams import _numbered
from lingshu.evalkit.report_metrics import bleu, cider_d, text_scores

WORD = st.sampled_from(["no", "the", "effusion", "left", "right", "nodule", "heart", "is", "2", "3", "lung"])
SENTENCE = st.lists(WORD, max_size=12)
CORPUS = st.lists(st.tuples(st.lists(SENTENCE, min_size=1, max_size=3), SENTENCE), min_size=1, max_size=8)


def upstream(metric, corpus):
    references = {i: [" ".join(r) for r in refs] for i, (refs, _) in enumerate(corpus)}
    candidates = {i: [" ".join(c)] for i, (_, c) in enumerate(corpus)}
    with contextlib.redirect_stdout(io.StringIO()):
        return metric.compute_score(references, candidates)


@settings(deadline=None)
@given(CORPUS)
def test_cider_d_is_pycocoevalcaps_cider(corpus):
    if not any(refs_token for refs, _ in corpus for refs_token in refs):
        return  # upstream fails on a corpus without a single reference word
    mean, each = upstream(Cider(), corpus)
    ours = cider_d([refs for refs, _ in corpus], [c for _, c in corpus])
    np.testing.assert_allclose(ours, each, rtol=0, atol=1e-9)
    assert ours.mean() == pytest.approx(mean, abs=1e-9)


@settings(deadline=None)
@given(CORPUS)
def test_bleu_is_pycocoevalcaps_corpus_bleu(corpus):
    ours = bleu([refs for refs, _ in corpus], [c for _, c in corpus])
    np.testing.assert_allclose(ours, upstream(Bleu(4), corpus)[0], rtol=1e-9, atol=1e-9)


def test_scores_of_known_texts():
    scores = text_scores(["The heart is normal.", "A small left effusion."], ["the heart is normal", ""])
    assert scores.rouge_l_each.tolist() == [1.0, 0.0]
    assert scores.rouge_l == 0.5
    assert scores.cider_d_each.tolist() == [pytest.approx(10.0), 0.0]
    assert scores.bleu[0] == pytest.approx(np.exp(1 - 8 / 4), abs=1e-6)  # all words right, half the length


def test_numbers_of_texts_must_agree():
    with pytest.raises(ValueError, match="2 references and 1 candidates"):
        text_scores(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="at least one reference"):
        cider_d([[]], [["a"]])


@given(st.lists(st.one_of(st.integers(0, 9), st.integers(0, 2**60)), max_size=30))
def test_numbering_is_uniques_inverse_for_small_and_large_codes(codes):
    values = np.array(codes, dtype=np.int64)
    distinct, inverse = np.unique(values, return_inverse=True)
    numbers, size = _numbered(values)
    assert numbers.tolist() == inverse.tolist()
    assert size == len(distinct)
