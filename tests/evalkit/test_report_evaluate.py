"""From files to scores: forms against the upstream on the same text, tokens of other scripts, keys and settings."""

import json
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.evaluate import METRICS, ReportSettings, evaluate

REFERENCES = ["Findings: The heart is normal. Impression: No acute finding.", "FINDINGS: Left effusion."]
CANDIDATES = ["Findings: The heart is large. Impression: Acute finding.", "Findings: Left effusion. Impression: None."]


@pytest.fixture
def score(tmp_path):
    def run(references, candidates, sub_scores=None, **settings):
        paths = []
        for name, reports in (("references", references), ("candidates", candidates)):
            paths.append(tmp_path / f"{name}.jsonl")
            rows = [{"id": f"s{n}", "report": text, "age": 1} for n, text in enumerate(reports)]
            paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
        if sub_scores:
            (tmp_path / "sub.csv").write_text(sub_scores)
        return evaluate(*paths, ReportSettings(**settings), tmp_path / "sub.csv" if sub_scores else None)

    return run


@pytest.mark.parametrize(
    ("form", "section", "wanted", "given"),
    [
        ("plain", "both", ["The heart is normal. No acute finding.", "Left effusion."], None),
        ("plain", "findings", ["The heart is normal.", "Left effusion."], ["The heart is large.", "Left effusion."]),
        ("plain", "impression", ["No acute finding.", ""], ["Acute finding.", "None."]),
        ("medevalkit", "both", [f"{REFERENCES[0]}.", "Findings: Left effusion. Impression: ."], CANDIDATES),
        ("rexrank", "both", [REFERENCES[0], "Findings: Left effusion. Impression: None"], CANDIDATES),
    ],
)
def test_scores_are_those_of_the_upstream_on_the_text_of_the_form(score, form, section, wanted, given):
    given = given or ["The heart is large. Acute finding.", "Left effusion. None."]
    scorer = RougeScorer(["rougeL"])
    expected = [scorer.score(w, g)["rougeL"].fmeasure for w, g in zip(wanted, given, strict=True)]
    found = score(REFERENCES, CANDIDATES, form=form, section=section)
    assert [s["metrics"]["rouge_l"] for s in found.samples] == pytest.approx(expected, abs=1e-9)
    assert found.result["metrics"]["rouge_l"] == pytest.approx(sum(expected) / 2, abs=1e-9)


def test_chinese_reports_need_unicode_tokens_and_the_default_says_so(score):
    reports = ["影像所见：心影增大。诊断意见：心脏增大。", "影像所见：双肺清晰。"]
    found = score(reports, reports, metrics=("rouge_l",)).result
    assert found["metrics"]["rouge_l"] == 0.0
    assert "2 candidates have text but no token; --tokens unicode knows letters of every script" in found["warnings"]
    found = score(reports, reports, metrics=("rouge_l",), tokens="unicode").result
    assert found["metrics"]["rouge_l"] == 1.0
    assert found["warnings"] == []


def test_cider_of_one_sample_is_warned_of(score):
    found = score(["a b"], ["a b"], metrics=("cider", "cider_d")).result
    assert set(found["metrics"].values()) == {0.0}
    assert "with one sample" in found["warnings"][0]


def test_radcliq_v0_needs_no_bleu_2_from_the_file_but_takes_it(score):
    rows = ("s0,1,1,1", "s1,1,1,1")
    own = score(
        ["a b", "c d"], ["a b", "c d"], "\n".join(["id,radgraph,bertscore,semb", *rows]), metrics=("radcliq_v0",)
    )
    file = "\n".join(["id,radgraph,bertscore,semb,bleu_2", *(f"{row},1" for row in rows)])
    given = score(["a b", "c d"], ["a b", "x y"], file, metrics=("radcliq_v0",))
    assert own.result["metrics"] == given.result["metrics"]


def test_settings_say_what_made_the_numbers(score):
    sub_scores = "id,radgraph,bertscore,semb\ns0,1,1,1\ns1,1,1,1\n"
    found = score(REFERENCES, CANDIDATES, sub_scores, metrics=("radcliq_v1", "rouge_l"), section="findings").result
    assert list(found["metrics"]) == ["radcliq_v1", "radcliq_v1_reciprocal", "rouge_l"]
    assert found["metrics"]["radcliq_v1"] == pytest.approx(-1.4407, abs=5e-5)
    assert "is below zero" in found["warnings"][0]
    settings = found["settings"]
    assert (settings["section"], settings["form"], settings["tokens"]) == ("findings", "plain", "rouge-score")
    assert settings["keys_not_used"] == {"references": ["age"], "candidates": ["age"]}
    assert settings["files"].keys() == {"references", "candidates", "sub_scores"}
    assert settings["sub_scores"] == ["bertscore", "radgraph", "semb"]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"metrics": ("bleu4",)}, "unknown metric 'bleu4'; did you mean 'bleu_4'?"),
        ({"metrics": ()}, "no metric"),
        ({"form": "medevalkit", "section": "impression"}, "--form medevalkit is of Findings and Impression"),
    ],
)
def test_wrong_settings(score, settings, what):
    with pytest.raises(UserError) as error:
        score(REFERENCES, CANDIDATES, **settings)
    assert what in error.value.what


def test_every_key_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "report-metrics.md").read_text(encoding="utf-8")
    text = text.replace("`…_", "`chexbert_f1_").replace("`bleu_1` … `bleu_4`", "`bleu_1` `bleu_2` `bleu_3` `bleu_4`")
    assert [name for name in METRICS if f"`{name}`" not in text] == []
