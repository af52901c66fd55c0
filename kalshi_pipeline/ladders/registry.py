"""What is known about each series: grid, unit, support, tails, release. Read from ``registry.toml``, one reviewed file.

Only lookups are here. What a rule is used for is in ``build.py`` (cells) and in ``distributions`` (tails, gates).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from importlib.resources import files
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

ANCHORS = ("release", "close")

#: Release type of a series nobody has described.
OTHER = "OTHER"


class RegistryError(ValueError):
    """The registry file cannot be used; the message names the entry and what is wrong with it."""


@dataclass(frozen=True)
class Statistic:
    """The published statistic a series settles on, as the archive of vintages (ALFRED) knows it.

    Attributes:
        id: identifier of the statistic.
        units: transformation to ask for: ``lin`` level, ``chg`` change, ``pch`` percent change, ``pc1`` over a year.
        scale: factor from the archive's unit to the unit of the series.
    """

    id: str
    units: str
    scale: float


@dataclass(frozen=True)
class SeriesRule:
    """What holds for every ladder of one series.

    Attributes:
        series_ticker: the series.
        release_type: kind of publication the series settles on (``CPI``, ``WEATHER``, ...).
        unit: unit of the settled number; ``None`` where unknown.
        grid_step: step of the grid the number is published on; ``None`` where unknown.
        support_low: lowest value the number can take; ``None`` where none is registered.
        support_high: highest value the number can take; ``None`` where none is registered.
        tail_ratio: geometric ratio of the atoms that carry the mass beyond the outer cuts.
        tail_thresholds: the t of the published P(X >= t), in the unit.
        anchor: ``release`` or ``close``: the instant horizons count back from.
        release_time_local: local time of publication, ``HH:MM``; ``None`` where the anchor is the close.
        timezone: IANA zone of the release time and of the local day the number is about.
        stale_profile: row of the stale-cutoff schedule.
        fee_multiplier: multiplier of the exchange's fee formula.
        legacy_prefixes: first parts of event tickers from before the ``KX`` names.
        statistic: the published statistic whose vintages can be fetched; ``None`` where none is registered.
        registered: whether the series itself is in the registry; if not, the rule is inferred.
    """

    series_ticker: str
    release_type: str
    unit: str | None
    grid_step: float | None
    support_low: float | None
    support_high: float | None
    tail_ratio: float
    tail_thresholds: tuple[float, ...]
    anchor: str
    release_time_local: str | None
    timezone: str
    stale_profile: str
    fee_multiplier: float
    legacy_prefixes: tuple[str, ...]
    statistic: Statistic | None
    registered: bool

    def release_ts(self, close_time: datetime) -> datetime | None:
        """The instant of publication: the first ``release_time_local`` at or after the close of trading.

        Returns:
            An aware datetime in UTC; ``None`` where the series is anchored at its close.
        """
        if self.release_time_local is None:
            return None
        local = close_time.astimezone(ZoneInfo(self.timezone))
        at = datetime.combine(local.date(), time.fromisoformat(self.release_time_local), local.tzinfo)
        return (at if at >= local else at + timedelta(days=1)).astimezone(UTC)


@dataclass(frozen=True)
class Registry:
    """All rules.

    Attributes:
        series: registered series by ticker.
        families: templates for series that are not registered, by prefix of their ticker.
        fallback: template for all others.
    """

    series: Mapping[str, SeriesRule]
    families: Mapping[str, SeriesRule]
    fallback: SeriesRule

    @classmethod
    def load(cls) -> Registry:
        """Read the registry that ships with the package."""
        return cls.parse(files("kalshi_pipeline.ladders").joinpath("registry.toml").read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Registry:
        """Read a registry from TOML text.

        Raises:
            RegistryError: the text is not TOML, or an entry is incomplete or contradicts itself.
        """
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RegistryError(f"The series registry is not valid TOML: {error}.") from None
        return cls(
            series={
                name: _rule(name, entry, content, registered=True) for name, entry in content.get("series", {}).items()
            },
            families={
                name: _rule(name, entry, content, registered=False)
                for name, entry in content.get("families", {}).items()
            },
            fallback=_rule(OTHER, {"type": OTHER}, content, registered=False),
        )

    def rule(self, series_ticker: str, event_ticker: str | None = None) -> SeriesRule:
        """The rule of a series, found by its name, its legacy name, its family, or inferred.

        An inferred rule has ``registered=False``; its ``series_ticker`` is the one asked for.
        """
        known = self.series.get(series_ticker) or self._by_legacy_prefix.get(series_ticker)
        if known is None and event_ticker is not None:
            known = self._by_legacy_prefix.get(event_ticker.partition("-")[0])
        if known is not None:
            return known
        families = [prefix for prefix in self.families if series_ticker.startswith(prefix)]
        template = self.families[max(families, key=len)] if families else self.fallback
        return replace(template, series_ticker=series_ticker)

    def timezone_of(self, series_ticker: str) -> str:
        """The IANA time zone of a series' local day."""
        return self.rule(series_ticker).timezone

    @cached_property
    def _by_legacy_prefix(self) -> Mapping[str, SeriesRule]:
        return {prefix: rule for rule in self.series.values() for prefix in rule.legacy_prefixes}


