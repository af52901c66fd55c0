"""Units are fetched side by side; what comes of them is listed as they were asked for."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event

import pytest

from kalshi_pipeline.landing.store import LandingStore, UnitWriter
from kalshi_pipeline.landing.working import Unit, Work
from tests.exchange_double import Exchange, at

pytestmark = pytest.mark.unit


def test_entries_come_in_the_order_of_the_units_whichever_ends_first(tmp_path: Path) -> None:
    store, second_ended = LandingStore(tmp_path / "landing"), Event()

    def first(_: UnitWriter) -> None:
        assert second_ended.wait(10)
        time.sleep(0.1)  # The other one's file has still to be put in its place.

    def second(_: UnitWriter) -> None:
        second_ended.set()

    with Exchange(now=at("2026-06-03T12:00")).client() as client:
        units = [
            Unit(name, store.path("quotes", "2026-06-03", name), {"dataset": "quotes"}, fetch)
            for name, fetch in (("first", first), ("second", second))
        ]
        assert list(Work.begin(client, store, "run").carry_out(units)) == ["first", "second"]
