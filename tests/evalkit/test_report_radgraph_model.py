"""RadGraph's model on tiny random archives: as the package annotates, by its definition, and through the metrics."""

import json
import math
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.model_texts import ModelSettings
from lingshu.evalkit.reports.radcliq import radcliq
from lingshu.evalkit.reports.radgraph_archive import archive_path, read_archive
from lingshu.evalkit.reports.radgraph_model import load_radgraph
from lingshu.evalkit.reports.radgraph_words import read_as, words_of
from tests.evalkit.tiny_radgraph import (
    ENTITIES,
    PREFIX,
    RELATIONS,
    WIDEST,
    archive_folder,
    base_folder,
    modern_folder,
    pack,
    reports,
)

EXPECTED = Path(__file__).with_name("radgraph_expected.json")
SHORT = 24  # word pieces at once, so that a report is cut


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return base_folder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def modern(tmp_path_factory):
    return modern_folder(tmp_path_factory.mktemp("modern"))


@pytest.fixture(scope="module")
def archives(base, tmp_path_factory):
    """A function that returns the archive folder of a type and a number of word pieces."""
    root = tmp_path_factory.mktemp("archives")

    def folder(kind="radgraph", longest=512):
        made = root / f"{kind}-{longest}"
        return made if made.exists() else archive_folder(made, kind, str(base), longest)

    return folder


@pytest.fixture(scope="module")
def load(archives, base, modern):
    bases = {"radgraph": base, "radgraph-xl": base, "modern-radgraph-xl": modern}
    return lambda kind="radgraph", longest=512: load_radgraph(read_archive(archives(kind, longest), kind), bases[kind])


@pytest.mark.parametrize("case", json.loads(EXPECTED.read_text())["annotations"], ids=lambda one: one["case"])
def test_annotations_are_those_of_the_package(load, case):
    """The file says how the package made them."""
    found = load(case["kind"], case["longest"]).annotate([text for text, _ in case["reports"]])
    for one, (_, wanted) in zip(found, case["reports"], strict=True):
        assert [
            [e["start_ix"], e["end_ix"], ENTITIES.index(e["label"])]
            + [[RELATIONS.index(label), int(other)] for label, other in e["relations"]]
            for e in one["entities"].values()
        ] == wanted["entities"]
        assert one["text"] == wanted["text"]
        words = one["text"].split(" ")
        for number, entity in enumerate(one["entities"].values(), start=1):
            assert list(one["entities"])[number - 1] == str(number)
            assert entity["tokens"] == " ".join(words[entity["start_ix"] : entity["end_ix"] + 1])
        assert (one["data_source"], one["data_split"]) == (None, "inference")


def test_the_expected_annotations_have_every_label():
    cases = json.loads(EXPECTED.read_text())["annotations"]
    entities = [entity for case in cases for _, found in case["reports"] for entity in found["entities"]]
    assert {label for _, _, label, *_ in entities} == set(range(1, len(ENTITIES)))
    assert {label for _, _, _, *relations in entities for label, _ in relations} == set(range(len(RELATIONS)))


