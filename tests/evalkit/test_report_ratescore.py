"""RaTEScore: the arithmetic on known entities, entities off labels, and tiny models of the published architectures."""

import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForTokenClassification, AutoTokenizer

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.model_texts import ModelSettings
from lingshu.evalkit.reports.rate_models import load_rate_models
from lingshu.evalkit.reports.ratescore import AFFINITY, Entities, entity_spans, rate_score, sentences
from tests.evalkit.tiny_encoders import RATE_LABELS, SENTENCES, encoder_folder, tagger_folder

REFERENCES = [*SENTENCES, "The heart is normal.", "No pleural effusion."]
CANDIDATES = ["Heart size is normal. No effusion.", "left pleural effusion", "lungs clear", "", "No pleural effusion."]


def entities(*pairs):
    return Entities(tuple(kind for kind, _ in pairs), torch.tensor([vector for _, vector in pairs]))


def test_a_pair_is_its_cosine_whatever_it_weighs():
    same = entities(("ANATOMY", [3.0, 4.0]))
    assert rate_score(same, same, AFFINITY["long"]) == pytest.approx(1.0, abs=1e-6)
    other = entities(("ANATOMY", [4.0, 3.0]))
    assert rate_score(same, other, AFFINITY["short"]) == pytest.approx(0.96, abs=1e-6)


@pytest.mark.parametrize(("matrix", "left"), [("long", 0.8716553966489615), ("short", 0.3611577852354489)])
@pytest.mark.parametrize("absence", ["NON-DISEASE", "NON-ABNORMALITY"])
def test_a_negated_finding_loses_a_part(matrix, left, absence):
    wanted, given = entities(("DISEASE", [1.0, 0.0])), entities((absence, [1.0, 0.0]))
    assert rate_score(wanted, given, AFFINITY[matrix]) == pytest.approx(left, abs=1e-6)


def test_entities_weigh_by_their_type_and_that_of_the_closest():
    """By hand, matrix long: recall over (disease->disease .846, anatomy->disease .459), precision disease->disease."""
    wanted = entities(("DISEASE", [1.0, 0.0]), ("ANATOMY", [0.0, 1.0]))
    given = entities(("DISEASE", [0.8, 0.6]))
    weights = (0.8460555030578727, 0.4592143222158069)
    first = (0.8 * weights[0] + 0.6 * weights[1]) / sum(weights)
    assert rate_score(wanted, given, AFFINITY["long"]) == pytest.approx(2 * first * 0.8 / (first + 0.8), abs=1e-6)


def test_a_side_without_entities_scores_a_half_as_upstream():
    assert rate_score(entities(("ANATOMY", [1.0])), Entities((), torch.empty(0, 0)), AFFINITY["long"]) == 0.5


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O B-DISEASE I-DISEASE O O", [(1, 2, "DISEASE")]),
        ("O B-DISEASE B-ANATOMY O O", [(1, 1, "DISEASE"), (2, 2, "ANATOMY")]),
        ("O O I-DISEASE O O", []),  # nothing begins
        ("O B-DISEASE I-DISEASE I-DISEASE I-DISEASE", [(1, 3, "DISEASE")]),  # the end token goes on: still closed
        ("O B-ANATOMY B-DISEASE I-DISEASE I-DISEASE", [(1, 1, "ANATOMY")]),  # upstream loses the second one
        ("O I-DISEASE B-ANATOMY O O", [(2, 2, "ANATOMY")]),
    ],
)
def test_entities_are_read_off_labels_as_upstream_does(labels, expected):
    """Each was given to `post_process` of RaTEScore 0.6.0 with the same result."""
    assert entity_spans(["[CLS]", "a", "b", "c", "[SEP]"], labels.split()) == expected


