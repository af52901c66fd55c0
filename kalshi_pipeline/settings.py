"""What a user may set, read once from ``KALSHI_*`` environment variables into one frozen object.

The environment is read nowhere else and never at import: an entry point calls :meth:`Settings.from_env` and hands the
result on. What belongs to a series (grid, unit, release type, tails) is in the registry in ``ladders``, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Series taken in when the user names none: monthly macro ladders and the daily highs of six cities.
DEFAULT_UNIVERSE = (
    "KXCPI",
    "KXCPICORE",
    "KXCPIYOY",
    "KXU3",
    "KXPAYROLLS",
    "KXFED",
    "KXHIGHCHI",
    "KXHIGHAUS",
    "KXHIGHDEN",
    "KXHIGHLAX",
    "KXHIGHMIA",
    "KXHIGHPHIL",
)

#: Minutes before the anchor of a release at which a snapshot is always taken: 7 d, 1 d, 4 h, 1 h, 15 min, 5 min.
DEFAULT_HORIZONS = (10_080, 1_440, 240, 60, 15, 5)


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and the remedy."""


class SourceKind(StrEnum):
    """Which exchange the pipeline talks to."""

    SANDBOX = "sandbox"
    RECORDED = "recorded"
    DEMO = "demo"
    LIVE = "live"


@dataclass(frozen=True)
class Source:
    """An exchange: one of four kinds, with the folder of the world where it is a recorded one."""

    kind: SourceKind
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read ``sandbox``, ``recorded:<folder>``, ``demo`` or ``live``.

        Raises:
            SettingsError: the text is none of them, or a recorded source names no folder.
        """
        word, _, folder = text.strip().partition(":")
        try:
            kind = SourceKind(word.lower())
        except ValueError:
            raise SettingsError(f"KALSHI_SOURCE is {text!r}; use sandbox, recorded:<folder>, demo or live.") from None
        if (kind is SourceKind.RECORDED) != bool(folder):
            raise SettingsError(
                f"KALSHI_SOURCE is {text!r}; a recorded world is named as recorded:<folder>, the others stand alone."
            )
        return cls(kind, Path(folder).expanduser() if folder else None)

    def __str__(self) -> str:
        return f"{self.kind}:{self.folder}" if self.folder else str(self.kind)

    @property
    def embedded(self) -> bool:
        """Whether the pipeline serves this exchange itself."""
        return self.kind in (SourceKind.SANDBOX, SourceKind.RECORDED)


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on besides its inputs.

    Attributes:
        source: the exchange.
        universe: series to take in; empty means the source's own (a recorded world brings its list).
        data_dir: folder of everything the pipeline writes.
        grid_minutes: distance of the regular snapshots of a ladder; ``None`` leaves only the horizons.
        horizons_minutes: minutes before a release's anchor at which a snapshot is always taken.
        quote_minutes: minutes between scheduled quote snapshots.
        candle_minutes: length of the bars ingested when a run names none.
        requests_per_second: pace of the client; ``None`` takes the source's default.
        concurrency: units fetched at once.
        key_id: identifier of an account's key for remote exchanges; ``None`` sends requests unsigned.
        key_file: PEM file with the private key that belongs to it.
        run_live_api: whether the canary and the live tests may ask a remote exchange.
        lock_timeout: seconds to wait for whoever holds the warehouse file.
        alert_webhook: address that alerts are posted to as JSON; ``None`` only logs them.
        sandbox_seed: seed of the simulated world.
        sandbox_now: what the embedded exchange takes for now; ``None`` follows the clock.
        fred_api_key: key of the archive of published statistics; without one a remote source fetches no vintages.
        outcome_vintages: file of published values with their vintages; ``None`` takes a recorded world's own.
    """

    source: Source = field(default_factory=lambda: Source(SourceKind.SANDBOX))
    universe: tuple[str, ...] = ()
    data_dir: Path = Path("data")
    grid_minutes: int | None = 15
    horizons_minutes: tuple[int, ...] = DEFAULT_HORIZONS
    quote_minutes: int = 15
    candle_minutes: int = 1
    requests_per_second: float | None = None
    concurrency: int = 8
    key_id: str | None = field(default=None, repr=False)
    key_file: Path | None = field(default=None, repr=False)
    run_live_api: bool = False
    lock_timeout: float = 60.0
    alert_webhook: str | None = field(default=None, repr=False)
    sandbox_seed: int = 20260101
    sandbox_now: datetime | None = None
    fred_api_key: str | None = field(default=None, repr=False)
    outcome_vintages: Path | None = None

    @property
    def vintages_file(self) -> Path | None:
        """The file of published values: the one that was set, or a recorded world's where it has one."""
        if self.outcome_vintages or not self.source.folder:
            return self.outcome_vintages
        own = self.source.folder / "outcome_vintages.parquet"
        return own if own.exists() else None

    @property
    def source_dir(self) -> Path:
        """Folder of one source's data. Sources never share a file: simulated and real numbers cannot mix."""
        return self.data_dir / self.source_name

    @property
    def today(self) -> date:
        """The UTC day that is today for this source: the embedded exchange's where it was set, else the clock's."""
        pinned = self.sandbox_now if self.source.embedded else None
        return (pinned or datetime.now(UTC)).date()

    @property
    def database(self) -> Path:
        """The DuckDB file. Its stem is the catalogue name that dbt's manifest records."""
        return self.source_dir / "kalshi.duckdb"

    @property
    def landing_dir(self) -> Path:
        """Archive of raw responses."""
        return self.source_dir / "landing"

    @property
    def log_dir(self) -> Path:
        """Logs of the requests to this source."""
        return self.source_dir / "logs"

    @property
    def pace_dir(self) -> Path:
        """Token buckets that all processes share which ask this source."""
        return self.source_dir / "pace"

    @property
    def source_name(self) -> str:
        """Short name of the source for folders and provenance: ``sandbox``, ``recorded-weather_2024``, ``live``."""
        return f"recorded-{self.source.folder.name}" if self.source.folder else str(self.source.kind)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read ``KALSHI_*`` variables; what is absent or empty keeps its default.

        Raises:
            SettingsError: a value cannot be read; the message names the variable and what it takes.
        """
        values: dict[str, Any] = {}
        for variable, (name, takes, read) in _READERS.items():
            text = env.get(variable, "").strip()
            if not text:
                continue
            try:
                values[name] = read(text)
            except SettingsError:
                raise
            except ValueError:
                raise SettingsError(f"{variable} is {text!r}; it takes {takes}.") from None
        if ("key_id" in values) != ("key_file" in values):
            raise SettingsError("KALSHI_KEY_ID and KALSHI_KEY_FILE belong together: set both, or neither.")
        return cls(**values)


def read_instant(text: str) -> datetime:
    """Read an ISO 8601 date or time; without an offset it is UTC.

    Raises:
        ValueError: the text is not a date or time.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date or time; write it like 2026-06-30 or 2026-06-30T16:00:00Z.") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().upper() for word in text.split(",") if word.strip())


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _webhook(text: str) -> str:
    address = urlsplit(text)
    on_this_machine = address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost", "::1")
    if not address.hostname or not (address.scheme == "https" or on_this_machine):
        # The address may hold a secret: it is not repeated.
        raise SettingsError("KALSHI_ALERT_WEBHOOK takes an https:// address, or an http:// one on this machine.")
    return text


