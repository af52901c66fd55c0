"""The tables of ladders and implied distributions: what a ladder is, and what its prices said at an instant.

Here stand columns, units and ranges only. How markets become ladders is in ``ladders``; how quotes become a
distribution is in ``distributions``. A price, a probability and a survival value are all dollars per contract in
[0, 1]; they are doubles here because repair computes with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, text, timestamp

LADDER_KINDS = ("threshold", "bucket", "mixed")
CONFIDENCES = ("high", "medium", "low")
ANCHORS = ("release", "close")
SNAPSHOT_KINDS = ("grid", "horizon", "both")
QUOTE_KINDS = ("order_book", "candle_close", "trade_proxy")
LAGS = ("1h", "1d")
DISTANCE_REASONS = ("gated", "earlier_gated", "no_earlier_snapshot")

#: Published quantiles: column name and probability. Each has a companion ``<name>_edge``.
QUANTILES = (("q05", 0.05), ("q10", 0.10), ("q25", 0.25), ("median", 0.50), ("q75", 0.75), ("q90", 0.90), ("q95", 0.95))

_LADDER_UNIT = "unit of the ladder"


def _number(
    description: str, *, unit: str | None = None, nullable: bool = False, checks: Sequence[pa.Check] = ()
) -> pa.Column:
    return column("DOUBLE", description, unit=unit, nullable=nullable, checks=checks)


def _value(description: str, *, nullable: bool = True) -> pa.Column:
    return _number(description, unit=_LADDER_UNIT, nullable=nullable)


def _probability(description: str, *, nullable: bool = False) -> pa.Column:
    return _number(description, unit="probability", nullable=nullable, checks=[pa.Check.in_range(0, 1)])


def _price(description: str) -> pa.Column:
    return _number(description, unit="dollars", nullable=True, checks=[pa.Check.in_range(0, 1)])


def _amount(description: str, unit: str, *, nullable: bool = False) -> pa.Column:
    return _number(description, unit=unit, nullable=nullable, checks=[pa.Check.ge(0)])


def _count(description: str, unit: str, *, nullable: bool = False) -> pa.Column:
    return column("INTEGER", description, unit=unit, nullable=nullable, checks=[pa.Check.ge(0)])


def _flag(description: str, *, nullable: bool = False) -> pa.Column:
    return column("BOOLEAN", description, nullable=nullable)


def _names(description: str) -> pa.Column:
    return column("VARCHAR[]", description)


_EVENT = {
    "event_ticker": text("Event the ladder belongs to."),
    "series_ticker": text("Series the ladder belongs to, by its present name."),
}
_SNAPSHOT = {
    "ladder_id": text("Ladder."),
    "asof": timestamp("Instant of the snapshot: nothing that was not known by then went into it."),
}
_PARTITION = {"partition_date": column("DATE", "UTC day of asof, the half-open interval [day, day + 1).")}
_METHOD = {"method_version": text("Version of the method that made the row; a changed method changes it.")}
_SUPPORT = {
    "support_low": _value("Lowest value the number can take; NULL where none is registered."),
    "support_high": _value("Highest value the number can take; NULL where none is registered."),
}

LADDERS = Table(
    schema="research",
    name="ladders",
    grain="one ladder: the numeric markets of one event that settle on one number",
    key=("ladder_id",),
    columns={
        "ladder_id": text("Event ticker, followed by :subject where the event holds several ladders."),
        **_EVENT,
        "subject": text("What tells the ladder apart from others of its event (a city, a team).", nullable=True),
        "release_type": text("Kind of publication the ladder settles on (CPI, FOMC, WEATHER, ...)."),
        "kind": text(
            "threshold: nested half-lines, prices are survival values; bucket: disjoint intervals, prices are masses; "
            "mixed: any other set of intervals.",
            isin=LADDER_KINDS,
        ),
        "confidence": text(
            "How sure the payoffs are: high from strike fields; medium where text or ticker stood in, or exclusivity "
            "is not stated; low where sources contradict each other or the direction is a guess (no moments then).",
            isin=CONFIDENCES,
        ),
        "mutually_exclusive": _flag("What the exchange says: exactly one market can settle yes.", nullable=True),
        "grid_step": _number(
            "Step of the grid the number is published on; NULL where unknown.",
            unit=_LADDER_UNIT,
            nullable=True,
            checks=[pa.Check.gt(0)],
        ),
        "unit": text("Unit of the settled number; NULL where unknown.", nullable=True),
        **_SUPPORT,
        "tail_ratio": _number(
            "Geometric ratio of the atoms beyond the outer cuts.", checks=[pa.Check.gt(0), pa.Check.lt(1)]
        ),
        "tail_thresholds": column("DOUBLE[]", "The t of the published P(X >= t).", unit=_LADDER_UNIT),
        "fee_multiplier": _amount("Multiplier of the exchange's fee formula.", "multiple"),
        "stale_profile": text("Row of the stale-cutoff schedule that applies to order books of this ladder."),
        "registered": _flag("Whether the series is in the registry; if not, grid and support are inferred or unknown."),
        "n_legs": _count("Markets on the ladder.", "markets"),
        "n_cells": _count("Elementary cells: one more than cuts.", "cells"),
        "cuts": column("DOUBLE[]", "Edges between cells, ascending: half a grid step off the grid.", unit=_LADDER_UNIT),
        "open_time": timestamp("When the first market opens."),
        "close_time": timestamp("When the last market closes."),
        "anchor": text("What horizons count back from.", isin=ANCHORS),
        "anchor_ts": timestamp("The instant horizons count back from."),
        "release_ts": timestamp(
            "When the value is published; NULL where trading ends before it is known.", nullable=True
        ),
        "known_at": timestamp("When the first of its markets could be known."),
        "flags": _names("What a user should know (series_not_registered, strike_outside_support, ...); may be empty."),
    },
)

LADDER_LEGS = Table(
    schema="research",
    name="ladder_legs",
    grain="one market: its payoff interval on its ladder, or the reason why it is on none",
    key=("ticker",),
    columns={
        "ticker": text("Market ticker."),
        "ladder_id": text("Ladder the market is a leg of; NULL where it is on none.", nullable=True),
        "event_ticker": text("Event the market belongs to."),
        "series_ticker": text("Series the market belongs to, by its present name."),
        "leg_index": _count("Position on the ladder, by payoff interval from below.", "legs", nullable=True),
        "strike_type": text("Payoff type as used (greater, less_or_equal, between, ...).", nullable=True),
        "floor_strike": _value("Lower strike as used, after recovery and unit repair."),
        "cap_strike": _value("Upper strike as used, after recovery and unit repair."),
        "strike_source": text(
            "Where type and strikes come from.", nullable=True, isin=("fields", "sub_title", "title", "ticker")
        ),
        "low_cut": _value("Lower edge of the payoff interval (inclusive); NULL where it is open below."),
        "high_cut": _value("Upper edge of the payoff interval (exclusive); NULL where it is open above."),
        "first_cell": _count("First cell of the ladder the market pays on.", "cells", nullable=True),
        "last_cell": _count("Last cell of the ladder the market pays on, inclusive.", "cells", nullable=True),
        "confidence": text("How sure the payoff of this market is.", nullable=True, isin=CONFIDENCES),
        "known_at": timestamp("When the market's specification could first be known."),
        "reason": text("Why the market is on no ladder; NULL where it is on one.", nullable=True),
        "flags": _names("What was done to the strikes (strike_recovered, unit_repaired, ...); may be empty."),
    },
)


def _quantile_columns() -> dict[str, pa.Column]:
    columns: dict[str, pa.Column] = {}
    for name, level in QUANTILES:
        columns[name] = _value(f"{level:.0%} quantile; NULL where it falls in an open cell or a gate failed.")
        columns[f"{name}_edge"] = _value(f"The outer cut beyond which the {level:.0%} quantile lies, where it is open.")
    return columns


IMPLIED_DISTRIBUTIONS = Table(
    schema="research",
    name="implied_distributions",
    grain="one ladder at one instant: gates, quality, repair, bounds, moments",
    key=("ladder_id", "asof"),
    partition_column="partition_date",
    columns={
        **_SNAPSHOT,
        **_PARTITION,
        **_EVENT,
        "release_type": text("Kind of publication the ladder settles on."),
        "snapshot_kind": text("Why the snapshot was taken: the regular grid, a horizon, both.", isin=SNAPSHOT_KINDS),
        "minutes_to_anchor": _number("Time to the anchor of the ladder; negative after it.", unit="minutes"),
        "kind": text("Kind of the ladder as known at asof.", isin=LADDER_KINDS),
        "confidence": text("How sure the payoffs are, as known at asof.", isin=CONFIDENCES),
        **_METHOD,
        # What there was
        "n_legs": _count("Markets expected: those listed by asof.", "markets"),
        "n_quoted": _count("Expected markets with any quote.", "markets"),
        "n_two_sided": _count("Expected markets whose latest quote has a bid and an ask.", "markets"),
        "n_live": _count("Expected markets whose latest quote is fresh and has at least one side.", "markets"),
        "n_cells": _count("Elementary cells.", "cells"),
        "quote_kind": text(
            "Kind of the quotes used; `several` where they differ, NULL where there were none.",
            nullable=True,
            isin=(*QUOTE_KINDS, "several"),
        ),
        "latest_available_ts": timestamp("Latest moment at which one of the quotes became known.", nullable=True),
        # Gates
        "coverage": _probability("Share of expected markets whose quote is fresh with a band under the spread limit."),
        "two_sided_share": _probability("Share of expected markets with a bid and an ask."),
        "median_age_seconds": _amount(
            "Median age of the latest quotes, stale ones included.", "seconds", nullable=True
        ),
        "max_age_seconds": _amount("Age of the oldest of the latest quotes.", "seconds", nullable=True),
        "stale_cutoff_seconds": _amount("Age a quote may have at this distance from the anchor.", "seconds"),
        "median_spread": _number(
            "Median band width over the expected markets; an empty side counts as 0 or 1, no quote as 1. "
            "NULL where no market had a side.",
            unit="dollars",
            nullable=True,
        ),
        "median_relative_spread": _number(
            "Median of spread over mid of the two-sided markets.", unit="share of the mid", nullable=True
        ),
        "arbitrage_depth": _amount(
            "Least shift of every bid down and every ask up that leaves no arbitrage.", "dollars"
        ),
        "arbitrage_depth_net": _amount("The same, computed from prices net of taker fees.", "dollars"),
        "hard_gate_failed": _flag("Whether any hard gate failed; moments, tails and quantiles are NULL then."),
        "gate_reasons": _names("Names of the gates that failed; empty where none did."),
        # Quality
        "quality_low": _flag("Whether a hard gate failed or a quality flag was raised."),
        "quality_score": _probability("Weighted sum of the five components below."),
        "quality_coverage": _probability("Component: coverage."),
        "quality_spread": _probability("Component: 1 - median relative spread, within [0, 1]; 0.5 where unknown."),
        "quality_age": _probability("Component: exp(-median age / 300 s); 0.5 where unknown."),
        "quality_liquidity": _probability("Component: tanh(liquidity proxy / 4); 0 where unknown."),
        "quality_consistency": _probability("Component: exp(-(violation magnitude + renormalisation delta))."),
        "liquidity_proxy": _amount(
            "Mean of log1p(median volume) and log1p(median open interest), of those known.",
            "log contracts",
            nullable=True,
        ),
        "flags": _names("Everything a user of the row should know; empty where there is nothing."),
        # Repair
        "violations_pre": _count("Constraints violated by the raw mids.", "constraints"),
        "violations_post": _count(
            "Constraints violated by the published curve and masses, tolerance 1e-9.", "constraints"
        ),
        "violation_magnitude": _amount("Sum of the violations of the raw mids.", "dollars"),
        "renormalisation_delta": _amount(
            "|sum of the mids - 1| of a bucket ladder whose cells are all priced on both sides, else 0.", "dollars"
        ),
        "move_l1": _amount("Sum of |repaired - mid| over the weighted markets.", "dollars"),
        "move_l2": _amount("Root of the sum of (repaired - mid)^2 over the weighted markets.", "dollars"),
        "move_max": _amount("Largest |repaired - mid| of the weighted markets.", "dollars"),
        # Bounds
        "mean_low": _value("Least mean that the bands admit; NULL where mass may lie below an uncapped support."),
        "mean_high": _value("Greatest mean that the bands admit; NULL where mass may lie above an uncapped support."),
        # Tails
        "cut_low": _value("First cut; beyond it the support is open.", nullable=False),
        "cut_high": _value("Last cut; beyond it the support is open.", nullable=False),
        "mass_below": _probability("Mass below the first cut; NULL where a gate failed.", nullable=True),
        "mass_above": _probability("Mass above the last cut; NULL where a gate failed.", nullable=True),
        "tail_convention": text("How the mass beyond the outer cuts is placed."),
        **_SUPPORT,
        "tail_dominated": _flag("Whether the mean rests on more than 10 % of outer mass.", nullable=True),
        "tail_probabilities": column(
            "DOUBLE[]",
            "P(X >= t) for the ladder's tail_thresholds, in their order; NULL in the list where t lies in an open "
            "cell, NULL as a whole where a gate failed.",
            unit="probability",
            nullable=True,
        ),
        # Moments
        "mean": _value("Mean."),
        "variance": _number("Variance.", unit="square of the unit", nullable=True, checks=[pa.Check.ge(0)]),
        "std": _amount("Standard deviation.", _LADDER_UNIT, nullable=True),
        "skew": _number("Skewness.", nullable=True),
        "excess_kurtosis": _number("Kurtosis less 3.", nullable=True),
        "entropy": _amount("Entropy of the cell masses.", "nats", nullable=True),
        "entropy_atoms": _amount(
            "Entropy of the masses on the grid's atoms; NULL without a grid.", "nats", nullable=True
        ),
        **_quantile_columns(),
        "iqr": _amount("75 % less 25 % quantile.", _LADDER_UNIT, nullable=True),
    },
)

IMPLIED_CELLS = Table(
    schema="research",
    name="implied_cells",
    grain="one elementary cell of one ladder at one instant; kept where a gate failed",
    key=("ladder_id", "asof", "cell_index"),
    partition_column="partition_date",
    columns={
        **_SNAPSHOT,
        "cell_index": _count("Position of the cell from below.", "cells"),
        **_PARTITION,
        "low_cut": _value("Lower edge (inclusive); NULL for the cell open below."),
        "high_cut": _value("Upper edge (exclusive); NULL for the cell open above."),
        "probability": _probability("Repaired probability of the cell."),
        "probability_low": _probability("Least probability that the bands admit."),
        "probability_high": _probability("Greatest probability that the bands admit."),
        "survival": _probability("Repaired probability of the cell or anything above it."),
        "survival_low": _probability("Least such probability that the bands admit."),
        "survival_high": _probability("Greatest such probability that the bands admit."),
        **_METHOD,
    },
)

LADDER_QUOTES = Table(
    schema="research",
    name="ladder_quotes",
    grain="one expected market of one ladder at one instant: what was quoted and what repair made of it",
    key=("ladder_id", "asof", "leg_index"),
    partition_column="partition_date",
    columns={
        **_SNAPSHOT,
        "leg_index": _count("Position of the market on the ladder.", "legs"),
        **_PARTITION,
        "ticker": text("Market ticker."),
        "quote_kind": text("What bid and ask are.", nullable=True, isin=QUOTE_KINDS),
        "available_ts": timestamp("When the quote became known; NULL where there was none.", nullable=True),
        "age_seconds": _amount("Age of the quote; a bar's counts from its end.", "seconds", nullable=True),
        "period_minutes": _count("Length of the bar the quote closes; NULL for order books.", "minutes", nullable=True),
        "stale_cutoff_seconds": _amount("Age this quote may have.", "seconds"),
        "yes_bid": _price("Best YES bid; NULL where the side is empty."),
        "yes_ask": _price("Best YES ask; NULL where the side is empty."),
        "last_price": _price("Last trade price."),
        "mid": _price(
            "Target of the repair: the middle of a two-sided book, else the last trade; NULL without either."
        ),
        "tight_low": _probability("Lower bound from all of the ladder's quotes, widened by the arbitrage depth."),
        "tight_high": _probability("Upper bound from all of the ladder's quotes, widened by the arbitrage depth."),
        "repaired": _probability("Value of the market under the repaired distribution."),
        "moved": _number("Repaired less mid; NULL without a mid.", unit="dollars", nullable=True),
        "weight": _amount("Weight in the repair; 0 where the market only bounds.", "per square dollar"),
        "covered": _flag("Whether the market counts towards coverage."),
        **_METHOD,
    },
)

DISTRIBUTION_DISTANCES = Table(
    schema="research",
    name="distribution_distances",
    grain="one ladder at one instant and one lag: how far its distribution moved since",
    key=("ladder_id", "asof", "lag"),
    partition_column="partition_date",
    columns={
        **_SNAPSHOT,
        "lag": text("How long before: one hour or one day.", isin=LAGS),
        **_PARTITION,
        **_EVENT,
        "earlier_asof": timestamp(
            "The earlier snapshot: the latest that passed at least the lag before, and at most a quarter of the lag "
            "more. NULL where nothing is compared.",
            nullable=True,
        ),
        "gap_seconds": _amount("How much longer than the lag that is before.", "seconds", nullable=True),
        "kl": _amount(
            "Kullback-Leibler divergence of the cell masses from the earlier ones, 1e-12 added to both.",
            "nats",
            nullable=True,
        ),
        "js": _number(
            "Jensen-Shannon divergence of the cell masses (not its square root).",
            unit="nats",
            nullable=True,
            checks=[pa.Check.in_range(0, 0.6931471806)],
        ),
        "wasserstein": _amount(
            "Wasserstein-1 distance: integral of the difference of the distribution functions, exact on the grid's "
            "atoms; tails by their convention.",
            _LADDER_UNIT,
            nullable=True,
        ),
        "mean_change": _value("Mean less the earlier mean."),
        "reason": text(
            "Why nothing is compared: the snapshot failed a gate, the earlier ones within reach did, or there is none.",
            nullable=True,
            isin=DISTANCE_REASONS,
        ),
        **_METHOD,
    },
)

#: Tables of this room that a run writes.
DISTRIBUTION_TABLES: tuple[Table, ...] = (
    LADDERS,
    LADDER_LEGS,
    IMPLIED_DISTRIBUTIONS,
    IMPLIED_CELLS,
    LADDER_QUOTES,
    DISTRIBUTION_DISTANCES,
)
