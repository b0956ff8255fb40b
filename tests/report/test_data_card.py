"""The data card and the NOTICE name what is in the mixtures, what it asks for, and what may not be handed on."""

from __future__ import annotations

import polars as pl
import pytest
import yaml

from lingshu.core.corpus import MIXTURE_SCHEMA
from lingshu.core.files import write_json
from lingshu.core.layout import proposal_samples
from lingshu.core.sample import Answer, Sample, Synthetic, turn, write_samples
from lingshu.intake.licences import DUTIES, conflicts, duties
from lingshu.report.data_card import data_card, notice_text
from lingshu.report.notices import licences, notices
from lingshu.report.used import used_sources
from lingshu.sources.catalog import SourceRecord

WIKI = {"hub": "a/b", "revision": "f" * 40}
PACKAGE = {"name": "net", "version": "1", "licence": "MIT"}


def sample(source, number, parents=()):
    return Sample(
        source=source, split="train", revision="1", origin_id=str(number), group_id="g", task="vqa_closed", topic="t",
        messages=turn(f"Question {number}?", "yes"), licence="x", answer=Answer("yesno", "yes"),
        synthetic=Synthetic("vqa", "t", "d", tuple(parents)) if parents else None,
    ).with_id()  # fmt: skip


def write_mixture(root, stage, rows):
    table = pl.DataFrame(
        [
            {"position": n, "sample_id": s.sample_id, "group": "g", "source": s.source, "folder": folder}
            for n, (s, folder) in enumerate(rows)
        ]
    )
    (root / "data/mixtures" / stage).mkdir(parents=True)
    pl.from_arrow(table.to_arrow().cast(MIXTURE_SCHEMA)).write_parquet(root / f"data/mixtures/{stage}/mixture.parquet")


@pytest.fixture
def root(tmp_path):
    """`open` (permissive, of packages), `wiki` (share-alike, of the hub), `iu` (no-derivatives); vqa made of two."""
    own = {name: [sample(name, n) for n in range(3)] for name in ("open", "wiki", "iu")}
    index = tmp_path / "data/images/wiki"
    index.mkdir(parents=True)
    pl.DataFrame({"image_id": ["a" * 64], "source": ["wiki"]}).write_parquet(index / "index.parquet")
    made = [
        sample("synthetic_vqa", 1, [own["iu"][0].sample_id, own["open"][0].sample_id]),
        sample("synthetic_vqa", 2, ["a" * 64]),
    ]
    write_samples(tmp_path / proposal_samples("vqa"), made)
    write_mixture(tmp_path, "deep", [(s, "data/samples/open") for s in own["open"]])
    write_mixture(
        tmp_path,
        "instruct",
        [(own["open"][0], "data/samples/open")] * 2 + [(s, proposal_samples("vqa").as_posix()) for s in made],
    )
    records = {
        "open": {"licence": "MIT", "licence_class": "permissive", "packages": [PACKAGE | {"visible": "films | more"}]},
        "wiki": {
            "licence": "CC BY-SA 4.0",
            "licence_class": "share-alike",
            "places": [{"hub": "a/b", "revision": "f" * 40}],
        },
        "iu": {"licence": "CC BY-NC-ND 4.0", "licence_class": "no-derivatives", "revision": "1"},
        "never": {"licence": "secret", "licence_class": "restricted", "revision": "1"},
    }
    for name, record in records.items():
        path = tmp_path / f"catalog/sources/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.safe_dump(record | {"title": f"the {name}", "citation": f"{name} et al.", "access": "open"})
        )
    encoder = {"title": "net", "trained_on": "photos", "citation": "Net et al.", "package": PACKAGE}
    (tmp_path / "catalog/encoders.yaml").write_text(yaml.safe_dump({"net": encoder}))
    return tmp_path


def test_synthetic_rows_count_for_what_they_were_made_from(root):
    assert used_sources(root, ["deep", "instruct"]) == {
        "iu": {"instruct": 1},
        "open": {"deep": 3, "instruct": 3},
        "wiki": {"instruct": 1},
    }


def test_the_card_and_the_notice(root):
    write_json(root / "metrics/mix/instruct.json", {"held_out_rows": {"wiki/test": 1, "wiki/validation": 0}})
    found = licences(root, ["deep", "instruct"])
    thanks = notices(root, ["open", "wiki", "iu", "never"], "net")
    card, notice = data_card("mine", found, thanks), notice_text("mine", found, thanks)
    assert "| open | 3 | 3 | permissive | open |" in card
    assert "| open | net 1 | MIT | films &#124; more |" in card
    assert f"| wiki | a/b {'f' * 40} | CC BY-SA 4.0 | the wiki |" in card
    assert (
        "- **share-alike** (wiki): name the source; what is made from it is handed on only under the same licence."
        in card
    )
    assert "- **No**, because of iu: a mixture selects, rewords and joins rows" in card
    assert "- instruct: 1 rows of wiki/test. Scores on that benchmark say nothing about new data." in card
    assert "- instruct: none of wiki/validation, though sources.benchmark_splits_in_training lets its rows in." in card
    for text in (card, notice):
        assert "iu et al." in text
        assert "never" not in text
        assert "secret" not in text
    assert "  iu: a mixture selects" in notice
    assert "Held-out rows that were trained on" in notice
    assert "  instruct: 1 rows of wiki/test" in notice
    assert "wiki/validation" not in notice
    assert "encoder: net 1. Licence: MIT" in notice


def test_a_mix_of_permissive_sources_may_be_handed_on(root):
    found = licences(root, ["deep"])
    card = data_card("mine", found, notices(root, ["open"], "net"))
    assert found.conflicts == []
    assert "Yes, by the licence classes" in card
    assert "None: test and validation rows" in card
    notice = notice_text("mine", found, notices(root, ["open"], "net"))
    assert "Not to be handed on" not in notice
    assert "Held-out rows" not in notice


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        ({"a": "permissive", "b": "share-alike"}, []),
        ({"a": "permissive", "b": "non-commercial"}, []),
        ({"a": "share-alike", "b": "non-commercial", "c": "permissive"}, [("a", "b")]),
        ({"a": "no-derivatives", "b": "no-derivatives"}, [("a", "b")]),
        ({"a": "restricted", "b": "unstated"}, [("a",), ("b",)]),
    ],
)
def test_what_may_not_be_handed_on(classes, named):
    assert [conflict.sources for conflict in conflicts(classes)] == named


def test_every_class_of_the_catalogue_has_its_duty():
    classes = SourceRecord.model_json_schema()["properties"]["licence_class"]["enum"]
    assert list(DUTIES) == classes
    assert [kind for kind, _, _ in duties({kind: kind for kind in classes})] == classes