def word_vectors(state, base, words, longest):
    """Vectors of words by definition, word by word and segment by segment."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = BertModel(BertConfig.from_pretrained(base)).eval()
    model.load_state_dict({k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}, strict=False)
    pieces = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(read_as(word))) for word in words]
    flat = [piece for word in pieces for piece in word]
    states = []
    for start in range(0, len(flat), longest - 2):
        segment = flat[start : start + longest - 2]
        ids = torch.tensor([[tokenizer.cls_token_id, *segment, tokenizer.sep_token_id]])
        states += model(ids).last_hidden_state[0, 1:-1]
    vectors, place = [], 0
    for word in pieces:
        vectors.append(sum(states[place : place + len(word)]) / len(word) if word else torch.zeros(24))
        place += len(word)
    return vectors


def layers(state, hidden, last, vector):
    number = 0
    while f"{hidden}._linear_layers.{number}.weight" in state:
        name = f"{hidden}._linear_layers.{number}"
        vector = torch.relu(state[f"{name}.weight"] @ vector + state[f"{name}.bias"])
        number += 1
    return state[f"{last}.weight"] @ vector + state[f"{last}.bias"]


def by_definition(state, words, vectors):
    """Entities and relations span by span and pair by pair."""
    widths = state["_endpoint_span_extractor._span_width_embedding.weight"]
    ner, pick = "_ner._ner_scorers.radgraph__ner_labels", "_relation._mention_pruners.radgraph__relation_labels._scorer"
    spans = [(a, b) for a in range(len(words)) for b in range(a, len(words)) if b - a < WIDEST]
    seen = {(a, b): torch.cat([vectors[a], vectors[b], widths[b - a]]) for a, b in spans}
    entities = []
    for span in spans:
        best = layers(state, f"{ner}.0._module", f"{ner}.1._module", seen[span]).max(0)
        if best.values > 0:
            entities.append((*span, ENTITIES[int(best.indices) + 1]))
    scores = {span: layers(state, f"{pick}.0._module", f"{pick}.1._module", seen[span]) for span in spans}
    kept = sorted(sorted(spans, key=lambda span: -float(scores[span]))[: math.ceil(len(words) / 2)])
    relations = set()
    for one in kept:
        for other in kept:
            pair = torch.cat([seen[one], seen[other], seen[one] * seen[other]])
            hidden = "_relation._relation_feedforwards.radgraph__relation_labels"
            last = "_relation._relation_scorers.radgraph__relation_labels"
            best = (layers(state, hidden, last, pair) + scores[one] + scores[other]).max(0)
            if best.values > 0 and {one, other} <= {entity[:2] for entity in entities}:
                relations.add((one, RELATIONS[int(best.indices)], other))
    return entities, relations


@pytest.mark.parametrize("longest", [SHORT, 512])
def test_annotations_are_their_definition(load, archives, base, longest):
    texts = ["Small effusion.", "heart", *reports(2, seed=4), "\x07 heart \u200b lung", "zzz xyz " * 18]
    state = torch.load(archives("radgraph", longest) / "weights.th", weights_only=True)
    count = 0
    with torch.no_grad():
        for text, found in zip(texts, load("radgraph", longest).annotate(texts), strict=True):
            words = words_of(text, "radgraph")
            entities, relations = by_definition(state, words, word_vectors(state, base, words, longest))
            mine = list(found["entities"].values())
            places = [(e["start_ix"], e["end_ix"]) for e in mine]
            assert [(*place, e["label"]) for place, e in zip(places, mine, strict=True)] == entities
            stated = [
                (place, label, places[int(other) - 1])
                for place, e in zip(places, mine, strict=True)
                for label, other in e["relations"]
            ]
            assert len(stated) == len(set(stated))
            assert set(stated) == relations
            count += len(stated)
    assert count


def test_a_text_longer_than_the_model_reads_is_cut_and_alone_or_among_others_is_read_alike(load):
    model = load()
    texts = [" ".join(reports(24, seed=5)), "", "Small effusion.", "effusions " * 260]
    together = model.annotate(texts)
    assert sum(len(model.encoder.tokenizer.tokenize(word)) for word in together[0]["text"].split()) > 512
    assert together == [model.annotate([text])[0] for text in texts]
    assert together[1] == {"text": "", "entities": {}, "data_source": None, "data_split": "inference"}


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("radgraph", "a/b, c:d.e!f?(g)", "a / b , c : d . e ! f ? ( g )"),
        ("radgraph", "3.5 cm-long; 50% x's\n\u00a0y", "3 . 5 cm-long; 50% x's y"),
        ("radgraph-xl", "a/b, 3.5 cm-long; x's\ny_z", "a / b , 3 . 5 cm - long ; x ' s y_z"),
        ("radgraph-xl", "(50%). 'so.' 4%, (5%) ...", "( 50 % ) . ' so . ' 4 % , ( 5 % ) ..."),
        ("modern-radgraph-xl", r"a\nb\fc\u2122 \"d\"", "a b c `` d ``"),
    ],
)
def test_words(kind, text, words):
    """`preprocess_reports` of radgraph 0.1.18 gave the same."""
    assert " ".join(words_of(text, kind)) == words


REPORTS = {"a": ("Small left effusion.", "Small effusion, left."), "b": ("No edema.", "No edema."), "c": ("", "Clear.")}


@pytest.fixture
def score(tmp_path):
    def run(metrics=("radgraph_f1_partial", "radgraph_f1_combined"), sub_scores=None, **models):
        for place, name in enumerate(("references", "candidates")):
            rows = [{"id": i, "report": texts[place]} for i, texts in REPORTS.items()]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = ReportSettings(metrics=metrics, models=ModelSettings(**models))
        return evaluate(tmp_path / "references.jsonl", tmp_path / "candidates.jsonl", settings, sub_scores)

    return run


def test_metrics_take_the_models_annotations(score, archives, tmp_path):
    """The base model's folder stands in the archive's configuration, as its hub id does in the published ones."""
    sub_scores = tmp_path / "sub.csv"
    sub_scores.write_text("id,bertscore,semb\n" + "".join(f"{i},0.6,0.7\n" for i in REPORTS))
    metrics = ("radgraph_f1_simple", "radgraph_f1_combined", "radcliq_v1")
    packed = pack(archives(), tmp_path / "radgraph.tar.gz")
    for given in (packed, tmp_path, archives()):
        found = score(metrics, sub_scores, radgraph=str(given))
        each = [sample["metrics"] for sample in found.samples]
        assert each[1]["radgraph_f1_simple"] == 1
        assert each[2]["radgraph_f1_simple"] == 0
        parts = {"radgraph": [one["radgraph_f1_combined"] for one in each], "bertscore": [0.6] * 3, "semb": [0.7] * 3}
        np.testing.assert_allclose([one["radcliq_v1"] for one in each], radcliq("radcliq_v1", parts), atol=1e-12)
        for name, texts in found.models.annotations.items():
            assert "c" in texts or name == "references.json"
            (tmp_path / name).write_text(json.dumps(texts))
    again = score(metrics, sub_scores, radgraph_annotations=tmp_path)
    assert again.samples == found.samples
    assert found.result["settings"]["models"]["radgraph_type"] == "radgraph"


def test_a_model_or_annotations_and_not_both(score, archives, tmp_path):
    with pytest.raises(UserError, match="neither --radgraph nor --radgraph-annotations is given"):
        score()
    with pytest.raises(UserError, match="--radgraph makes the annotations that --radgraph-annotations gives"):
        score(radgraph=str(archives()), radgraph_annotations=tmp_path)
    with pytest.raises(UserError, match=r"--radgraph: .* has no radgraph\.tar\.gz"):
        score(radgraph=str(tmp_path))
    with pytest.raises(UserError, match="it has labels of: radgraph\n") as error:
        score(radgraph=str(archives()), radgraph_type="radgraph-xl")
    assert error.value.fix == "name the archive's type with --radgraph-type"


def changed(text, **changes):
    found = json.loads(text)
    found["model"] |= changes
    return json.dumps(found)


@pytest.mark.parametrize(
    ("file", "change", "what"),
    [
        ("config.json", None, "has no config.json"),
        ("weights.th", None, "has no weights.th"),
        ("config.json", lambda text: text[:-5], "config.json is not JSON"),
        ("config.json", lambda text: changed(text, feature_size="x"), "model.feature_size: Input should"),
        ("config.json", lambda text: changed(text, max_span_width=3), "two values of max_span_width"),
        ("config.json", lambda text: changed(text, loss_weights={"ner": 1}), "no entities or no relations"),
        ("config.json", lambda text: text.replace('"coref_prop": 0', '"coref_prop": 2'), "coref_prop), not computed"),
        ("config.json", lambda text: changed(text, feature_size=5), "and its configuration says (6, 5)"),
        ("vocabulary/radgraph__ner_labels.txt", lambda text: text[1:], "the first entity label has a name"),
        ("vocabulary/radgraph__relation_labels.txt", lambda text: text + "more\n", "shape (3, 16), and its"),
        ("weights.th", lambda _: "nothing", "weights.th can't be read"),
    ],
)
def test_a_wrong_archive_is_named(archives, base, file, change, what, tmp_path):  # noqa: PLR0917 - fixtures
    folder = shutil.copytree(archives(), tmp_path / "archive")
    if change is None:
        (folder / file).unlink()
    else:
        text = "" if file.endswith(".th") else (folder / file).read_text()
        (folder / file).write_text(change(text))
    with pytest.raises(UserError) as error:
        load_radgraph(read_archive(folder, "radgraph"), base)
    assert what in error.value.what


def test_a_file_that_is_no_archive_and_code_in_weights(archives, base, tmp_path):
    (tmp_path / "radgraph.tar.gz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"radgraph\.tar\.gz can't be read \(ReadError"):
        read_archive(archive_path(str(tmp_path), "radgraph"), "radgraph")
    whole = pack(archives(), tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "radgraph.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"radgraph\.tar\.gz can't be read"):
        read_archive(tmp_path / "radgraph.tar.gz", "radgraph")
    folder = archive_folder(tmp_path / "code", "radgraph", str(base))
    torch.save({"x": Path}, folder / "weights.th")
    with pytest.raises(UserError, match=r"weights\.th can't be read \(UnpicklingError"):
        read_archive(folder, "radgraph")
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz"):
        pass
    with pytest.raises(UserError, match=r"empty\.tar\.gz has no config\.json"):
        read_archive(tmp_path / "empty.tar.gz", "radgraph")


def test_another_base_model_and_lacking_weights_are_named(archives, base, tmp_path):
    archive = read_archive(archives(), "radgraph")
    other = base_folder(tmp_path / "other")
    for changes, what in (
        ({"hidden_size": 48}, "size mismatch"),
        ({"num_hidden_layers": 3}, rf"lacks {PREFIX}encoder\.layer\.2"),
        ({"num_hidden_layers": 1}, rf"it has no place for {PREFIX}encoder\.layer\.1"),
        ({"model_type": "roberta"}, "the architecture roberta is none of bert, modernbert"),
    ):
        settings = json.loads((base / "config.json").read_text())
        (other / "config.json").write_text(json.dumps(settings | changes))
        with pytest.raises(UserError, match=what) as error:
            load_radgraph(archive, other)
        assert error.value.what.startswith(f"--radgraph-base: {other}: ")
    with pytest.raises(UserError, match="--radgraph-base: "):
        load_radgraph(archive, tmp_path)
    name = "_relation._relation_scorers.radgraph__relation_labels.bias"
    del archive.weights[name]
    with pytest.raises(UserError, match=f"lacks the weights {name}"):
        load_radgraph(archive, base)
