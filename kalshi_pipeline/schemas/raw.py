"""The raw tables: what the exchange said, typed, one row per thing observed.

Reference tables (series, events, markets, settlements) are versioned by observation: a row is added when the content
differs from the latest row of the same key, never changed. Facts (quotes, candles, trades) live in daily UTC
partitions that are replaced whole. Every row names the landed unit it came from.
"""

from __future__ import annotations

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, contracts, dollars, text, timestamp

CANDLE_PERIODS = (1, 60, 1440)

_OBSERVED = {
    "observed_at": timestamp("When the response that carried this version was received."),
    "content_hash": text("SHA-256 of the version's content, prices and observation time left out."),
}
_ORIGIN = {
    "ingested_at": timestamp("When the landed response was received: the moment the row entered the archive."),
    "unit_id": text("Landed unit of work the row was loaded from."),
}
_PARTITION = {"partition_date": column("DATE", "UTC day of the partition the row belongs to.")}

SERIES = Table(
    schema="raw",
    name="series",
    grain="one version of a series' description, by observation",
    key=("series_ticker", "observed_at"),
    columns={
        "series_ticker": text("Ticker of the series."),
        "title": text("Title.", nullable=True),
        "category": text("Category.", nullable=True),
        "frequency": text("Free-text frequency (daily, monthly, custom, ...).", nullable=True),
        "tags": column("JSON", "Tags, a JSON list.", nullable=True),
        "settlement_sources": column("JSON", "Names and addresses of the settlement sources.", nullable=True),
        "fee_type": text("Fee schedule of the series.", nullable=True),
        "fee_multiplier": column("DOUBLE", "Multiplier of the fee formula.", nullable=True, checks=[pa.Check.ge(0)]),
        "last_updated_ts": timestamp("When the exchange last changed the series.", nullable=True),
        **_OBSERVED,
        **_ORIGIN,
    },
)

EVENTS = Table(
    schema="raw",
    name="events",
    grain="one version of an event's description, by observation",
    key=("event_ticker", "observed_at"),
    columns={
        "event_ticker": text("Ticker of the event."),
        "series_ticker": text("Series the event belongs to."),
        "title": text("Title.", nullable=True),
        "sub_title": text("Sub-title.", nullable=True),
        "category": text("Category (deprecated by the exchange).", nullable=True),
        "mutually_exclusive": column("BOOLEAN", "Whether exactly one market of the event can settle yes."),
        "collateral_return_type": text("Collateral return rule (MECNET, DIRECNET or empty).", nullable=True),
        "strike_date": timestamp("Date the event is about, where the exchange gives one.", nullable=True),
        "strike_period": text("Period the event is about, where the exchange gives one.", nullable=True),
        "fee_type_override": text("Fee schedule that overrides the series'.", nullable=True),
        "fee_multiplier_override": column("DOUBLE", "Fee multiplier that overrides the series'.", nullable=True),
        "last_updated_ts": timestamp("When the exchange last changed the event.", nullable=True),
        **_OBSERVED,
        **_ORIGIN,
    },
)

