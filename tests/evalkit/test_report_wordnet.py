"""METEOR with synonyms equals NLTK's on the same WordNet, and what a wrong folder is told."""

import json

import nltk
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.translate.meteor_score import single_meteor_score

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.meteor import meteor_exact_stem, meteor_wordnet
from lingshu.evalkit.reports.model_texts import ModelSettings
from lingshu.evalkit.reports.wordnet import load_wordnet
from tests.evalkit.tiny_wordnet import SENSES, wordnet_folder

WORDS = sorted({word.partition("(")[0] for senses in SENSES.values() for words in senses for word in words})
FORMS = [*WORDS, "films", "movies", "seen", "saw", "found", "finding", "views", "men", "larger", "bigger", "enlarged"]
SENTENCE = st.lists(st.sampled_from([*FORMS, "the", "of"]), max_size=12)


class Reader(WordNetCorpusReader):
    """NLTK's reader without the map to other releases, for which it would look for the real WordNet."""

    def map_wn(self, version="wordnet"):
        return {}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpora")
    folder = wordnet_folder(root / "wordnet")
    nltk.data.path.insert(0, str(root))
    with pytest.warns(UserWarning, match="multilingual"):
        reader = Reader(str(folder), None)
    yield folder, reader
    nltk.data.path.remove(str(root))


@pytest.mark.parametrize("word", FORMS)
def test_synonyms_are_nltks(both, word):
    folder, reader = both
    lemmas = [lemma.name() for synset in reader.synsets(word) for lemma in synset.lemmas()]
    assert load_wordnet(folder).synonyms(word) == {word, *(name for name in lemmas if "_" not in name)}


def test_a_synonym_is_one_of_any_sense_and_part_of_speech(both):
    synonyms = load_wordnet(both[0]).synonyms
    assert synonyms("film") == {"film", "picture", "movie", "layer"}
    assert synonyms("found") == {"found", "find", "see", "view", "detect"}
    assert synonyms("little") == {"little", "small"}
    assert synonyms("thorax") == {"thorax"}


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=5))
def test_meteor_is_nltks(both, pairs):
    folder, reader = both
    expected = [single_meteor_score(r, c, wordnet=reader) for r, c in pairs]
    references, candidates = zip(*pairs, strict=True)
    ours = meteor_wordnet(references, candidates, load_wordnet(folder).synonyms)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


def test_synonyms_are_those_of_stems_and_only_add(both):
    synonyms = load_wordnet(both[0]).synonyms
    reference, candidate = ["film", "man", "seen"], ["layer", "adult", "seen"]
    assert meteor_wordnet([reference], [candidate], synonyms)[0] > meteor_exact_stem([reference], [candidate])[0] > 0
    # As in NLTK: "little" is looked up as "littl", its stem, which no WordNet knows.
    assert meteor_wordnet([["small"]], [["little"]], synonyms)[0] == 0


@pytest.fixture
def score(both, tmp_path):
    rows = [{"id": "a", "report": "A small effusion is seen."}, {"id": "b", "report": "Clear."}]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"id": "a", "report": "A little outflow."}, {"id": "b", "report": ""}]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(folder):
        chosen = ReportSettings(metrics=("meteor_wordnet",), models=ModelSettings(wordnet=folder))
        return evaluate(tmp_path / "r.jsonl", tmp_path / "c.jsonl", chosen)

    return run


def test_the_key_takes_the_folder(both, score):
    folder, reader = both
    expected = single_meteor_score(["a", "small", "effusion", "is", "seen"], ["a", "little", "outflow"], wordnet=reader)
    each = [sample["metrics"]["meteor_wordnet"] for sample in score(folder).samples]
    assert each == pytest.approx([expected, 0.0], abs=1e-9)


def test_what_is_wrong_with_the_folder_is_said(score, tmp_path):
    with pytest.raises(UserError, match="--wordnet is not given"):
        score(None)
    with pytest.raises(UserError, match=r"--wordnet: .*index\.noun: No such file"):
        score(tmp_path)
    folder = wordnet_folder(tmp_path / "w")
    data = (folder / "data.verb").read_text()
    (folder / "data.verb").write_text(" " + data)
    with pytest.raises(UserError, match=r"index\.verb and data\.verb do not belong together"):
        score(folder)
    (folder / "index.adj").write_text("small a\n")
    with pytest.raises(UserError, match=r"index\.adj: not an index of WordNet"):
        score(folder)
