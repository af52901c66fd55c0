"""The job that removes what is kept for a limited time: it counts unless it is told to remove."""

import dagster as dg
from pydantic import Field

from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.retention import ORDERBOOK_DAYS, QUOTE_DAYS, prunable, prune, rules


class RetentionConfig(dg.Config):
    """What to remove.

    Attributes:
        remove: whether to remove anything; without it rows are only counted.
        orderbook_days: days for which order book levels below the best are kept.
        quote_days: days for which quote snapshots are kept.
    """

    remove: bool = False
    orderbook_days: int = Field(default=ORDERBOOK_DAYS, ge=1)
    quote_days: int = Field(default=QUOTE_DAYS, ge=1)


@dg.op(description="Count, or remove, order book depth and quote snapshots that are older than they are kept.")
def prune_old_rows(
    context: dg.OpExecutionContext,
    config: RetentionConfig,
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> None:
    """Report what goes; remove it where the run says so."""
    kept = rules(config.orderbook_days, config.quote_days)
    today = settings.today
    if config.remove:
        with warehouse.write() as con:
            found = prune(con, today, kept)
    else:
        with warehouse.read() as con:
            found = prunable(con, today, kept)
    for one in found:
        context.log.info(f"{'Removed' if config.remove else 'Would remove'} {one}.")
    context.add_output_metadata(
        {"removed": config.remove, **{one.rule.table.qualified_name: one.rows for one in found}}
    )


@dg.job(
    description=(
        "Order book depth older than 30 days and quote snapshots older than a year. A run counts them; with `remove` "
        "in its configuration it removes them. The best level of every order book stays."
    ),
)
def retention() -> None:
    """One step."""
    prune_old_rows()