MARKETS = Table(
    schema="raw",
    name="markets",
    grain="one version of a market's specification, by observation (no prices, no outcome)",
    key=("ticker", "observed_at"),
    columns={
        "ticker": text("Market ticker."),
        "event_ticker": text("Event the market belongs to."),
        "series_ticker": text("Series the market was listed under."),
        "market_type": text("binary or scalar.", nullable=True),
        "title": text("Title.", nullable=True),
        "yes_sub_title": text("Short label of the YES side.", nullable=True),
        "no_sub_title": text("Short label of the NO side.", nullable=True),
        "status": text("Life-cycle status in the exchange's response words; unknown words are kept.", nullable=True),
        "created_time": timestamp("When the market was created; NULL where the exchange sends year 1.", nullable=True),
        "updated_time": timestamp("When the market's specification last changed.", nullable=True),
        "open_time": timestamp("When trading opens."),
        "close_time": timestamp("When trading closes."),
        "expected_expiration_time": timestamp("When the outcome is expected.", nullable=True),
        "latest_expiration_time": timestamp("Last possible expiration.", nullable=True),
        "occurrence_datetime": timestamp("When the underlying event happens.", nullable=True),
        "settlement_timer_seconds": column(
            "BIGINT", "Seconds between determination and settlement.", unit="seconds", nullable=True
        ),
        "strike_type": text("Payoff type: greater, less, between, ...; NULL on legacy markets.", nullable=True),
        "floor_strike": column("DOUBLE", "Lower strike in the units of the settled number.", nullable=True),
        "cap_strike": column("DOUBLE", "Upper strike in the units of the settled number.", nullable=True),
        "functional_strike": text("Functional strike expression.", nullable=True),
        "custom_strike": column("JSON", "Custom strike object.", nullable=True),
        "can_close_early": column("BOOLEAN", "Whether trading may close before close_time.", nullable=True),
        "rules_primary": text("Primary rules text.", nullable=True),
        "rules_secondary": text("Secondary rules text.", nullable=True),
        "price_level_structure": text("Name of the tick structure.", nullable=True),
        "price_ranges": column("JSON", "Tick sizes by price range.", nullable=True),
        "notional_value": dollars("Payout of one winning contract.", nullable=True, high=1_000.0),
        "tier": text("Tier of the exchange that served the version.", isin=("live", "historical")),
        **_OBSERVED,
        **_ORIGIN,
    },
)

SETTLEMENTS = Table(
    schema="raw",
    name="settlements",
    grain="one version of a market's outcome, by observation",
    key=("ticker", "observed_at"),
    columns={
        "ticker": text("Market ticker."),
        "event_ticker": text("Event the market belongs to."),
        "series_ticker": text("Series the market was listed under."),
        "status": text("Life-cycle status the outcome was seen with.", nullable=True),
        "result": text("Outcome in the exchange's words: yes, no, scalar; unknown words are kept."),
        "settlement_value": dollars("Value of the YES side, after determination.", nullable=True),
        "settlement_ts": timestamp("When the exchange says the market was settled.", nullable=True),
        "expiration_value": text("Value the exchange settled on, verbatim.", nullable=True),
        "learned_at": timestamp("Earliest moment a live user could have known this outcome."),
        "learned_at_basis": text("Where learned_at comes from.", isin=("settlement_ts", "observed_at")),
        **_OBSERVED,
        **_ORIGIN,
    },
)

#: Feeds of published values, the authority first: markets settle on what the exchange says.
VINTAGE_SOURCES = ("exchange_settlement", "alfred", "vintages_file")

OUTCOME_VINTAGES = Table(
    schema="raw",
    name="outcome_vintages",
    grain="one statement of one feed about what a release turned out to be, by observation",
    key=("source", "release_id", "stated_by", "vintage_at", "observed_at"),
    columns={
        "source": text("Feed of the statement.", isin=VINTAGE_SOURCES),
        "series_ticker": text("Series that settles on the release."),
        "release_id": text("Release as the feed knows it: the event, or series and reference period."),
        "event_ticker": text("Event that settled on the value; NULL where the feed names a period.", nullable=True),
        "reference_period": column(
            "DATE", "First day of the period the value is about; NULL where the feed names an event.", nullable=True
        ),
        "stated_by": text("What carried the value: the market, the statistic or the file."),
        "value_text": text("Value as received, verbatim."),
        "value": column(
            "DOUBLE", "Number the text states; NULL where it states none.", unit="unit of the text", nullable=True
        ),
        "reject_reason": text(
            "Why the text is no number; NULL where it is one.", nullable=True, isin=("not_a_number",)
        ),
        "vintage_at": timestamp("When the feed says the value was published or settled."),
        "learned_at": timestamp("Earliest moment a live user could have known the value."),
        "learned_at_basis": text(
            "Where learned_at comes from.",
            isin=("settlement_ts", "observed_at", "published_at", "release_time", "end_of_day", "end_of_month"),
        ),
        **_OBSERVED,
        **_ORIGIN,
    },
)

