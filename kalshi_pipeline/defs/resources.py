"""Resources: the exchange a run talks to, and dbt pointed at the run's warehouse.

The exchange resource is the one place outside the command line that starts the embedded sandbox, and it starts it
only when a run asks for the exchange.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
from dagster_dbt import DbtCliInvocation, DbtCliResource

from kalshi_pipeline.defs.dbt_project import DATABASE_VARIABLE, PROJECT_DIR, dbt_executable
from kalshi_pipeline.exchange.alfred import ALFRED_RATE, ALFRED_URL, KeyInQuery
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.endpoints import base_url, default_pace
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.request_log import RequestLog
from kalshi_pipeline.exchange.signing import RequestSigner, read_signer
from kalshi_pipeline.exchange.transport import utc_now
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.settings import DEFAULT_UNIVERSE, Settings
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse


@dataclass(frozen=True)
class World:
    """What an exchange brings with it.

    Attributes:
        universe: series to take in when the user names none.
        candle_minutes: bar lengths it serves; empty when it serves all.
        now: what it takes for now.
        first_day, last_day: days it has something to say about, where it is limited.
    """

    universe: tuple[str, ...]
    candle_minutes: tuple[int, ...]
    now: datetime
    first_day: date | None = None
    last_day: date | None = None


class Exchange:
    """An open exchange: a client, what the world behind it brings, and the archive of published statistics.

    There is no archive (``None``) for a remote exchange without a key for it.
    """

    def __init__(
        self, client: KalshiClient, world: World, settings: Settings, archive: KalshiClient | None = None
    ) -> None:
        self.client = client
        self.world = world
        self.archive = archive
        self.universe = settings.universe or world.universe

    def candle_minutes(self, wished: int) -> int:
        """The bar length to ask for: the wished one, or the shortest that this exchange has recorded."""
        served = self.world.candle_minutes
        return wished if not served or wished in served else min(served)


@contextmanager
def open_exchange(settings: Settings) -> Iterator[Exchange]:
    """Open the exchange of ``settings``; an embedded one is started first and stopped at the end.

    Raises:
        WorldError: the folder of a recorded world cannot be used.
        KalshiError: the exchange does not answer.
        SettingsError: the key for a remote exchange cannot be used.
    """
    with ExitStack() as stack:
        if settings.source.embedded:
            server = stack.enter_context(
                SandboxServer(str(settings.source), seed=settings.sandbox_seed, now=settings.sandbox_now)
            )
            url, world = server.base_url, _embedded_world(server.base_url)
            archive_url = url.replace("/trade-api/v2", "/fred")
            pinned = settings.sandbox_now is not None or settings.source.folder is not None
            clock = (lambda: world.now) if pinned else utc_now
        else:
            url, archive_url = base_url(settings.source.kind), ALFRED_URL
            clock = utc_now
            world = World(universe=DEFAULT_UNIVERSE, candle_minutes=(), now=clock())
        signer = _signer(settings)
        pace = default_pace(
            settings.source.kind,
            settings.requests_per_second,
            signed=signer is not None,
            shared_in=settings.pace_dir / "exchange",
        )
        journal = stack.enter_context(closing(RequestLog(settings.log_dir)))
        client = stack.enter_context(
            KalshiClient(url, pace=pace, concurrency=settings.concurrency, auth=signer, clock=clock, journal=journal)
        )
        client.learn_costs()
        archive = None
        if settings.source.embedded:
            archive = KalshiClient(archive_url, pace=pace, clock=clock)
        elif settings.fred_api_key:
            archive = KalshiClient(
                archive_url,
                pace=Pace(ALFRED_RATE, shared_in=settings.pace_dir / "statistics"),
                auth=KeyInQuery(settings.fred_api_key),
            )
        yield Exchange(client, world, settings, stack.enter_context(archive) if archive else None)


def _signer(settings: Settings) -> RequestSigner | None:
    """The signer of the user's key; an embedded exchange is never shown one."""
    if settings.source.embedded or settings.key_id is None or settings.key_file is None:
        return None
    return read_signer(settings.key_id, settings.key_file)


def _embedded_world(url: str) -> World:
    said = httpx.get(url.replace("/trade-api/v2", "/sandbox/world")).raise_for_status().json()
    days = {name: date.fromisoformat(said[name]) if said.get(name) else None for name in ("first_day", "last_day")}
    return World(
        universe=tuple(said["universe"]),
        candle_minutes=tuple(said["candle_minutes"]),
        now=datetime.fromisoformat(said["now"]),
        **days,
    )


def exchange_resource(settings: Settings) -> dg.ResourceDefinition:
    """The exchange as a Dagster resource: opened for runs with a step that asks for it, closed with the run."""

    @dg.resource(description=f"Kalshi Trade API v2, source {settings.source} (KALSHI_SOURCE).")
    def exchange(_: dg.InitResourceContext) -> Iterator[Exchange]:
        with open_exchange(settings) as opened:
            yield opened

    return exchange


class RunWarehouse(Warehouse):
    """The warehouse as runs see it: a run brings the file's schema up to date before its first step."""

    @classmethod
    def of(cls, settings: Settings) -> RunWarehouse:
        """The warehouse of these settings."""
        return cls(database=str(settings.database), lock_timeout=settings.lock_timeout)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Apply the migrations that the file lacks; a new file gets all of them."""
        report = migrate(Path(self.database))
        if report.applied and context.log:
            context.log.info(f"Warehouse schema: version {report.current} -> {report.target}.")


class Dbt(DbtCliResource):
    """dbt, pointed at the run's warehouse file.

    Attributes:
        database: path of the DuckDB file; dbt's profile reads it from ``KALSHI_DUCKDB_PATH``.
    """

    database: str

    @classmethod
    def of(cls, settings: Settings) -> Dbt:
        """Dbt over the project in this checkout and the warehouse of ``settings``."""
        return cls(
            project_dir=str(PROJECT_DIR),
            profiles_dir=str(PROJECT_DIR),
            dbt_executable=dbt_executable(),
            database=str(settings.database.absolute()),
        )

    def cli(self, *args: Any, **kwargs: Any) -> DbtCliInvocation:
        """As :meth:`DbtCliResource.cli`; the child process sees the warehouse's path, this one does not keep it."""
        with _environment(**{DATABASE_VARIABLE: self.database}):
            return super().cli(*args, **kwargs)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
