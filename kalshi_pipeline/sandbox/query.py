"""Reading query parameters, refusing what the exchange refuses.

Not here: what the parameters mean for an endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

from kalshi_pipeline.sandbox.errors import bad_request

PERIODS = (1, 60, 1440)


def limit(query: Mapping[str, str], default: int, largest: int) -> int:
    """The page size; 0 means the default.

    Raises:
        Refusal: not a whole number, negative, or above the endpoint's maximum.
    """
    asked = whole(query, "limit")
    if asked is None or asked == 0:
        return default
    if not 0 < asked <= largest:
        raise bad_request(f"limit must be between 0 and {largest}")
    return asked


def whole(query: Mapping[str, str], name: str) -> int | None:
    """A whole number, or ``None`` where the parameter is absent.

    Raises:
        Refusal: the text is not a whole number.
    """
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f"Invalid format for parameter {name}: {text}") from None


def required(query: Mapping[str, str], name: str) -> int:
    """A whole number that must be given.

    Raises:
        Refusal: it is not.
    """
    value = whole(query, name)
    if value is None:
        raise bad_request(f"Query argument {name} is required")
    return value


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on; absent is off.

    Raises:
        Refusal: neither true nor false.
    """
    text = query.get(name, "false").lower()
    if text not in ("true", "false", "1", "0", ""):
        raise bad_request(f"Invalid format for parameter {name}: {text}")
    return text in ("true", "1")


def words(query: Mapping[str, str], name: str) -> list[str]:
    """A comma-separated list; absent is empty."""
    return [word for word in query.get(name, "").split(",") if word]


def window(query: Mapping[str, str]) -> tuple[int, int, int]:
    """Start, end (unix seconds) and period (minutes) of a candle request.

    Raises:
        Refusal: one is missing, the period is not served, or the end lies before the start.
    """
    start, end, period = (required(query, name) for name in ("start_ts", "end_ts", "period_interval"))
    if period not in PERIODS:
        raise bad_request(
            "Parameter validation failed: Key: 'PeriodInterval' Error:Field validation for 'PeriodInterval' failed",
        )
    if end < start:
        raise bad_request("end_ts must not be before start_ts")
    return start, end, period
