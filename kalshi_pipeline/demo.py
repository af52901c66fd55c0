"""The first run of a newcomer: every asset through Dagster over a window worth looking at, offline.

On the simulated exchange it takes in years of monthly macro ladders from hourly bars, and two weeks of daily-high
ladders from one-minute bars; on a recorded world, all that was recorded. What was run, and what came out, is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from kalshi_pipeline.account import take_account
from kalshi_pipeline.build import build_defs
from kalshi_pipeline.defs.resources import open_exchange
from kalshi_pipeline.report.figures import latest_distributions_picture
from kalshi_pipeline.reporting import report_path
from kalshi_pipeline.research.summary import Summary
from kalshi_pipeline.runs import open_instance, run_assets, steps_of
from kalshi_pipeline.settings import DEFAULT_UNIVERSE, Settings, SettingsError, SourceKind
from kalshi_pipeline.warehouse.resource import Warehouse

#: Where the simulated exchange's clock stands, so that the demo's numbers are the same on every day it is run.
SANDBOX_NOW = datetime(2026, 7, 1, 14, tzinfo=UTC)
HISTORY_FIRST_DAY = date(2020, 6, 1)
RECENT_DAYS = 14

#: Series whose ladders are listed and settled within two days: they are worth no years of history here.
_DAILY = "KXHIGH"
_CANDLES = ("landing/candles", "raw/candles", "marts/candles", "marts/quotes")
_LADDERS = ("research/ladders", "research/ladder_legs")
_DISTRIBUTIONS = ("research/implied_distributions", "research/implied_cells", "research/ladder_quotes")


@dataclass(frozen=True)
class Step:
    """One Dagster run of the demo.

    Attributes:
        title: what the run does, for the person who watches.
        job: job it belongs to.
        universe: series it takes in; empty means the settings'.
        assets: keys of the assets it materialises; empty means all of the job's.
        days: first and last partition, where an asset is partitioned.
        config: run configuration by asset function.
    """

    title: str
    job: str = "everything"
    universe: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    days: tuple[date, date] | None = None
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoResult:
    """What came out: the account, the picture's path, seconds by step, and where to look next."""

    summary: Summary
    picture: Path
    seconds: Mapping[str, float]
    where_next: str


#: Shows a run, given its title and the number of its steps; what the context gives hears the run's events.
Show = Callable[[str, int], AbstractContextManager[Callable[[dg.EventLogEntry], object]]]


def run_demo(settings: Settings, say: Callable[[str], None], show: Show) -> DemoResult:
    """Materialise every asset for the source, offline, and account for what came out.

    Args:
        settings: the settings; the source must be ``sandbox`` or ``recorded:<folder>``.
        say: called with one line per step.
        show: shows how far a run is.

    Raises:
        SettingsError: the source is neither the sandbox nor a recorded world.
        RunFailed: a run failed.
    """
    if not settings.source.embedded:
        raise SettingsError(
            f"The demo runs offline; its source is sandbox or recorded:<folder>, not {settings.source}."
        )
    if settings.source.kind is SourceKind.SANDBOX:
        settings = replace(settings, sandbox_now=settings.sandbox_now or SANDBOX_NOW)
    steps = sandbox_steps(settings) if settings.source.kind is SourceKind.SANDBOX else _recorded_steps(settings)
    seconds: dict[str, float] = {}
    settings.source_dir.mkdir(parents=True, exist_ok=True)
    log = settings.source_dir / "demo.log"
    with open_instance(settings) as instance:
        for number, step in enumerate(steps, start=1):
            say(f"[{number}/{len(steps)}] {step.title}")
            started = time.monotonic()
            defs = build_defs(replace(settings, universe=step.universe or settings.universe))
            with (
                show(f"Run {number} of {len(steps)}", steps_of(defs, step.job, step.assets)) as heard,
                log.open("a") as told,
                redirect_stdout(told),
                redirect_stderr(told),
            ):
                run_assets(
                    defs, instance, job=step.job, assets=step.assets, days=step.days, config=step.config, heard=heard
                )
            seconds[step.title] = time.monotonic() - started
            say(f"      done in {seconds[step.title]:.0f} s")
    warehouse = Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout)
    with warehouse.read() as con:
        summary = take_account(con, settings)
        png = _picture(con)
    picture = settings.source_dir / "demo.png"
    picture.write_bytes(png)
    return DemoResult(summary, picture, seconds, _where_next(settings))


def sandbox_steps(settings: Settings) -> list[Step]:
    """The runs over the simulated exchange: years of the monthly series first, then every asset of the last days."""
    today = (settings.sandbox_now or SANDBOX_NOW).date()
    recent = today - timedelta(days=RECENT_DAYS)
    monthly = tuple(series for series in settings.universe or DEFAULT_UNIVERSE if not series.startswith(_DAILY))
    history = [
        Step("Macro series, events, markets and settlements", job="reference", universe=monthly),
        Step(
            f"Macro ladders since {HISTORY_FIRST_DAY:%B %Y}: hourly bars, a snapshot a day and at each horizon",
            universe=monthly,
            assets=(*_CANDLES, *_LADDERS, *_DISTRIBUTIONS),
            days=(HISTORY_FIRST_DAY, recent - timedelta(days=1)),
            config={"landing__candles": {"period_minutes": 60}, "implied_distributions": {"grid_minutes": 1440}},
        ),
    ]
    return [
        *(history if monthly else []),
        Step(
            f"Everything over the last {RECENT_DAYS} days: one-minute bars, snapshots every 15 minutes, folds, report",
            days=(recent, today),
        ),
    ]


def _recorded_steps(settings: Settings) -> list[Step]:
    with open_exchange(settings) as exchange:
        first, last = exchange.world.first_day, exchange.world.last_day
    assert first is not None and last is not None
    return [Step(f"Everything recorded from {first} to {last}", days=(first, last))]


def _picture(con: duckdb.DuckDBPyConnection) -> bytes:
    """The latest snapshots that passed every gate, one per series, as a PNG."""
    chosen = """
        select * from research.implied_distributions
        where not hard_gate_failed
        qualify row_number() over (partition by series_ticker order by "asof" desc, ladder_id) = 1
    """
    distributions = con.execute(chosen).to_arrow_table()
    cells = con.execute(f'select c.* from research.implied_cells as c semi join ({chosen}) using (ladder_id, "asof")')
    return latest_distributions_picture(distributions, cells.to_arrow_table())


def _where_next(settings: Settings) -> str:
    source = "" if settings.source.kind is SourceKind.SANDBOX else f" SOURCE={settings.source}"
    return (
        f"The report, one page for a browser: {report_path(settings)}\n"
        f"The Dagster UI: `make dev{source}`, then http://127.0.0.1:3000.\n"
        f"The warehouse: {settings.database} (DuckDB); in a notebook: `from kalshi_pipeline import read`.\n"
        f"What the runs said: {settings.source_dir / 'demo.log'}"
    )
