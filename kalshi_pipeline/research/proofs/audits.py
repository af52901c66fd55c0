"""Proofs by looking at stored rows: nothing in a result is newer than the result's instant.

Each audit reads the tables as they are and returns one sentence per faulty row; none of them rebuilds anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.lags import LAGS
from kalshi_pipeline.research.panel import FEATURES

Tables = Mapping[str, pa.Table]

_EXCHANGE = ZoneInfo("America/New_York")
_DAY_MINUTES = 1440


def quotes_not_before_their_source(tables: Tables) -> list[str]:
    """A quote from a bar is known at the bar's end, one from a snapshot at its response, never before."""
    told = []
    ends: dict[tuple[Any, ...], Any] = {}
    for bar in _rows(tables["candles"], "ticker", "bucket_start", "bucket_end", "period_minutes", "source"):
        ends[bar["ticker"], bar["period_minutes"], bar["source"], bar["bucket_end"]] = bar
        length = timedelta(minutes=bar["period_minutes"])
        if bar["period_minutes"] == _DAY_MINUTES:
            local = bar["bucket_end"].astimezone(_EXCHANGE)
            if (local.hour, local.minute) != (0, 0):
                told.append(
                    f"The daily bar of {bar['ticker']} ends at {bar['bucket_end']}, not at midnight in New York."
                )
        elif bar["bucket_end"] - bar["bucket_start"] != length:
            told.append(f"The bar of {bar['ticker']} from {bar['bucket_start']} does not last {length}.")
    observed = {(row["ticker"], row["observed_at"]) for row in _rows(tables["snapshots"], "ticker", "observed_at")}
    for quote in _rows(tables["quotes"], "ticker", "available_ts", "period_minutes", "source"):
        key = (quote["ticker"], quote["period_minutes"], quote["source"], quote["available_ts"])
        if quote["period_minutes"] is None:
            if (quote["ticker"], quote["available_ts"]) not in observed:
                told.append(
                    f"The quote of {quote['ticker']} at {quote['available_ts']} is of no response received then."
                )
        elif key not in ends:
            told.append(f"The quote of {quote['ticker']} at {quote['available_ts']} is known at no bar's end.")
    return told


def outcomes_not_before_they_were_learned(tables: Tables) -> list[str]:
    """The exchange's outcomes are learned when a settlement states them, and the first print is the earliest."""
    told = []
    stated: dict[str, set[Any]] = {}
    for row in _rows(tables["settlements"], "event_ticker", "learned_at"):
        stated.setdefault(row["event_ticker"], set()).add(row["learned_at"])
    earliest: dict[str, tuple[Any, Any]] = {}
    for row in _rows(tables["settled_outcomes"], "event_ticker", "learned_at", "value"):
        if row["learned_at"] not in stated.get(row["event_ticker"], ()):
            told.append(
                f"The outcome of {row['event_ticker']} is learned at {row['learned_at']}, when nothing settled."
            )
        known = earliest.get(row["event_ticker"])
        if known is None or row["learned_at"] < known[0]:
            earliest[row["event_ticker"]] = row["learned_at"], row["value"]
    for row in _rows(tables["settled_first_prints"], "event_ticker", "learned_at", "value"):
        if (row["learned_at"], row["value"]) != earliest.get(row["event_ticker"]):
            told.append(f"The first print of {row['event_ticker']} is not the first outcome that was learned.")
    return told


def labels_are_first_prints(tables: Tables) -> list[str]:
    """A label is the first value that was learned, with the moment it was learned; a fallback says that it is one."""
    first: dict[str, tuple[Any, Any]] = {}
    for row in _rows(tables["outcomes"], "event_ticker", "value", "learned_at"):
        known = first.get(row["event_ticker"])
        if known is None or row["learned_at"] < known[1]:
            first[row["event_ticker"]] = (row["value"], row["learned_at"])
    told = []
    for row in _rows(tables["labels"], "event_ticker", "has_label", "label_value", "learned_at", "label_mode", "flags"):
        if not row["has_label"]:
            continue
        if (row["label_value"], row["learned_at"]) != first.get(row["event_ticker"]):
            told.append(f"The label of {row['event_ticker']} is not its first print as it was learned.")
        if (row["label_mode"] == "latest") != ("first_print_missing" in row["flags"]):
            told.append(
                f"The label of {row['event_ticker']} is a fallback and does not say so, or the other way round."
            )
    return told


def nothing_newer_than_its_instant(tables: Tables) -> list[str]:
    """No quote, leg or previous value in a stored result became known after the result's instant."""
    told = []
    for name in ("distributions", "panel"):
        for row in _rows(tables[name], "ladder_id", "asof", "latest_available_ts"):
            if row["latest_available_ts"] is not None and row["latest_available_ts"] > row["asof"]:
                told.append(
                    f"{name}: {row['ladder_id']} at {row['asof']} holds a quote of {row['latest_available_ts']}."
                )
    known = {row["ticker"]: row["known_at"] for row in _rows(tables["legs"], "ticker", "known_at")}
    for row in _rows(tables["ladder_quotes"], "ladder_id", "ticker", "asof", "available_ts"):
        if row["available_ts"] is not None and row["available_ts"] > row["asof"]:
            told.append(f"ladder_quotes: {row['ticker']} at {row['asof']} is quoted as of {row['available_ts']}.")
        if row["ticker"] not in known or known[row["ticker"]] > row["asof"]:
            told.append(f"ladder_quotes: {row['ticker']} at {row['asof']} is on a ladder before it was known.")
    for row in _rows(tables["panel"], "ladder_id", "asof", "anchor_ts", "horizon_minutes"):
        if row["asof"] != row["anchor_ts"] - timedelta(minutes=row["horizon_minutes"]):
            told.append(f"panel: {row['ladder_id']} at {row['asof']} is not {row['horizon_minutes']} minutes early.")
    return told


