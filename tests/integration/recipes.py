"""What each recipe in ``docs/recipes`` is asked, and another way to the number it should give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVENT, MARKET_EVENT = "KXCPI-26JUN", "KXHIGHCHI-26JUN30"
INSTANT = "2026-06-30 18:00:00+00"


@dataclass(frozen=True)
class Recipe:
    """A recipe and what must hold of its answer.

    Attributes:
        file: its number and name.
        parameters: what it is asked.
        holds: query over its answer (a table named ``answer``) for two numbers that must be equal, the second found
            without the recipe.
    """

    file: str
    holds: str
    parameters: Mapping[str, str] = field(default_factory=dict)


RECIPES = (
    Recipe(
        "01_quotes_at_an_instant",
        "select (select sum(yes_bid) from answer), (select sum(bid) from "
        "(select arg_max_null(yes_bid, available_ts) as bid "
        f"from marts.quotes where ticker like '{MARKET_EVENT}-%' and available_ts <= '{INSTANT}' group by ticker))",
        {"event": MARKET_EVENT, "instant": INSTANT},
    ),
    Recipe(
        "02_what_the_market_expected",
        'select (select "asof" from answer), (select max("asof") from research.implied_distributions d '
        "join research.releases r using (ladder_id) where d.event_ticker = "
        f"'{MARKET_EVENT}' and epoch(r.anchor_ts) - epoch(\"asof\") >= 86400)",
        {"event": MARKET_EVENT},
    ),
    Recipe(
        "03_surprises",
        "select (select count(*) from answer where abs(surprise + expected - first_print_value) < 1e-9), "
        "(select count(distinct l.ladder_id) from research.event_labels l join research.implied_distributions d "
        "using (ladder_id) where l.release_type = 'WEATHER' and has_label and d.mean is not null "
        'and epoch(l.anchor_ts) - epoch(d."asof") >= 3600)',
        {"release_type": "WEATHER"},
    ),
    Recipe(
        "04_revisions",
        "select (select sum(revised_by) from answer), (select sum(last.value - first.value) from marts.event_outcomes "
        "first join marts.event_outcomes last using (event_ticker) where first.revision_number = 0 and last.is_latest "
        "and first.series_ticker = 'KXCPI')",
        {"series": "KXCPI"},
    ),
    Recipe(
        "05_outcomes_known_at_an_instant",
        "select (select count(*) from answer where revision_number >= 0), (select count(distinct event_ticker) from "
        "marts.event_outcomes where series_ticker = 'KXCPI' and learned_at <= '2026-01-01 00:00:00+00')",
        {"series": "KXCPI", "instant": "2026-01-01 00:00:00+00"},
    ),
    Recipe(
        "06_calibration",
        "select (select count(*) from answer where paid between 0 and 1 and quoted - from_probability between 0 and "
        "0.1), (select count(*) from answer)",
    ),
    Recipe(
        "07_spread_and_volume_by_hours_to_close",
        "select (select sum(contracts) from answer), (select sum(volume) from marts.candles where ticker like "
        "'KXHIGHCHI-%' and bucket_end <= (select close_time from marts.markets m where m.ticker = candles.ticker))",
        {"series": "KXHIGHCHI"},
    ),
    Recipe(
        "08_an_even_price_path",
        "select (select count(*) from answer where not is_synthetic), (select count(*) from marts.candles where "
        "ticker = (select min(ticker) from marts.candles where ticker like 'KXHIGHCHI-26JUN30-%') and bucket_end > "
        "'2026-06-30 12:00:00+00' and bucket_end <= '2026-06-30 18:00:00+00')",
        {"ticker": "?", "since": "2026-06-30 12:00:00+00", "until": "2026-06-30 18:00:00+00"},
    ),
    Recipe(
        "09_what_is_missing",
        "select (select sum(present) from answer), (select count(*) from (select distinct ticker, partition_date "
        "from marts.candles))",
    ),
    Recipe(
        "10_what_moved_a_release",
        "select (select anchor_ts from answer where valid_to is null), (select any_value(anchor_ts) from "
        f"research.releases where event_ticker = '{EVENT}')",
        {"event": EVENT},
    ),
)
