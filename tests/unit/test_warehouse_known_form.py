"""One pass over landed bars says what two would: what differs, and the rows that a reader of every form makes."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.schemas.wire import ANSWERS, SeriesAnswer
from kalshi_pipeline.warehouse.drift import DriftReport, differences, scan_drift
from kalshi_pipeline.warehouse.known_form import arrow_schema, decode_known
from kalshi_pipeline.warehouse.loaders import candles, single_pass
from tests.landed import landed, response

pytestmark = pytest.mark.unit

DAY = date(2026, 6, 1)
FIRST_END = 1_780_272_060
OHLC = ("open", "low", "high", "close")
#: What no form knows in any place.
STRANGE = st.sampled_from([None, 0, 41, 0.5, True, "0.4100", "", "no number", [], [0, 0], {}, {"mid": "1"}])


def quote(suffix: str) -> dict[str, Any]:
    return {f"{name}{suffix}": "0.4100" for name in OHLC}


@st.composite
def bars(draw: st.DrawFn, tier: str) -> dict[str, Any]:
    """A bar of the tier's form: with trades, or without any."""
    price, count = ("_dollars", "_fp") if tier == "live" else ("", "")
    names = (*OHLC, "mean", "previous")
    text = st.sampled_from(["0.4100", "0.415000", "1.0000", "0.0000"])
    trades: dict[str, Any] | None = {f"{name}{price}": draw(st.one_of(st.none(), text)) for name in names}
    if tier == "live":
        trades = draw(st.one_of(st.just(trades), st.just({}), st.just({"previous_dollars": "0.4000"})))
    else:
        trades = draw(st.one_of(st.just(trades), st.none()))
    return {
        "end_period_ts": FIRST_END + 60 * draw(st.integers(0, 1_439)),
        "yes_bid": quote(price),
        "yes_ask": {**quote(price), f"close{price}": draw(text)},
        "price": trades,
        f"volume{count}": "12.00",
        f"open_interest{count}": draw(st.sampled_from(["0.00", "5.50"])),
    }


@st.composite
def bodies(draw: st.DrawFn, tier: str) -> dict[str, Any]:
    """A response of the tier's form."""
    made = draw(st.one_of(st.none(), st.lists(bars(tier), max_size=3)))
    if tier == "historical":
        return {"ticker": "A", "candlesticks": made}
    others = draw(st.lists(bars(tier), max_size=2))
    markets = [{"market_ticker": "A", "candlesticks": made}, {"market_ticker": "B", "candlesticks": others}]
    return {"markets": draw(st.one_of(st.just(markets), st.just([]), st.none()))}


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with every key or position in it."""
    inside = document.items() if isinstance(document, dict) else enumerate(document)
    found = []
    for key, value in inside:
        found.append((document, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


@st.composite
def altered(draw: st.DrawFn, tier: str) -> dict[str, Any]:
    """A response of which one field is of another type, missing or new, if it is altered at all."""
    body: dict[str, Any] = draw(bodies(tier))
    container, key = draw(st.sampled_from(places(body)))
    match draw(st.sampled_from(["as it is", "other value", "missing", "new"])):
        case "other value":
            container[key] = draw(STRANGE)
        case "missing":
            del container[key]
        case "new" if isinstance(container, dict):
            container["vwap_dollars"] = draw(STRANGE)
    return body


@pytest.mark.parametrize("tier", ["live", "historical"])
@given(data=st.data())
def test_what_is_decoded_as_known_differs_in_nothing(tier: str, data: st.DataObject) -> None:
    form, body = ANSWERS["candles"][tier], data.draw(altered(tier))
    decoded = decode_known(form, [json.dumps(body).encode()])
    assert (decoded is not None) == (not list(differences(body, form)))


@pytest.mark.parametrize("tier", ["live", "historical"])
@settings(max_examples=12)
@given(data=st.data())
def test_the_rows_and_the_drift_are_those_of_two_passes(
    tier: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = data.draw(st.lists(altered(tier), max_size=5))
    lines = [
        response(body, unit_id=f"unit-{n}", period_minutes=1, tier=tier, tickers=["A"]) for n, body in enumerate(made)
    ]
    files = landed(tmp_path_factory.mktemp("landed") / "unit.jsonl.gz", *lines)
    drift = DriftReport()
    once = rows(files, drift)
    assert drift == scan_drift("candles", files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single_pass, "decode_known", lambda form, bodies: None)
        assert once == rows(files, DriftReport())


def rows(files: list[Path], drift: DriftReport) -> Counter[Any]:
    """What a load stages: values of every row, and what is wrong with it; or that a response is beyond reading."""
    found: Counter[Any] = Counter()
    with duckdb.connect() as con, suppress(duckdb.InvalidInputException):
        con.execute("SET TimeZone = 'UTC'")
        for relation in candles._staged(con, files, [DAY], drift):
            staged = con.execute(f"SELECT COLUMNS(* EXCLUDE (row_source)) FROM {relation}")
            assert staged.description
            names = [name for name, *_ in staged.description]
            found.update(tuple(sorted(zip(names, map(str, row), strict=True))) for row in staged.fetchall())
        return found
    return Counter({"beyond reading": 1})


def test_what_arrow_alone_refuses_is_read_all_the_same(tmp_path: Path) -> None:
    text = json.dumps({"markets": [{"market_ticker": "A", "candlesticks": [known_bar()]}]})
    twice = text.replace('"volume_fp"', '"volume_fp": "1.00", "volume_fp"')
    drift = DriftReport()
    found = rows(landed(tmp_path / "unit.jsonl.gz", response(twice, period_minutes=1)), drift)
    assert found.total() == 1 and (drift.responses, drift.counts) == (1, {})


def known_bar() -> dict[str, Any]:
    sides = {"yes_bid": quote("_dollars"), "yes_ask": quote("_dollars"), "price": {}}
    return {"end_period_ts": FIRST_END, **sides, "volume_fp": "12.00", "open_interest_fp": "0.00"}


def test_responses_are_decoded_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_pass, "CHUNK_BYTES", 1_000)
    monkeypatch.setattr(candles, "_BARS_AT_ONCE", 2)
    bars = [known_bar() | {"end_period_ts": FIRST_END + 60 * n} for n in range(40)]
    lines = [response({"markets": [{"market_ticker": "A", "candlesticks": [bar]}]}, period_minutes=1) for bar in bars]
    files = [path for n in range(4) for path in landed(tmp_path / f"{n}.jsonl.gz", *lines[n * 10 : n * 10 + 10])]
    drift = DriftReport()
    once = rows(files, drift)
    assert once.total() == 40 and drift.responses == 40
    monkeypatch.setattr(single_pass, "decode_known", lambda form, bodies: None)
    assert rows(files, DriftReport()) == once


def test_a_form_that_arrow_has_no_type_for_is_said_to_be_none() -> None:
    with pytest.raises(TypeError, match="Arrow has no type"):
        arrow_schema(SeriesAnswer)
