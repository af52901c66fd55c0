"""Pictures of mass by cell, as PNG bytes: one ladder, or the latest of several side by side.

A picture with nothing to show says why in words. Curves are in ``curves``, the bars themselves in ``marks``, the shared
look in ``canvas``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.canvas import SIZE
from kalshi_pipeline.report.marks import Numbers, draw_mass, floats, nothing_passed, same_length

_TITLE = "Latest implied distributions"
#: Width and height of one panel in inches.
_PANEL = (3.5, 2.2)


def mass_picture(
    lows: Numbers,
    highs: Numbers,
    mass: Numbers,
    *,
    title: str,
    subtitle: str = "",
    unit: str = "",
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw the probability of every cell of a ladder; open cells are paler and point outward.

    Args:
        lows: lower edges of the cells, ascending; ``None`` where a cell is open below.
        highs: upper edges; ``None`` where a cell is open above.
        mass: probability of each cell; ``None`` where it is not published.
        title: usually the event's ticker.
        subtitle: usually the instant and the mean.
        unit: unit of the edges.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    same_length("the mass", lows=lows, highs=highs, mass=mass)
    if not np.isfinite(floats(mass)).any():
        return canvas.empty_picture(title, nothing_passed(1), size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    draw_mass(axes, lows, highs, mass, unit=unit, outcome=outcome)
    canvas.dress(axes, title, subtitle or canvas.and_unit("probability by cell", unit))
    return canvas.png(figure)


def latest_distributions_picture(
    distributions: pa.Table,
    cells: pa.Table,
    *,
    outcomes: Mapping[str, float] | None = None,
    limit: int = 6,
) -> bytes:
    """Draw the latest snapshots that passed the quality gates, one small panel per ladder.

    Series take turns, so that one busy series does not fill the picture.

    Args:
        distributions: rows of ``research.implied_distributions``: ``ladder_id, asof, event_ticker, series_ticker, mean,
            hard_gate_failed``.
        cells: the rows of ``research.implied_cells`` that belong to them: ``ladder_id, asof, cell_index, low_cut,
            high_cut, probability``.
        outcomes: what came true, by event ticker, where it is known.
        limit: most panels.

    Raises:
        ValueError: ``limit`` is below 1, or a snapshot comes without its cells.
    """
    if limit < 1:
        raise ValueError(f"A picture of {limit} ladders cannot be drawn; take 1 or more.")
    chosen = _latest_by_series(distributions, limit)
    if not chosen:
        return canvas.empty_picture(_TITLE, nothing_passed(len(distributions)))
    columns = min(len(chosen), 2 if len(chosen) <= 4 else 3)
    rows = -(-len(chosen) // columns)
    figure = canvas.new_figure((columns * _PANEL[0], 0.4 + rows * _PANEL[1]))
    canvas.headline(figure, f"{_TITLE}: probability by cell")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    registry = Registry.load()
    for axes, snapshot in zip(panels, chosen, strict=False):
        ladder = _cells_of(cells, snapshot)
        unit = registry.rule(snapshot["series_ticker"]).unit or ""
        outcome = (outcomes or {}).get(snapshot["event_ticker"])
        draw_mass(axes, ladder["low_cut"], ladder["high_cut"], ladder["probability"], unit=unit, outcome=outcome)
        mean = f" · mean {canvas.with_unit(snapshot['mean'], unit)}" if snapshot["mean"] is not None else ""
        asof = snapshot["asof"].astimezone(UTC)
        canvas.dress(axes, snapshot["ladder_id"], f"{asof.day} {asof:%b %Y %H:%M} UTC{mean}")
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    return canvas.png(figure)


def _latest_by_series(distributions: pa.Table, limit: int) -> list[dict[str, Any]]:
    """The latest passed snapshot of some ladders: of every series the newest, then of every series the next newest."""
    names = ["ladder_id", "asof", "event_ticker", "series_ticker", "mean"]
    passed = distributions.filter(pc.invert(distributions["hard_gate_failed"])).select(names)
    last = passed.group_by("ladder_id").aggregate([("asof", "max")])
    latest = passed.join(last, ["ladder_id", "asof"], ["ladder_id", "asof_max"], join_type="left semi")
    newest_first = latest.sort_by([("asof", "descending"), ("ladder_id", "ascending")]).to_pylist()
    taken: Counter[str] = Counter()
    turns = []
    for snapshot in newest_first:
        turns.append(taken[snapshot["series_ticker"]])
        taken[snapshot["series_ticker"]] += 1
    chosen = sorted(range(len(turns)), key=turns.__getitem__)[:limit]
    return sorted(
        (newest_first[position] for position in chosen), key=lambda row: (row["series_ticker"], row["ladder_id"])
    )


def _cells_of(cells: pa.Table, snapshot: dict[str, Any]) -> dict[str, list[float | None]]:
    asof = pa.scalar(snapshot["asof"], cells["asof"].type)
    own = cells.filter(pc.and_(pc.equal(cells["ladder_id"], snapshot["ladder_id"]), pc.equal(cells["asof"], asof)))
    if not len(own):
        raise ValueError(f"The snapshot of {snapshot['ladder_id']} at {snapshot['asof']} comes without its cells.")
    own = own.sort_by("cell_index")
    return {name: own[name].to_pylist() for name in ("low_cut", "high_cut", "probability")}
