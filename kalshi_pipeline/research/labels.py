"""What a ladder's release turned out to be, and when that could be known.

The first print is the label: it is what a forecast made before the release was about, and it is never overwritten by
a revision. The latest value stands beside it. How an outcome is read from text is decided upstream; a release
without a numeric outcome keeps its row and says why.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa

from kalshi_pipeline.research.columns import TIMESTAMP, require, rows
from kalshi_pipeline.research.releases import RELEASE_SCHEMA

LABEL_SCHEMA = pa.schema(
    [field for field in RELEASE_SCHEMA if field.name != "climate_day"]
    + [
        pa.field("has_label", pa.bool_()),
        pa.field("label_value", pa.float64()),
        pa.field("label_mode", pa.string()),
        pa.field("learned_at", TIMESTAMP),
        pa.field("first_print_value", pa.float64()),
        pa.field("first_print_text", pa.string()),
        pa.field("first_print_learned_at", TIMESTAMP),
        pa.field("latest_value", pa.float64()),
        pa.field("latest_text", pa.string()),
        pa.field("latest_learned_at", TIMESTAMP),
        pa.field("revision_count", pa.int32()),
        pa.field("no_label_reason", pa.string()),
        pa.field("flags", pa.list_(pa.string())),
    ]
)
_PRINT = pa.schema(
    {"event_ticker": pa.string(), "value": pa.float64(), "value_text": pa.string(), "learned_at": TIMESTAMP}
)
_OUTCOME = _PRINT.append(pa.field("revision_number", pa.int32()))
_Row = dict[str, Any]


def build_labels(
    releases: pa.Table, outcomes: pa.Table, first_prints: pa.Table, rejects: pa.Table | None = None
) -> pa.Table:
    """Join every ladder's release with its outcome.

    Args:
        releases: rows of ``research.releases``.
        outcomes: ``marts.event_outcomes``: ``event_ticker, revision_number, value, value_text, learned_at``.
        first_prints: ``marts.event_outcomes_first_print``: ``event_ticker, value, value_text, learned_at``.
        rejects: ``marts.event_outcome_rejects``, why a published value could not be read: ``event_ticker, reason``.

    Returns:
        One row per ladder, as :data:`LABEL_SCHEMA`, in the order of ``releases``. Flags: ``first_print_missing`` (the
        label is the latest value), ``several_ladders_in_event`` (the event's one outcome serves each of them),
        ``learned_before_anchor`` (the value was known before the anchor, so the anchor is not where news arrived).

    Raises:
        ValueError: a column is missing.
    """
    require(releases, RELEASE_SCHEMA.names, "The releases table")
    require(outcomes, _OUTCOME.names, "The outcomes table")
    require(first_prints, _PRINT.names, "The first prints table")
    first = {row["event_ticker"]: row for row in rows(first_prints, _PRINT)}
    latest: dict[str, _Row] = {}
    for row in rows(outcomes, _OUTCOME):
        known = latest.get(row["event_ticker"])
        if known is None or row["revision_number"] > known["revision_number"]:
            latest[row["event_ticker"]] = row
    rejected = _reasons(rejects)
    ladders_of = Counter(releases["event_ticker"].to_pylist())
    labels = []
    for release in rows(releases, RELEASE_SCHEMA):
        event = release["event_ticker"]
        label = _label(first.get(event), latest.get(event), rejected.get(event))
        flags = []
        if label["label_mode"] == "latest":
            flags.append("first_print_missing")
        if ladders_of[event] > 1:
            flags.append("several_ladders_in_event")
        if label["has_label"] and label["learned_at"] < release["anchor_ts"]:
            flags.append("learned_before_anchor")
        labels.append({**release, **label, "flags": flags})
    return pa.Table.from_pylist(labels, schema=LABEL_SCHEMA)


def _label(first: _Row | None, latest: _Row | None, rejected: str | None) -> _Row:
    """The label columns of one event."""
    mode, source = next(
        ((mode, row) for mode, row in (("first_print", first), ("latest", latest)) if row and not _fault(row)),
        (None, None),
    )
    return {
        "has_label": source is not None,
        "label_value": source and source["value"],
        "label_mode": mode,
        "learned_at": source and source["learned_at"],
        **_print("first_print", first),
        **_print("latest", latest),
        "revision_count": latest and latest["revision_number"],
        "no_label_reason": None if source else rejected or _fault(first or latest),
    }


def _reasons(rejects: pa.Table | None) -> dict[str, str]:
    """Why the published values of an event were rejected."""
    if rejects is None:
        return {}
    require(rejects, ("event_ticker", "reason"), "The outcome rejects table")
    found: defaultdict[str, set[str]] = defaultdict(set)
    for event, reason in zip(rejects["event_ticker"].to_pylist(), rejects["reason"].to_pylist(), strict=True):
        found[event].add(reason)
    return {event: "; ".join(sorted(reasons)) for event, reasons in found.items()}


def _print(prefix: str, row: _Row | None) -> _Row:
    value = row["value"] if row else None
    return {
        f"{prefix}_value": value if value is not None and math.isfinite(value) else None,
        f"{prefix}_text": row["value_text"] if row else None,
        f"{prefix}_learned_at": row["learned_at"] if row else None,
    }


def _fault(row: _Row | None) -> str | None:
    """Why an outcome cannot be a label."""
    if row is None:
        return "no outcome on record"
    if row["value"] is None or not math.isfinite(row["value"]):
        return "the outcome is not a number"
    if row["learned_at"] is None:
        return "it is not known when the outcome was learned"
    return None
