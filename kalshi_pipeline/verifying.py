"""The verification of a warehouse of this version, and where its page lies: what the asset and the command share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.settings import Settings
from kalshi_pipeline.verification.verify import Verification, Window, verify
from kalshi_pipeline.warehouse.migrations import migrations


def verify_warehouse(con: duckdb.DuckDBPyConnection, windows: Sequence[Window] = ()) -> Verification:
    """Measure an open warehouse; reading is enough.

    Args:
        con: a connection to it.
        windows: days to verify; empty takes the fixed window and the last 60 days.

    Raises:
        NothingToVerify: no day of bars has gone through the models yet.
    """
    return verify(con, windows, target=len(migrations()))


def page_path(settings: Settings) -> Path:
    """Where the page of the last verification of a source lies."""
    return settings.source_dir / "verification.md"
