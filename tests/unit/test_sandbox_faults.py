"""Faults on demand: a test that asks for trouble gets exactly that trouble, and the same one every time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.faults import Faults, TokenBucket
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from tests.unit.sandbox_asking import ask, respond

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
