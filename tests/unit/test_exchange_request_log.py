"""Every attempt is in the log under the identifier that responses and errors carry; old days are let go."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import NotFound, ServerError
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.request_log import Attempt, RequestLog
from kalshi_pipeline.exchange.retrying import RetryPolicy

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def attempt(number: int = 1, at: datetime = NOON) -> Attempt:
    return Attempt(at, f"session-{number:06d}", "https://exchange.test/markets", 200, 0.01234567, 99)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def asking(folder: Path, *answers: Any) -> KalshiClient:
    given = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        one = given.pop(0)
        if isinstance(one, Exception):
            raise one
        return httpx.Response(one, json={"series": {}})

    return KalshiClient(
        "https://exchange.test/trade-api/v2",
        pace=Pace(1_000_000),
        http=httpx.MockTransport(answer),
        sleep=lambda _: None,
        policy=RetryPolicy(attempts=3),
        journal=RequestLog(folder),
    )


def test_every_attempt_is_logged_under_the_identifier_it_was_sent_with(tmp_path: Path) -> None:
    with asking(tmp_path, 500, httpx.ReadTimeout("late"), 200, 404) as client:
        response = client.series("KXCPI")
        with pytest.raises(NotFound) as unknown:
            client.series("KXNONE")
    said = lines(tmp_path)
    assert [line.get("status") for line in said] == [500, None, 200, 404]
    assert len({line["request_id"] for line in said}) == 4
    assert said[2]["request_id"] == response.request_id
    assert said[3]["request_id"] == unknown.value.request_id
    assert [line.get("error") for line in said] == [
        "GET https://exchange.test/trade-api/v2/series/KXCPI answered 500",
        "GET https://exchange.test/trade-api/v2/series/KXCPI was not answered in time (ReadTimeout)",
        None,
        "GET https://exchange.test/trade-api/v2/series/KXNONE answered 404",
    ]


def test_an_error_names_its_last_request(tmp_path: Path) -> None:
    with asking(tmp_path, 500, 503, 502) as client, pytest.raises(ServerError) as failed:
        client.series("KXCPI")
    last = lines(tmp_path)[-1]["request_id"]
    assert str(failed.value).endswith(f"answered 502 (request {last}, after 3 attempts)")


def test_a_line_says_when_what_and_how_long(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "logs", clock=lambda: NOON)
    log(attempt())
    log.close()
    log(attempt(2))
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["requests-2026-11-20.jsonl"]
    assert lines(tmp_path / "logs")[0] == {
        "at": "2026-11-20T12:00:00+00:00",
        "request_id": "session-000001",
        "url": "https://exchange.test/markets",
        "status": 200,
        "seconds": 0.0123,
        "bytes": 99,
    }
    assert len(lines(tmp_path / "logs")) == 2


def test_a_new_day_has_a_file_of_its_own_and_days_before_the_last_week_go(tmp_path: Path) -> None:
    now = [NOON]
    log = RequestLog(tmp_path, clock=lambda: now[0])
    (tmp_path / "notes.txt").write_text("not ours\n")
    for _ in range(12):
        log(attempt())
        now[0] += timedelta(days=1)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "notes.txt",
        *(
            f"requests-2026-{day}.jsonl"
            for day in ("11-24", "11-25", "11-26", "11-27", "11-28", "11-29", "11-30", "12-01")
        ),
    ]


def test_lines_of_threads_and_of_several_logs_do_not_mix(tmp_path: Path) -> None:
    logs = [RequestLog(tmp_path, clock=lambda: NOON) for _ in range(2)]

    def work(log: RequestLog) -> None:
        for number in range(200):
            log(attempt(number))

    threads = [threading.Thread(target=work, args=(log,)) for log in logs for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path)) == 1_200
