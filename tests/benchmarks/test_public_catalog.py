"""The records themselves: every benchmark of the suite, what is known of it, and the page that lists them."""

import re
from pathlib import Path

import pytest

from lingshu.benchmarks.public.catalog import pick_public, read_public
from tests.benchmarks.test_public_forms import CATALOG

ROOT = Path(__file__).parents[2]
RECORDS = read_public(CATALOG)
# Table 25 of the Lingshu paper.
PAPER = {
    "vqa_rad": 451,
    "slake": 2094,
    "path_vqa": 6719,
    "pmc_vqa": 33430,
    "omnimed_vqa": 88996,
    "medxpertqa_mm": 2000,
    "pubmed_qa": 500,
    "med_mcqa": 4183,
    "medqa_usmle": 1273,
    "medbullets_op4": 308,
    "medbullets_op5": 308,
    "supergpqa_med": 2755,
    "mimic_cxr": 2195,
    "iu_xray": 296,
    "chexpert_plus": 234,
}


def page_row(name, record):
    rows = "?" if record.expected.rows is None else f"{record.expected.rows:,}"
    chance = "" if record.chance is None else f"{record.chance:g}"
    prompts = ", ".join(f"{kind}: {prompt}" if kind != prompt else kind for kind, prompt in record.prompt.items())
    parts = (record.suite, f"{rows} ({record.expected.known})", prompts, record.scorer, chance, record.licence)
    return f"| `{name}` | {' | '.join((*parts, record.access, record.checked))} |"


def test_the_page_lists_each_record_as_it_is():
    page = (ROOT / "docs/add-a-benchmark.md").read_text(encoding="utf-8")
    table = page[page.index("| benchmark |") :]
    listed = [line for line in table.splitlines() if line.startswith("| `")]
    assert listed == [page_row(name, record) for name, record in RECORDS.items()]


def test_the_file_names_its_schema():
    text = (CATALOG / "public_benchmarks.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/public_benchmarks.json\n")
    assert (ROOT / "schemas/public_benchmarks.json").exists()


@pytest.mark.parametrize("name", sorted(PAPER))
def test_rows_are_those_of_the_paper(name):
    assert RECORDS[name].expected.rows == PAPER[name]
    assert RECORDS[name].expected.known in ("published", "counted")


def test_each_suite_is_whole():
    by_suite = {}
    for name, record in RECORDS.items():
        by_suite.setdefault(record.suite, []).append(name)
    assert {suite: len(names) for suite, names in by_suite.items()} == {"multimodal": 11, "text": 15, "report": 3}


def test_only_reports_of_patients_are_restricted_and_must_be_brought():
    restricted = {name for name, record in RECORDS.items() if record.access == "restricted"}
    assert restricted == {"mimic_cxr", "chexpert_plus"}
    assert all(RECORDS[name].where[0].bring for name in restricted)


def test_a_hub_place_names_a_commit_or_says_null_and_sources_name_the_same():
    text = (CATALOG / "public_benchmarks.yaml").read_text(encoding="utf-8")
    hubs = [place for record in RECORDS.values() for place in record.where if place.hub]
    assert len(re.findall(r"revision: (?:null|[0-9a-f]{40})\}", text.replace(", files:", "}"))) == len(hubs)
    named = {place.hub: place.revision for place in hubs}
    assert all(named[place.hub] == place.revision for place in hubs)
    sources = "".join(path.read_text(encoding="utf-8") for path in (CATALOG / "sources").glob("*.yaml"))
    for repo, revision in re.findall(r"hub: (\S+), revision: ([0-9a-f]{40})", sources):
        assert named.get(repo, revision) == revision


def test_scorers_fit_the_kinds():
    for name, record in RECORDS.items():
        judged = {"rubric": "rubric_judge", "report": "report_metrics"}
        expected = next((judged[kind] for kind in record.prompt if kind in judged), None)
        expected = expected or ("rules_and_judge" if "open" in record.prompt else "rules")
        assert record.scorer == expected, name
        assert (record.chance is None) <= bool(record.chance_note), name


def test_the_columns_of_the_paper():
    """Its averages are unweighted means over seven tasks of a suite."""
    columns = {}
    for record in RECORDS.values():
        columns.setdefault(record.suite, set()).add(record.paper)
    assert {suite: len(names - {""}) for suite, names in columns.items()} == {"multimodal": 7, "text": 7, "report": 3}


def test_names_of_suites():
    assert [name for name, record in RECORDS.items() if record.suite == "report"] == [
        "mimic_cxr",
        "iu_xray",
        "chexpert_plus",
    ]


def test_one_record():
    assert pick_public("slake", CATALOG) == RECORDS["slake"]
