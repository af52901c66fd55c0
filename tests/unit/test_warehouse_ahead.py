"""What is drawn ahead comes in its order, is bounded, and stops with whoever uses it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from threading import Event
from threading import enumerate as enumerate_threads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.warehouse.loaders.ahead import ahead

pytestmark = pytest.mark.unit


@given(items=st.lists(st.none() | st.integers(), max_size=20), most=st.integers(1, 5))
def test_all_items_come_in_their_order(items: list[int | None], most: int) -> None:
    assert list(ahead(iter(items), most)) == items


def test_items_are_drawn_while_one_is_in_use() -> None:
    third = Event()

    def items() -> Iterator[int]:
        yield 1
        yield 2
        third.set()
        yield 3

    drawn = ahead(items(), 2)
    assert next(drawn) == 1
    assert third.wait(10)
    assert list(drawn) == [2, 3]


def test_no_more_are_drawn_than_may_wait() -> None:
    seen = 0

    def items() -> Iterator[int]:
        nonlocal seen
        while True:
            seen += 1
            yield seen

    drawn = ahead(items(), 3)
    for used in range(1, 50):
        assert next(drawn) == used
        # One in use, three that wait, and the one drawn last.
        assert seen <= used + 4
    drawn.close()
    was = seen
    assert list(drawn) == [] and seen == was


def test_what_drawing_raises_comes_after_what_was_drawn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("a broken file")

    drawn = ahead(items(), 4)
    assert next(drawn) == 1
    with pytest.raises(ValueError, match="a broken file"):
        next(drawn)


def test_a_generator_that_is_closed_ends_its_thread() -> None:
    before = set(enumerate_threads())
    drawn = ahead(count(), 1)
    next(drawn)
    assert set(enumerate_threads()) > before
    drawn.close()
    assert set(enumerate_threads()) == before
