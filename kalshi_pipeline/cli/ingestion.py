"""``sync``, ``collect`` and ``backfill``: from the exchange into the warehouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import note, tell
from kalshi_pipeline.cli.ticks import Ticked, read_interval, tick
from kalshi_pipeline.settings import Settings, SourceKind

if TYPE_CHECKING:
    from kalshi_pipeline.cli.running import RunAccount

commands = typer.Typer()


@commands.command()
def sync(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Take in the series, events, markets and settlements that the exchange lists now."""
    _say(_run(settings_for(source), "reference", "Reference data"), as_json)


@commands.command()
def collect(
    interval: Annotated[str, typer.Option(help="Between snapshots: 5m, 15m, 1h; on the clock, in UTC.")] = "15m",
    once: Annotated[bool, typer.Option("--once", help="Take one snapshot and stop.")] = False,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take snapshots of the quotes of every open market, now and on every tick, until interrupted."""
    settings = settings_for(source)
    try:
        every = read_interval(interval)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--interval") from None
    if settings.source.kind is SourceKind.RECORDED:
        raise typer.BadParameter(
            "a recorded world has no present to take snapshots of; use `backfill`.", param_hint="--source"
        )
    if not _has_markets(settings):
        _run(settings, "reference", "Reference data")
    if once:
        _say(_run(settings, "quote_snapshot", "Quotes", (settings.today, settings.today)), as_json)
        return
    account = Ticked()
    try:
        tick(_snapshot(settings), every, clock=_now, sleep=time.sleep, account=account)
    except KeyboardInterrupt:
        text = f"{account.taken} snapshots taken, {account.failed} failed, {account.skipped} ticks skipped."
        tell(asdict(account), text, as_json=as_json)


@commands.command()
def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First UTC day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last UTC day, taken in.")],
    source: SourceOption = None,
    period_minutes: Annotated[int, typer.Option(help="Length of the bars: 1, 60 or 1440; 0 takes the setting.")] = 0,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch complete days again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fill a range of days from the exchange to folds, in one run of one process; safe to repeat and to interrupt."""
    from kalshi_pipeline.defs.partitions import FIRST_DAY

    settings = settings_for(source)
    days = first.date(), last.date()
    if days[0] > days[1]:
        raise typer.BadParameter(f"{days[0]} comes after {days[1]}.", param_hint="--from")
    if days[0] < FIRST_DAY or days[1] > settings.today:
        raise typer.BadParameter(f"days go from {FIRST_DAY} to today, {settings.today}.", param_hint="--from, --to")
    if period_minutes not in (0, 1, 60, 1440):
        raise typer.BadParameter(
            f"bars have 1, 60 or 1440 minutes, not {period_minutes}.", param_hint="--period-minutes"
        )
    config: dict[str, dict[str, object]] = {
        "landing__candles": {"period_minutes": period_minutes, "refresh": refresh},
        "landing__trades": {"refresh": refresh},
    }
    _say(_run(settings, "everything", f"{days[0]} to {days[1]}", days, config), as_json)


def _run(
    settings: Settings,
    job: str,
    title: str,
    days: tuple[date, date] | None = None,
    config: Mapping[str, Mapping[str, object]] | None = None,
) -> RunAccount:
    # Dagster and dbt are imported where a command needs them: `--help` and completion answer at once.
    from kalshi_pipeline.cli.running import run_job

    return run_job(settings, job, title=title, days=days, config=config)


def _say(account: RunAccount, as_json: bool) -> None:
    tell(asdict(account), account.text(), as_json=as_json)


def _snapshot(settings: Settings) -> Callable[[], bool]:
    """Takes a snapshot and says what came of it; a failed one is told and survived."""
    from kalshi_pipeline.runs import RunFailed

    def take() -> bool:
        try:
            account = _run(settings, "quote_snapshot", "Quotes", (settings.today, settings.today))
        except RunFailed as failure:
            note(f"kalshi-pipeline: {failure}")
            return False
        note(f"{_now():%Y-%m-%d %H:%M:%S} {account.rows.get('raw/quotes', 0):,} quotes in today's partition")
        return True

    return take


def _has_markets(settings: Settings) -> bool:
    """Whether reference data was ever taken in: the models of quotes stand on those of markets."""
    from kalshi_pipeline.warehouse.bookkeeping import row_counts
    from kalshi_pipeline.warehouse.resource import Warehouse

    if not settings.database.exists():
        return False
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        return "marts.markets" in row_counts(con)


def _now() -> datetime:
    return datetime.now(UTC)
