"""The text metrics of `lingshu report-metrics` equal the upstream that each key names, to 1e-9, on any text."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.meteor_score import single_meteor_score
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.rouge.rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer

from lingshu.evalkit.ngram_matches import matches
from lingshu.evalkit.ngrams import plain_tokens
from lingshu.evalkit.report_metrics import Table, cider_values
from lingshu.evalkit.reports.meteor import meteor_exact_stem
from lingshu.evalkit.reports.overlaps import rouge_l_coco, rouge_n, sample_bleu, smooth_bleu
from lingshu.evalkit.reports.porter import stem
from lingshu.evalkit.reports.rouge_package import rouge_l_package

WORD = st.sampled_from(["no", "the", "effusion", "effusions", "left", "nodule", "nodular", "enlarged", "enlarge", "2"])
SENTENCE = st.lists(WORD, max_size=14)
PAIRS = st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=6)


class NoSynonyms:
    """A WordNet that knows no word: NLTK's METEOR then matches exact words and stems only."""

    def synsets(self, word):
        return []


def sides(pairs):
    return [[r] for r, _ in pairs], [c for _, c in pairs]


@settings(deadline=None)
@given(PAIRS)
def test_rouge_1_and_2_are_rouge_scores(pairs):
    scorer = RougeScorer(["rouge1", "rouge2"])
    expected = [scorer.score(" ".join(r), " ".join(c)) for r, c in pairs]
    found = matches(*sides(pairs))
    for order in (1, 2):
        wanted = [value[f"rouge{order}"].fmeasure for value in expected]
        np.testing.assert_allclose(rouge_n(found, order), wanted, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(PAIRS)
def test_rouge_l_coco_is_pycocoevalcaps(pairs):
    references = {i: [" ".join(r)] for i, (r, _) in enumerate(pairs)}
    candidates = {i: [" ".join(c)] for i, (_, c) in enumerate(pairs)}
    _, expected = Rouge().compute_score(references, candidates)
    filled = [bool(r and c) for r, c in pairs]
    ours = rouge_l_coco([r for r, _ in pairs], [c for _, c in pairs])
    np.testing.assert_allclose(ours, np.where(filled, expected, 0.0), rtol=0, atol=1e-9)


@settings(deadline=None)
@given(PAIRS)
def test_bleu_of_each_sample_is_pycocoevalcaps(pairs):
    references = {i: [" ".join(r)] for i, (r, _) in enumerate(pairs)}
    candidates = {i: [" ".join(c)] for i, (_, c) in enumerate(pairs)}
    with contextlib.redirect_stdout(io.StringIO()):
        _, expected = Bleu(4).compute_score(references, candidates)
    np.testing.assert_allclose(sample_bleu(matches(*sides(pairs))), expected, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(PAIRS)
def test_bleu_4_smooth_is_nltks_method_2(pairs):
    smoothing = SmoothingFunction().method2
    expected = [sentence_bleu([r], c, smoothing_function=smoothing, auto_reweigh=True) for r, c in pairs]
    np.testing.assert_allclose(smooth_bleu(matches(*sides(pairs))), expected, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(PAIRS)
def test_meteor_exact_stem_is_nltks_without_synonyms(pairs):
    expected = [single_meteor_score(r, c, wordnet=NoSynonyms()) for r, c in pairs]
    ours = meteor_exact_stem([r for r, _ in pairs], [c for _, c in pairs])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


SUFFIXES = """
    s es ies sses ss ed eed ied ing y ational tional enci anci izer bli alli entli eli ousli ization ation ator alism
    iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic
    able ible ant ement ment ent sion tion ou ism ate iti ous ive ize e ll
"""
ENDS = SUFFIXES.split()


@settings(deadline=None, max_examples=600)
@given(st.lists(st.sampled_from([*"abcdeilnorstuvwyz", "at", "bl", "iz", *ENDS]), min_size=1, max_size=5))
def test_stems_are_nltks(parts):
    assert stem("".join(parts)) == PorterStemmer().stem("".join(parts))


@pytest.mark.parametrize(
    "word", ["skies", "dying", "news", "proceed", "Geology", "archaeology", "radically", "Ω", "ay"]
)
def test_stems_of_odd_words_are_nltks(word):
    assert stem(word) == PorterStemmer().stem(word)


REFERENCES = [
    "The heart is normal in size. No pleural effusion.",
    "A small left pleural effusion is seen. The heart is enlarged, unchanged.",
    "No pneumothorax. no pleural effusion. The lungs are clear. ",
    "Right lower lobe opacity; the right lower lobe was clear before.",
    "Normal.",
]
CANDIDATES = [
    "Heart size is normal. There is no pleural effusion.",
    "Small pleural effusion on the left. the heart is the enlarged heart.",
    "The lungs are clear. No effusion. no pneumothorax pleural no clear lungs the",
    "There is a right lower lobe right opacity the lower right lobe. .",
    "Normal. Normal. Normal normal.",
]


ROUGE_PACKAGE = [0.4705882303114187, 0.39999999505, 0.899999995, 0.3333333283333334, 0.6666666622222223]
CIDER = [2.53880346725204, 1.9620343834775902, 4.457925084703246, 3.609289672493511, 2.5]


def test_rouge_l_pkg_is_the_rouge_packages():
    """Expected values: `[s["rouge-l"]["f"] for s in rouge.Rouge().get_scores(CANDIDATES, REFERENCES)]`, rouge 1.0.1.

    Random texts were compared in the same way; the package is not a dependency (`pip install rouge==1.0.1`).
    """
    np.testing.assert_allclose(rouge_l_package(REFERENCES, CANDIDATES), ROUGE_PACKAGE, rtol=0, atol=1e-12)


def test_rouge_l_pkg_of_nothing_is_0():
    assert rouge_l_package(["", "a", "...", "a"], ["a", "", "a", "..."]).tolist() == [0.0] * 4


def test_cider_is_cidereval_ciders():
    """Expected values: cidereval's `CiderScorer` (michelecafagna26/cider at 9364946) on the same tokens, n = 4.

    `scorer = CiderScorer(n=4); scorer += (candidate, [reference])` for each pair, then `scorer.compute_score()[1]`.
    """
    pairs = [(plain_tokens(r), plain_tokens(c)) for r, c in zip(REFERENCES, CANDIDATES, strict=True)]
    np.testing.assert_allclose(cider_values(Table(*sides(pairs)), clipped=False), CIDER, rtol=0, atol=1e-9)
