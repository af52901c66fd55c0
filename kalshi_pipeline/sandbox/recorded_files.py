"""Reading a recorded world's folder: its files, their columns, and every way in which they can be unreadable.

A folder holds ``world.json`` (name, notes) and parquet tables of series, events, markets and candles, sometimes of
trades and outcome vintages. Not here: what the world makes of them (``recorded``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kalshi_pipeline.sandbox.world import WorldError

_OHLC = ("open", "high", "low", "close")
COLUMNS: dict[str, tuple[str, ...]] = {
    "series": ("series_ticker", "title", "category", "frequency", "fee_type", "fee_multiplier"),
    "events": ("event_ticker", "series_ticker", "title", "mutually_exclusive"),
    "markets": (
        "ticker",
        "event_ticker",
        "series_ticker",
        "strike_type",
        "floor_strike",
        "cap_strike",
        "open_time",
        "close_time",
        "settlement_ts",
        "settlement_ts_estimated",
        "result",
        "expiration_value",
    ),
    "candles": (
        "ticker",
        "period_interval",
        "end_period_ts",
        *(f"{side}_{name}" for side in ("yes_bid", "yes_ask", "price") for name in _OHLC),
        "price_mean",
        "price_previous",
        "volume",
        "open_interest",
    ),
    "trades": ("trade_id", "ticker", "created_time", "count", "yes_price", "taker_outcome_side"),
    "outcome_vintages": ("ref_month", "release_month", "employment_sa"),
}
_OPTIONAL = ("trades", "outcome_vintages")
#: Columns without which a row cannot be placed at all.
_FILLED = {
    "series": ("series_ticker",),
    "events": ("event_ticker", "series_ticker", "mutually_exclusive"),
    "markets": ("ticker", "event_ticker", "series_ticker", "open_time", "close_time"),
    "candles": ("ticker", "period_interval", "end_period_ts", "yes_bid_close", "yes_ask_close"),
    "trades": ("trade_id", "ticker", "created_time", "count", "yes_price"),
    "outcome_vintages": ("ref_month", "release_month", "employment_sa"),
}


@dataclass(frozen=True)
class Recording:
    """The tables of a folder as read; ``trades`` and ``outcome_vintages`` are empty where none were recorded."""

    folder: Path
    name: str
    notes: str
    tables: dict[str, pa.Table]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A table as records."""
        rows: list[dict[str, Any]] = self.tables[table].to_pylist()
        return rows


def read_recording(folder: Path) -> Recording:
    """Read and check a folder.

    Raises:
        WorldError: a file or column is missing or unreadable, or a table names something another does not hold.
    """
    if not folder.is_dir():
        raise WorldError(f"The recorded world {folder} is not a folder; name one with world.json and parquet files.")
    about = _about(folder / "world.json")
    tables = {name: _table(folder / f"{name}.parquet", name) for name in COLUMNS}
    _refers(folder, tables, "events", "series_ticker", "series", "series_ticker")
    _refers(folder, tables, "markets", "event_ticker", "events", "event_ticker")
    _refers(folder, tables, "candles", "ticker", "markets", "ticker")
    _refers(folder, tables, "trades", "ticker", "markets", "ticker")
    for table, key in (("series", "series_ticker"), ("events", "event_ticker"), ("markets", "ticker")):
        keys = tables[table][key].to_pylist()
        if len(set(keys)) < len(keys):
            raise WorldError(f"{folder / table}.parquet lists a {key} twice; every {key} must be unique.")
    return Recording(folder, str(about.get("name") or folder.name), str(about.get("notes") or ""), tables)


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WorldError(f"The recorded world {path.parent} has no world.json; its folder must hold one.") from None
    except (OSError, ValueError) as error:
        raise WorldError(f"{path} cannot be read as JSON: {error}.") from None
    if not isinstance(about, dict):
        raise WorldError(f"{path} must hold a JSON object with name and notes.")
    return about


def _table(path: Path, name: str) -> pa.Table:
    columns = list(COLUMNS[name])
    if not path.exists():
        if name in _OPTIONAL:
            return pa.table({column: pa.array([], pa.string()) for column in columns})
        raise WorldError(f"The recorded world {path.parent} has no {path.name}; its folder must hold one.")
    try:
        file = pq.ParquetFile(path)
        missing = [column for column in columns if column not in file.schema_arrow.names]
        if missing:
            raise WorldError(f"{path} lacks the column {', '.join(missing)}.")
        table = file.read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise WorldError(f"{path} cannot be read as parquet: {str(error).splitlines()[0]}.") from None
    for column in _FILLED[name]:
        if table[column].null_count:
            raise WorldError(f"{path} has {table[column].null_count} rows without {column}; every row needs one.")
    return table


def _refers(folder: Path, tables: dict[str, pa.Table], table: str, column: str, other: str, key: str) -> None:
    unknown = sorted(set(tables[table][column].to_pylist()) - set(tables[other][key].to_pylist()))
    if unknown:
        raise WorldError(
            f"{folder / table}.parquet names {len(unknown)} {column} that {other}.parquet lacks, first {unknown[0]}."
        )