QUOTES = Table(
    schema="raw",
    name="quotes",
    grain="one live snapshot of a market's top of book",
    key=("ticker", "observed_at"),
    partition_column="partition_date",
    columns={
        "ticker": text("Market ticker."),
        "observed_at": timestamp("When the response that carried the quote was received."),
        "status": text("Life-cycle status at the snapshot.", nullable=True),
        "yes_bid": dollars("Best YES bid; 0 where the side is empty.", nullable=True),
        "yes_ask": dollars("Best YES ask (1 - best NO bid); 1 or 0 where the side is empty.", nullable=True),
        "yes_bid_size": contracts("Contracts at the best YES bid.", nullable=True),
        "yes_ask_size": contracts("Contracts at the best YES ask.", nullable=True),
        "last_price": dollars("Last trade price; 0 where never traded.", nullable=True),
        "volume": contracts("Contracts traded since the market opened.", nullable=True),
        "volume_24h": contracts("Contracts traded over the last 24 hours.", nullable=True),
        "open_interest": contracts("Contracts outstanding.", nullable=True),
        **_ORIGIN,
        **_PARTITION,
    },
)


def _ohlc(prefix: str, what: str) -> dict[str, pa.Column]:
    return {
        f"{prefix}_{name}": dollars(f"{what}, {name} of the bar.", nullable=True)
        for name in ("open", "high", "low", "close")
    }


CANDLES = Table(
    schema="raw",
    name="candles",
    grain="one bar of a market, by period, start and source",
    key=("ticker", "period_minutes", "bucket_start", "source"),
    partition_column="partition_date",
    columns={
        "ticker": text("Market ticker."),
        "bucket_start": timestamp("Start of the bar (inclusive); daily bars start at midnight US Eastern."),
        "bucket_end": timestamp("End of the bar; the bar is known from here on."),
        "source": text("Where the bar comes from.", isin=("api_event", "trades")),
        "period_minutes": column(
            "INTEGER", "Length of the bar.", unit="minutes", checks=[pa.Check.isin(list(CANDLE_PERIODS))]
        ),
        "quote_kind": text(
            "What bid and ask are: closes of real quotes, or the last taker sale and purchase.",
            isin=("candle_close", "trade_proxy"),
        ),
        **_ohlc("yes_bid", "YES bid"),
        **_ohlc("yes_ask", "YES ask"),
        **_ohlc("price", "Trade price"),
        "price_mean": dollars("Volume-weighted mean trade price.", nullable=True),
        "price_previous": dollars("Last trade before the bar.", nullable=True),
        "price_min": dollars("Lowest trade price, where served.", nullable=True),
        "price_max": dollars("Highest trade price, where served.", nullable=True),
        "volume": contracts("Contracts traded in the bar.", nullable=True),
        "open_interest": contracts("Contracts outstanding at the end of the bar.", nullable=True),
        "tier": text("Tier of the exchange that served the bar.", isin=("live", "historical")),
        **_ORIGIN,
        "partition_date": column("DATE", "UTC day in which the bar ended (a bar ending at midnight: the day before)."),
    },
)

TRADES = Table(
    schema="raw",
    name="trades",
    grain="one trade",
    key=("trade_id",),
    partition_column="partition_date",
    columns={
        "trade_id": text("Identifier of the trade."),
        "ticker": text("Market ticker."),
        "created_time": timestamp("When the trade happened."),
        "count": contracts("Contracts traded."),
        "yes_price": dollars("Price of the YES side."),
        "no_price": dollars("Price of the NO side."),
        "taker_outcome_side": text("Outcome the taker bought.", nullable=True, isin=("yes", "no")),
        "taker_book_side": text("Side of the book the taker took.", nullable=True, isin=("bid", "ask")),
        "is_block_trade": column("BOOLEAN", "Whether the trade was a block trade.", nullable=True),
        "tier": text("Tier of the exchange that served the trade.", isin=("live", "historical")),
        **_ORIGIN,
        **_PARTITION,
    },
)

