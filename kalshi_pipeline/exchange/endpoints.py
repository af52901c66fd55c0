"""Where the exchanges are, how fast each may be asked, and the limits of the endpoints.

Not here: the requests themselves (``client``) and the planning around the limits (``landing.planning``).
"""

from __future__ import annotations

from pathlib import Path

from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.settings import SettingsError, SourceKind

#: Every path is below this; it is part of what a signature covers.
API_ROOT = "/trade-api/v2"

_HOSTS = {
    SourceKind.LIVE: "https://external-api.kalshi.com",
    SourceKind.DEMO: "https://external-api.demo.kalshi.co",
}

#: Requests per second where no setting says otherwise: without a key, with a key of the Basic tier, over loopback.
UNAUTHENTICATED_RATE = 5.0
BASIC_RATE = 20.0
EMBEDDED_RATE = 2_000.0

#: Seconds' worth of requests that an embedded exchange may get at once; a remote one gets them evenly spaced.
EMBEDDED_BURST_SECONDS = 0.5

#: Rows per page that the exchange serves at most.
MARKETS_PER_PAGE = 1_000
TRADES_PER_PAGE = 1_000
EVENTS_PER_PAGE = 200
FEE_CHANGES_PER_PAGE = 1_000

#: Candles per request: periods per market on every endpoint; markets and candles in total on the batch endpoint. The
#: exchange refuses more than 5,000 periods; which of a window's ends it counts is not documented, hence the margin.
PERIODS_PER_REQUEST = 4_900
MARKETS_PER_BATCH = 100
CANDLES_PER_BATCH = 10_000


def base_url(kind: SourceKind) -> str:
    """Root address of a remote exchange.

    Raises:
        SettingsError: the exchange is embedded, so its address is known only once it serves.
    """
    if kind not in _HOSTS:
        raise SettingsError(f"The exchange {kind} has no fixed address: start it and use the address it listens on.")
    return _HOSTS[kind] + API_ROOT


def default_pace(
    kind: SourceKind, requests_per_second: float | None = None, *, signed: bool = False, shared_in: Path | None = None
) -> Pace:
    """The pace for an exchange: the set rate, or what the source allows.

    Args:
        kind: the exchange.
        requests_per_second: the rate a user has set; ``None`` takes 5 for a remote exchange (20 with a key, the Basic
            tier) and 2,000 for an embedded one.
        signed: whether requests carry a key.
        shared_in: file over which all processes that ask a remote exchange share its pace; an embedded one serves the
            process that started it and nobody else.
    """
    if kind not in _HOSTS:
        burst = EMBEDDED_BURST_SECONDS if requests_per_second is None else 0.0
        return Pace(requests_per_second or EMBEDDED_RATE, burst_seconds=burst)
    return Pace(requests_per_second or (BASIC_RATE if signed else UNAUTHENTICATED_RATE), shared_in=shared_in)
