"""``report``: the warehouse as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

commands = typer.Typer()


@commands.command()
def report(
    output: Annotated[Path | None, typer.Option(help="File to write; data/<source>/report.html when left out.")] = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of the warehouse: one HTML file that opens without a network."""
    from kalshi_pipeline.reporting import make_report, report_path
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    path = output or report_path(settings)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        html = make_report(con, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
    values = {"report": path, "bytes": path.stat().st_size}
    tell(values, f"The report: {path} ({path.stat().st_size / 1000:,.0f} kB); open it in a browser.", as_json=as_json)
