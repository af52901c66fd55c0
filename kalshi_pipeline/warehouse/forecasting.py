"""Reads of the evaluation: cells and quotes of the snapshots that the event panel passed on."""

from __future__ import annotations

import duckdb
import pyarrow as pa

_PASSED = """
    select ladder_id, "asof" from research.event_feature_panel where missing_reason is null
"""


def passed_cells(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Rows of ``research.implied_cells`` at the instants of the panel that have features."""
    return con.execute(
        f'from research.implied_cells semi join ({_PASSED}) as passed using (ladder_id, "asof")'
    ).to_arrow_table()


def passed_quotes(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Rows of ``research.ladder_quotes`` at these instants, with the payoff intervals of their markets."""
    return con.execute(
        f"""
        select q.*, l.low_cut, l.high_cut
        from research.ladder_quotes as q
        inner join research.ladder_legs as l on q.ladder_id = l.ladder_id and q.ticker = l.ticker
        semi join ({_PASSED}) as passed on q.ladder_id = passed.ladder_id and q."asof" = passed."asof"
        """
    ).to_arrow_table()
