"""The words of the landing: markets with their lives, and units of work.

Not here: how units are carried out (``working``), how they are planned (``candles``, ``trades``, ...).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kalshi_pipeline.landing.store import UnitWriter


@dataclass(frozen=True, slots=True)
class MarketWindow:
    """A market and its life, as the reference data knows them.

    Attributes:
        ticker, event_ticker, series_ticker: its names.
        open_time, close_time: trading window.
        settlement_ts: when it was settled; ``None`` while that is not known.
    """

    ticker: str
    event_ticker: str
    series_ticker: str
    open_time: datetime
    close_time: datetime
    settlement_ts: datetime | None = None


@dataclass(frozen=True)
class Unit:
    """One unit of work: a file that is fetched whole.

    Attributes:
        unit_id: identifier, the stem of its file.
        path: where its file will be.
        context: what it is about.
        fetch: asks the exchange and adds the responses to the writer.
    """

    unit_id: str
    path: Path
    context: Mapping[str, Any]
    fetch: Callable[[UnitWriter], None]
