"""RadGraph-F1 from annotation files: the two upstreams' arithmetic, and what a wrong file is told."""

import json

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.model_texts import ModelSettings
from lingshu.evalkit.reports.radcliq import radcliq
from lingshu.evalkit.reports.radgraph import RadGraphF1

ANATOMY, PRESENT, ABSENT = (
    "Anatomy::definitely present",
    *(f"Observation::definitely {x}" for x in ("present", "absent")),
)
REFERENCES = {"a": "Heart is enlarged. Small effusion.", "b": "No effusion.", "c": "Clear lungs.", "d": ""}
CANDIDATES = {"a": "The heart is enlarged. Effusion, small.", "b": "No effusion.", "c": "", "d": "Normal."}
KEYS = tuple(f"radgraph_f1_{name}" for name in RadGraphF1._fields)


def entity(tokens, label, *relations):
    return {"tokens": tokens, "label": label, "start_ix": 0, "end_ix": 0, "relations": [list(one) for one in relations]}


def annotation(text, *entities):
    numbered = {str(number): one for number, one in enumerate(entities, start=1)}
    return {"text": text, "entities": numbered, "data_source": None, "data_split": "inference"}


EFFUSION = annotation("No effusion .", entity("effusion", ABSENT))
WANTED = {
    "a": annotation(
        "Heart is enlarged . Small effusion .",
        entity("Heart", ANATOMY),
        entity("enlarged", PRESENT, ("located_at", "1")),
        entity("Small", PRESENT, ("modify", "4")),
        entity("effusion", PRESENT),
    ),
    "b": EFFUSION,
    "c": annotation("Clear lungs ."),
}
GIVEN = {
    "a": annotation(
        "The heart is enlarged . Effusion , small .",
        entity("heart", ANATOMY),
        entity("enlarged", PRESENT, ("located_at", "1")),
        entity("Effusion", PRESENT),
        entity("small", PRESENT, ("modify", "3")),
        entity("enlarged", PRESENT),
    ),
    "b": EFFUSION,
    "d": annotation("Normal .", entity("Normal", PRESENT)),
}


@pytest.fixture
def score(tmp_path):
    def run(wanted, given, metrics=KEYS, **settings):
        for name, reports, found in (("references", REFERENCES, wanted), ("candidates", CANDIDATES, given)):
            rows = [{"id": i, "report": text} for i, text in reports.items()]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            (tmp_path / f"{name}.json").write_text(json.dumps(found))
        models = ModelSettings(radgraph_annotations=tmp_path)
        chosen = ReportSettings(metrics=metrics, models=models)
        return evaluate(tmp_path / "references.jsonl", tmp_path / "candidates.jsonl", chosen, **settings)

    return run


def test_the_six_scores_of_each_report(score):
    """`a` by the upstreams' own functions: radgraph 0.1.18 `compute_reward(given, wanted, "all")` gave
    (0.25, 0.2222222222222222, 0.4444444444444444), CXR-Report-Metric's `compute_f1` 0.25 and 0.0 (capitals count)."""
    found = score(WANTED, GIVEN)
    each = {sample["id"]: sample["metrics"] for sample in found.samples}
    assert [each["a"][key] for key in KEYS] == pytest.approx([1 / 4, 2 / 9, 4 / 9, 1 / 4, 0, 1 / 8], abs=1e-12)
    # Without relations there is no relation F1, so the combined score of the same report twice is a half.
    assert [each["b"][key] for key in KEYS] == [1, 1, 1, 1, 0, 0.5]
    assert list(each["c"].values()) == list(each["d"].values()) == [0] * 6
    assert found.result["metrics"]["radgraph_f1_partial"] == pytest.approx((2 / 9 + 1) / 4, abs=1e-12)
    assert not [warning for warning in found.result["warnings"] if "annotations" in warning]
    assert set(found.result["settings"]["files"]) >= {"annotated_references", "annotated_candidates"}


def test_what_both_state_twice_counts_once(score):
    twice = annotation("No effusion .", *[entity("effusion", ABSENT), entity("effusion", ABSENT)])
    found = score(WANTED, GIVEN | {"b": twice})
    assert found.samples[1]["metrics"]["radgraph_f1_simple"] == 1


def test_radcliq_takes_the_combined_score(score, tmp_path):
    (tmp_path / "sub.csv").write_text("id,bertscore,semb\n" + "".join(f"{i},0.6,0.7\n" for i in "abcd"))
    found = score(WANTED, GIVEN, ("radcliq_v1", "radgraph_f1_combined"), sub_scores=tmp_path / "sub.csv")
    parts = {"radgraph": [1 / 8, 0.5, 0, 0], "bertscore": [0.6] * 4, "semb": [0.7] * 4}
    each = [sample["metrics"]["radcliq_v1"] for sample in found.samples]
    assert each == pytest.approx(radcliq("radcliq_v1", parts).tolist(), abs=1e-12)


def test_annotations_of_another_text_are_warned_of(score):
    found = score(WANTED, GIVEN | {"a": GIVEN["a"] | {"text": "FINDINGS : The heart is enlarged ."}})
    expected = "candidates.json: 1 annotations are of another text than the one compared, the first: a"
    assert expected in found.result["warnings"]


def test_a_report_without_text_needs_no_annotation_and_one_with_text_does(score):
    del (lacking := dict(WANTED))["b"]
    with pytest.raises(UserError, match=r"references\.json: 1 reports are not annotated, the first: b"):
        score(lacking, GIVEN)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ([], "not an object of annotations by id"),
        ({"a": {"text": "x"}}, "references.json: a: entities: Field required"),
        ({"a": annotation("x", {"tokens": "x", "label": "y", "relations": [["modify"]]})}, "entities.1.relations"),
        ({"a": annotation("x", entity("x", PRESENT, ("modify", "2")))}, "a: entity 1 has a relation to 2, not there"),
    ],
)
def test_a_wrong_file_is_named(score, found, what):
    with pytest.raises(UserError) as error:
        score(found, GIVEN)
    assert what in error.value.what


def test_a_missing_or_broken_file_is_named(score, tmp_path):
    models = ModelSettings(radgraph_annotations=tmp_path / "none")
    score(WANTED, GIVEN)
    files = (tmp_path / "references.jsonl", tmp_path / "candidates.jsonl")
    with pytest.raises(UserError, match=r"none/references\.json: No such file"):
        evaluate(*files, ReportSettings(metrics=KEYS, models=models))
    (tmp_path / "candidates.json").write_text("{")
    with pytest.raises(UserError, match=r"candidates\.json: not JSON"):
        evaluate(*files, ReportSettings(metrics=KEYS, models=ModelSettings(radgraph_annotations=tmp_path)))
    with pytest.raises(UserError, match="neither --radgraph nor --radgraph-annotations is given"):
        evaluate(*files, ReportSettings(metrics=KEYS))
