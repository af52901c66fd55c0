"""A walk over pages ends with the empty cursor, never takes a part for the whole, and gives every row once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange.errors import ContractError, IncompleteList, KalshiError
from kalshi_pipeline.exchange.pagination import distinct, pages

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Page:
    cursor: str | None
    rows: tuple[int, ...] = ()
    url: str = "https://exchange.test/markets"


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=40), st.sampled_from(["", None]))
def test_every_page_is_fetched_once_in_order_however_short(lists: list[list[int]], end: str | None) -> None:
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page:
        asked.append(cursor)
        number = int(cursor or 0)
        return Page(str(number + 1) if number + 1 < len(lists) else end, tuple(lists[number]))

    assert [list(page.rows) for page in pages(fetch)] == lists
    assert asked == [None, *map(str, range(1, len(lists)))]


def test_a_list_beyond_the_cap_is_incomplete_and_says_so() -> None:
    walked = []
    with pytest.raises(IncompleteList, match=r"went on after 5 pages.*is incomplete"):
        for page in pages(lambda cursor: Page(str(int(cursor or 0) + 1)), most=5):
            walked.append(page)
    assert len(walked) == 5
    assert issubclass(IncompleteList, KalshiError) and not IncompleteList.retryable


def test_a_list_of_exactly_the_cap_is_whole() -> None:
    assert len(list(pages(lambda cursor: Page("b" if cursor is None else ""), most=2))) == 2


@pytest.mark.parametrize("back_to", ["1", "2", "3"])
def test_a_walk_in_a_circle_is_an_error_wherever_it_closes(back_to: str) -> None:
    with pytest.raises(ContractError, match=f"repeats the cursor '{back_to}'"):
        list(pages(lambda cursor: Page(back_to if cursor == "3" else str(int(cursor or 0) + 1))))


@given(st.lists(st.integers(0, 20)))
def test_rows_that_come_again_are_given_once(rows: list[int]) -> None:
    assert list(distinct(rows, key=lambda row: row)) == list(dict.fromkeys(rows))
