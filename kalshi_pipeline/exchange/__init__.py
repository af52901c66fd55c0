"""The client of Kalshi's Trade API v2: transport, pacing, retries, breaker, pagination, typed records, errors.

It reads and never writes: GET is the only method it knows. Not here: what is fetched when, and where it is kept
(``landing``); sending orders (never).
"""
