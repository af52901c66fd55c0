"""Cards of distributions: one snapshot as a table of cells with its probability, its band and what came true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.curves import distribution_fan
from kalshi_pipeline.report.snapshots import FAN

#: Cells below this probability are counted and left out, except at the outcome.
_LEAST = 0.005
#: Most pictures of a belief over time, so that the page stays small.
_PICTURES = 6


@dataclass(frozen=True)
class Bar:
    """One cell of a ladder.

    Attributes:
        label: the values it holds.
        probability, low, high: its probability and band, between 0 and 1.
        settled: whether the outcome lies in it.
    """

    label: str
    probability: float
    low: float
    high: float
    settled: bool


@dataclass(frozen=True)
class Card:
    """One snapshot of one ladder.

    Attributes:
        series, event: tickers.
        role: ``next`` or ``latest``.
        when: instants in words.
        says: median, interval and mean in words.
        outcome: what came true, in words; empty where it is not known.
        bars: its cells, in order.
        left_out: cells that are not shown because they hold next to nothing.
        picture: belief over time as a data URI, or empty.
    """

    series: str
    event: str
    role: str
    when: str
    says: str
    outcome: str
    bars: Sequence[Bar]
    left_out: int
    picture: str

    @property
    def top(self) -> float:
        """Probability at the end of a bar's track: the largest that a bar or a band reaches."""
        return max((max(bar.probability, bar.high) for bar in self.bars), default=1.0) or 1.0


def make_cards(snapshots: pa.Table, cells: pa.Table, paths: pa.Table) -> list[Card]:
    """A card for every chosen snapshot.

    Args:
        snapshots: one row a snapshot, as ``warehouse.report_tables`` chooses them.
        cells: their cells.
        paths: quantiles of the next releases over time.
    """
    pictured = [row["ladder_id"] for row in snapshots.to_pylist() if row["role"] == "next"][:_PICTURES]
    return [
        _card(row, _of(cells, row["ladder_id"]), _fan(row, _of(paths, row["ladder_id"])) if _is(row, pictured) else "")
        for row in snapshots.to_pylist()
    ]


def _is(row: dict[str, Any], pictured: Sequence[str]) -> bool:
    return row["role"] == "next" and row["ladder_id"] in pictured


def _of(table: pa.Table, ladder: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["ladder_id"], ladder)).to_pylist()
    return rows


def _card(row: dict[str, Any], cells: list[dict[str, Any]], picture: str) -> Card:
    unit, step, outcome = row["unit"] or "", row["grid_step"], row["outcome"]
    bars = [
        Bar(
            label=cell_label(cell["low_cut"], cell["high_cut"], step, unit),
            probability=cell["probability"],
            low=cell["probability_low"],
            high=cell["probability_high"],
            settled=_holds(cell, outcome),
        )
        for cell in cells
    ]
    shown = [bar for bar in bars if bar.settled or bar.probability >= _LEAST]
    return Card(
        series=row["series_ticker"],
        event=row["event_ticker"],
        role=row["role"],
        when=f"as known on {moment(row['asof'])}; release {moment(row['anchor_ts'])}",
        says=_says(row, unit),
        outcome="" if outcome is None else f"settled at {canvas.with_unit(outcome, unit)}",
        bars=shown,
        left_out=len(bars) - len(shown),
        picture=picture,
    )


def _says(row: dict[str, Any], unit: str) -> str:
    words = []
    if row["median"] is not None:
        words.append(f"median {canvas.with_unit(row['median'], unit)}")
    if row["q05"] is not None and row["q95"] is not None:
        words.append(f"90 % between {canvas.with_unit(row['q05'], unit)} and {canvas.with_unit(row['q95'], unit)}")
    if row["mean"] is not None:
        words.append(f"mean {canvas.with_unit(row['mean'], unit)}")
    if row["mean_low"] is not None and row["mean_high"] is not None:
        bounds = f"{canvas.with_unit(row['mean_low'], unit)} and {canvas.with_unit(row['mean_high'], unit)}"
        words.append(f"quotes allow a mean between {bounds}")
    return "; ".join(words)


def cell_label(low: float | None, high: float | None, step: float | None, unit: str) -> str:
    """The values between two cuts, in words: the published ones where the grid is known, else the cuts.

    Args:
        low: lower cut; ``None`` where the cell is open below.
        high: upper cut; ``None`` where it is open above.
        step: distance of the values that can be published, which lie on its multiples.
        unit: unit of the values.
    """
    if step:
        first = None if low is None else math.ceil(low / step - 1e-9) * step
        last = None if high is None else math.floor(high / step + 1e-9) * step
    else:
        first, last = low, high
    if first is None and last is None:
        return "any value"
    if first is None:
        return f"{canvas.with_unit(last or 0.0, unit, 6)} or less"
    if last is None:
        return f"{canvas.with_unit(first, unit, 6)} or more"
    if step and last - first < step / 2:
        return canvas.with_unit(first, unit, 6)
    return f"{canvas.number(float(f'{first:.6g}'))} to {canvas.with_unit(last, unit, 6)}"


def _holds(cell: dict[str, Any], outcome: float | None) -> bool:
    if outcome is None:
        return False
    above = cell["low_cut"] is None or outcome > cell["low_cut"]
    return above and (cell["high_cut"] is None or outcome <= cell["high_cut"])


def _fan(row: dict[str, Any], path: list[dict[str, Any]]) -> str:
    """The belief over time as a picture, where there are two snapshots of it to join."""
    if sum(point["median"] is not None for point in path) < 2:
        return ""
    png = distribution_fan(
        [point["asof"] for point in path],
        {level: [point[name] for point in path] for level, name in FAN.items()},
        title=row["event_ticker"],
        unit=row["unit"] or "",
        size=(5.2, 2.8),
    )
    return canvas.data_uri(png)


def moment(instant: datetime | None) -> str:
    """An instant in words, to the minute, in UTC."""
    if instant is None:
        return "never"
    utc = instant.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y %H:%M} UTC"
