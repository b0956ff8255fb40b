"""MedEvalKit's report defects by id: what `lingshu report-metrics` does where it errs."""

import json
import subprocess
import sys

import pytest

from lingshu.evalkit.reports.evaluate import ReportSettings, evaluate
from lingshu.evalkit.reports.text_metrics import TEXT_METRICS

REFERENCES = {
    "study_1": "Findings: The heart is normal in size. No pleural effusion. Impression: No acute finding.",
    "study_2": "Findings: Small left pleural effusion with a large heart. Impression: Cardiomegaly.",
    "study_3": "Findings: The lungs are clear on both sides. Impression: Normal chest.",
}
CANDIDATES = {
    "study_1": "Findings: Heart size is normal. There is no pleural effusion. Impression: No acute finding.",
    "study_2": "Findings: A small left pleural effusion is seen. Impression: Enlarged heart.",
    "study_3": "Findings: The lungs are clear. Impression: Normal chest.",
}


def test_D65_no_model_is_loaded_before_it_is_known_that_there_is_something_to_score(tmp_path):
    (tmp_path / "references.jsonl").write_text('{"id": "a", "report": "lung"}\n')
    command = [sys.executable, "-X", "importtime", "-m", "lingshu.cli", "report-metrics", "--metrics", "bertscore_f1"]
    files = ["--references", "references.jsonl", "--candidates", "absent.jsonl", "--bertscore-model", "absent-folder"]
    result = subprocess.run([*command, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    imported = {
        line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines() if line.startswith("import time:")
    }
    told = [line for line in result.stderr.splitlines() if not line.startswith("import time:")]
    assert result.returncode == 2
    assert "absent.jsonl: No such file" in "".join(told)
    assert "lingshu.evalkit.reports.evaluate" in imported
    assert not imported & {"torch", "transformers"}


@pytest.fixture
def score(tmp_path):
    def run(references, candidates, **settings):
        paths = []
        for name, reports in (("references", references), ("candidates", candidates)):
            path = tmp_path / f"{name}.jsonl"
            path.write_text("".join(json.dumps({"id": i, "report": r}) + "\n" for i, r in reports.items()))
            paths.append(path)
        return evaluate(*paths, ReportSettings(**settings))

    return run


def test_D28_an_exact_answer_of_one_word_has_a_smoothed_bleu_of_1_and_the_other_is_called_not_defined(score):
    found = score({"a": "lung"}, {"a": "lung"})
    assert found.result["metrics"]["bleu_1"] == pytest.approx(1.0, abs=1e-8)
    assert found.result["metrics"]["bleu_4_smooth"] == 1.0
    warnings = found.result["warnings"]
    for order in (2, 3, 4):
        assert f"bleu_{order}: not defined, no candidate has {order} tokens; see bleu_4_smooth" in warnings


def test_D29_repetition_earns_nothing_but_in_the_variant_that_is_named_for_it(score):
    metrics = score({"a": "lung", "b": "heart"}, {"a": "lung " * 3000, "b": "heart"}).samples[0]["metrics"]
    for name in ("bleu_1", "bleu_4", "bleu_4_smooth", "rouge_1", "rouge_2", "rouge_l", "rouge_l_coco", "cider_d"):
        assert metrics[name] < 0.01, name
    assert metrics["rouge_l_pkg"] > 0.99  # equal to its upstream, which works on sets


def test_D53_any_text_or_number_is_an_id(score, tmp_path):
    official = tmp_path / "predictions.csv"  # as MedEvalKit writes it
    official.write_text("study_id,report\n" + "".join(f'{i},"{r}"\n' for i, r in CANDIDATES.items()))
    score(REFERENCES, CANDIDATES)
    found = evaluate(tmp_path / "references.jsonl", official, ReportSettings())
    assert [sample["id"] for sample in found.samples] == ["study_1", "study_2", "study_3"]
    numbers = {10: "lung", 11: "heart"}
    assert score(numbers, numbers).result["metrics"]["rouge_l"] == 1.0


@pytest.mark.parametrize("nothing", ["", "   ", "<think>The lungs are clear", "Findings: Impression:"])
def test_D64_every_metric_divides_by_all_reports_and_an_empty_one_is_0_in_each(score, nothing):
    found = score(REFERENCES, CANDIDATES | {"study_3": nothing})
    assert found.result["samples"] == 3
    assert found.result["texts"]["candidates"]["empty"] == 1
    assert "1 of 3 candidates have no text to compare" in " ".join(found.result["warnings"])
    full = score(REFERENCES, CANDIDATES)
    for name in TEXT_METRICS:
        each = [sample["metrics"][name] for sample in found.samples]
        assert each[2] == 0.0
        assert found.result["metrics"][name] < full.result["metrics"][name]
        if name not in ("bleu_1", "bleu_2", "bleu_3", "bleu_4"):  # these are of the corpus, not means
            assert found.result["metrics"][name] == pytest.approx(sum(each) / 3, abs=1e-12)


def test_D64_a_reference_without_the_section_counts_too(score):
    found = score(REFERENCES | {"study_3": "Findings: The lungs are clear."}, CANDIDATES, section="impression")
    assert found.result["texts"]["references"]["without_impression"] == 1
    assert [sample["empty_reference"] for sample in found.samples] == [False, False, True]
    assert found.samples[2]["metrics"]["rouge_l"] == 0.0
    assert found.result["metrics"]["rouge_l"] == pytest.approx(found.samples[0]["metrics"]["rouge_l"] / 3)


def test_D66_section_heads_earn_nothing(score):
    found = score({"a": "Findings: clear. Impression: normal."}, {"a": "Findings: effusion. Impression: large."})
    assert max(found.samples[0]["metrics"].values()) < 1e-9  # pycocoevalcap's BLEU adds 1e-15 to counts


@pytest.mark.parametrize("form", ["plain", "medevalkit", "rexrank"])
def test_D66_think_text_earns_nothing_in_any_form(score, form):
    thought = {i: f"<think>{REFERENCES[i]}</think>{text}" for i, text in CANDIDATES.items()}
    plain = score(REFERENCES, CANDIDATES, form=form).result
    found = score(REFERENCES, thought, form=form).result
    assert found["metrics"] == plain["metrics"]
    assert found["texts"]["candidates"]["with_thinking_left_out"] == 3
