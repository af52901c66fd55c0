"""Pictures of one ladder's published rows: its belief over time, its survival curve, its cells over time.

Tables as the warehouse holds them go in, PNG bytes come out; notebooks, the report and the metadata of runs share
these. How each picture looks is in ``curves`` and ``heat``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.report.canvas import SIZE
from kalshi_pipeline.report.curves import distribution_fan, survival_picture
from kalshi_pipeline.report.heat import mass_heat_map

#: Quantiles that a fan shows, by level: columns of ``research.implied_distributions``.
FAN = {0.05: "q05", 0.25: "q25", 0.50: "median", 0.75: "q75", 0.95: "q95"}


def ladder_fan(
    distributions: pa.Table,
    ladder_id: str,
    *,
    anchor: datetime | None = None,
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw how a ladder's belief narrows: quantiles over time; those that lie in an open cell at the cell's edge.

    Args:
        distributions: rows of ``research.implied_distributions``.
        ladder_id: the ladder.
        anchor: the instant the snapshots lead up to.
        outcome: what came true, if it is known.
        size: width and height in inches.
    """
    rows = _of(distributions, ladder_id).sort_by("asof").to_pylist()
    quantiles = {
        level: [row[name] if row[name] is not None else row[f"{name}_edge"] for row in rows]
        for level, name in FAN.items()
    }
    asof = [row["asof"].astimezone(UTC) for row in rows]
    return distribution_fan(
        asof, quantiles, title=ladder_id, unit=_unit(rows), anchor=anchor, outcome=outcome, size=size
    )


def ladder_survival(
    cells: pa.Table,
    quotes: pa.Table,
    legs: pa.Table,
    ladder_id: str,
    asof: datetime,
    *,
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw one snapshot as a survival curve, with the quotes of the markets that are half-lines and the bands of all.

    Args:
        cells: rows of ``research.implied_cells``.
        quotes: rows of ``research.ladder_quotes``.
        legs: rows of ``research.ladder_legs``.
        ladder_id: the ladder.
        asof: the instant.
        outcome: what came true, if it is known.
        size: width and height in inches.
    """
    inner = [row for row in _at(cells, ladder_id, asof).sort_by("cell_index").to_pylist() if row["low_cut"] is not None]
    leg_of = {row["ticker"]: row for row in _of(legs, ladder_id).to_pylist()}
    sides: dict[float, tuple[float | None, float | None]] = {}
    for row in _at(quotes, ladder_id, asof).to_pylist():
        leg = leg_of[row["ticker"]]
        if leg["high_cut"] is None:
            sides[leg["low_cut"]] = row["yes_bid"], row["yes_ask"]
        elif leg["low_cut"] is None:
            sides[leg["high_cut"]] = _less(row["yes_ask"]), _less(row["yes_bid"])
    drawn = [sides.get(row["low_cut"], (None, None)) for row in inner]
    return survival_picture(
        [row["low_cut"] for row in inner],
        [bid for bid, _ in drawn],
        [ask for _, ask in drawn],
        [row["survival"] for row in inner],
        lows=[row["survival_low"] for row in inner],
        highs=[row["survival_high"] for row in inner],
        title=ladder_id,
        subtitle=f"{asof.astimezone(UTC):%-d %b %Y %H:%M} UTC",
        unit=_unit(list(leg_of.values())[:1]),
        outcome=outcome,
        size=size,
    )


def ladder_heat_map(
    distributions: pa.Table,
    cells: pa.Table,
    ladder_id: str,
    *,
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw the mass of every cell of a ladder over time; snapshots that failed a gate stay blank and are marked.

    Args:
        distributions: rows of ``research.implied_distributions``.
        cells: rows of ``research.implied_cells`` of the same snapshots.
        ladder_id: the ladder.
        outcome: what came true, if it is known.
        size: width and height in inches.
    """
    rows = _of(distributions, ladder_id).sort_by("asof").to_pylist()
    masses: dict[datetime, list[float]] = {row["asof"]: [] for row in rows}
    cuts: dict[datetime, list[float]] = {row["asof"]: [] for row in rows}
    for cell in _of(cells, ladder_id).sort_by([("asof", "ascending"), ("cell_index", "ascending")]).to_pylist():
        masses[cell["asof"]].append(cell["probability"])
        if cell["high_cut"] is not None:
            cuts[cell["asof"]].append(cell["high_cut"])
    return mass_heat_map(
        [row["asof"].astimezone(UTC) for row in rows],
        [cuts[row["asof"]] for row in rows],
        [None if row["hard_gate_failed"] else masses[row["asof"]] for row in rows],
        title=ladder_id,
        unit=_unit(rows),
        outcome=outcome,
        size=size,
    )


def _of(table: pa.Table, ladder_id: str) -> pa.Table:
    return table.filter(pc.equal(table["ladder_id"], ladder_id))


def _at(table: pa.Table, ladder_id: str, asof: datetime) -> pa.Table:
    own = _of(table, ladder_id)
    return own.filter(pc.equal(own["asof"], pa.scalar(asof, own["asof"].type)))


def _unit(rows: list[dict[str, Any]]) -> str:
    return (Registry.load().rule(rows[0]["series_ticker"]).unit or "") if rows else ""


def _less(price: float | None) -> float | None:
    return None if price is None else 1 - price
