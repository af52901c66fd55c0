"""The HTML report: what it says, that it says it safely, and that everyone can read it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.report.page import heat
from kalshi_pipeline.report.page.cards import cell_label
from kalshi_pipeline.report.page.render import render
from tests.unit import report_tables

pytestmark = pytest.mark.unit

_VOID = {"meta", "img", "br", "link", "input", "hr"}


class Outline(HTMLParser):
    """What a reader of the page meets: its elements, their attributes, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def html() -> str:
    return render(report_tables.page())


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    return Outline(html)


def test_the_next_release_and_the_latest_outcome_are_told_with_their_bands(outline: Outline) -> None:
    assert "KXCPI-next" in outline.said
    assert "median 0.2 %; 90 % between 0.1 % and 0.4 %" in outline.said
    assert "settled at 0.3 %" in outline.said
    assert "0.3 % ◆ (settled here) 29.8 % 15–45" in outline.said
    assert "1 more cell holds less than 0.5 % each" in outline.said


def test_only_the_cell_of_the_outcome_is_marked(html: str) -> None:
    assert html.count('class="settled"') == 1


def test_every_section_says_something(outline: Outline) -> None:
    for words in (
        "KXHIGHCHI, 30 Jun: 5 of 24 snapshots passed",
        "spread_wide, 10 Jun: 11 snapshots held back",
    ):
        assert any(cell.get("title") == words for cell in outline.all("td"))
    assert "90 to 100 % 6.0 6.0" in outline.said
    assert "60 events" in outline.said
    for words in ("2026-06-01 to 2026-06-30", "CPI: 3 folds.", "only 8 release groups", "raw.candles", "1,234"):
        assert words in outline.said


def test_the_scorecard_has_a_row_a_method_with_the_market_first(outline: Outline) -> None:
    market = "CPI market 60 0.08 [0.0712, 0.0899] 0.08 [0.0712, 0.0899] 0.08 [0.0712, 0.0899] 8 % 8 %"
    other = "CPI climatology 60 0.08 [0.0712, 0.0899] 0.0212 [−0.0112, 0.0312] 0.08 [0.0712, 0.0899]"
    assert market in outline.said
    assert outline.said.index(market) < outline.said.index(other)


def test_reliability_is_told_in_steps_with_its_numbers_and_drawn(outline: Outline) -> None:
    # Said 10 % and 20 %, paid a fifth of the time: one step, whose mean is 15 %.
    assert "10.0 to 20.0 % 20 15.0 % 20.0 %" in outline.said
    assert "70.0 % 10 70.0 % 80.0 %" in outline.said
    parts = "0.1667 = 0.0067 miscalibration − 0.0800 discrimination + 0.2400 uncertainty"
    assert f"30 markets of 10 events: a Brier score of {parts}" in outline.said
    (shown,) = [image["alt"] for image in outline.all("img") if "Reliability" in (image["alt"] or "")]
    assert shown is not None
    assert "30 markets of 10 events" in shown


def test_proofs_are_told_with_their_date_and_what_they_found(outline: Outline) -> None:
    assert "truncation passed 25 0" in outline.said
    assert "fits learn from training alone nothing to try 0 0" in outline.said
    assert "2 of 3 proofs passed on 30 Jun 2026 20:00 UTC, at 25 random instants (seed 7)" in outline.said
    failed = Outline(render(report_tables.page(failures=[report_tables.HOSTILE]))).said
    assert "row order failed 25 1" in failed
    assert "1 of 3 proofs passed" in failed
    assert f"row order: {report_tables.HOSTILE}" in failed


def test_a_warehouse_without_anything_still_makes_a_page_that_says_so() -> None:
    said = Outline(render(report_tables.page(report_tables.tables(), series=0))).said
    for words in (
        "No snapshot has been computed yet",
        "No release lies ahead",
        "No run has written",
        "Nothing has been scored",
        "Nothing has been proved yet",
        "No fold has",
    ):
        assert words in said


def test_nothing_from_the_data_becomes_markup(html: str, outline: Outline) -> None:
    assert report_tables.HOSTILE not in html
    assert outline.all("script") == []
    assert report_tables.HOSTILE in outline.said


