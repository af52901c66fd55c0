"""Which release an event settled on, as that was known at every instant: versions of the mapping between the two.

An event's release follows from when its trading closes, so a market that is listed, moved or restruck can move it.
Every change is a version with the instant from which it could be known; a new version of an event closes the one
before. What a release is named after is decided in ``releases``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.research.columns import TIMESTAMP, require, rows
from kalshi_pipeline.research.releases import name_release

MAPPING_SCHEMA = pa.schema(
    {
        "version_id": pa.int32(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "release_id": pa.string(),
        "release_type": pa.string(),
        "release_group": pa.string(),
        "anchor_ts": TIMESTAMP,
        "release_ts": TIMESTAMP,
        "open_time": TIMESTAMP,
        "close_time": TIMESTAMP,
        "valid_from": TIMESTAMP,
        "valid_to": TIMESTAMP,
        "known_at": TIMESTAMP,
    }
)
VERSION_SCHEMA = pa.schema({"version_id": pa.int32(), "created_at": TIMESTAMP, "event_count": pa.int32()})
_SPECIFICATION = pa.schema(
    {
        "ticker": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "open_time": TIMESTAMP,
        "close_time": TIMESTAMP,
        "known_at": TIMESTAMP,
    }
)
_RELEASE = ("series_ticker", "release_id", "release_type", "release_group", "anchor_ts", "release_ts", "close_time")
_Row = dict[str, Any]


class InconsistentMapping(ValueError):
    """The mapping contradicts itself; the message lists how."""


def map_versions(specifications: pa.Table, registry: Registry | None = None) -> tuple[pa.Table, pa.Table]:
    """Follow the release of every event through the specifications of its markets.

    Versions are numbered over all events: the changes that became known at one instant are one version. The numbers
    follow from the archive alone, whatever order rows come in; an archive that reaches further back numbers anew.

    Args:
        specifications: ``marts.market_specifications``.
        registry: what is known about each series; the one that ships with the package when left out.

    Returns:
        The mapping (:data:`MAPPING_SCHEMA`, one row per event and version that changed it) and the register of versions
        (:data:`VERSION_SCHEMA`).

    Raises:
        ValueError: a column is missing.
    """
    require(specifications, _SPECIFICATION.names, "The market specifications")
    known = registry or Registry.load()
    listed = sorted(rows(specifications, _SPECIFICATION), key=itemgetter("event_ticker", "known_at", "ticker"))
    mapped = [
        row for _, markets in groupby(listed, key=itemgetter("event_ticker")) for row in _event_versions(markets, known)
    ]
    instants = sorted({row["known_at"] for row in mapped})
    number = {instant: n for n, instant in enumerate(instants, start=1)}
    for row in mapped:
        row["version_id"] = number[row["known_at"]]
    mapped.sort(key=itemgetter("version_id", "event_ticker"))
    changed = Counter(row["known_at"] for row in mapped)
    versions = [
        {"version_id": number[instant], "created_at": instant, "event_count": changed[instant]} for instant in instants
    ]
    return pa.Table.from_pylist(mapped, schema=MAPPING_SCHEMA), pa.Table.from_pylist(versions, schema=VERSION_SCHEMA)


def current_version(versions: pa.Table, asof: datetime) -> int | None:
    """The version of the mapping that counts at an instant: the highest of those known by then, over all events.

    Args:
        versions: the register of versions, in any order.
        asof: the instant, aware.

    Returns:
        Its number; ``None`` where no version was known yet.
    """
    known = [row["version_id"] for row in rows(versions, VERSION_SCHEMA) if row["created_at"] <= asof]
    return max(known, default=None)


def mapping_asof(mappings: pa.Table, asof: datetime) -> pa.Table:
    """The mapping as it was known at an instant: at most one row per event, valid and known then."""
    return pa.Table.from_pylist(
        [
            row
            for row in rows(mappings, MAPPING_SCHEMA)
            if row["known_at"] <= asof
            and row["valid_from"] <= asof
            and (row["valid_to"] is None or asof < row["valid_to"])
        ],
        schema=MAPPING_SCHEMA,
    )


def assert_consistent_mapping(mappings: pa.Table, versions: pa.Table) -> None:
    """Check that mapping and register agree and that an event has one release at every instant.

    Raises:
        InconsistentMapping: intervals of an event overlap or leave a gap, one is empty, a version is used before it was
            known, is not in the register, or numbers do not follow time.
    """
    faults = list(_faults(rows(mappings, MAPPING_SCHEMA), rows(versions, VERSION_SCHEMA)))
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        said = "; ".join(faults[:5])
        raise InconsistentMapping(f"The mapping of events to releases contradicts itself: {said}{more}.")


def _event_versions(markets: Iterable[_Row], registry: Registry) -> Iterator[_Row]:
    """The versions of one event, from the specifications of its markets in the order they became known."""
    windows: dict[str, tuple[datetime, datetime]] = {}
    current: _Row | None = None
    for known_at, changed in groupby(markets, key=itemgetter("known_at")):
        for market in changed:
            windows[market["ticker"]] = (market["open_time"], market["close_time"])
        mapped = _mapped(market, windows.values(), registry)
        if current and all(current[name] == mapped[name] for name in _RELEASE):
            continue
        if current:
            yield {**current, "valid_to": known_at}
        current = {**mapped, "valid_from": known_at, "valid_to": None, "known_at": known_at}
    if current:
        yield current


def _mapped(market: _Row, windows: Iterable[tuple[datetime, datetime]], registry: Registry) -> _Row:
    opens, closes = zip(*windows, strict=True)
    close_time = max(closes)
    rule = registry.rule(market["series_ticker"], market["event_ticker"])
    release_ts = rule.release_ts(close_time)
    event = {
        "event_ticker": market["event_ticker"],
        "series_ticker": rule.series_ticker,
        "release_type": rule.release_type,
        "open_time": min(opens),
        "close_time": close_time,
        "release_ts": release_ts,
        "anchor_ts": release_ts or close_time,
    }
    return {**event, **name_release(event, registry)}


def _faults(mappings: list[_Row], versions: list[_Row]) -> Iterator[str]:
    created = {row["version_id"]: row["created_at"] for row in versions}
    if len(created) < len(versions):
        yield "a version is registered twice"
    ordered = [created[number] for number in sorted(created)]
    if ordered != sorted(ordered):
        yield "a later version was created before an earlier one"
    mappings.sort(key=lambda row: (row["event_ticker"], row["valid_from"], row["version_id"]))
    for event, its in groupby(mappings, key=itemgetter("event_ticker")):
        before: _Row | None = None
        for row in its:
            if row["version_id"] not in created:
                yield f"{event} has version {row['version_id']}, which is not registered"
            elif row["known_at"] < created[row["version_id"]]:
                yield f"{event} has version {row['version_id']} before it was created"
            if row["valid_to"] is not None and row["valid_to"] <= row["valid_from"]:
                yield f"version {row['version_id']} of {event} ends before it begins"
            if before and before["valid_to"] != row["valid_from"]:
                yield f"version {before['version_id']} of {event} is not closed by version {row['version_id']}"
            if before and before["version_id"] >= row["version_id"]:
                yield f"version {row['version_id']} of {event} follows version {before['version_id']}"
            before = row
        if before and before["valid_to"] is not None:
            yield f"{event} has no open version"
