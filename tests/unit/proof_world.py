"""A small invented world for the proofs: weekly ladders with quotes, a market listed late, outcomes with revisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from kalshi_pipeline.distributions.snapshots import compute
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.panel import build_panel
from kalshi_pipeline.research.proofs.joins import quote_activity, quotes_as_of
from kalshi_pipeline.research.proofs.rebuild import Steps, compare_snapshots
from kalshi_pipeline.research.proofs.world import World
from kalshi_pipeline.research.releases import build_releases
from tests.unit.distribution_kit import ladders_of, thresholds

HORIZONS = (1_440, 240, 60)
RULES = FoldRules(
    HORIZONS, min_train_groups=7, test_groups=2, step_groups=2, purge_days={"CPI": 1}, min_inner_train_groups=2
)
STEPS = Steps(rules=RULES)
START = datetime(2025, 11, 5, 13, 25, tzinfo=UTC)
BAR = timedelta(hours=1)

_NUMBERS = ("yes_bid", "yes_ask", "last_price", "volume", "open_interest")
QUOTE_SCHEMA = pa.schema(
    {"ticker": pa.string(), "available_ts": TIMESTAMP, "quote_kind": pa.string(), "period_minutes": pa.int32()}
    | {"source": pa.string(), "partition_date": pa.date32(), **dict.fromkeys(_NUMBERS, pa.float64())}
)
CANDLE_SCHEMA = pa.schema(
    {"ticker": pa.string(), "bucket_start": TIMESTAMP, "bucket_end": TIMESTAMP, "period_minutes": pa.int32()}
    | {"source": pa.string()}
)
OUTCOME_SCHEMA = pa.schema(
    {"event_ticker": pa.string(), "revision_number": pa.int32(), "value": pa.float64(), "value_text": pa.string()}
    | {"learned_at": TIMESTAMP}
)
SETTLEMENT_SCHEMA = pa.schema({"event_ticker": pa.string(), "learned_at": TIMESTAMP})
SNAPSHOT_SCHEMA = pa.schema({"ticker": pa.string(), "observed_at": TIMESTAMP})


@dataclass(frozen=True)
class Proven:
    """A world, and the stored tables that production makes of it."""

    world: World
    tables: dict[str, pa.Table]


def proof_world(events: int = 13, seed: int = 1) -> Proven:
    """Weekly CPI ladders of five markets with hourly bars over their last three days.

    One market is listed ten hours before the close; some ladders fall silent, some markets are quoted late. Every other
    outcome is learned shortly before the next release, and revised ten days later.
    """
    rng = np.random.default_rng(seed)
    markets: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for number in range(events):
        close = START + timedelta(weeks=number)
        event, opened = f"KXCPI-26W{number:02d}", close - timedelta(days=3)
        own = thresholds(
            [-0.1, 0.1, 0.3, 0.5, 0.7], event=event, open_time=opened, close_time=close, spec_known_at=opened
        )
        own[-1]["spec_known_at"] = own[-1]["open_time"] = close - timedelta(hours=10)
        markets += own
        centre = rng.normal(0.3, 0.1)
        for hour in range(72):
            end = (opened + (hour + 1) * BAR).replace(minute=0)
            centre += rng.normal(0, 0.02)
            for row, strike in zip(own, (-0.1, 0.1, 0.3, 0.5, 0.7), strict=True):
                silent = rng.random() < 0.2 or (number % 4 == 1 and 38 <= hour <= 48)
                unquoted = number % 3 == 2 and strike == 0.3 and hour < 50
                if end <= row["spec_known_at"] or silent or unquoted:
                    continue
                fair = float(np.clip(stats.norm.sf(strike + 0.05, centre, 0.15) + rng.normal(0, 0.005), 0.02, 0.98))
                bars.append(
                    {"ticker": row["ticker"], "bucket_end": end, "fair": fair, "volume": float(rng.integers(1, 90))}
                )
        learned = close + (timedelta(days=6, hours=12) if number % 2 else timedelta(minutes=5))
        value = round(centre, 1)
        outcomes.append(_outcome(event, 0, value, learned))
        if number % 2:
            outcomes.append(_outcome(event, 1, round(value + 0.2, 1), learned + timedelta(days=10)))
    built = ladders_of(markets)
    legs = built.legs.filter(pc.is_valid(built.legs["ladder_id"]))
    first = [row for row in outcomes if row["revision_number"] == 0]
    world = World(
        quotes=pa.Table.from_pylist([_quote(bar) for bar in bars], schema=QUOTE_SCHEMA),
        ladders=built.ladders,
        legs=legs,
        releases=build_releases(built.ladders),
        outcomes=pa.Table.from_pylist(outcomes, schema=OUTCOME_SCHEMA),
        first_prints=pa.Table.from_pylist(first, schema=OUTCOME_SCHEMA).drop_columns(["revision_number"]),
    )
    return Proven(world, stored(world, bars, outcomes))


def stored(world: World, bars: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """What a warehouse would hold after a run over the world."""
    asked = [
        {
            "ladder_id": row["ladder_id"],
            "asof": row["anchor_ts"] - timedelta(minutes=minutes),
            "snapshot_kind": "horizon",
        }
        for row in world.releases.to_pylist()
        for minutes in HORIZONS
    ]
    schema = pa.schema({"ladder_id": pa.string(), "asof": TIMESTAMP, "snapshot_kind": pa.string()})
    wanted = pa.Table.from_pylist(asked, schema=schema)
    made = compute(world.ladders, world.legs, quotes_as_of(world, wanted))
    moved, activity = compare_snapshots(world.ladders, made), quote_activity(world, wanted, 24)
    labels = build_labels(world.releases, world.outcomes, world.first_prints)
    candles = [
        {**bar, "bucket_start": bar["bucket_end"] - BAR, "period_minutes": 60, "source": "api_event"} for bar in bars
    ]
    settled = [{"event_ticker": row["event_ticker"], "learned_at": row["learned_at"]} for row in outcomes]
    return {
        "candles": pa.Table.from_pylist(candles, schema=CANDLE_SCHEMA),
        "snapshots": SNAPSHOT_SCHEMA.empty_table(),
        "settlements": pa.Table.from_pylist(settled, schema=SETTLEMENT_SCHEMA),
        "quotes": world.quotes,
        "outcomes": world.outcomes,
        "settled_outcomes": world.outcomes,
        "settled_first_prints": world.first_prints,
        "first_prints": world.first_prints,
        "ladders": world.ladders,
        "legs": world.legs,
        "releases": world.releases,
        "labels": labels,
        "folds": build_folds(labels, RULES).table,
        "panel": build_panel(world.releases, made.distributions, activity, moved, HORIZONS),
        "distributions": made.distributions,
        "distances": moved,
        "ladder_quotes": made.quotes.select(["ladder_id", "ticker", "asof", "available_ts"]),
    }


def _quote(bar: dict[str, Any]) -> dict[str, Any]:
    end, fair = bar["bucket_end"], bar["fair"]
    prices = {"yes_bid": round(fair - 0.01, 2), "yes_ask": round(fair + 0.01, 2), "last_price": round(fair, 2)}
    known = {"ticker": bar["ticker"], "available_ts": end, "quote_kind": "candle_close", "period_minutes": 60}
    return {**known, **prices, "source": "api_event", "partition_date": end.date()} | {
        "volume": bar["volume"],
        "open_interest": 100.0,
    }


def _outcome(event: str, revision: int, value: float, learned: datetime) -> dict[str, Any]:
    row = {"event_ticker": event, "revision_number": revision, "value": value, "value_text": f"{value:g}"}
    return {**row, "learned_at": learned}