def test_the_page_needs_no_network(html: str, outline: Outline) -> None:
    without_pictures = re.sub(r"data:image/png;base64,[^\"]+", "", html)
    assert re.findall(r"https?:|//[a-z]|@import|url\(", without_pictures) == []
    assert [tag for tag in ("script", "link", "iframe", "object") if outline.all(tag)] == []
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in outline.all("img"))
    (policy,) = [meta for meta in outline.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy["content"]).startswith("default-src 'none'")


def test_elements_are_closed_in_order(outline: Outline) -> None:
    assert outline.open == []


def test_a_screen_reader_finds_its_way(outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["aria-labelledby"] for _, attributes in outline.elements if "aria-labelledby" in attributes]
    targets += [str(link["href"]).removeprefix("#") for link in outline.all("a")]
    assert set(targets) <= set(ids)
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert all(head.get("scope") in ("row", "col") for head in outline.all("th"))
    assert all(image.get("alt") for image in outline.all("img"))
    assert outline.all("html") == [{"lang": "en"}]


def test_the_keyboard_reaches_contents_and_wide_tables(outline: Outline) -> None:
    assert outline.all("a")[0] == {"class": "skip", "href": "#main"}
    wide = [box for box in outline.all("div") if box.get("class") == "scroll"]
    assert wide
    assert all(box.get("tabindex") == "0" and box.get("role") == "region" for box in wide)


@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("ink", "paper"),
        ("soft", "paper"),
        ("belief", "paper"),
        ("outcome", "paper"),
        ("ink", "l0"),
        ("ink", "l1"),
        ("ink", "l2"),
        ("ink", "l3"),
        ("paper", "l4"),
        ("paper", "l5"),
    ],
)
def test_words_stand_out_from_what_is_behind_them(front: str, back: str) -> None:
    style = files("kalshi_pipeline.report.page").joinpath("style.css").read_text("utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", style))
    assert _contrast(colours[front], colours[back]) >= 4.5


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours by WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("low", "high", "step", "words"),
    [
        (0.15, 0.25, 0.1, "0.2 %"),
        (None, -0.25, 0.1, "−0.3 % or less"),
        (0.35, None, 0.1, "0.4 % or more"),
        (0.15, 0.35, 0.1, "0.2 to 0.3 %"),
        (0.15, 0.25, None, "0.15 to 0.25 %"),
        (None, None, 0.1, "any value"),
        (-0.05, 0.05, 0.1, "0 %"),
    ],
)
def test_a_cell_is_named_after_the_values_it_holds(
    low: float | None, high: float | None, step: float | None, words: str
) -> None:
    assert cell_label(low, high, step, "percent, month on month") == words


@given(st.lists(st.dates(date(2018, 1, 1), date(2026, 12, 31)), min_size=1, max_size=30))
def test_a_calendar_holds_every_day_in_few_columns_without_a_gap(days: list[date]) -> None:
    calendar = heat.Calendar.over(days)
    assert {calendar.column(day) for day in days} <= set(calendar.columns)
    assert len(calendar.columns) <= 108
    assert list(calendar.columns) == sorted(set(calendar.columns))
    reach = {"day": 1, "week": 7, "month": 31}[calendar.per]
    following = [calendar.column(column + timedelta(days=reach)) for column in calendar.columns[:-1]]
    assert list(calendar.columns[1:]) == following


def test_counts_of_one_column_are_added_up() -> None:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    calendar = heat.Calendar.over(days)
    assert calendar.per == "week"
    made = heat.heat(
        {("A", day): (1,) for day in days},
        lambda name, head, sums: heat.Cell(1, str(sums[0]), f"{name} {head}"),
        names=["A"],
        calendar=calendar,
    )
    assert sum(int(cell.shown) for _, cells in made.rows for cell in cells) == 365


@pytest.mark.parametrize(("share", "shade"), [(0.0, 0), (0.001, 1), (0.5, 3), (0.999, 4), (1.0, 5)])
def test_only_none_is_blank_and_only_all_is_darkest(share: float, shade: int) -> None:
    assert heat.level(share) == shade
