"""Two processes over one exchange: they use the rate that is permitted to both together, and are hardly ever refused.

The exchange bills them from one bucket, which holds what it takes to forgive requests that the machine delayed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.defs import resources
from kalshi_pipeline.sandbox.app import API
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.settings import Settings, Source

pytestmark = pytest.mark.integration

ASKING = Path(__file__).with_name("asking_process.py")
#: Share of a second's requests that the exchange forgives at once.
FORGIVEN = 0.3


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with SandboxServer("sandbox", seed=7) as server:
        yield server.root_url


def permit(root: str, rate: float) -> dict[str, int]:
    """Permit so many requests a second from now on; what the exchange has counted since the last time."""
    limits = {"requests_per_second": rate, "burst": max(2.0, FORGIVEN * rate)}
    done: dict[str, int] = httpx.post(f"{root}/sandbox/faults", json=limits).raise_for_status().json()
    return done


def asking(stack: ExitStack, root: str, folder: Path, rate: float, seconds: float) -> subprocess.Popen[str]:
    """One more process, ready to begin."""
    command = [sys.executable, str(ASKING), root + API, str(folder), str(rate), str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def outcome(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout is not None
    done: dict[str, int] = json.loads(process.stdout.readline())
    return done


def logged(folder: Path) -> list[dict[str, Any]]:
    """The requests of all processes."""
    return [json.loads(line) for path in (folder / "logs").iterdir() for line in path.read_text().splitlines()]


def most_in_a_second(folder: Path) -> int:
    """The most requests that left within any window of one second."""
    sent = sorted(datetime.fromisoformat(line["at"]).timestamp() for line in logged(folder))
    return max(bisect_left(sent, began + 1.0) - first for first, began in enumerate(sent))


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        pytest.param(20, 4),
        pytest.param(5, 20, marks=pytest.mark.slow),
        pytest.param(100, 20, marks=pytest.mark.slow),
    ],
)
def test_two_processes_use_the_permitted_rate_together_and_are_hardly_refused(
    root: str, tmp_path: Path, rate: float, seconds: float
) -> None:
    with ExitStack() as stack:
        processes = [asking(stack, root, tmp_path, rate, seconds) for _ in range(2)]
        permit(root, rate)
        began = time.monotonic()
        for process in processes:
            begin(process)
        done = [outcome(process) for process in processes]
        took = time.monotonic() - began
    counted = permit(root, rate)
    requests = sum(one["requests"] for one in done)
    assert counted["served"] + counted["throttled"] == requests
    assert min(one["requests"] for one in done) >= 0.1 * requests, "one process kept the other from asking"
    assert 0.95 * rate * took <= requests <= rate * took + 1 + FORGIVEN * rate
    assert counted["throttled"] <= 0.01 * requests
    assert most_in_a_second(tmp_path) <= rate + 1 + FORGIVEN * rate


def test_processes_that_are_killed_while_they_wait_hold_nobody_up(root: str, tmp_path: Path) -> None:
    rate, seconds = 40.0, 3.0
    with ExitStack() as stack:
        doomed = [asking(stack, root, tmp_path, rate, 60.0) for _ in range(3)]
        survivor = asking(stack, root, tmp_path, rate, seconds)
        permit(root, rate)
        for process in [*doomed, survivor]:
            begin(process)
        for process in doomed:
            time.sleep(0.3)
            process.kill()
        done = outcome(survivor)
    alone = seconds - 0.9
    assert done["requests"] >= 0.9 * rate * alone
    assert done["throttled"] <= 0.02 * done["requests"]


def test_runs_over_a_remote_exchange_share_their_pace_and_an_embedded_one_keeps_it_in_memory(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "base_url", lambda kind: root + API)
    remote = Settings(source=Source.parse("demo"), data_dir=tmp_path, fred_api_key="key")
    permit(root, 1_000.0)
    with resources.open_exchange(remote) as one, resources.open_exchange(remote) as other:
        one.client._transport._pace.slow_down()
        assert other.client._transport._pace.requests_per_second == 2.5
    assert sorted(path.name for path in remote.pace_dir.iterdir() if path.suffix != ".lock") == ["exchange"]
    embedded = Settings(data_dir=tmp_path)
    with resources.open_exchange(embedded):
        assert not embedded.pace_dir.exists()
