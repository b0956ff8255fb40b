"""Report-only mode: every row is kept, and its verdict says what would have dropped it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from lingshu.core.sample import Task
from lingshu.core.verdicts import funnel
from lingshu.quality.gate import gate
from lingshu.quality.params import REASONS, QualityParams
from lingshu.quality.rules import rules
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS, decisions


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path)
    corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(0)))
    corpus.caption("scans", "<br>", corpus.picture("scans", scene(1, side=50)))
    corpus.caption("scans", "Flat grey and nothing else here.", corpus.picture("scans", np.full((80, 80), 9, np.uint8)))
    return corpus


def test_all_keeps_everything_and_says_what_would_be_dropped(corpus: Corpus) -> None:
    corpus.write()
    verdicts = gate(corpus.sources, PARAMS.model_copy(update={"report_only": "all"}), corpus.root)
    assert funnel(verdicts) == {"in": {"scans": 3}, "kept": {"scans": 3}, "dropped": {"scans": {}}}
    assert sorted(verdicts["detail"]) == [
        "",
        "BLANK (blank_share 1.0 > 0.98) (report only); LOW_ENTROPY (entropy 0.0 < 0.5) (report only)",
        "TOO_SMALL (min_side 50 < 64) (report only); CAPTION_TOO_SHORT (target_tokens 3 < 4) (report only); "
        "MARKUP (markup 1 > 0) (report only)",
    ]
    assert verdicts["score"].null_count() == 3


def test_would_be_dropped_is_what_is_dropped_otherwise(corpus: Corpus) -> None:
    enforced = decisions(corpus)
    noted = decisions(corpus, PARAMS.model_copy(update={"report_only": "all"}))
    plain = noted["detail"].str.replace_all(" (report only)", "", literal=True)
    assert plain.to_list() == enforced["detail"].to_list()


def test_one_reason_alone_is_passed_over(corpus: Corpus) -> None:
    frame = decisions(corpus, PARAMS.model_copy(update={"report_only": ("TOO_SMALL", "BLANK")}))
    small = frame.row(by_predicate=pl.col("detail").str.starts_with("TOO_SMALL"), named=True)
    assert (small["keep"], small["reason"], small["score"]) == (False, "CAPTION_TOO_SHORT", 3)
    assert small["detail"].startswith(
        "TOO_SMALL (min_side 50 < 64) (report only); CAPTION_TOO_SHORT (target_tokens 3 < 4);"
    )
    flat = frame.row(by_predicate=pl.col("detail").str.starts_with("BLANK"), named=True)
    assert flat["reason"] == "LOW_ENTROPY"


def test_a_reason_that_there_is_not_is_an_error() -> None:
    assert {rule.reason for rule in rules(PARAMS)} == set(REASONS)
    with pytest.raises(ValidationError, match="no reason is called BLNK; reasons: QUARANTINED_TEXT"):
        QualityParams(report_only=("BLANK", "BLNK"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Le poumon est clair et le coeur est dans la norme", "LANGUAGE"),
        ("I'm sorry, but I can't help with that image request", "REFUSAL"),
        ("FINDINGS: clear lungs. IMPRESSION: no acute disease", "NOT_FINDINGS_ONLY"),
    ],
)
@pytest.mark.parametrize("task", ["report", "caption"])
def test_rules_on_text(tmp_path: Path, text: str, reason: str, task: Task) -> None:
    corpus = Corpus(tmp_path)
    source = "mimic_cxr_findings"
    sample = corpus.sample(source, "Describe.", text, corpus.picture(source, scene(3)), task=task)
    frame = decisions(corpus)
    assert frame.row(by_predicate=pl.col("sample_id") == sample.sample_id, named=True)["reason"] == reason


def test_blur_and_borders_have_limits(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    framed = np.zeros((96, 96), dtype=np.uint8)
    framed[30:60, 30:60] = scene(4, side=30)
    corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", framed))
    bordered = decisions(corpus, PARAMS.model_copy(update={"max_border_share": 0.5}))
    assert bordered["reason"].to_list() == ["MOSTLY_BORDER"]
    blurred = decisions(corpus, PARAMS.model_copy(update={"min_sharpness": 1e6}))
    assert blurred["reason"].to_list() == ["BLURRED"]
