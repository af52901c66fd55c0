"""The HTML report in a browser: nothing sticks out on a phone, pictures show, it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kalshi_pipeline.report.page.render import render
from tests.e2e import browser
from tests.unit import report_tables

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def html() -> str:
    return render(report_tables.page(source=f"recorded:/home/{'folder' * 20}"))


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_sticks_out_of_the_window(html: str, width: int, tmp_path: Path) -> None:
    measured = browser.measure(html, width, tmp_path)
    # The narrowest window a browser opens may be wider than a phone; then the widest phone is what is measured.
    assert measured["width"] <= max(width, 500)
    assert measured["scrollWidth"] <= measured["width"]
    assert measured["wide"] == []


def test_paper_cannot_be_scrolled_so_nothing_is_cut_off(html: str, tmp_path: Path) -> None:
    on_paper = html.replace("@media print {", "@media all {")
    assert on_paper != html
    measured = browser.measure(on_paper, 794, tmp_path)  # A4 at 96 dots an inch
    assert measured["wide"] == []
    assert measured["cut"] == 0
    assert browser.measure(html, 500, tmp_path)["cut"] > 0


def test_pictures_show_and_links_are_large_enough_for_a_thumb(html: str, tmp_path: Path) -> None:
    measured = browser.measure(html, 390, tmp_path)
    assert measured["pictures"] > 0
    assert measured["broken"] == 0
    assert measured["small"] == 0
    assert measured["focusable"] > 10


def test_the_page_as_it_is_draws_something_under_its_own_policy(html: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html, "utf-8")
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>", "utf-8")
    drawn = browser.screenshot(page, 390, 844, tmp_path / "page.png")
    assert len(drawn) > 3 * len(browser.screenshot(blank, 390, 844, tmp_path / "blank.png"))


def test_it_prints_on_a_few_pages(html: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html, "utf-8")
    pdf = browser.printed(page, tmp_path / "report.pdf")
    assert pdf.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 6
