"""``backup``, ``restore``, ``checkpoint``, ``export``, ``publish``: the warehouse as a file, and files made of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

commands = typer.Typer()


@commands.command()
def backup(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Copy the warehouse into the folder backups beside it."""
    from kalshi_pipeline.warehouse.backups import backup as back_up

    settings = settings_for(source)
    copy = back_up(settings.database, timeout=settings.lock_timeout)
    tell({"backup": copy}, f"Backed up to {copy}.", as_json=as_json)


@commands.command()
def restore(
    copy: Annotated[Path, typer.Argument(help="The backup to put in the warehouse's place.")],
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the warehouse's place; the file that was there is itself kept as a backup."""
    from kalshi_pipeline.warehouse.backups import restore as put_back

    settings = settings_for(source)
    done = put_back(settings.database, copy, timeout=settings.lock_timeout)
    kept = f"; the file that was there: {done.replaced}" if done.replaced else ""
    text = f"Restored {settings.database}, schema version {done.version}{kept}."
    tell({"warehouse": settings.database, **asdict(done)}, text, as_json=as_json)


@commands.command()
def checkpoint(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Write the warehouse's log into its file and free the space of deleted rows."""
    from kalshi_pipeline.warehouse.maintenance import checkpoint as write_log

    settings = settings_for(source)
    done = write_log(settings.database, timeout=settings.lock_timeout)
    text = (
        f"file {done.file_before:,} -> {done.file_after:,} bytes, log {done.log_before:,} -> {done.log_after:,} bytes"
    )
    tell(asdict(done), text, as_json=as_json)


@commands.command()
def export(
    tables: Annotated[list[str], typer.Argument(help="Marts or research tables, like marts.quotes.")],
    output: Annotated[Path | None, typer.Option(help="Folder; exports beside the warehouse when left out.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Parquet.")] = False,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write tables as Parquet (or CSV), one file a month, each replaced as a whole."""
    from kalshi_pipeline.warehouse.exporting import Form, export_table
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    folder = (output or settings.source_dir / "exports").expanduser()
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        done = [export_table(con, name, folder, form=Form.CSV if csv else Form.PARQUET) for name in tables]
    values = {
        "folder": folder,
        "tables": [{"table": table.table, "rows": table.rows, "files": table.written} for table in done],
    }
    lines = [f"{table.table}: {table.rows:,} rows in {len(table.written)} file(s)" for table in done]
    tell(values, "\n".join([*lines, f"under {folder}"]), as_json=as_json)


@commands.command()
def publish(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Publish every mart and research table as Parquet beside the warehouse; only what has changed is written."""
    from kalshi_pipeline.warehouse.publishing import publish as publish_tables
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        done = publish_tables(con, settings.database)
    values = {"folder": done.folder, "tables": len(done.tables), "rows": done.rows, "files_written": done.written}
    text = f"{len(done.tables)} tables, {done.rows:,} rows, {done.written} file(s) changed, under {done.folder}"
    tell(values, text, as_json=as_json)
