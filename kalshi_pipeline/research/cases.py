"""What is scored: every snapshot at a horizon that passed the gates and whose release has an outcome.

A case brings the market's cells, its legs with their quotes, and the outcome. How forecasts are made from them is in
``baselines`` and ``models``; how they are scored is in ``scoring``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.distributions.layout import KINDS
from kalshi_pipeline.research.columns import require
from kalshi_pipeline.research.scoring.forecasts import Cells

_PANEL = ("ladder_id", "horizon_minutes", "asof", "anchor_ts", "missing_reason")
_LABEL = ("ladder_id", "event_ticker", "series_ticker", "release_id", "release_type", "release_group", "unit")
_OUTCOME = ("has_label", "label_value", "learned_at")
_LADDER = ("ladder_id", "kind", "grid_step", "tail_ratio", "support_low", "support_high")
_CELL = ("ladder_id", "asof", "cell_index", "low_cut", "high_cut", "probability")
_QUOTE = ("ladder_id", "asof", "leg_index", "low_cut", "high_cut", "yes_bid", "yes_ask", "repaired")

#: Columns of a case.
CASE_COLUMNS = (*_LABEL, "horizon_minutes", "asof", "anchor_ts", "learned_at", "label_value")


@dataclass(frozen=True)
class Legs:
    """Markets of the cases, flat by ``pointer``: payoff interval (infinite where open), prices, repaired value."""

    pointer: Ints
    low: Floats
    high: Floats
    bid: Floats
    ask: Floats
    repaired: Floats


@dataclass(frozen=True)
class Cases:
    """Cases in order of ladder and horizon.

    Attributes:
        table: one row per case, with :data:`CASE_COLUMNS`.
        outcome: what came true, in the ladder's unit.
        kind: code of the ladder's kind in ``layout.KINDS``.
        cells: the market's masses.
        legs: the markets behind them.
    """

    table: pa.Table
    outcome: Floats
    kind: Ints
    cells: Cells
    legs: Legs

    def __len__(self) -> int:
        return self.outcome.size


def build_cases(panel: pa.Table, labels: pa.Table, ladders: pa.Table, cells: pa.Table, quotes: pa.Table) -> Cases:
    """Gather what is scored.

    Args:
        panel: rows of ``research.event_feature_panel``.
        labels: rows of ``research.event_labels``.
        ladders: rows of ``research.ladders``.
        cells: rows of ``research.implied_cells`` at the panel's instants; others are not used.
        quotes: rows of ``research.ladder_quotes`` at these instants, with the legs' ``low_cut`` and ``high_cut``.

    Raises:
        ValueError: a column is missing, or a passed snapshot comes without its cells.
    """
    for table, names, what in (
        (panel, _PANEL, "The panel"),
        (labels, (*_LABEL, *_OUTCOME), "The labels table"),
        (ladders, _LADDER, "The ladders table"),
        (cells, _CELL, "The cells table"),
        (quotes, _QUOTE, "The quotes table"),
    ):
        require(table, names, what)
    passed = panel.filter(pc.is_null(panel["missing_reason"])).select([*_PANEL[:-1]])
    labelled = labels.filter(labels["has_label"]).select([*_LABEL, *_OUTCOME[1:]])
    table = passed.join(labelled, "ladder_id", join_type="inner")
    table = table.sort_by([("ladder_id", "ascending"), ("horizon_minutes", "ascending")]).select(list(CASE_COLUMNS))
    table = table.combine_chunks()
    described = ladders.select(list(_LADDER)).take(
        pc.index_in(table["ladder_id"], ladders["ladder_id"].combine_chunks())
    )
    keys = table.select(["ladder_id", "asof"]).append_column("case", pa.array(np.arange(len(table))))
    own = _of_cases(cells, _CELL, keys, "cell_index")
    pointer = _pointer(own, len(table))
    if (np.diff(pointer) == 0).any():
        row = table.slice(int(np.argmin(np.diff(pointer))), 1).to_pylist()[0]
        raise ValueError(f"The snapshot of {row['ladder_id']} at {row['asof']} comes without its cells.")
    legs = _of_cases(quotes, _QUOTE, keys, "leg_index")
    return Cases(
        table=table,
        outcome=_floats(table, "label_value"),
        kind=np.array([KINDS.index(kind) for kind in described["kind"].to_pylist()], dtype=np.int64),
        cells=Cells(
            pointer=pointer,
            low=_floats(own, "low_cut", -np.inf),
            high=_floats(own, "high_cut", np.inf),
            mass=_floats(own, "probability"),
            step=_floats(described, "grid_step"),
            tail_ratio=_floats(described, "tail_ratio"),
            support_low=_floats(described, "support_low"),
            support_high=_floats(described, "support_high"),
        ),
        legs=Legs(
            pointer=_pointer(legs, len(table)),
            low=_floats(legs, "low_cut", -np.inf),
            high=_floats(legs, "high_cut", np.inf),
            bid=_floats(legs, "yes_bid"),
            ask=_floats(legs, "yes_ask"),
            repaired=_floats(legs, "repaired"),
        ),
    )


def leg_outcomes(cases: Cases) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The case of every market, and whether it paid by the case's outcome."""
    owner = np.repeat(np.arange(len(cases)), np.diff(cases.legs.pointer))
    outcome = cases.outcome[owner]
    return owner, (cases.legs.low <= outcome) & (outcome < cases.legs.high)


def _of_cases(table: pa.Table, names: tuple[str, ...], keys: pa.Table, position: str) -> pa.Table:
    """The rows of a table that belong to a case, in order of case and position."""
    own = table.select(list(names)).join(keys, ["ladder_id", "asof"], join_type="inner")
    return own.sort_by([("case", "ascending"), (position, "ascending")]).combine_chunks()


def _pointer(own: pa.Table, cases: int) -> Ints:
    return np.searchsorted(own["case"].to_numpy(), np.arange(cases + 1)).astype(np.int64)


def _floats(table: pa.Table, name: str, missing: float = np.nan) -> Floats:
    return np.asarray(pc.fill_null(table[name].cast(pa.float64()), missing).to_numpy(), dtype=np.float64)
