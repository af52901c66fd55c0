"""Makes the HTML report of a warehouse: reads the tables it needs and hands them to ``report.page``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from kalshi_pipeline.account import take_account
from kalshi_pipeline.proving import last_record
from kalshi_pipeline.report.page.contents import make_page
from kalshi_pipeline.report.page.render import render
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.freshness import freshness
from kalshi_pipeline.warehouse.report_tables import report_tables


def make_report(con: duckdb.DuckDBPyConnection, settings: Settings, made_at: datetime | None = None) -> str:
    """The report of an open warehouse as one HTML page that needs no network.

    Args:
        con: a connection to the warehouse; reading is enough.
        settings: whose source the page names.
        made_at: when the page says that it was made; now when left out.
    """
    page = make_page(
        report_tables(con),
        take_account(con, settings),
        [asdict(entry) for entry in freshness(con)],
        source=str(settings.source),
        made_at=made_at or datetime.now(UTC),
        proved=last_record(settings),
    )
    return render(page)


def report_path(settings: Settings) -> Path:
    """Where the report of a source lies."""
    return settings.source_dir / "report.html"