def _rule(name: str, entry: Mapping[str, Any], content: Mapping[str, Any], *, registered: bool) -> SeriesRule:
    if entry.get("type") not in content.get("types", {}):
        raise RegistryError(f"{name} in the series registry has type {entry.get('type')!r}, which it does not define.")
    merged = {**content.get("defaults", {}), **content["types"][entry["type"]], **entry}
    low, high = merged.get("support") or (None, None)
    rule = SeriesRule(
        series_ticker=name,
        release_type=merged["type"],
        unit=merged.get("unit"),
        grid_step=_number(merged.get("grid_step")),
        support_low=_number(low),
        support_high=_number(high),
        tail_ratio=float(merged.get("tail_ratio", 0.45)),
        tail_thresholds=tuple(float(value) for value in merged.get("tail_thresholds", ())),
        anchor=merged.get("anchor", "close"),
        release_time_local=merged.get("release_time_local"),
        timezone=merged.get("timezone", "America/New_York"),
        stale_profile=merged.get("stale_profile", "DEFAULT"),
        fee_multiplier=float(merged.get("fee_multiplier", 1.0)),
        legacy_prefixes=tuple(merged.get("legacy_prefixes", ())),
        statistic=_statistic(name, merged.get("statistic")),
        registered=registered,
    )
    _check(rule)
    return rule


def _statistic(name: str, entry: Mapping[str, Any] | None) -> Statistic | None:
    if entry is None:
        return None
    try:
        return Statistic(id=entry["id"], units=entry.get("units", "lin"), scale=float(entry.get("scale", 1.0)))
    except KeyError:
        raise RegistryError(f"{name} in the series registry has a statistic without an id.") from None


def _number(value: float | None) -> float | None:
    """A finite number; ``inf`` in the file says that there is no cap."""
    return float(value) if value is not None and isfinite(value) else None


def _check(rule: SeriesRule) -> None:
    if rule.grid_step is not None and not rule.grid_step > 0:
        raise RegistryError(f"Series {rule.series_ticker} has grid_step {rule.grid_step}; it must be positive.")
    if rule.support_low is not None and rule.support_high is not None and not rule.support_low < rule.support_high:
        raise RegistryError(f"Series {rule.series_ticker} has a support whose lower cap is not below its upper cap.")
    if not 0 < rule.tail_ratio < 1:
        raise RegistryError(f"Series {rule.series_ticker} has tail_ratio {rule.tail_ratio}; use one between 0 and 1.")
    if rule.anchor not in ANCHORS or (rule.anchor == "release") != (rule.release_time_local is not None):
        raise RegistryError(
            f"Series {rule.series_ticker} has anchor {rule.anchor!r}; use release with a release_time_local, or close."
        )
