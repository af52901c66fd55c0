"""How fresh each asset should be: one statement for Dagster's freshness policies and for the alert on stale data.

An embedded exchange has no present to keep up with, so nothing is expected of its data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from kalshi_pipeline.settings import Settings


@dataclass(frozen=True)
class Expectation:
    """How old the latest materialisation of an asset may be.

    Attributes:
        warn: older than this is worth a look.
        fail: older than this is stale.
    """

    warn: timedelta
    fail: timedelta

    @property
    def policy(self) -> dg.FreshnessPolicy:
        """The same in Dagster's words."""
        return dg.FreshnessPolicy.time_window(fail_window=self.fail, warn_window=self.warn)


_HOURLY = Expectation(timedelta(hours=3), timedelta(hours=12))
_DAILY = Expectation(timedelta(hours=30), timedelta(hours=54))
_BY_GROUP: Mapping[str, Expectation] = {
    "reference": _HOURLY,
    "facts": _DAILY,
    "health": _DAILY,
    "distributions": _DAILY,
    "research": _DAILY,
    "report": _DAILY,
    "published": _DAILY,
}


def expectation(key: dg.AssetKey, group: str | None, settings: Settings) -> Expectation | None:
    """What is expected of an asset, following the schedules; ``None`` for views and for embedded exchanges.

    Args:
        key: the asset.
        group: its group.
        settings: the source, and how often quotes are to be taken.
    """
    if settings.source.embedded:
        return None
    layer, table = key.path[0], key.path[-1]
    if table == "quotes" and layer != "staging":
        every = timedelta(minutes=settings.quote_minutes)
        return Expectation(4 * every, 12 * every)
    if table == "orderbooks":
        return _HOURLY
    if layer == "marts":
        return _DAILY if table in ("candles", "trades") else _HOURLY
    return _BY_GROUP.get(group or "")