def test_sentences():
    text = "No effusion.  Heart normal!\nSeen by Dr. Smith in 2.5 cm. 1. Stable. Is it? ok"
    parts = ["No effusion.", "Heart normal!", "Seen by Dr. Smith in 2.5 cm.", "1. Stable.", "Is it?"]
    assert sentences(text) == parts
    assert sentences("") == sentences(" .") == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("rate")
    return tagger_folder(home / "tagger"), encoder_folder(home / "encoder")


def named(folder, text):
    """The tagger by its definition, one sentence at a time."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForTokenClassification.from_pretrained(folder)
    found = []
    for part in sentences(text):
        with torch.no_grad():
            best = model.eval()(**tokenizer(part, return_tensors="pt")).logits[0].argmax(dim=1)
        words = tokenizer.convert_ids_to_tokens(tokenizer(part)["input_ids"])
        spans = entity_spans(words, [model.config.id2label[int(one)] for one in best])
        found += [(tokenizer.convert_tokens_to_string(words[a : b + 1]), kind) for a, b, kind in spans]
    return found


def vectors(folder, names):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return [model(**tokenizer(name, return_tensors="pt")).last_hidden_state[0, 0].tolist() for name in names]


def test_the_models_are_applied_as_their_parts_are(folders):
    tagger, encoder = folders
    models = load_rate_models(tagger, encoder)
    found = models.named([*REFERENCES, *CANDIDATES])
    assert found == [named(tagger, text) for text in (*REFERENCES, *CANDIDATES)]
    assert {kind for report in found for _, kind in report} >= {"ANATOMY", "DISEASE"}
    expected = []
    for wanted, given in zip(found[: len(REFERENCES)], found[len(REFERENCES) :], strict=True):
        sides = [
            [(k, v) for (_, k), v in zip(s, vectors(encoder, [n for n, _ in s]), strict=True)] for s in (wanted, given)
        ]
        full = all(sides)
        expected.append(rate_score(entities(*sides[0]), entities(*sides[1]), AFFINITY["long"]) if full else 0.5)
    expected[3] = 0.0  # an empty candidate
    ours = models.scores(REFERENCES, CANDIDATES, AFFINITY["long"])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)


def test_the_key_and_what_is_missing(folders, tmp_path):
    files = []
    for name, texts in (("r", REFERENCES), ("c", CANDIDATES)):
        files.append(tmp_path / f"{name}.jsonl")
        rows = [{"id": n, "report": text} for n, text in enumerate(texts)]
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    tagger, encoder = map(str, folders)

    def run(**models):
        return evaluate(*files, ReportSettings(metrics=("ratescore_own_split",), models=ModelSettings(**models)))

    found = run(ratescore_tagger=tagger, ratescore_encoder=encoder, ratescore_matrix="short")
    expected = load_rate_models(*folders).scores(REFERENCES, CANDIDATES, AFFINITY["short"])
    assert [one["metrics"]["ratescore_own_split"] for one in found.samples] == expected.tolist()
    with pytest.raises(UserError, match="--ratescore-tagger is not given"):
        run()
    with pytest.raises(UserError, match="--ratescore-encoder is not given"):
        run(ratescore_tagger=tagger)
    with pytest.raises(UserError, match="--ratescore-tagger: "):
        run(ratescore_tagger=str(tmp_path), ratescore_encoder=encoder)


def test_an_encoder_in_the_taggers_place_has_no_head_and_is_refused(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    headless = shutil.copytree(folders[0], tmp_path / "headless")
    weights = load_file(headless / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier.")}
    save_file(kept, headless / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        UserError, match=r"--ratescore-tagger: .*headless: 2 of its weights .* such as classifier\.bias"
    ):
        load_rate_models(headless, folders[1])


def test_a_tagger_with_other_labels_is_refused(folders, tmp_path):
    other = tagger_folder(tmp_path / "other", (*RATE_LABELS[:-1], "I-PERSON"))
    with pytest.raises(UserError, match="has the label 'I-PERSON'"):
        load_rate_models(other, folders[1])
