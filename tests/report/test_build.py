from __future__ import annotations

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from lingshu.core.manifest import read_manifest
from lingshu.report.build import SECTIONS, build_report
from lingshu.report.params import ReportParams
from tests.report.conftest import PARAMS

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Collects references, ids and texts, and complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.alts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.references += [given[name] or "" for name in ("src", "href") if name in given]
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "img":
            self.alts.append(given.get("alt") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A self-closed SVG element opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def page(built: Path) -> Page:
    return Page((built / "index.html").read_text(encoding="utf-8"))


def test_tags_close_and_ids_are_unique(page: Page) -> None:
    assert page.wrong == []
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)


def test_sections_are_there(page: Page) -> None:
    assert {name for name, _ in SECTIONS} <= set(page.ids)


def test_nothing_is_loaded_from_elsewhere(built: Path, page: Page) -> None:
    for reference in page.references:
        if reference.startswith("#"):
            assert reference[1:] in page.ids
        elif reference != "data:,":
            assert (built / reference).is_file(), reference


def test_every_picture_has_a_text(page: Page) -> None:
    assert page.alts
    assert all(page.alts)


def test_texts_of_data_and_models_are_escaped(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert "Chest films &lt;i&gt;and&lt;/i&gt; others" in text
    assert "zzz &lt;b&gt;" in text
    assert "perhaps &lt;never&gt;" in text


def test_the_page_says_what_ran_and_what_is_generated(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert "Recipe <code>tiny</code>, seed 5" in text
    assert '<span class="badge generated">generated</span>' in text
    assert all(word in text for word in ("film-data 1.2", "the film makers", "its authors", "CC0-1.0"))


def test_the_page_shows_cells_without_chance_and_says_what_the_clean_ones_leave_out(
    run_tree: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(run_tree, tmp_path / "run")
    path = root / "metrics/evalkit/score.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    for cells in (found["films_vqa"] for name, found in scores.items() if name != "comparisons"):
        for cell in cells.values():  # as of open and closed questions together
            cell.pop("chance", None)
            cell.pop("above_chance", None)
        cells["clean"] = {**cells["all"], "n": 1, "flagged": 1}
    path.write_text(json.dumps(scores), encoding="utf-8")
    build_report(PARAMS, root)
    text = (root / "reports/index.html").read_text(encoding="utf-8")
    assert text.count("without 1 items that training met") == 1


def test_nothing_in_quarantine_is_shown_in_report_only_mode_neither(run_tree: Path, tmp_path: Path) -> None:
    root = shutil.copytree(run_tree, tmp_path / "run")
    path = root / "data/verdicts/gate/verdicts.parquet"
    gate = pl.read_parquet(path)
    noted = pl.lit("QUARANTINED_TEXT (identifier_name 1 > 0) (report only)")
    film = (pl.col("source") == "films") & pl.col("keep")
    gate.with_columns(detail=pl.when(film).then(noted).otherwise("detail")).write_parquet(path)
    build_report(PARAMS, root)
    before, after = ((place / "reports/index.html").read_text(encoding="utf-8") for place in (run_tree, root))
    pictures = [text.split('id="pictures"')[1].split('id="mixtures"')[0] for text in (before, after)]
    assert [" from films" in text for text in pictures] == [True, False]
    assert [" from phantom" in text for text in pictures] == [True, True]


def test_the_page_names_scores_that_are_not_clean(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert "Scores that are not clean, for training kept samples that met their items: films_vqa." in text


def test_equal_inputs_give_equal_bytes(built: Path, params: ReportParams, run_tree: Path) -> None:
    before = read_manifest(built)
    build_report(params, run_tree)
    assert read_manifest(built) == before


def test_the_funnels_plot_table(run_tree: Path, built: Path) -> None:
    with (run_tree / "plots/report/funnel.csv").open(encoding="utf-8") as handle:
        rows = {(row["source"], row["step"]): row for row in csv.DictReader(handle)}
    assert rows["films", "gate"] == {"source": "films", "step": "gate", "kept": "11", "dropped": "1"}
