"""ALFRED, the archive of published statistics with all their vintages, asked through the same client as the exchange.

The one request we make is ``GET /fred/series/observations`` over the whole of real time. Not here: which statistic a
series settles on (``ladders.registry``), and what becomes of the answer (``landing.vintages``).
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import date

import httpx

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.transport import Response

#: Root of the archive's API.
ALFRED_URL = "https://api.stlouisfed.org/fred"
#: Requests per second; the archive allows 120 a minute.
ALFRED_RATE = 1.5
#: Statistics are asked for from this reference period on: before the first event we know.
FIRST_PERIOD = date(2017, 1, 1)
#: Rows of an answer that the archive serves at most.
_LIMIT = 100_000


class KeyInQuery(httpx.Auth):
    """Adds the key to the query on the way out, so that no address we log or archive holds it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the key."""
        request.url = request.url.copy_merge_params({"api_key": self._key})
        yield request


def vintages(client: KalshiClient, statistic: str, units: str) -> Response:
    """Every value of a statistic and the days between which it stood.

    Args:
        client: a client at the root of the archive's API.
        statistic: identifier (``PAYEMS``).
        units: transformation (``lin``, ``chg``, ``pch``, ``pc1``).

    Raises:
        KalshiError: what went wrong, one of its kinds.
    """
    return client.get(
        "/series/observations",
        {
            "series_id": statistic,
            "units": units,
            "realtime_start": "1776-07-04",
            "realtime_end": "9999-12-31",
            "observation_start": FIRST_PERIOD.isoformat(),
            "file_type": "json",
            "limit": _LIMIT,
        },
        holds="observations",
    )
