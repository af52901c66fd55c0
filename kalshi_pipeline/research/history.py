"""Outcomes of earlier releases of a series, as they were known at an instant: what memory-based forecasts may use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import instants, require

_Ints = npt.NDArray[np.int64]

#: Pairs of query and label looked at together; bounds the memory.
_BLOCK = 4_000_000


class History(NamedTuple):
    """Earlier labels by query: ``row[pointer[q]:pointer[q + 1]]`` are rows of the labels table, oldest first."""

    pointer: _Ints
    row: _Ints


def known_labels(labels: pa.Table, queries: pa.Table, window: int) -> History:
    """The last labels of the same series that were known at an instant.

    A label counts if it had been learned by the query's instant and its release comes before the query's own; a release
    never sees itself, even where its value was known before its anchor.

    Args:
        labels: rows of ``research.event_labels``.
        queries: ``series_ticker, asof, anchor_ts`` of each question.
        window: most labels per query, the latest by anchor.

    Raises:
        ValueError: a column is missing.
    """
    require(labels, ("series_ticker", "anchor_ts", "has_label", "learned_at", "ladder_id"), "The labels table")
    require(queries, ("series_ticker", "asof", "anchor_ts"), "The queries table")
    order = pc.sort_indices(labels, [("anchor_ts", "ascending"), ("ladder_id", "ascending")]).to_numpy()
    usable = np.asarray(labels["has_label"].to_numpy(), dtype=np.bool_)[order]
    order = order[usable]
    learned, anchor = instants(labels, "learned_at")[order], instants(labels, "anchor_ts")[order]
    series_of_label = labels["series_ticker"].take(pa.array(order))
    names = pc.unique(queries["series_ticker"])
    label_code = _codes(series_of_label, names)
    query_code = _codes(queries["series_ticker"], names)
    asof, own = instants(queries, "asof"), instants(queries, "anchor_ts")
    rows, owners = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for code in range(len(names)):
        candidates, asked = np.flatnonzero(label_code == code), np.flatnonzero(query_code == code)
        size = max(_BLOCK // max(candidates.size, 1), 1)
        for begin in range(0, asked.size if candidates.size else 0, size):
            block = asked[begin : begin + size]
            known = learned[candidates][None, :] <= asof[block][:, None]
            known &= anchor[candidates][None, :] < own[block][:, None]
            # Counted from the right, the first ``window`` are the latest.
            nth = known[:, ::-1].cumsum(axis=1, dtype=np.int32)[:, ::-1]
            query, label = np.nonzero(known & (nth <= window))
            rows.append(order[candidates[label]])
            owners.append(block[query])
    owner, row = np.concatenate(owners), np.concatenate(rows)
    by_query = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(queries))
    return History(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), row[by_query].astype(np.int64))


def _codes(values: pa.ChunkedArray, names: pa.Array) -> _Ints:
    return np.asarray(pc.fill_null(pc.index_in(values, value_set=names), -1).to_numpy(), dtype=np.int64)
