"""Published values of the statistics that series settle on, with their revisions, in the format of ALFRED.

``GET /fred/series/observations``: one row per value and the days between which it stood. Not here: where values come
from (the worlds).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from kalshi_pipeline.sandbox.errors import bad_request
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.wire import Json
from kalshi_pipeline.sandbox.world import Vintage

#: Statistic and transformation -> the series that settles on it, and how many of its units the archive counts as one.
STATISTICS: dict[tuple[str, str], tuple[str, float]] = {
    ("CPIAUCSL", "pch"): ("KXCPI", 1.0),
    ("CPILFESL", "pch"): ("KXCPICORE", 1.0),
    ("CPIAUCNS", "pc1"): ("KXCPIYOY", 1.0),
    ("UNRATE", "lin"): ("KXU3", 1.0),
    ("PAYEMS", "chg"): ("KXPAYROLLS", 1_000.0),
    ("DFEDTARU", "lin"): ("KXFED", 1.0),
}
_OPEN_END = "9999-12-31"


def observations(floor: Floor, query: Mapping[str, str]) -> Json:
    """Every vintage published by now, with the days it was current.

    Raises:
        Refusal: the statistic is unknown or not published in those units.
    """
    statistic, units = query.get("series_id", ""), query.get("units", "lin")
    if (statistic, units) not in STATISTICS:
        raise bad_request(f"no statistic {statistic} in units {units}")
    series, unit = STATISTICS[statistic, units]
    now = floor.now()
    known = [vintage for vintage in floor.world.outcome_vintages(series) if vintage.published <= now]
    rows = _rows(known, unit)
    today = now.date().isoformat()
    return {
        "realtime_start": rows[0]["realtime_start"] if rows else today,
        "realtime_end": _OPEN_END,
        "observation_start": "1776-07-04",
        "observation_end": _OPEN_END,
        "units": units,
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": len(rows),
        "offset": 0,
        "limit": 100_000,
        "observations": rows,
    }


def _rows(known: list[Vintage], unit: float) -> list[dict[str, str]]:
    by_period: dict[date, list[Vintage]] = defaultdict(list)
    for vintage in sorted(known, key=lambda vintage: (vintage.period, vintage.published)):
        history = by_period[vintage.period]
        if not history or history[-1].value != vintage.value:
            history.append(vintage)
    rows = []
    for history in by_period.values():
        ends = [(later.published.date() - timedelta(days=1)).isoformat() for later in history[1:]] + [_OPEN_END]
        rows += [
            {
                "realtime_start": vintage.published.date().isoformat(),
                "realtime_end": end,
                "date": vintage.period.isoformat(),
                "value": f"{vintage.value / unit:.10g}",
            }
            for vintage, end in zip(history, ends, strict=True)
        ]
    return rows
