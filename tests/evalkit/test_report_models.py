"""Metrics that need a model: tiny random ones of the same architecture, and the exact arithmetic on top."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import classification_report
from transformers import AutoModel, AutoTokenizer

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.bertscore import BASELINE, BertScorer, baseline_of, load_scorer
from lingshu.evalkit.reports.chexbert import FIVE, LABELS, Read, label_f1, load_chexbert, semb_scores
from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.model_texts import ModelSettings
from lingshu.evalkit.reports.radcliq import NEAR_ZERO, RADCLIQ, radcliq, radcliq_bleu_2, reciprocal_warning
from tests.evalkit.tiny_encoders import SENTENCES, bert_folder, chexbert_file, roberta_folder

REFERENCES = [*SENTENCES, "heart size normal " * 40]
CANDIDATES = ["Heart size is normal. No effusion.", "left effusion small", "The lungs are clear", "the heart " * 40]
LABEL_SETS = {"14": LABELS, "5": FIVE}


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    return roberta_folder(tmp_path_factory.mktemp("roberta"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return bert_folder(tmp_path_factory.mktemp("bert"))


def bert_score(folder, layer, reference, candidate, weights):
    """BERTScore by its definition, one pair and one token at a time; `weights` maps a token id to its weight."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    model.encoder.layer = model.encoder.layer[:layer]
    ids, vectors = [], []
    for text in (reference, candidate):
        ids.append(tokenizer(" " + text.strip(), truncation=True)["input_ids"])
        with torch.no_grad():
            vectors.append(model(torch.tensor([ids[-1]])).last_hidden_state[0])
    cosine = [[float(torch.cosine_similarity(a, b, dim=0)) for b in vectors[0]] for a in vectors[1]]
    given, wanted = ([weights(token) for token in side] for side in (ids[1], ids[0]))
    precision = sum(w * max(row) for w, row in zip(given, cosine, strict=True)) / sum(given)
    recall = sum(w * max(column) for w, column in zip(wanted, zip(*cosine, strict=True), strict=True)) / sum(wanted)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("layer", [1, 3])
def test_bertscore_is_its_definition(roberta, layer):
    """The package bert-score 0.3.13 gave the same on these models within 2e-7 (it computes in single precision)."""
    special = {0, 2}
    expected = [
        bert_score(roberta, layer, r, c, lambda token: float(token not in special))
        for r, c in zip(REFERENCES, CANDIDATES, strict=True)
    ]
    ours = load_scorer(roberta, layer).f1([*REFERENCES, "a", ""], [*CANDIDATES, "", "a"])
    np.testing.assert_allclose(ours, [*expected, 0.0, 0.0], rtol=0, atol=1e-5)


def test_bertscore_with_idf_weighs_tokens_by_rarity(roberta):
    tokenizer = AutoTokenizer.from_pretrained(roberta)
    sets = [set(tokenizer(" " + text.strip(), truncation=True)["input_ids"]) for text in REFERENCES]

    def weight(token):
        return np.log((len(sets) + 1) / (sum(token in found for found in sets) + 1))

    expected = [bert_score(roberta, 2, r, c, weight) for r, c in zip(REFERENCES, CANDIDATES, strict=True)]
    ours = load_scorer(roberta, 2).f1(REFERENCES, CANDIDATES, idf=True)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)


def test_only_the_known_model_has_a_known_baseline(roberta):
    scorer = load_scorer(roberta, 2)
    assert baseline_of(scorer, 0.5) == 0.5
    with pytest.raises(UserError, match="only the baseline of distilroberta-base at layer 5 is known"):
        baseline_of(scorer, None)
    config = scorer.model.config.__class__(num_hidden_layers=6, hidden_size=768)
    known = type("Known", (), {"config": config})
    assert baseline_of(BertScorer(known, scorer.tokenizer, 5, 512), None) == BASELINE


def test_a_folder_without_a_model_and_a_layer_it_lacks(roberta, tmp_path):
    with pytest.raises(UserError, match="--bertscore-model"):
        load_scorer(tmp_path, 1)
    with pytest.raises(UserError, match=r"--bertscore-layer: 4, but .* has 3 layers"):
        load_scorer(roberta, 4)
    part = shutil.copytree(roberta, tmp_path / "part")
    weights = load_file(part / "model.safetensors")
    for named, gone in (("encoder.layer.2.", True), ("pooler.", False)):
        kept = {name: value for name, value in weights.items() if named not in name}
        assert len(kept) < len(weights)
        save_file(kept, part / "model.safetensors", metadata={"format": "pt"})
        if gone:
            with pytest.raises(UserError, match=r"--bertscore-model: .*part: 16 of its weights .*encoder\.layer\.2\."):
                load_scorer(part, 1)
        else:
            load_scorer(part, 1)  # nothing here looks at the pooler, and published files lack it


