"""Everything about the method that a person may set, with the values the method was measured with.

Limits of the gates, weights, the stale-cutoff schedule. What belongs to a series (grid, caps, tails) is in the
registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class StaleRow:
    """One row of the stale-cutoff schedule: how old a quote may be, by the time left to the anchor.

    Linear between two points; constant outside them. All in minutes.

    Attributes:
        near: time to the anchor up to which ``near_age`` holds.
        near_age: age allowed close to the anchor.
        far: time to the anchor from which ``far_age`` holds.
        far_age: age allowed far from the anchor.
        no_anchor_age: age allowed where there is no anchor.
        multiplier: of the release type.
    """

    near: float = 30.0
    near_age: float = 2.0
    far: float = 1440.0
    far_age: float = 60.0
    no_anchor_age: float = 30.0
    multiplier: float = 1.0


#: Rows by ``stale_profile`` of the registry. Weather has its own: the day's high is often certain hours before trading
#: ends, and its books then rest.
STALE_ROWS: Mapping[str, StaleRow] = MappingProxyType(
    {
        "DEFAULT": StaleRow(),
        "CPI": StaleRow(multiplier=0.80),
        "UNEMPLOYMENT": StaleRow(multiplier=0.90),
        "FOMC": StaleRow(multiplier=0.70),
        "WEATHER": StaleRow(near_age=15.0, far_age=120.0, no_anchor_age=60.0),
    }
)

#: Rows by length of the bar in minutes, for quotes that come from long bars: a bar exists only where something happened
#: and is known only at its end, so an hour without one proves nothing. They hold for every release type.
BAR_ROWS: Mapping[int, StaleRow] = MappingProxyType(
    {
        60: StaleRow(near_age=90.0, far_age=360.0, no_anchor_age=180.0),
        1440: StaleRow(near_age=1440.0, far_age=1440.0, no_anchor_age=1440.0),
    }
)


@dataclass(frozen=True)
class QualityWeights:
    """Weights of the components of the quality score; they sum to 1."""

    coverage: float = 0.35
    spread: float = 0.20
    age: float = 0.20
    liquidity: float = 0.10
    consistency: float = 0.15


@dataclass(frozen=True)
class Rules:
    """Settings of the method. A changed default is a changed method: see ``method.py``.

    Attributes:
        min_coverage: gate: least share of expected markets with a fresh, narrow quote.
        max_spread: gate: a market's band and the median band must be narrower than this (strictly), in dollars.
        max_arbitrage_depth: gate: greatest arbitrage depth net of fees, in dollars.
        min_live_markets: gate: least number of markets with a fresh quote.
        low_coverage: quality flag: coverage below which quality is low.
        tick: step of prices in dollars; its variance keeps the weight of a locked book finite.
        fee_rate: taker fee per contract is ``fee_rate * fee_multiplier * p * (1 - p)``.
        last_trade_half_spread: half spread at which a market with only a last trade is weighted, in dollars.
        max_half_lives: age, in stale cutoffs, beyond which a weight decays no further.
        max_uncapped_mass: outer mass without a registered cap above which variance, skew and kurtosis are NULL.
        tail_dominated_mass: outer mass above which the mean is flagged.
        thin_liquidity: liquidity proxy up to which the stale cutoff is stretched by ``thin_stretch``.
        deep_liquidity: liquidity proxy from which the stale cutoff is shortened by ``deep_stretch``.
        thin_stretch: factor of the stale cutoff of thin books.
        deep_stretch: factor of the stale cutoff of deep books.
        min_cutoff_minutes: least stale cutoff.
        max_cutoff_minutes: greatest stale cutoff.
        stale_rows: the schedule by profile.
        bar_rows: the schedule by length of bar.
        quality: weights of the quality score.
    """

    min_coverage: float = 0.80
    max_spread: float = 0.25
    max_arbitrage_depth: float = 0.05
    min_live_markets: int = 3
    low_coverage: float = 0.50
    tick: float = 0.01
    fee_rate: float = 0.07
    last_trade_half_spread: float = 0.25
    max_half_lives: float = 20.0
    max_uncapped_mass: float = 0.05
    tail_dominated_mass: float = 0.10
    thin_liquidity: float = 2.0
    deep_liquidity: float = 6.0
    thin_stretch: float = 1.35
    deep_stretch: float = 0.80
    min_cutoff_minutes: float = 0.5
    max_cutoff_minutes: float = 1440.0
    stale_rows: Mapping[str, StaleRow] = field(default_factory=lambda: STALE_ROWS)
    bar_rows: Mapping[int, StaleRow] = field(default_factory=lambda: BAR_ROWS)
    quality: QualityWeights = field(default_factory=QualityWeights)

    def stale_row(self, profile: str) -> StaleRow:
        """The row of the schedule for a profile.

        Raises:
            ValueError: the schedule has no such row.
        """
        if profile not in self.stale_rows:
            raise ValueError(
                f"The stale-cutoff schedule has no row {profile!r}; use one of {', '.join(self.stale_rows)} or add it."
            )
        return self.stale_rows[profile]


#: A number on the boundary of a gate is on it, whatever binary fractions made of it.
BOUNDARY_NOISE = 1e-9

#: Tolerance of the recount of violations.
VIOLATION_TOLERANCE = 1e-9
