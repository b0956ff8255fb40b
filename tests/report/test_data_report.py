"""The data report: counts, drawn samples, the same bytes again, and nothing of what is in quarantine."""

from pathlib import Path

import pytest

from lingshu.core.files import write_json
from lingshu.quality.gate import gate
from lingshu.report.data_report import DataReportSettings, build_data_report
from tests.corpora import Corpus, scene
from tests.quality.test_gate import PARAMS
from tests.report.conftest import CHROMIUM

SETTINGS = DataReportSettings(number=3, seed=17, picture_px=64)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    corpus = Corpus(tmp_path)
    for seed in range(6):
        corpus.caption("scans", f"Film number {seed} from the <front>.", corpus.picture("scans", scene(seed)))
    for seed in range(5):
        corpus.caption("scans", f"Small film number {seed} here.", corpus.picture("scans", scene(20 + seed, side=40)))
    named = corpus.picture("scans", scene(40))
    corpus.sample("scans", "Describe.", "Dr. Okonkwo saw a nodule.", named, task="report")
    corpus.sample("terms", "What is an infarction?", "Death of tissue.")
    corpus.write()
    return corpus


def test_pages_show_counts_reasons_and_samples(corpus: Corpus, tmp_path: Path) -> None:
    gate(corpus.sources, PARAMS, corpus.root)
    built = build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root)
    assert (built.sources, built.shown) == (2, 7)
    index = (tmp_path / "out/index.html").read_text().replace("<wbr>", "")
    assert index.startswith("<!doctype html>")
    assert "TOO_SMALL 5" in index
    assert "QUARANTINED_TEXT 1" in index
    page = (tmp_path / "out/scans.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "12 rows in, 6 kept, 6 dropped, of these 1 in quarantine" in page
    assert page.count("&lt;front&gt;") >= 3
    assert "from the <front>" not in page
    assert len(list((tmp_path / "out/pictures").iterdir())) == built.pictures
    assert 'src="pictures/' in page


def test_what_is_in_quarantine_stays_unseen(corpus: Corpus, tmp_path: Path) -> None:
    many = DataReportSettings(number=100, seed=1, picture_px=64)
    for mode in ((), "all"):
        gate(corpus.sources, PARAMS.model_copy(update={"report_only": mode}), corpus.root)
        built = build_data_report(corpus.sources, many, tmp_path / "out", corpus.root)
        assert built.pictures == len(corpus.pictures["scans"]) - 1
        written = "".join(path.read_text() for path in (tmp_path / "out").glob("*.html"))
        assert "QUARANTINED_TEXT" in written
        assert "In quarantine: not shown." in written
        assert "Okonkwo" not in written
        assert "nodule" not in written


def test_what_report_only_mode_passes_over_is_shown_by_itself(corpus: Corpus, tmp_path: Path) -> None:
    gate(corpus.sources, PARAMS.model_copy(update={"report_only": "all"}), corpus.root)
    assert build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root).shown == 3 + 3 + 1
    page = (tmp_path / "out/scans.html").read_text()
    noted, kept = page.split("<h3>Noted only, kept</h3>")[1].split("<h3>Kept</h3>")
    assert noted.count("(report only)") == 3
    assert "(report only)" not in kept


def test_held_out_rows_that_are_let_in_are_told(corpus: Corpus, tmp_path: Path) -> None:
    """Of three test rows of `scans` the gate drops one for its size; `terms` has nothing let in."""
    for seed, side in ((50, 96), (51, 96), (52, 40)):
        corpus.caption(
            "scans", f"Held-out film number {seed}.", corpus.picture("scans", scene(seed, side), split="test")
        )
    corpus.write()
    listed = ["scans/test", "scans/validation"]
    gate(corpus.sources, PARAMS, corpus.root, listed)
    for drawn in (False, True):
        if drawn:
            write_json(
                corpus.root / "metrics/mix/deep.json", {"held_out_rows": {"scans/test": 4, "scans/validation": 0}}
            )
        build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root, listed)
        pages = {path.stem: path.read_text() for path in (tmp_path / "out").glob("*.html")}
        for page in (pages["index"], pages["scans"]):
            assert "lets scans/test into training: 3 held-out rows, gate kept 2." in page
            assert "lets scans/validation into training: 0 held-out rows, gate kept 0." in page
            assert ("No mixture has been drawn" in page) is not drawn
            assert ("Rows in mixtures: deep 4." in page) is drawn
        assert "into training" not in pages["terms"]
    build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root)
    assert "into training" not in (tmp_path / "out/index.html").read_text()


def test_equal_inputs_give_equal_bytes_and_the_seed_draws(corpus: Corpus, tmp_path: Path) -> None:
    gate(corpus.sources, PARAMS, corpus.root)
    pages = []
    for seed in (1, 1, 2):
        out = tmp_path / "out"
        build_data_report(corpus.sources, DataReportSettings(2, seed, 64), out, corpus.root)
        pages.append({path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("mode", [(), "all"])
def test_no_column_is_cut_off_at_any_width(browser, corpus: Corpus, tmp_path: Path, mode: object) -> None:
    gate(corpus.sources, PARAMS.model_copy(update={"report_only": mode}), corpus.root)
    build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root)
    page = browser.new_page()
    for width in (1280, 1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("index", "scans"):
            page.goto((tmp_path / f"out/{name}.html").as_uri())
            wide = "e => e.scrollWidth > e.clientWidth"
            assert not page.evaluate(
                f"[document.documentElement, ...document.querySelectorAll('.scroll')].some({wide})"
            )
    page.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_long_name_of_a_source_is_broken_and_not_cut_off(browser, tmp_path: Path) -> None:
    corpus, name = Corpus(tmp_path), "source_of_a_name_that_is_too_long_for_a_phone"
    corpus.caption(name, "A chest film seen from the front.", corpus.picture(name, scene(1)))
    corpus.write()
    gate(corpus.sources, PARAMS, corpus.root)
    build_data_report(corpus.sources, SETTINGS, tmp_path / "out", corpus.root)
    page = browser.new_page()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for file in ("index", name):
            page.goto((tmp_path / f"out/{file}.html").as_uri())
            wide = "e => e.scrollWidth > e.clientWidth"
            assert not page.evaluate(f"[document.documentElement, ...document.querySelectorAll('nav')].some({wide})")
    page.close()