def distances_look_back(tables: Tables) -> list[str]:
    """A distance is from a snapshot at least its lag older, and the panel holds it as it was measured."""
    told = []
    measured: dict[tuple[Any, ...], Any] = {}
    for row in _rows(tables["distances"], "ladder_id", "asof", "lag", "earlier_asof", "js"):
        measured[row["ladder_id"], row["asof"], row["lag"]] = row["js"]
        latest = row["asof"] - timedelta(minutes=LAGS[row["lag"]].minutes)
        if row["earlier_asof"] is not None and row["earlier_asof"] > latest:
            told.append(
                f"distances: {row['ladder_id']} at {row['asof']} is held against {row['earlier_asof']}, "
                f"which is not {row['lag']} older."
            )
    for row in _rows(tables["panel"], "ladder_id", "asof", "missing_reason", *(f"js_{lag}" for lag in LAGS)):
        for lag in LAGS:
            known = measured.get((row["ladder_id"], row["asof"], lag))
            if row["missing_reason"] is None and row[f"js_{lag}"] != known:
                told.append(
                    f"panel: {row['ladder_id']} at {row['asof']} has another distance of {lag} than was measured."
                )
    return told


def gated_rows_are_missing(tables: Tables) -> list[str]:
    """No row of the panel without a passed snapshot carries a number, and every snapshot that failed is such a row."""
    told = []
    missing = tables["panel"].filter(pc.is_valid(tables["panel"]["missing_reason"]))
    for name in FEATURES:
        held = missing.filter(pc.is_valid(missing[name]))
        told += [f"panel: {row} is missing and has a {name}." for row in held["ladder_id"].to_pylist()[:1]]
    failed = {
        (row["ladder_id"], row["asof"])
        for row in _rows(tables["distributions"], "ladder_id", "asof", "hard_gate_failed")
        if row["hard_gate_failed"]
    }
    for row in _rows(tables["panel"], "ladder_id", "asof", "missing_reason"):
        if row["missing_reason"] is None and (row["ladder_id"], row["asof"]) in failed:
            told.append(f"panel: {row['ladder_id']} at {row['asof']} failed a gate and has features.")
    return told


def folds_learn_before_they_are_tested(tables: Tables) -> list[str]:
    """In every fold training labels are known, by the planned gap, before the first test features; roles never mix."""
    told = []
    by_fold: dict[str, list[dict[str, Any]]] = {}
    names = ("fold_id", "release_id", "release_group", "role", "is_train", "first_asof", "learned_at", "t_fold")
    gaps = ("planned_gap_seconds", "inner_t_fold", "planned_gap_groups", "group_number", "inner_planned_gap_groups")
    for row in _rows(tables["folds"], *names, *gaps):
        by_fold.setdefault(row["fold_id"], []).append(row)
    for fold_id, rows in by_fold.items():
        test = [row for row in rows if row["role"] == "test"]
        train = [row for row in rows if row["is_train"]]
        if not test or not train:
            continue
        gap = timedelta(seconds=rows[0]["planned_gap_seconds"])
        begins = min(row["first_asof"] for row in test)
        if max(row["learned_at"] for row in train) + gap > begins:
            told.append(f"{fold_id} trains on labels that were not known {gap} before its first test features.")
        if max(row["group_number"] for row in train) + rows[0]["planned_gap_groups"] >= min(
            row["group_number"] for row in test
        ):
            told.append(f"{fold_id} leaves no embargo between training and test.")
        groups: dict[str, set[str]] = {}
        for row in rows:
            groups.setdefault(row["release_group"], set()).add(row["role"])
        told += [f"{fold_id} splits the group {name}." for name, roles in groups.items() if len(roles) > 1]
        inner = [row for row in train if row["role"] == "inner_train"]
        held = [row for row in train if row["role"] == "inner_val"]
        if inner and held and max(row["learned_at"] for row in inner) + gap > min(row["first_asof"] for row in held):
            told.append(f"{fold_id} tunes on labels that were not known {gap} before its validation features.")
    return told


def _rows(table: pa.Table, *names: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.select(list(names)).to_pylist()
    for row in rows:
        for name, value in row.items():
            if hasattr(value, "astimezone"):
                row[name] = value.astimezone(UTC)
    return rows


#: Audit by name.
AUDITS: Mapping[str, Callable[[Tables], list[str]]] = {
    "quotes not before their source": quotes_not_before_their_source,
    "outcomes not before they were learned": outcomes_not_before_they_were_learned,
    "labels are first prints": labels_are_first_prints,
    "nothing newer than its instant": nothing_newer_than_its_instant,
    "distances look back": distances_look_back,
    "gated rows are missing": gated_rows_are_missing,
    "folds learn before they are tested": folds_learn_before_they_are_tested,
}
