"""The viewer in a real browser, from the disk and from a web server: filters, search, links, and hostile texts."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingshu.report.viewer.build import Surroundings, ViewerSettings, build_viewer
from lingshu.report.viewer.published import PublishedRow
from lingshu.report.viewer.rows import RunInput
from lingshu.report.viewer.scores import BenchmarkFacts
from tests.report.conftest import CHROMIUM
from tests.report.viewer_runs import HOSTILE, LONG, write_judged, write_long_names, write_other, write_run, write_scored

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
RUNS_OFF = """width => {
  const scrolls = node => node && node !== document.body
    && (getComputedStyle(node).overflowX !== "visible" || scrolls(node.parentElement));
  const end = ({ left, right }, node) => node.clientWidth ? Math.max(right, left + node.scrollWidth) : right;
  return [...document.querySelectorAll("body *:not(select, option)")]
    .filter(node => end(node.getBoundingClientRect(), node) > width + 1 && !scrolls(node))
    .map(node => `${node.tagName} ${node.getAttribute("class")} ${node.textContent.slice(0, 40)}`);
}"""  # what reaches beyond the screen outside of a part that scrolls by itself
CUT_LABELS = """() => [...document.querySelectorAll("svg .label")].filter(label => label.getBBox().x < 0)
    .map(label => label.textContent)"""
SHADED = """() => [...document.querySelectorAll(".text")].every(text =>
    (text.scrollHeight > text.clientHeight + 1) === (getComputedStyle(text).backgroundImage !== "none"))"""
BROKEN_NAMES = """() => [...document.querySelectorAll(".meta dt")].filter(name => {
  const words = document.createRange();
  words.selectNodeContents(name);
  return name.textContent.length < 16 && words.getClientRects().length > 1;
}).map(name => name.textContent)"""  # short names of facts that stand on two lines
READY = "#results[aria-busy=false]"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args) -> None:  # the names are the base class's
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("viewer")
    run = write_run(root)
    judges = write_judged(root)
    reports = {"care": judges / "scores" / "report" / "care"}
    files = (run / "responses" / "short.jsonl", run / "responses" / "long.jsonl")
    runs = [
        RunInput("mine", files, run / "scores" / "strict", {}, {"model": HOSTILE}),
        RunInput("other & <b>", (write_other(root),)),
        RunInput("given", (write_scored(root),)),
        RunInput("judges", (judges / "responses" / "care.jsonl",), judges / "scores" / "strict", reports),
    ]
    facts = {"short": BenchmarkFacts("text", "Short", "SHORT", 0.25), "long": BenchmarkFacts("text", "", "LONG")}
    row = PublishedRow(model="Big", benchmark="SHORT", score=91.5, metric="accuracy", protocol="p", source="table 1")
    build_viewer(runs, Surroundings(facts, [row]), ViewerSettings(), root / "site")
    return root / "site"


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["disk", "server"])
def address(request: pytest.FixtureRequest, site: Path, served: str) -> str:
    return served if request.param == "server" else (site / "index.html").as_uri()


@pytest.fixture
def page(browser) -> Iterator[object]:
    """Return a page that must have asked for nothing elsewhere, failed nowhere, and run no text as code."""
    page = browser.new_page(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("console", lambda message: failed.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("dialog", lambda dialog: failed.append(dialog.message))
    yield page
    assert failed == []
    assert all(url.startswith(("file:", "data:", "http://127.0.0.1:")) for url in asked)
    assert page.evaluate("window.hacked") is None
    page.close()


def open_at(page, address: str) -> None:
    page.set_default_timeout(10_000)
    page.goto(address)
    page.wait_for_selector(READY, state="attached")


def until(page, expression: str, argument: object = None) -> None:
    """Wait until an expression holds. The page's policy forbids `eval`, which Playwright's own waiting needs."""
    end = time.monotonic() + 10
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, expression
        time.sleep(0.02)


def choose(page, name: str, value: str, text: str) -> None:
    """Choose an option and wait for what the status line says then."""
    page.select_option(f"select[name={name}]", value)
    until(page, "text => document.getElementById('status').textContent === text", text)


def ids(page) -> list[str]:
    return page.locator(".sample header a").all_text_contents()


def test_filters(page, address: str) -> None:
    open_at(page, address)
    assert page.inner_text("#status") == "256 answers"
    choose(page, "bench", "short", "6 answers")
    choose(page, "show", "official_wrong", "2 answers")
    assert ids(page) == ["nodule", "hostile"]
    assert page.locator(".sample").first.locator(".verdict .badge").all_text_contents() == ["right", "wrong"]
    choose(page, "show", "failed", "1 answer")
    assert "timeout: no answer in 60 s" in page.inner_text(".sample")
    choose(page, "show", "judged", "1 answer")
    assert "Judge big" in page.inner_text(".sample")
    choose(page, "show", "all", "6 answers")
    choose(page, "modality", "MRI", "1 answer")
    assert ids(page) == ["nodule"]
    choose(page, "run", "other & <b>", "6 answers")
    choose(page, "show", "none", "No answer fits these filters.")


def test_paging_and_search(page, address: str) -> None:
    open_at(page, address + "#bench=long")
    assert ids(page) == [f"item{n:03d}" for n in range(10)]
    page.click("text=Last")
    page.wait_for_selector("text=Page 25 of 25")
    assert ids(page) == [f"item{n:03d}" for n in range(240, 250)]
    page.fill("input[type=search]", "ITEM2 think")
    page.wait_for_selector("text=More than 10 found")
    page.click("text=Next")
    page.wait_for_selector("text=Page 2")
    until(page, "document.querySelector('.sample header a').textContent === 'item220'")
    page.fill("input[type=search]", "item24 think")
    page.wait_for_selector("text=5 of 250 contain")
    assert ids(page) == ["item240", "item242", "item244", "item246", "item248"]
    page.fill("input[type=search]", "")
    page.wait_for_selector("text=250 answers")


def test_links_lead_to_one_answer_and_its_neighbours(page, address: str) -> None:
    open_at(page, address + "#run=mine&bench=short&show=official_wrong&id=nodule")
    assert ids(page) == ["nodule"]
    assert page.inner_text("#status") == "Answer 1 of 2 in this filter"
    assert page.evaluate("document.activeElement.id") == "samples"
    page.click("text=Next answer")
    page.wait_for_selector("text=Answer 2 of 2")
    assert ids(page) == ["hostile"]
    page.locator(".sample a", has_text="other").click()
    until(page, "document.querySelector('select[name=run]').value === 'other & <b>'")
    page.wait_for_selector(READY, state="attached")
    assert "D" in page.inner_text(".response")
    page.go_back()
    until(page, "document.querySelector('select[name=run]').value === 'mine'")
    page.wait_for_selector(READY, state="attached")
    page.click("text=Back to the list")
    page.wait_for_selector("text=2 answers")
    open_at(page, address + "#run=nobody&bench=nothing&show=toString&page=x&id=gone")
    page.wait_for_selector("text=No answer with the id “gone”")


def test_hostile_texts_are_shown_as_they_are(page, address: str) -> None:
    open_at(page, address + "#run=mine&bench=short&id=hostile")
    shown = page.evaluate("document.querySelector('.response').textContent")
    assert shown.encode("utf-16", "surrogatepass") == HOSTILE.encode("utf-16", "surrogatepass")
    assert page.locator(".sample img, .sample script, .sample .response a").count() == 0
    assert page.locator("select[name=modality] option").count() == 4
    open_at(page, address + "#run=mine&bench=short&id=<img src=x onerror=window.hacked=4>")
    page.wait_for_selector("text=No answer with the id “<img src=x onerror=window.hacked=4>”")


def test_pictures_and_scored_files(page, address: str) -> None:
    open_at(page, address + "#run=mine&bench=short&id=plain")
    until(page, "[...document.images].length === 1 && document.images[0].naturalWidth > 0")
    assert "Look and answer with the letter." in page.inner_text(".sample")
    assert page.inner_text(".sample li.gold") == "B. right lung ✓"
    choose(page, "run", "given", "1 answer")
    assert "As scored" in page.inner_text(".sample")
    assert "A scored file holds no question" in page.inner_text(".sample")


def test_what_judges_said(page, address: str) -> None:
    open_at(page, address + "#run=judges&bench=care&id=several")
    judges = page.locator(".verdict b").all_text_contents()
    assert judges == ["Strict", "Official", "Judge big", "Judge small", "Judge tiny", "Judge majority"]
    open_at(page, address + "#run=judges&bench=care&id=graded")
    assert "rubric score: 100.0" in page.inner_text(".verdicts")
    page.locator(".criteria summary").last.click()
    assert page.locator(".criteria li .badge").all_text_contents() == ["met", "not met"]
    assert "−2 points: </script><script>" in page.locator(".criteria li").last.inner_text()
    open_at(page, address + "#run=judges&bench=care&id=report")
    assert "rouge_l" in page.inner_text(".sample")
    choose(page, "show", "judged", "3 answers")


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page where everything that people name is long and has no blank to break at."""
    root = tmp_path_factory.mktemp("long")
    (file,) = (run := write_long_names(root)).glob("responses/*.jsonl")
    about = {"model": LONG, "digest": LONG}
    runs = [RunInput(label, (file,), run / "scores/strict", {}, about) for label in (LONG, f"second-{LONG}")]
    facts = {file.stem: BenchmarkFacts("text", LONG, "SHORT", 0.25)}
    row = PublishedRow(model=LONG, benchmark="SHORT", score=91.5, metric="accuracy", protocol=LONG, source=LONG)
    build_viewer(runs, Surroundings(facts, [row], advice={file.stem: LONG}), ViewerSettings(), root / "site")
    return root / "site"


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (390, "light"), (390, "dark")])
def test_nothing_runs_off_the_screen(browser, site: Path, long_names: Path, width: int, scheme: str) -> None:
    """Of a phone, too, whose browser widens its page (and its `innerWidth`) to what runs off."""
    phone = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, is_mobile=phone, has_touch=phone
    )
    page = context.new_page()
    parts = ["", "#run=mine&bench=short", "#run=mine&bench=short&id=hostile", "#run=judges&bench=care", "#bench=long"]
    places = [*((site, part) for part in parts), (long_names, "")]
    for folder, part in places:
        open_at(page, (folder / "index.html").as_uri() + part)
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert page.evaluate(RUNS_OFF, width) == []
        assert page.evaluate(CUT_LABELS) == []
        assert page.evaluate(BROKEN_NAMES) == []
        until(page, SHADED)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_keys_reach_everything(page, address: str) -> None:
    """Tab leads from the skip link over the filters to the pages; a filter is changed and a page turned by keys."""
    open_at(page, address)
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
        if seen[-1] == "Next":
            break
    assert [name for name in seen if name in ("Skip to the content", "run", "bench", "show", "q", "Next")] == [
        "Skip to the content", "run", "bench", "show", "q", "Next",
    ]  # fmt: skip
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Page 2 of 26")
    page.focus("select[name=show]")
    page.keyboard.press("ArrowDown")
    until(page, "document.querySelector('select[name=show]').value === 'official_wrong'")


def test_a_folder_with_a_file_missing_says_so(browser, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "data" / "g000" / "c00000.js").unlink()
    page = browser.new_page()
    open_at(page, (tmp_path / "site" / "index.html").as_uri())
    assert page.inner_text("#status") == "data/g000/c00000.js can't be loaded: keep the whole folder together"
    page.close()
