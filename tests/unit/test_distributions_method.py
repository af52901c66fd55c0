"""A version of the method is a promise: the same quotes give the same numbers. What moved otherwise is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.distributions.method import METHOD_VERSION, MethodAccount
from kalshi_pipeline.distributions.snapshots import compute
from tests.unit.distribution_kit import (
    ASOF,
    OBSERVATION_SCHEMA,
    around,
    buckets,
    computed,
    ladders_of,
    market,
    observe,
    thresholds,
)

pytestmark = pytest.mark.unit

EVENTS = ("KXCPIYOY-26JUN", "KXHIGHNY-26JUL08", "KXPAYROLLS-26JUN")
MARKETS = [
    *thresholds([2.8, 3.0, 3.2, 3.4, 3.6], event=EVENTS[0]),
    *buckets(66, [(66, 67), (68, 69), (70, 71), (72, 73)], 73, event=EVENTS[1]),
    *thresholds([100000, 150000, 200000], event=EVENTS[2]),
    market("B175", "between", 150001, 200000, event=EVENTS[2]),
]
VALUES = [0.92, 0.7, 0.74, 0.3, 0.1, 0.05, 0.2, 0.45, 0.2, 0.1, 0.06, 0.85, 0.55, 0.2, 0.3]

#: Mean, standard deviation, median, entropy and bounds of the mean, by version and ladder; crossed, one-sided, stale
#: and last-trade-only markets are among them.
NUMBERS: dict[str, dict[str, tuple[float, ...]]] = {
    "1": {
        EVENTS[0]: (3.3026363636363634, 0.3050681945168736, 3.4, 1.4404422042536889, 1.97, 5.908),
        EVENTS[1]: (70.0140146101787, 2.462151828243482, 69.0, 1.3441993596536252, 61.69, 74.44),
        EVENTS[2]: (
            156026.51515151517,
            38644.470443322316,
            160000.0,
            1.3476596267108492,
            -4460850.000000001,
            2459166.666666667,
        ),
    }
}


def made() -> dict[str, Any]:
    tables = ladders_of(MARKETS)
    rows = observe(tables, around(MARKETS, VALUES, 0.02), age=timedelta(minutes=3))
    by_ticker = {row["ticker"]: row for row in rows}
    by_ticker[MARKETS[2]["ticker"]].update(available_ts=ASOF - timedelta(minutes=40))
    by_ticker[MARKETS[6]["ticker"]].update(yes_bid=None)
    by_ticker[MARKETS[9]["ticker"]].update(yes_bid=None, yes_ask=None, last_price=0.12)
    by_ticker[MARKETS[12]["ticker"]].update(yes_bid=0.58, yes_ask=0.57)
    return {row["event_ticker"]: row for row in computed(tables, rows).distributions.to_pylist()}


def test_the_same_quotes_give_the_numbers_of_the_version() -> None:
    """Whoever makes this fail changed the method: change METHOD_VERSION, and state its numbers here."""
    numbers = NUMBERS[METHOD_VERSION]
    for event, row in made().items():
        got = [row[name] for name in ("mean", "std", "median", "entropy", "mean_low", "mean_high")]
        assert got == pytest.approx(numbers[event], rel=1e-9), (
            f"{event} has other numbers than version {METHOD_VERSION}"
        )


def published(**changes: Any) -> tuple[pa.Table, pa.Table]:
    """A table of two snapshots, and the same with some columns of the first changed."""
    tables = ladders_of(thresholds([2.8, 3.0, 3.2]))
    markets = thresholds([2.8, 3.0, 3.2])
    rows = [
        row
        for hours in (1, 0)
        for row in observe(tables, around(markets, [0.9, 0.6, 0.2]), ASOF - timedelta(hours=hours))
    ]
    table = compute(tables.ladders, tables.legs, pa.Table.from_pylist(rows, schema=OBSERVATION_SCHEMA)).distributions
    first, second = table.to_pylist()
    return table, pa.Table.from_pylist([{**first, **changes}, second], schema=table.schema)


def account(**changes: Any) -> MethodAccount:
    made, before = published(**changes)
    account = MethodAccount()
    account.add(before, made)
    return account


def test_rows_that_did_not_change_are_compared_and_nothing_moved() -> None:
    found = account()
    assert found.unversioned is None
    assert (found.by_version[METHOD_VERSION].compared, found.by_version[METHOD_VERSION].moved) == (2, 0)


def test_a_mean_that_moved_under_the_same_version_is_named_with_its_size() -> None:
    row = published()[0].to_pylist()[0]
    found = account(mean=row["mean"] - 0.5 * row["std"]).unversioned
    assert found is not None
    assert found.moved == 1
    assert found.largest() == pytest.approx(0.5)
    assert found.median() == pytest.approx(0.25), "of two means one moved by a half"
    assert found.furthest.startswith("KXCPIYOY-26JUN at 2026-07-07 11:00 UTC, from ")


def test_a_row_of_an_earlier_version_is_counted_under_that_version() -> None:
    row = published()[0].to_pylist()[0]
    found = account(mean=row["mean"] + 0.01, method_version="0")
    assert found.unversioned is None
    assert found.earlier["0"].moved == 1
    assert found.earlier["0"].compared == 1


def test_a_snapshot_that_passed_and_now_fails_is_counted() -> None:
    found = account(hard_gate_failed=True, mean=None).unversioned
    assert found is not None
    assert (found.gates, found.moved) == (1, 0)


@pytest.mark.parametrize("name", ["n_quoted", "n_two_sided", "latest_available_ts", "max_age_seconds", "median_spread"])
def test_a_row_made_of_other_quotes_is_not_compared(name: str) -> None:
    row = published()[0].to_pylist()[0]
    other = row[name] - timedelta(seconds=1) if name == "latest_available_ts" else row[name] + 1
    found = account(mean=0.0, **{name: other}).by_version[METHOD_VERSION]
    assert (found.compared, found.other_quotes, found.moved) == (1, 1, 0)


def test_without_rows_published_before_there_is_nothing_to_compare() -> None:
    made, _ = published()
    account = MethodAccount()
    account.add(made.slice(0, 0), made)
    assert account.by_version == {}
