"""Real recorded ladders: nothing is lost on the way, and the distributions are those a trader would recognise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from kalshi_pipeline.distributions.snapshots import SnapshotTables, compute
from kalshi_pipeline.ladders.build import build_ladders
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.ladders.tables import LadderTables

pytestmark = pytest.mark.integration

WORLDS = ("btc_hourly_2026_07", "econ_2026_07", "payrolls_to_2024_07", "weather_2024")
PROXIES = ("payrolls_to_2024_07", "weather_2024")


def ladders_of(world: Path) -> LadderTables:
    """The ladders of a recorded world; a market is taken to be known from its opening."""
    markets = pq.read_table(world / "markets.parquet")
    events = pq.read_table(world / "events.parquet").select(["event_ticker", "mutually_exclusive"])
    markets = markets.join(events, "event_ticker")
    return build_ladders(markets.append_column("spec_known_at", markets["open_time"]), Registry.load())


def candles_of(world: Path) -> pd.DataFrame:
    """Closes of the recorded bars as quotes."""
    candles = pd.read_parquet(world / "candles.parquet")
    kind = "trade_proxy" if world.name in PROXIES else "candle_close"
    return pd.DataFrame(
        {
            "ticker": candles["ticker"],
            "available_ts": pd.to_datetime(candles["end_period_ts"], unit="s", utc=True).astype("datetime64[us, UTC]"),
            "yes_bid": candles["yes_bid_close"],
            "yes_ask": candles["yes_ask_close"],
            "last_price": candles["price_close"],
            "quote_kind": kind,
            "period_minutes": candles["period_interval"].astype("Int64"),
            "volume": candles["volume"].astype(float),
            "open_interest": candles["open_interest"].astype(float),
        }
    ).sort_values("available_ts")


def observations(tables: LadderTables, instants: pd.DataFrame, quotes: pd.DataFrame) -> pa.Table:
    """The latest quote of every known leg at every instant of its ladder (columns ``ladder_id``, ``asof``)."""
    legs = tables.legs.to_pandas()[["ladder_id", "leg_index", "ticker", "known_at"]].dropna(subset=["ladder_id"])
    rows = instants.merge(legs, on="ladder_id")
    rows = rows[rows["known_at"] <= rows["asof"]].drop(columns="known_at").sort_values("asof")
    joined = pd.merge_asof(rows, quotes, left_on="asof", right_on="available_ts", by="ticker")
    return pa.Table.from_pandas(joined.assign(snapshot_kind="grid"), preserve_index=False)


def at_polls(world: Path) -> tuple[LadderTables, SnapshotTables]:
    """Snapshots of every ladder at the instants at which any of its markets was recorded."""
    tables, quotes = ladders_of(world), candles_of(world)
    legs = tables.legs.to_pandas()[["ticker", "ladder_id"]]
    instants = quotes.merge(legs, on="ticker")[["ladder_id", "available_ts"]].drop_duplicates()
    instants = instants.rename(columns={"available_ts": "asof"})
    return tables, compute(tables.ladders, tables.legs, observations(tables, instants, quotes))


@pytest.mark.parametrize("world", WORLDS)
def test_every_recorded_market_is_a_leg_or_has_its_reason(shared_dir: Path, world: str) -> None:
    tables = ladders_of(shared_dir / "recorded" / world)
    markets = pq.read_table(shared_dir / "recorded" / world / "markets.parquet")
    assert sorted(tables.legs["ticker"].to_pylist()) == sorted(markets["ticker"].to_pylist())
    excluded = pc.is_null(tables.legs["ladder_id"])
    assert pc.all(pc.equal(excluded, pc.is_valid(tables.legs["reason"]))).as_py()
    assert not pc.any(excluded).as_py(), "every market of the recorded worlds is numeric and has its strikes"
    assert set(tables.ladders["confidence"].to_pylist()) == {"high"}
    assert pc.sum(tables.ladders["n_legs"]).as_py() == markets.num_rows


def test_recorded_winners_lie_in_the_cells_their_markets_pay_on(shared_dir: Path) -> None:
    """Settled values, compared with the payoff intervals: every disagreement between result and interval is listed."""
    disagreements = []
    for world in WORLDS:
        folder = shared_dir / "recorded" / world
        legs = ladders_of(folder).legs.to_pandas().set_index("ticker")
        markets = pd.read_parquet(folder / "markets.parquet")
        values = pd.to_numeric(markets["expiration_value"].str.replace(",", ""), errors="coerce")
        # Weather states its value on the winner only.
        markets["value"] = values.groupby(markets["event_ticker"]).transform("max")
        for row in markets[markets["value"].notna() & markets["result"].isin(["yes", "no"])].itertuples():
            leg = legs.loc[row.ticker]
            low = -float("inf") if pd.isna(leg["low_cut"]) else leg["low_cut"]
            high = float("inf") if pd.isna(leg["high_cut"]) else leg["high_cut"]
            if (low <= row.value < high) != (row.result == "yes"):
                disagreements.append((row.ticker, row.value, row.result))
    assert disagreements == []


def test_hourly_bitcoin_ladders_have_a_deviation_near_a_hundred_dollars(shared_dir: Path) -> None:
    _, made = at_polls(shared_dir / "recorded" / "btc_hourly_2026_07")
    frame = made.distributions.to_pandas()
    assert len(frame) == 205
    assert not frame["hard_gate_failed"].any()
    assert 80 < frame["std"].median() < 120
    assert (frame["violations_post"] == 0).all()
    # Renormalised mids of the same books, for comparison, are off by thousands of dollars.
    quotes = made.quotes.to_pandas()
    mids = (quotes["yes_bid"].fillna(0) + quotes["yes_ask"].fillna(1)) / 2
    assert mids.groupby([quotes["ladder_id"], quotes["asof"]]).sum().median() > 1.5


def test_wide_books_of_recorded_macro_ladders_move_no_mean(shared_dir: Path) -> None:
    world = shared_dir / "recorded" / "econ_2026_07"
    tables, quotes = ladders_of(world), candles_of(world)
    legs = tables.legs.to_pandas()[["ticker", "ladder_id"]]
    instants = quotes.merge(legs, on="ticker")[["ladder_id", "available_ts"]].drop_duplicates()
    given = observations(tables, instants.rename(columns={"available_ts": "asof"}), quotes)
    wide = pc.and_(pc.equal(given["yes_bid"], 0.0), pc.greater_equal(given["yes_ask"], 0.99))
    assert pc.sum(wide).as_py() > 0
    blanked = given
    for name in ("yes_bid", "yes_ask"):
        column = pc.if_else(wide, pa.scalar(None, pa.float64()), given[name])
        blanked = blanked.set_column(blanked.column_names.index(name), name, column)
    one = compute(tables.ladders, tables.legs, given).distributions
    other = compute(tables.ladders, tables.legs, blanked).distributions
    passed = pc.invert(pc.or_(one["hard_gate_failed"], other["hard_gate_failed"]))
    assert pc.sum(passed).as_py() > 50
    assert one.filter(passed)["mean"].equals(other.filter(passed)["mean"])


@pytest.mark.parametrize("world", WORLDS)
def test_recorded_snapshots_account_for_every_gate_and_violate_nothing(shared_dir: Path, world: str) -> None:
    _, made = at_polls(shared_dir / "recorded" / world)
    frame = made.distributions.to_pandas()
    assert (frame["violations_post"] == 0).all()
    assert (frame["hard_gate_failed"] == (frame["gate_reasons"].str.len() > 0)).all()
    assert (frame["mean"].notna() == ~frame["hard_gate_failed"]).all()
    masses = made.cells.to_pandas().groupby(["ladder_id", "asof"])["probability"].sum()
    assert (masses - 1).abs().max() <= 1e-12
    assert (~frame["hard_gate_failed"]).sum() > 50


def test_probabilities_of_recorded_weather_come_true_about_as_often_as_they_say(shared_dir: Path) -> None:
    world = shared_dir / "recorded" / "weather_2024"
    tables, quotes = ladders_of(world), candles_of(world)
    ladders = tables.ladders.to_pandas()
    # One look at each day, around its noon.
    asof = (ladders["close_time"] - pd.Timedelta(hours=12)).dt.ceil("h").astype("datetime64[us, UTC]")
    made = compute(
        tables.ladders,
        tables.legs,
        observations(tables, pd.DataFrame({"ladder_id": ladders["ladder_id"], "asof": asof}), quotes),
    )
    passed = made.distributions.filter(pc.invert(made.distributions["hard_gate_failed"]))["ladder_id"].to_pylist()
    assert len(passed) > 100
    results = pd.read_parquet(world / "markets.parquet").set_index("ticker")["result"]
    frame = made.quotes.to_pandas()
    frame = frame[frame["ladder_id"].isin(passed)]
    won = frame["ticker"].map(results) == "yes"
    bins = pd.cut(frame["repaired"], [-0.001, 0.1, 0.3, 0.5, 0.7, 1.0])
    table = pd.DataFrame({"said": frame["repaired"], "came": won}).groupby(bins, observed=True).mean()
    assert (table["said"] - table["came"]).abs().max() < 0.15
