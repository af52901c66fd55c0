"""A process that asks an exchange from several threads, for tests in which several of them share one pace.

It says ``ready`` on standard output, begins when a line arrives on standard input, and says in the end what it did.
Arguments: root address of the API, folder of the installation, requests per second, seconds.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.request_log import RequestLog

THREADS = 8


def ask(url: str, folder: Path, rate: float, seconds: float) -> None:
    """Ask from all threads until so many seconds are over."""
    pace = Pace(rate, shared_in=folder / "pace" / "exchange")
    with (
        closing(RequestLog(folder / "logs")) as journal,
        KalshiClient(url, pace=pace, concurrency=THREADS, journal=journal) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()

        def work(_: int) -> None:
            while time.monotonic() - began < seconds:
                client.status()

        list(pool.map(work, range(THREADS)))
        done = client.statistics
        print(json.dumps({"requests": done.requests, "throttled": done.throttled}), flush=True)


if __name__ == "__main__":
    ask(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