def _one_of(*allowed: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if int(text) not in allowed:
            raise ValueError(text)
        return int(text)

    return read


def _grid(text: str) -> int | None:
    if text.lower() == "none":
        return None
    if 1440 % _count(text):
        raise ValueError(text)
    return int(text)


#: Variable -> the setting it fills, what it takes in words, and how it is read.
_READERS: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "KALSHI_SOURCE": ("source", "sandbox, recorded:<folder>, demo or live", Source.parse),
    "KALSHI_UNIVERSE": ("universe", "series tickers with commas between", _words),
    "KALSHI_DATA_DIR": ("data_dir", "a folder", lambda text: Path(text).expanduser()),
    "KALSHI_GRID_MINUTES": ("grid_minutes", "minutes that divide a day (5, 15, 60, 1440), or none", _grid),
    "KALSHI_QUOTE_MINUTES": ("quote_minutes", "5, 15 or 30 minutes", _one_of(5, 15, 30)),
    "KALSHI_CANDLE_MINUTES": ("candle_minutes", "1, 60 or 1440 minutes", _one_of(1, 60, 1440)),
    "KALSHI_REQUESTS_PER_SECOND": ("requests_per_second", "a positive number", _positive),
    "KALSHI_CONCURRENCY": ("concurrency", "a whole number of at least 1", _count),
    "KALSHI_KEY_ID": ("key_id", "the identifier of a key", str),
    "KALSHI_KEY_FILE": ("key_file", "a file", lambda text: Path(text).expanduser()),
    "KALSHI_RUN_LIVE_API": ("run_live_api", "1 or 0", lambda text: bool(_one_of(0, 1)(text))),
    "KALSHI_LOCK_TIMEOUT": ("lock_timeout", "a positive number of seconds", _positive),
    "KALSHI_ALERT_WEBHOOK": ("alert_webhook", "an https:// address, or http:// on this machine", _webhook),
    "KALSHI_SANDBOX_SEED": ("sandbox_seed", "a whole number", int),
    "KALSHI_FRED_API_KEY": ("fred_api_key", "a key of the archive of statistics", str),
    "KALSHI_OUTCOME_VINTAGES": ("outcome_vintages", "a Parquet or CSV file", lambda text: Path(text).expanduser()),
    "KALSHI_SANDBOX_NOW": ("sandbox_now", "a date or time like 2026-06-30T16:00:00Z", read_instant),
}
