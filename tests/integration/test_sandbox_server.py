"""The sandbox as a process: ready when it says so, movable in time, gone with its parent, clear about failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from kalshi_pipeline.sandbox.app import build_app
from kalshi_pipeline.sandbox.server import SandboxServer, serve_in_thread
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.world import WorldError

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


def test_it_serves_until_closed_and_closing_twice_is_harmless() -> None:
    with SandboxServer("sandbox", seed=3, now=NOW) as server:
        assert httpx.get(f"{server.base_url}/exchange/status").json()["exchange_active"] is True
        told = httpx.get(f"{server.root_url}/sandbox/world").json()
        assert (told["kind"], told["now"], told["last_day"]) == ("simulated", "2026-11-19T12:00:00Z", "2026-11-19")
        moved = httpx.post(f"{server.root_url}/sandbox/clock", json={"now": "2026-01-01"})
        assert moved.json() == {"now": "2026-01-01T00:00:00Z"}
        assert httpx.post(f"{server.root_url}/sandbox/clock", json={"now": None}).json() == {
            "now": "2026-11-19T12:00:00Z"
        }
        refused = httpx.post(f"{server.root_url}/sandbox/clock", json={"now": "yesterday"})
        assert refused.status_code == 400 and "is not a date or time" in refused.text
    server.close()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{server.base_url}/exchange/status")


def test_the_same_seed_gives_the_same_bytes_in_process_and_over_the_socket() -> None:
    path = "/trade-api/v2/markets?series_ticker=KXCPI&limit=50"
    with (
        SandboxServer("sandbox", seed=3, now=NOW) as server,
        serve_in_thread(build_app(SimulatedWorld(3), now=NOW)) as root,
    ):
        assert httpx.get(server.root_url + path).content == httpx.get(root + path).content


def test_it_ends_when_the_process_that_started_it_is_killed(repo_root: Path) -> None:
    code = (
        "import sys, time; from kalshi_pipeline.sandbox.server import SandboxServer;"
        "print(SandboxServer('sandbox', seed=1).root_url, flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": str(repo_root)}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    root = parent.stdout.readline().strip()
    assert httpx.get(f"{root}/sandbox/world").status_code == 200
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{root}/sandbox/world")
        except httpx.TransportError:
            return
        time.sleep(0.05)
    pytest.fail("the exchange outlived its parent")


def test_a_world_that_cannot_be_loaded_is_one_sentence_and_exit_code_2(tmp_path: Path, repo_root: Path) -> None:
    with pytest.raises(WorldError, match=r"has no world\.json"):
        SandboxServer(f"recorded:{tmp_path}", seed=1)
    with pytest.raises(WorldError, match="names no world; use sandbox or recorded:<folder>"):
        SandboxServer("moon", seed=1)
    command = [sys.executable, "-m", "kalshi_pipeline.sandbox", "--source", f"recorded:{tmp_path}"]
    failed = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert failed.returncode == 2 and failed.stdout == ""
    assert len(failed.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_named_and_an_interrupt_ends_a_server_without_a_parent(repo_root: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(repo_root)}
    command = [sys.executable, "-m", "kalshi_pipeline.cli", "sandbox", "serve", "--port", "0"]
    alone = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert alone.stdout is not None
    root = alone.stdout.readline().removeprefix("listening on ").strip()
    port = root.rpartition(":")[2]
    command = [sys.executable, "-m", "kalshi_pipeline.sandbox", "--port", port]
    second = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (second.returncode, second.stderr) == (
        2,
        f"Port {port} of 127.0.0.1 is taken; name another, or 0 for a free one.\n",
    )
    assert httpx.get(f"{root}/sandbox/world").status_code == 200, "a closed standard input does not end it"
    alone.send_signal(signal.SIGINT)
    _, said = alone.communicate(timeout=10)
    assert (alone.returncode, said) == (0, "")


def test_served_on_its_own_it_fails_from_the_start_in_the_way_that_is_asked_for(repo_root: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(repo_root)}
    serve = [sys.executable, "-m", "kalshi_pipeline.cli", "sandbox", "serve", "--port", "0", "--faults"]
    alone = subprocess.Popen(
        [*serve, '{"server_errors": 1}'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert alone.stdout is not None
    root = alone.stdout.readline().removeprefix("listening on ").strip()
    assert httpx.get(f"{root}/trade-api/v2/exchange/status").status_code >= 500
    assert httpx.post(f"{root}/sandbox/faults", json={}).json()["broken"] == 1
    assert httpx.get(f"{root}/trade-api/v2/exchange/status").status_code == 200
    alone.send_signal(signal.SIGINT)
    alone.communicate(timeout=10)
    refused = subprocess.run([*serve, '{"dropped": 2}'], capture_output=True, text=True, env=environment)
    assert refused.returncode == 2 and "dropped is 2" in refused.stderr


def test_an_unreadable_instant_is_refused(repo_root: Path) -> None:
    command = [sys.executable, "-m", "kalshi_pipeline.sandbox", "--now", "soon"]
    failed = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert failed.returncode == 2 and "write it like" in failed.stderr
