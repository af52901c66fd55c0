"""When the exchange trades: always, but for a pause on Thursdays 03:00-05:00 US Eastern. Data stays readable.

Not here: what the pause does to quotes (a simulated world has no bars in it).
"""

from __future__ import annotations

from kalshi_pipeline.sandbox.visibility import Floor, in_pause, pause_end
from kalshi_pipeline.sandbox.wire import Json, timestamp

_ALL_DAY = [{"open_time": "00:00", "close_time": "00:00"}]
_THURSDAY = [{"open_time": "00:00", "close_time": "03:00"}, {"open_time": "05:00", "close_time": "00:00"}]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def status(floor: Floor) -> Json:
    """``GET /exchange/status``."""
    now = floor.now()
    trading = not in_pause(now)
    shard = {
        "exchange_index": 0,
        "description": "default",
        "exchange_active": True,
        "trading_active": trading,
        "intra_exchange_transfers_active": True,
    }
    return {
        "exchange_active": True,
        "trading_active": trading,
        "intra_exchange_transfers_active": True,
        "exchange_estimated_resume_time": None if trading else timestamp(pause_end(now)),
        "exchange_index_statuses": [shard],
    }


def schedule() -> Json:
    """``GET /exchange/schedule``: hours in US Eastern; 00:00 to 00:00 is the whole day."""
    week = {day: _THURSDAY if day == "thursday" else _ALL_DAY for day in _DAYS}
    hours = {"start_time": "2017-01-01T00:00:00Z", "end_time": "2200-12-01T00:00:00Z", **week}
    return {"schedule": {"standard_hours": [hours], "maintenance_windows": []}}
