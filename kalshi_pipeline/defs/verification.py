"""The verification as an asset: it reads the warehouse, writes one page beside the data, and repairs nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.verification.page import page, sentence
from kalshi_pipeline.verification.verify import Verification, Window
from kalshi_pipeline.verifying import page_path, verify_warehouse
from kalshi_pipeline.warehouse.resource import Warehouse

KEY = dg.AssetKey(["report", "verification"])
SIGNED_OFF = dg.AssetCheckSpec(
    name="signed_off",
    asset=KEY,
    description="No measure of any window is over its limit. A window with nothing to check is named, not passed.",
)
_INPUTS = (
    "marts/candles",
    "marts/markets",
    "marts/market_settlements",
    "health/decision_time_coverage",
    "research/hybrid_backtest",
)


class VerificationConfig(dg.Config):
    """Which days are verified.

    Attributes:
        windows: first and last day of each window, like ``2025-09-29/2025-11-27``; empty takes that one and the last
            60 days of what was observed.
    """

    windows: list[str] = Field(default_factory=list)

    def read(self) -> list[Window]:
        """The windows.

        Raises:
            WindowError: one is not two days with a slash between, the first not after the last.
        """
        return [Window.parse(text) for text in self.windows]


@dg.multi_asset(
    name="verification",
    specs=[
        dg.AssetSpec(
            KEY,
            deps=[key.split("/") for key in _INPUTS],
            group_name="report",
            kinds={"markdown"},
            owners=["team:research"],
            tags={"layer": "report"},
            description="What the warehouse holds against what it should: coverage since 2023, bars at both decision "
            "times, crossed quotes, opens, continuity, parity, outcomes; each with its query, its limit and a dated "
            "sign-off. Reads only.",
        )
    ],
    check_specs=[SIGNED_OFF],
    backfill_policy=ONE_RUN,
)
def verification(
    config: VerificationConfig, settings: dg.ResourceParam[Settings], warehouse: Warehouse
) -> Iterator[Any]:
    """Measure the windows and write the page."""
    with warehouse.read() as con:
        found = verify_warehouse(con, config.read())
    written = page(found, datetime.now(UTC))
    path = page_path(settings).absolute()
    path.write_text(written, encoding="utf-8")
    yield signed_off(found)
    yield dg.MaterializeResult(
        asset_key=KEY,
        metadata={
            "page": dg.MetadataValue.path(str(path)),
            "in a sentence": sentence(found),
            "sign-off": dg.MetadataValue.md(written.partition("## Queries")[0]),
        },
    )


def signed_off(found: Verification) -> dg.AssetCheckResult:
    """Whether nothing failed."""
    return dg.AssetCheckResult(
        check_name=SIGNED_OFF.name,
        asset_key=KEY,
        passed=not found.failed,
        severity=dg.AssetCheckSeverity.WARN,
        description=sentence(found),
        metadata={
            f"{finding.window.name}: {finding.measure.name}": f"{finding.faulty} of {finding.checked}"
            for finding in found.failed
        },
    )
