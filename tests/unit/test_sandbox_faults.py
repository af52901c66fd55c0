"""Faults on demand: a test that asks for trouble gets exactly that trouble, and the same one every time."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.fault_line import TokenBucket
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from tests.unit.sandbox_asking import ask, respond, walk

pytestmark = pytest.mark.unit


def with_faults(**faults: object) -> SandboxApp:
    return build_app(SimulatedWorld(2), now=datetime(2026, 11, 19, tzinfo=UTC), faults=Faults.read(faults))


def test_a_bucket_lets_through_its_burst_and_then_its_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(5, 3, clock=lambda: now[0])
    passed = []
    for _ in range(1_000):
        passed.append(bucket.take())
        now[0] += 0.01
    assert passed[:3] == [True, True, True] and not passed[3]
    assert sum(passed) == pytest.approx(3 + 5 * 10, abs=1)


def test_too_many_requests_has_its_exact_body_and_no_hint_when_to_return() -> None:
    app = with_faults(requests_per_second=0.001, burst=2)
    answers = [respond(app, "/exchange/status") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].content == b'{"error":"too many requests"}' and "retry-after" not in answers[-1].headers
    assert respond(app, "/sandbox/world").status_code == 200, "the control paths are never throttled"


def test_a_dear_endpoint_takes_more_out_of_the_bucket_and_says_so() -> None:
    app = with_faults(requests_per_second=0.001, burst=5, costs={"/series/{series}": 20, "/exchange/status": 5})
    codes = [respond(app, path).status_code for path in ["/series/KXCPI"] * 2 + ["/exchange/status"] * 3]
    assert codes == [200, 200, 200, 200, 429]
    listed = ask(with_faults(costs={"/series/{series}": 20}), "/account/endpoint_costs")
    assert listed == {
        "default_cost": 10,
        "endpoint_costs": [{"method": "GET", "path": "/series/{series}", "cost": 20}],
    }


def test_stalled_answers_come_late_at_their_share() -> None:
    app = with_faults(stalled=0.5, stall_seconds=0.2)
    late = 0
    for _ in range(12):
        began = time.monotonic()
        assert respond(app, "/exchange/status").status_code == 200
        late += time.monotonic() - began >= 0.2
    done = respond(app, "/sandbox/faults", method="POST", body={}).json()
    assert 1 <= done["broken"] <= late <= 11


def test_rows_are_dropped_and_doubled_at_their_shares() -> None:
    whole = [m["ticker"] for m in ask(with_faults(), "/markets", series_ticker="KXCPI", limit=500)["markets"]]
    doubled = ask(with_faults(duplicated=0.2), "/markets", series_ticker="KXCPI", limit=500)["markets"]
    counts = Counter(market["ticker"] for market in doubled)
    assert counts.keys() == set(whole) and set(counts.values()) == {1, 2}
    thinned = [
        m["ticker"] for m in ask(with_faults(dropped=0.2), "/markets", series_ticker="KXCPI", limit=500)["markets"]
    ]
    assert 0.6 * len(whole) < len(thinned) < len(whole)
    assert thinned == [ticker for ticker in whole if ticker in set(thinned)]


def test_bars_within_a_batch_are_dropped_and_doubled_too() -> None:
    ticker = ask(with_faults(), "/markets", series_ticker="KXHIGHCHI", limit=1, status="open")["markets"][0]["ticker"]
    end = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp())
    window = {"market_tickers": ticker, "start_ts": end - 6 * 3600, "end_ts": end, "period_interval": 1}

    def ends(**faults: object) -> list[int]:
        markets = ask(with_faults(**faults), "/markets/candlesticks", **window)["markets"]
        return [bar["end_period_ts"] for market in markets for bar in market["candlesticks"]]

    whole = ends()
    assert len(whole) > 100 and Counter(ends(duplicated=0.3)).keys() == set(whole)
    assert len(ends(duplicated=0.3)) > len(whole)
    assert set(ends(dropped=0.3, seed=1)) < set(whole)


def test_every_other_list_loses_and_doubles_rows_too() -> None:
    market = ask(with_faults(), "/markets", series_ticker="KXHIGHCHI", limit=1, status="open")["markets"][0]
    listed = ask(with_faults(), "/markets", event_ticker=market["event_ticker"], limit=50)["markets"]
    end = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp())
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "/series": ("series", {}),
        "/series/fee_changes": ("series_fee_change_arr", {"show_historical": "true"}),
        "/markets/orderbooks": ("orderbooks", {"tickers": [one["ticker"] for one in listed]}),
        f"/series/KXHIGHCHI/events/{market['event_ticker']}/candlesticks": (
            "market_candlesticks",
            {"start_ts": end - 3600, "end_ts": end, "period_interval": 1},
        ),
    }
    for path, (key, query) in asked.items():
        whole, doubled, none = (
            ask(with_faults(**faults), path, **query) for faults in ({}, {"duplicated": 1.0}, {"dropped": 1.0})
        )
        if key == "market_candlesticks":
            assert len(whole[key]) == len(doubled[key]) == len(none[key]) == len(whole["market_tickers"]) > 1
            whole, doubled, none = (
                {key: [bar for bars in body[key] for bar in bars]} for body in (whole, doubled, none)
            )
        assert whole[key] and doubled[key] == [row for row in whole[key] for _ in range(2)], path
        assert none[key] == [], path


def test_a_walk_over_pages_that_lose_rows_still_ends() -> None:
    pages = walk(with_faults(dropped=0.9), "/markets", "markets", series_ticker="KXCPI", limit=5)
    assert len(pages) > 3 and any(len(page) < 5 for page in pages[:-1])


def test_server_errors_come_at_their_share_and_alike_for_a_seed() -> None:
    codes = [
        [respond(with_, "/exchange/status").status_code for _ in range(200)] for with_ in _twice(server_errors=0.3)
    ]
    assert codes[0] == codes[1]
    broken = [code for code in codes[0] if code != 200]
    assert set(broken) <= {500, 502, 503, 504} and 30 < len(broken) < 90


def _twice(**faults: object) -> tuple[SandboxApp, SandboxApp]:
    return with_faults(seed=4, **faults), with_faults(seed=4, **faults)


def test_a_truncated_body_is_no_json() -> None:
    answer = respond(with_faults(truncated=1.0), "/series")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_repeated_cursor_leads_in_a_circle() -> None:
    app = with_faults(repeated_cursor=True)
    first = ask(app, "/events", series_ticker="KXCPI", limit=10)
    second = ask(app, "/events", series_ticker="KXCPI", limit=10, cursor=first["cursor"])
    assert second["cursor"] == first["cursor"] and second["events"] != first["events"]


def test_faults_can_be_set_while_it_runs_and_say_what_they_did() -> None:
    app = with_faults()
    respond(app, "/sandbox/faults", method="POST", body={"server_errors": 1.0})
    assert respond(app, "/series").status_code >= 500
    done = respond(app, "/sandbox/faults", method="POST", body={}).json()
    assert done == {"served": 0, "throttled": 0, "broken": 1}
    assert respond(app, "/series").status_code == 200
    refused = respond(app, "/sandbox/faults", method="POST", body={"earthquake": 1})
    assert refused.status_code == 400 and "no such fault: earthquake" in refused.text


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"server_errors": 1.5}, "server_errors is 1.5: input should be less than or equal to 1"),
        ({"dropped": "half"}, "dropped is 'half'"),
        ({"requests_per_second": 0}, "requests_per_second is 0"),
        ({"market_cutoff": "last week"}, "is not a date or time"),
        ({"combos": -1}, "combos is -1"),
        ({"costs": {"/markets": "dear"}}, "costs./markets is 'dear'"),
    ],
)
def test_a_value_out_of_range_is_refused_in_a_sentence_and_changes_nothing(
    faults: dict[str, object], said: str
) -> None:
    app = with_faults(server_errors=1.0)
    refused = respond(app, "/sandbox/faults", method="POST", body=faults)
    assert refused.status_code == 400 and said in refused.json()["error"]["details"]
    assert respond(app, "/exchange/status").status_code >= 500


@pytest.mark.parametrize("text", ["", "server_errors=1", "[]", '{"earthquake": 1}', '{"dropped": 2}'])
def test_a_text_that_states_no_faults_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Faults.from_json(text)


def test_every_fault_is_documented_with_the_value_it_has_by_itself(repo_root: Path) -> None:
    page = (repo_root / "docs" / "how-to" / "test-a-client.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, flags=re.MULTILINE)
    stated = json.loads(Faults().model_dump_json())
    assert {name: json.loads(value.strip().strip("`")) for name, value in rows} == stated
    examples = re.findall(r"'(\{[^']+\})'", page)
    assert len(examples) > 1 and all(Faults.from_json(example) != Faults() for example in examples)


def test_nothing_goes_wrong_unless_it_is_asked_for() -> None:
    app = with_faults()
    assert all(respond(app, "/exchange/status").status_code == 200 for _ in range(200))
    assert (app.faults.served, app.faults.throttled, app.faults.broken) == (200, 0, 0)
