-- One row a minute of a market, whether it moved or not: quotes stand for up to an hour, and filled rows say so.
-- $ticker, $since, $until.
select
    bucket_end,
    yes_bid,
    yes_ask,
    is_synthetic,
    quote_age_minutes,
    volume
from marts.candles_dense($ticker, $since::timestamptz, $until::timestamptz, max_fill_minutes := 60)
