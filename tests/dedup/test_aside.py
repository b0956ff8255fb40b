"""Texts that the gate put aside are judged apart: none is kept beside its copy, and no kept row is lost for one."""

from pathlib import Path

import polars as pl
import pytest

from lingshu.core.layout import aside_file, verdict_file
from lingshu.core.sample import Sample
from lingshu.core.verdicts import QUARANTINED_TEXT, Verdict, put_aside, read_verdicts, write_verdicts
from lingshu.dedup.deduplicate import deduplicate
from tests.corpora import Corpus, scene
from tests.dedup.test_deduplicate import LONG, PARAMS

FOUND = "QUARANTINED_TEXT (identifier_name 1 > 0)"


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def reasons(corpus: Corpus, *aside: Sample) -> tuple[dict[str, str], dict[str, str]]:
    """Return what became of the rows that the gate kept, and of those that it put aside."""
    corpus.write()
    corpus.keep_all("gate", aside)
    deduplicate(corpus.sources, PARAMS, corpus.root)
    files = verdict_file("deduplicate"), aside_file("deduplicate")
    kept, apart = (read_verdicts(corpus.root / path).select("sample_id", "reason") for path in files)
    return dict(kept.iter_rows()), dict(apart.iter_rows())


def test_a_text_put_aside_is_no_copys_reason_and_falls_for_a_kept_one(corpus: Corpus) -> None:
    near = corpus.sample("good", "Which vessel?", LONG + " again, said Dr. Quill")
    first = corpus.sample("good", "Who?", "Dr. Okonkwo explains how the valves of the heart open and close in turn.")
    kept = corpus.sample("poor", "Which vessel?", LONG)
    again = corpus.sample("poor", "Who?", "Dr. Okonkwo explains how the valves of the heart open and close in turn.")
    alone = corpus.sample("poor", "Where?", "Mrs. Roe was told where the kidneys lie and how they filter the blood.")
    assert reasons(corpus, near, first, again, alone) == (
        {kept.sample_id: "KEPT"},
        {
            near.sample_id: "NEAR_DUPLICATE_TEXT",
            first.sample_id: "KEPT",
            again.sample_id: "EXACT_DUPLICATE",
            alone.sample_id: "KEPT",
        },
    )


def test_what_the_gate_kept_is_judged_as_without_them(corpus: Corpus) -> None:
    rows = [corpus.sample("good", "Which vessel?", f"{LONG} {word}") for word in ("again", "often", "daily", "again")]
    rows += [corpus.caption("poor", "A film.", corpus.picture("poor", scene(n))) for n in (1, 1, 2)]
    before, none = reasons(corpus)
    assert set(before) == {row.sample_id for row in rows}
    assert none == {}
    tables = {path: path.read_bytes() for path in sorted(corpus.root.glob("data/verdicts/deduplicate/v*.parquet"))}
    aside = [corpus.sample("good", f"Which, Dr. Roe {n}?", f"{LONG} again by name") for n in range(3)]
    assert reasons(corpus, *aside)[0] == before
    assert tables == {path: path.read_bytes() for path in tables}


def test_samples_with_pictures_are_not_among_them(corpus: Corpus) -> None:
    shown = corpus.caption("poor", "Dr. Okonkwo's film.", corpus.picture("poor", scene(1)))
    assert reasons(corpus, shown) == ({}, {})


@pytest.mark.parametrize(
    ("reason", "detail", "found"),
    [
        (QUARANTINED_TEXT, FOUND, True),
        (QUARANTINED_TEXT, f"{FOUND}; QUARANTINED_TEXT (identifier_date 2 > 0)", True),
        (QUARANTINED_TEXT, f"{FOUND}; LANGUAGE (language other not in en, zh) (report only)", True),
        (QUARANTINED_TEXT, f"{FOUND}; MARKUP (markup 2 > 0)", False),
        (QUARANTINED_TEXT, f"{FOUND}; QUARANTINED_BURNED_IN (burned_in_claimed 1 > 0)", False),
        (QUARANTINED_TEXT, f"{FOUND}; QUARANTINED_DICOM_TAG (patient_tags 1 > 0) (report only)", False),
        ("QUARANTINED_BURNED_IN", "QUARANTINED_BURNED_IN (burned_in_claimed 1 > 0)", False),
        ("REFUSAL", "QUARANTINED_TEXT (identifier_name 1 > 0) (report only); REFUSAL (refusal_phrases 1 > 0)", False),
        ("KEPT", "", False),
        ("KEPT", f"{FOUND} (report only)", False),
    ],
)
def test_put_aside_for_the_text_alone(tmp_path: Path, reason: str, detail: str, found: bool) -> None:
    path = tmp_path / verdict_file("gate")
    path.parent.mkdir(parents=True)
    write_verdicts(path, [Verdict("s:1", "s", "gate", reason == "KEPT", reason, None, detail)])
    assert put_aside(tmp_path).equals(pl.DataFrame({"sample_id": ["s:1"] if found else []}, {"sample_id": pl.String}))