def test_chexbert_reads_as_its_parts_do(bert, tmp_path):
    encoder, heads = chexbert_file(bert, tmp_path / "chexbert.pth")
    texts = ["The heart is  normal\nin size.", "", "effusion " * 100, "left pleural effusion"]
    read = load_chexbert(tmp_path / "chexbert.pth", bert).read(texts)
    tokenizer = AutoTokenizer.from_pretrained(bert)
    for row, text in enumerate(texts):
        if not text:
            assert not read.vectors[row].any()
            assert not read.labels[row].any()
            continue
        ids = tokenizer(" ".join(text.split()))["input_ids"]
        if len(ids) > 64:
            ids = [*ids[:63], tokenizer.sep_token_id]
        with torch.no_grad():
            first = encoder(torch.tensor([ids])).last_hidden_state[0, 0]
        np.testing.assert_allclose(read.vectors[row], first.numpy(), rtol=0, atol=1e-5)
        assert read.labels[row].tolist() == [int(head(first).argmax()) in (1, 3) for head in heads]


def test_a_wrong_checkpoint_is_named(bert, tmp_path):
    checkpoint = tmp_path / "chexbert.pth"
    with pytest.raises(UserError, match=r"chexbert\.pth can't be read"):
        load_chexbert(checkpoint, bert)
    checkpoint.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"chexbert\.pth can't be read"):
        load_chexbert(checkpoint, bert)
    chexbert_file(bert, checkpoint)
    state = torch.load(checkpoint)
    del state["model_state_dict"]["module.linear_heads.3.bias"]
    torch.save(state, checkpoint)
    with pytest.raises(UserError, match=r"lacks linear_heads\.3\.bias"):
        load_chexbert(checkpoint, bert)
    chexbert_file(bert, checkpoint)
    with pytest.raises(UserError, match="does not fit"):
        load_chexbert(checkpoint, bert_folder(tmp_path / "other", positions=32))
    with pytest.raises(UserError, match="--chexbert-base"):
        load_chexbert(checkpoint, tmp_path)


