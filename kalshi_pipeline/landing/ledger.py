"""What manifests say, as tables for the warehouse's books: the units of partitions, and the markets they asked for.

Not here: the books themselves (``warehouse.ingestion``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa

from kalshi_pipeline.landing.manifests import Manifest, UnitEntry

UNITS = pa.schema(
    {
        "dataset": pa.string(),
        "partition_date": pa.date32(),
        "unit_id": pa.string(),
        "state": pa.string(),
        "reason": pa.string(),
        "path": pa.string(),
        "sha256": pa.string(),
        "bytes": pa.int64(),
        "responses": pa.int64(),
        "rows": pa.int64(),
        "run_id": pa.string(),
    }
)
ASKED = pa.schema(
    {
        "dataset": pa.string(),
        "period_minutes": pa.int32(),
        "partition_date": pa.date32(),
        "ticker": pa.string(),
        "failure": pa.string(),
        "unit_id": pa.string(),
    }
)
CONTENTS = pa.schema({"partition_date": pa.date32(), "units": pa.int64(), "units_sha256": pa.string()})


def units_table(manifests: Iterable[Manifest]) -> pa.Table:
    """The units of partitions, landed and failed, one row per partition and unit (schema :data:`UNITS`)."""
    rows = [
        {
            "dataset": manifest.dataset,
            "partition_date": _day(manifest),
            "unit_id": unit.unit_id,
            "state": unit.state,
            "reason": unit.reason or None,
            "path": unit.path or None,
            "sha256": unit.sha256 or None,
            "bytes": unit.bytes,
            "responses": unit.responses,
            "rows": unit.rows,
            "run_id": manifest.run_id,
        }
        for manifest in manifests
        for unit in manifest.units
    ]
    return pa.Table.from_pylist(rows, UNITS)


def asked_table(manifests: Iterable[Manifest]) -> pa.Table:
    """The markets that were asked for in daily partitions, one row per bar length, day and market (:data:`ASKED`).

    ``failure`` is the reason where the last attempt failed; it is NULL where the market's answer has landed.
    """
    rows = [
        {
            "dataset": manifest.dataset,
            "period_minutes": period,
            "partition_date": _day(manifest),
            "ticker": ticker,
            "failure": unit.reason if unit.state == "failed" else None,
            "unit_id": unit.unit_id,
        }
        for manifest in manifests
        for (period, ticker), unit in _last_asked(manifest.units).items()
    ]
    return pa.Table.from_pylist(rows, ASKED)


def contents_table(manifests: Sequence[Manifest]) -> pa.Table:
    """How many landed units each partition consists of, and one checksum of theirs (schema :data:`CONTENTS`)."""
    rows = [
        {
            "partition_date": _day(manifest),
            "units": len(manifest.landed),
            "units_sha256": hashlib.sha256(
                "\n".join(sorted(unit.sha256 for unit in manifest.landed)).encode()
            ).hexdigest(),
        }
        for manifest in manifests
    ]
    return pa.Table.from_pylist(rows, CONTENTS)


def _last_asked(units: Sequence[UnitEntry]) -> dict[tuple[int | None, str], UnitEntry]:
    """By bar length and market the unit that asked for it last: later units of a manifest come after earlier ones."""
    return {(unit.context.get("period_minutes"), ticker): unit for unit in units for ticker in unit.alive}


def _day(manifest: Manifest) -> date | None:
    """The day of a daily partition; ``None`` for an observation of reference data."""
    try:
        return date.fromisoformat(manifest.partition)
    except ValueError:
        return None
