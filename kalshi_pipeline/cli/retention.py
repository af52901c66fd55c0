"""``retention``: what is kept for a limited time, counted first and removed only when asked to."""

from __future__ import annotations

from typing import Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

commands = typer.Typer()


@commands.command()
def retention(
    apply: Annotated[
        bool, typer.Option("--apply", "--yes", help="Remove the rows; without it they are only counted.")
    ] = False,
    orderbook_days: Annotated[
        int, typer.Option(min=1, help="Days for which order book levels below the best are kept.")
    ] = 30,
    quote_days: Annotated[int, typer.Option(min=1, help="Days for which quote snapshots are kept.")] = 365,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which order book depth and quote snapshots are older than they are kept; with --apply, remove them."""
    from kalshi_pipeline.warehouse.resource import Warehouse
    from kalshi_pipeline.warehouse.retention import prunable, prune, rules

    settings = settings_for(source)
    kept = rules(orderbook_days, quote_days)
    warehouse = Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout)
    with warehouse.write() if apply else warehouse.read() as con:
        found = (prune if apply else prunable)(con, settings.today, kept)
    values = {
        "removed": apply,
        "tables": [
            {
                "table": one.rule.table.qualified_name,
                "keep_days": one.rule.keep_days,
                "before": one.before,
                "rows": one.rows,
                "first_day": one.first_day,
                "last_day": one.last_day,
            }
            for one in found
        ],
    }
    lines = [f"{'Removed' if apply else 'Would remove'} {one}." for one in found]
    if not apply and any(one.rows for one in found):
        lines.append("Nothing was removed; `--apply` removes them.")
    tell(values, "\n".join(lines), as_json=as_json)