def test_semb_is_the_cosine():
    vectors = np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    other = np.array([[1.0, 1.0], [3.0, 4.0], [1.0, 0.0]])
    labels = np.zeros((3, 14), dtype=bool)
    scores = semb_scores(Read(vectors, labels), Read(other, labels))
    np.testing.assert_allclose(scores, [2**-0.5, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("names", LABEL_SETS.values(), ids=LABEL_SETS)
def test_label_f1_is_scikit_learns(names):
    draw = np.random.default_rng(3)
    wanted, given = draw.random((40, 14)) < 0.4, draw.random((40, 14)) < 0.5
    wanted[:, 4] = given[:, 4] = False  # a label that never occurs
    columns = [LABELS.index(name) for name in names]
    expected = classification_report(wanted[:, columns], given[:, columns], output_dict=True, zero_division=0)
    nothing = np.zeros((40, 2))
    micro, macro = label_f1(Read(nothing, wanted), Read(nothing, given), names)
    assert micro == pytest.approx(expected["micro avg"]["f1-score"], abs=1e-12)
    assert macro == pytest.approx(expected["macro avg"]["f1-score"], abs=1e-12)


def test_radcliq_v1_of_known_sub_scores():
    """Expected values as the composite's raw weights give them: -1.245216, -1.650845, -0.994772 and +2.450143."""
    parts = {"radgraph": [1, 0, 0.5, 0.56], "bertscore": [1, 0, 0.6, 0.63], "semb": [1, 0, 0.75, 0.78]}
    expected = [2.450143 - 1.245216 * r - 1.650845 * b - 0.994772 * s for r, b, s in zip(*parts.values(), strict=True)]
    np.testing.assert_allclose(radcliq("radcliq_v1", parts), expected, rtol=0, atol=2e-6)
    np.testing.assert_allclose(radcliq("radcliq_v1", parts), [-1.4407, 2.4501, 0.0909, -0.0631], rtol=0, atol=5e-5)


def test_bleu_2_of_radcliq_v0_is_that_of_fast_bleu():
    values = {  # fast_bleu 0.0.90 behind `prep_reports` of CXR-Report-Metric
        ("The heart is normal. No effusion.", "The heart is large. No pleural effusion."): 0.6236095644623235,
        ("Clear lungs.", "clear"): 0.04279677428117004,
        ("no effusion", "effusion no"): 0.3162277660168379,
        ("A  small   nodule.", "a small nodule in 3.5 cm."): 0.37796447300922725,
        ("lung", "heart"): 0.0,
        ("lung", ""): 0.0,
    }
    references, candidates = zip(*values, strict=True)
    np.testing.assert_allclose(radcliq_bleu_2(references, candidates), list(values.values()), rtol=0, atol=1e-12)


def test_radcliq_v0_is_the_sum_of_its_standardised_terms():
    terms = RADCLIQ["radcliq_v0"].terms
    at_mean = {name: [term.mean] for name, term in terms.items()}
    assert radcliq("radcliq_v0", at_mean)[0] == pytest.approx(1.64166667, abs=1e-12)
    for name, term in terms.items():
        raised = at_mean | {name: [term.mean + 2 * term.scale]}
        assert radcliq("radcliq_v0", raised)[0] == pytest.approx(1.64166667 + 2 * term.weight, abs=1e-12)


def test_the_reciprocal_is_warned_of_where_it_is_not_monotone():
    assert "is below zero" in reciprocal_warning("radcliq_v1", -0.0631)
    assert "is near zero" in reciprocal_warning("radcliq_v1", 0.0909)
    assert reciprocal_warning("radcliq_v1", NEAR_ZERO * 1.01) is None


@pytest.fixture
def files(tmp_path):
    ids = [f"s{n}" for n in range(4)]
    for name, texts in (("references", REFERENCES), ("candidates", [*CANDIDATES[:3], ""])):
        rows = [{"id": i, "report": text} for i, text in zip(ids, texts, strict=True)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sub.csv").write_text("id,radgraph\n" + "".join(f"{i},0.4\n" for i in ids[:3]) + "s3,0\n")
    return tmp_path


def test_all_model_metrics_from_files(files, roberta, bert):
    chexbert_file(bert, files / "chexbert.pth")
    names = (*(f"chexbert_f1_{a}_{n}" for a in ("micro", "macro") for n in ("14", "5")), "semb_score")
    names += ("bertscore_f1", "bertscore_f1_rescaled", "radcliq_v1")
    models = ModelSettings(
        bertscore_model=str(roberta),
        bertscore_layer=2,
        bertscore_baseline=0.4,
        chexbert=str(files),
        chexbert_base=str(bert),
    )
    settings = ReportSettings(metrics=names, models=models)
    found = evaluate(files / "references.jsonl", files / "candidates.jsonl", settings, files / "sub.csv")
    metrics = found.result["metrics"]
    each = {name: np.array([sample["metrics"][name] for sample in found.samples]) for name in names[4:]}
    assert list(metrics) == [*names, "radcliq_v1_reciprocal"]
    np.testing.assert_allclose(each["bertscore_f1_rescaled"][:3], (each["bertscore_f1"][:3] - 0.4) / 0.6, atol=1e-12)
    parts = {"radgraph": [0.4, 0.4, 0.4, 0], "bertscore": each["bertscore_f1_rescaled"], "semb": each["semb_score"]}
    np.testing.assert_allclose(each["radcliq_v1"], radcliq("radcliq_v1", parts), rtol=0, atol=1e-12)
    assert metrics["radcliq_v1_reciprocal"] == pytest.approx(1 / metrics["radcliq_v1"])
    for name in ("semb_score", "bertscore_f1", "bertscore_f1_rescaled"):
        assert each[name][3] == 0.0
        assert metrics[name] == pytest.approx(each[name].sum() / 4, abs=1e-12)
    assert found.result["settings"]["sub_scores"] == ["radgraph"]
    assert found.result["settings"]["models"]["bertscore_layer"] == 2


@pytest.mark.parametrize(
    ("metric", "models", "what"),
    [
        ("bertscore_f1", {}, "--bertscore-model is not given"),
        ("semb_score", {}, "--chexbert is not given"),
        ("radcliq_v1", {}, "radcliq_v1 needs the sub-score 'bertscore'"),
        ("radcliq_v0", {}, "radcliq_v0 needs the sub-score 'bertscore'"),
        ("semb_score", {"chexbert": "{folder}"}, "--chexbert: {folder} has no chexbert.pth"),
        ("bertscore_f1", {"bertscore_model": "no/such model"}, "no/such model is no folder or file here"),
    ],
)
def test_what_is_missing_is_said(files, metric, models, what):
    models = {key: value.format(folder=files) for key, value in models.items()}
    settings = ReportSettings(metrics=(metric,), models=ModelSettings(**models))
    with pytest.raises(UserError) as error:
        evaluate(files / "references.jsonl", files / "candidates.jsonl", settings, files / "sub.csv")
    assert what.format(folder=files) in error.value.what
    assert error.value.fix
