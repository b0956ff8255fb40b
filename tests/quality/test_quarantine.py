"""What may name a person is put aside, first of all reasons, and none of it is printed or written by the gate."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from lingshu.core.errors import UserError
from lingshu.core.layout import IMAGES
from lingshu.core.verdicts import funnel
from lingshu.privacy.identifiers import KINDS, PREFIX
from lingshu.quality.aggregates import IDENTIFIERS
from lingshu.quality.gate import gate
from lingshu.quality.params import IDENTIFIER_KINDS, PATIENT_TAGS, QualityParams, QuarantineParams
from lingshu.sources.dicom_profile import BASIC_PROFILE, IDENTITY_REMOVED, Identifying
from lingshu.sources.identifying import write_identifying
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS, decisions

SECRETS = ("Okonkwo", "14/03/2019", "00412345", "王小明")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path)
    corpus.caption("scans", "A chest film seen from the front.", corpus.picture("scans", scene(0)))
    return corpus


def row(frame: pl.DataFrame, sample_id: str) -> dict:
    return frame.row(by_predicate=pl.col("sample_id") == sample_id, named=True)


def test_the_gate_knows_the_kinds_that_signals_count() -> None:
    assert IDENTIFIER_KINDS == KINDS
    assert tuple(PREFIX + kind for kind in KINDS) == IDENTIFIERS
    assert set(PATIENT_TAGS) <= BASIC_PROFILE


@pytest.mark.parametrize("text", ["Seen by Dr. Okonkwo in the morning.", "患者姓名：王小明，右肺上叶结节。"])
def test_text_is_put_aside(corpus: Corpus, text: str) -> None:
    named = corpus.sample("scans", "Describe.", text, corpus.picture("scans", scene(1)), task="report")
    verdict = row(decisions(corpus), named.sample_id)
    assert (verdict["keep"], verdict["reason"], verdict["score"]) == (False, "QUARANTINED_TEXT", 1)
    assert verdict["detail"] == "QUARANTINED_TEXT (identifier_name 1 > 0)"


def test_quarantine_is_the_reason_whatever_else_is_wrong(corpus: Corpus) -> None:
    tiny = corpus.picture("scans", np.full((20, 20), 7, dtype=np.uint8))
    named = corpus.sample("scans", "Describe.", "<b>Dr. Okonkwo</b> on 14/03/2019", tiny, task="report")
    verdict = row(decisions(corpus), named.sample_id)
    assert verdict["reason"] == "QUARANTINED_TEXT"
    assert "identifier_date 1 > 0" in verdict["detail"]
    assert "TOO_SMALL" in verdict["detail"]


def test_a_kind_that_is_not_asked_for_passes(corpus: Corpus) -> None:
    dated = corpus.sample("scans", "When?", "On 14/03/2019 it was approved.")
    params = PARAMS.model_copy(update={"quarantine": QuarantineParams(text=("name",))})
    assert row(decisions(corpus, params), dated.sample_id)["keep"]
    assert not row(decisions(corpus), dated.sample_id)["keep"]


def test_a_released_sample_passes(corpus: Corpus) -> None:
    named = corpus.sample("scans", "Who described it?", "Dr. Okonkwo, in a paper.")
    params = PARAMS.model_copy(update={"quarantine": QuarantineParams(released=(named.sample_id,))})
    assert row(decisions(corpus, params), named.sample_id)["reason"] == "KEPT"


def test_a_released_id_that_is_no_sample_is_told(corpus: Corpus) -> None:
    named = corpus.sample("scans", "Who described it?", "Dr. Okonkwo, in a paper.")
    corpus.write()

    def released(*ids: str) -> list[str]:
        params = PARAMS.model_copy(update={"quarantine": QuarantineParams(released=ids)})
        return sorted(gate(corpus.sources, params, corpus.root)["reason"].to_list())

    assert released(named.sample_id, f"not_enabled:{'0' * 20}") == ["KEPT", "KEPT"]
    with pytest.raises(UserError, match=f"quality.quarantine.released: scans:{'0' * 20}: no such sample"):
        released(named.sample_id, f"scans:{'0' * 20}")
    with pytest.raises(ValidationError, match="pattern"):
        released(named.sample_id.removeprefix("scans:"))


def noted(corpus: Corpus, *said: Identifying) -> list[str]:
    """Write pictures whose files said this, a caption each; return the reasons."""
    shown = [corpus.picture("scans", scene(50 + number)) for number in range(len(said))]
    samples = [corpus.caption("scans", "A chest film seen from the front.", one) for one in shown]
    corpus.write()
    write_identifying(corpus.root / IMAGES / "scans", zip(shown, said, strict=True))
    measured = decisions_as_written(corpus)
    return [row(measured, one.sample_id)["reason"] for one in samples]


def decisions_as_written(corpus: Corpus) -> pl.DataFrame:
    from lingshu.quality.inputs import Tables
    from lingshu.quality.rules import judge
    from lingshu.signals.measure import measure_source
    from tests.corpora import SIGNALS_PARAMS

    measure_source("scans", SIGNALS_PARAMS, corpus.root)
    tables = Tables(corpus.root, ("scans",))
    return judge(tables.judged("scans"), tables.texts("scans"), tables.pictures("scans"), PARAMS)


def test_what_files_say_of_a_person(corpus: Corpus) -> None:
    assert noted(
        corpus,
        Identifying(("PatientName", "StudyDate"), burned_in=False),
        Identifying(("StudyDate", "StudyInstanceUID"), burned_in=False),
        Identifying((IDENTITY_REMOVED, "PatientName"), burned_in=False),
        Identifying((), burned_in=True),
    ) == ["QUARANTINED_DICOM_TAG", "KEPT", "KEPT", "QUARANTINED_BURNED_IN"]


def test_lines_read_in_a_picture_count_beyond_what_is_allowed(corpus: Corpus) -> None:
    corpus.write()
    path = corpus.root / "data/signals/scans/images.parquet"
    table = pl.read_parquet(path).with_columns(pl.lit(2, pl.Int32).alias("burned_in_identifiers"))
    table.write_parquet(path)
    assert gate(corpus.sources, PARAMS, corpus.root)["reason"].to_list() == ["QUARANTINED_BURNED_IN"]
    allowed = PARAMS.model_copy(update={"quarantine": QuarantineParams(burned_in=2)})
    assert gate(corpus.sources, allowed, corpus.root)["reason"].to_list() == ["KEPT"]


@pytest.mark.parametrize("least", [0.0, 0.9])
def test_no_identifier_is_printed_or_written(corpus: Corpus, least: float, capfd: pytest.CaptureFixture[str]) -> None:
    """Also when the gate stops, and names what it stopped at."""
    for text in ("Dr. Okonkwo wrote on 14/03/2019", "MRN: 00412345", "患者姓名：王小明"):
        corpus.sample("scans", "Describe.", text, corpus.picture("scans", scene(len(text))), task="report")
    corpus.write()
    params = PARAMS.model_copy(update={"min_kept_share": least})
    if least > 0:
        with pytest.raises(UserError) as stopped:
            gate(corpus.sources, params, corpus.root)
        printed = str(stopped.value)
    else:
        verdicts = gate(corpus.sources, params, corpus.root)
        printed = str(funnel(verdicts)) + verdicts.write_json()
    printed += "".join(capfd.readouterr())
    folder = corpus.root / "data/verdicts/gate"
    written = "".join(path.read_text() for path in folder.glob("*.json"))
    written += "".join(pl.read_parquet(path).write_json() for path in folder.glob("*.parquet"))
    signals = "".join(p.read_bytes().decode("latin1") for p in (corpus.root / "data/signals/scans").glob("*.parquet"))
    for secret in SECRETS:
        assert secret not in printed
        assert secret not in written
        assert secret not in signals


def test_the_paper_s_rules_are_the_defaults() -> None:
    params = QualityParams()
    assert params.min_side == 64
    assert (params.caption_tokens.min, params.caption_tokens.max) == (10, 1024)
    assert params.findings_only == ("mimic_cxr_findings",)
