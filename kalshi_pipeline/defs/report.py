"""The report asset: everything the warehouse can say about itself, as one HTML file beside the data."""

import dagster as dg

from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.reporting import make_report, report_path
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse

_INPUTS = (
    "raw/candles",
    "raw/quotes",
    "research/ladder_legs",
    "research/implied_distributions",
    "research/implied_cells",
    "research/event_labels",
    "research/walkforward_folds",
)


@dg.asset(
    deps=[key.split("/") for key in _INPUTS],
    group_name="report",
    kinds={"html"},
    owners=["team:research"],
    tags={"layer": "report"},
    description=(
        "One HTML page that opens without a network: releases to come and latest outcomes with their bands, coverage, "
        "gates over time, freshness, runs, folds and faulty rows. Its materialisation names the file."
    ),
    backfill_policy=ONE_RUN,
)
def report(settings: dg.ResourceParam[Settings], warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Write the page beside the data."""
    with warehouse.read() as con:
        html = make_report(con, settings)
    path = report_path(settings).absolute()
    path.write_text(html, encoding="utf-8")
    return dg.MaterializeResult(
        metadata={"page": dg.MetadataValue.path(str(path)), "bytes": path.stat().st_size, "open": path.as_uri()}
    )
