"""The report in a real browser: nothing fails to load, nothing leaves the folder, nothing runs off a phone's screen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.conftest import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
def address(built: Path) -> str:
    return (built / "index.html").as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_the_page_works_from_disk(browser, address: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(address)
    for image in page.locator("img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every(i => i.complete)")
    assert failed == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


def test_links_lead_to_their_section(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.goto(address)
    for link in page.locator("nav a").all():
        link.click()
        target = page.locator(link.get_attribute("href"))
        assert target.count() == 1
        assert target.first.bounding_box()["y"] < 900
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(browser, address: str, scheme: str) -> None:
    """Ink and dimmed text have a contrast of at least 4.5 to 1 against page and panel (WCAG 2.2, 1.4.3)."""
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    ratio = """([ink, ground]) => {
      const probe = document.createElement('i'); document.body.append(probe);
      const light = name => {
        probe.style.color = `var(${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(v => v / 255)
          .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
      };
      const [a, b] = [light(ink), light(ground)];
      return Math.max(a, b) / Math.min(a, b);
    }"""
    for ink in ("--ink", "--dim", "--accent", "--good", "--bad", "--generated"):
        for ground in ("--page", "--panel"):
            assert page.evaluate(ratio, [ink, ground]) >= 4.5, (ink, ground)
    page.close()


PLOTS = """
plots:
  - funnel:
      template: funnel
      x: kept
      y:
        plots/report/funnel.csv: step
  - accuracy:
      template: accuracy
      x: accuracy
      y:
        plots/evalkit/accuracy.csv: checkpoint
"""


def test_dvc_draws_the_plots_without_a_network(browser, built: Path) -> None:
    """The page of `dvc plots show` takes its library from the report, and the project's templates are valid."""
    root = built.parent
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    shutil.copytree(ROOT / ".dvc/plots", root / ".dvc/plots")
    shutil.copy(ROOT / ".dvc/config", root / ".dvc/config")
    (root / "dvc.yaml").write_text(PLOTS)
    subprocess.run([sys.executable, "-m", "dvc", "plots", "show"], cwd=root, check=True, capture_output=True)
    page = browser.new_page()
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    page.goto((root / "dvc_plots/index.html").as_uri())
    page.wait_for_function("document.querySelectorAll('canvas, svg.marks').length >= 2")
    assert failed == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    page.close()