ORDERBOOKS = Table(
    schema="raw",
    name="orderbooks",
    grain="one price level of a market's order book at one observation",
    key=("ticker", "observed_at", "side", "level"),
    partition_column="partition_date",
    columns={
        "ticker": text("Market ticker."),
        "observed_at": timestamp("When the response that carried the book was received."),
        "side": text("Side whose bids these are; the exchange shows bids only.", isin=("yes", "no")),
        "level": column("INTEGER", "Rank of the level, 1 is the best bid.", checks=[pa.Check.ge(1)]),
        "price": dollars("Bid price of the level."),
        "count": contracts("Contracts bid at the level."),
        **_ORIGIN,
        **_PARTITION,
    },
)

SERIES_FEE_CHANGES = Table(
    schema="raw",
    name="series_fee_changes",
    grain="one version of a scheduled change of a series' fee, by observation",
    key=("change_id", "observed_at"),
    columns={
        "change_id": text("Identifier of the change."),
        "series_ticker": text("Series whose fee changes."),
        "fee_type": text("Fee schedule from then on."),
        "fee_multiplier": column("DOUBLE", "Multiplier of the fee formula from then on.", checks=[pa.Check.ge(0)]),
        "scheduled_ts": timestamp("When the change takes effect."),
        **_OBSERVED,
        **_ORIGIN,
    },
)

EVENT_FEE_CHANGES = Table(
    schema="raw",
    name="event_fee_changes",
    grain="one version of a scheduled change of an event's fee override, by observation",
    key=("change_id", "observed_at"),
    columns={
        "change_id": text("Identifier of the change."),
        "event_ticker": text("Event whose override changes."),
        "series_ticker": text("Series the event belongs to."),
        "fee_type_override": text("Fee schedule from then on; NULL clears the override.", nullable=True),
        "fee_multiplier_override": column(
            "DOUBLE", "Fee multiplier from then on; NULL clears the override.", nullable=True, checks=[pa.Check.ge(0)]
        ),
        "scheduled_ts": timestamp("When the change takes effect."),
        **_OBSERVED,
        **_ORIGIN,
    },
)

EXCHANGE_SCHEDULES = Table(
    schema="raw",
    name="exchange_schedules",
    grain="one version of the exchange's trading hours, by observation",
    key=("exchange", "observed_at"),
    columns={
        "exchange": text("Exchange the hours are of."),
        "standard_hours": column(
            "JSON",
            "Weekly sessions in US Eastern wall time, by period of validity; the Thursday pause is a gap in them.",
        ),
        "maintenance_windows": column("JSON", "Announced windows without trading.", nullable=True),
        **_OBSERVED,
        **_ORIGIN,
    },
)

EXCHANGE_STATUSES = Table(
    schema="raw",
    name="exchange_statuses",
    grain="one version of the state of the exchange or of one of its shards, by observation",
    key=("part", "observed_at"),
    columns={
        "part": text("exchange for the whole, or shard and its number."),
        "description": text("Name of the shard.", nullable=True),
        "exchange_active": column("BOOLEAN", "Whether the exchange is up."),
        "trading_active": column("BOOLEAN", "Whether orders trade; false in the weekly pause."),
        "estimated_resume_time": timestamp("When trading is expected to resume, while it does not.", nullable=True),
        **_OBSERVED,
        **_ORIGIN,
    },
)

RAW_TABLES: tuple[Table, ...] = (
    SERIES,
    EVENTS,
    MARKETS,
    SETTLEMENTS,
    OUTCOME_VINTAGES,
    QUOTES,
    CANDLES,
    TRADES,
    ORDERBOOKS,
    SERIES_FEE_CHANGES,
    EVENT_FEE_CHANGES,
    EXCHANGE_SCHEDULES,
    EXCHANGE_STATUSES,
)
