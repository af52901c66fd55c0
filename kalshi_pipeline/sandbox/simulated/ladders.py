"""The markets of a simulated event: which strikes are listed, what they pay on, and what they are called.

Thresholds are ``greater`` legs around the opening forecast; buckets are ``between`` legs with a ``less`` and a
``greater`` tail that tile the line. Not here: quotes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kalshi_pipeline.sandbox.labels import number, yes_label
from kalshi_pipeline.sandbox.simulated.catalogue import Listing
from kalshi_pipeline.sandbox.simulated.outcomes import Outcome
from kalshi_pipeline.sandbox.simulated.schedule import Release
from kalshi_pipeline.sandbox.world import Event, Market


@dataclass(frozen=True, slots=True)
class Leg:
    """A market's payoff: YES iff ``low < printed number < high``, in steps of the grid; ``None`` is open."""

    suffix: str
    strike_type: str
    floor: float | None
    cap: float | None
    low: int | None
    high: int | None

    def pays(self, steps: int) -> bool:
        """Whether a printed number, in steps of the grid, settles the market YES."""
        return (self.low is None or steps > self.low) and (self.high is None or steps < self.high)


def legs_of(listing: Listing, centre: float) -> list[Leg]:
    """The legs of an event whose forecast stood at ``centre`` when it was listed, lowest first."""
    return list(_thresholds(listing, centre) if listing.kind == "macro" else _buckets(listing, centre))


def _thresholds(listing: Listing, centre: float) -> Iterator[Leg]:
    per_strike = round(listing.step / listing.grid)
    middle = round(centre / listing.step)
    for n in range(middle - listing.legs // 2, middle + (listing.legs + 1) // 2):
        strike = round(n * listing.step, 6) + 0.0
        if strike >= listing.lowest:
            yield Leg(f"T{number(strike)}", "greater", strike, None, n * per_strike, None)


def _buckets(listing: Listing, centre: float) -> Iterator[Leg]:
    width = round(listing.step / listing.grid)
    lowest = (round(centre / listing.step) - listing.legs // 2) * width
    top = lowest + listing.legs * width

    def value(steps: int) -> float:
        return round(steps * listing.grid, 6)

    yield Leg(f"T{number(value(lowest))}", "less", None, value(lowest), None, lowest)
    for first in range(lowest, top, width):
        floor, cap = value(first), value(first + width - 1)
        # Whole degrees: 68 to 69 is B68.5. Cents: 61,000 to 61,249.99 is B61125.
        middle = (floor + cap) / 2 if listing.grid >= 1 else floor + listing.step / 2
        yield Leg(f"B{number(middle)}", "between", floor, cap, first - 1, first + width)
    yield Leg(f"T{number(value(top - 1))}", "greater", value(top - 1), None, top - 1, None)


def event_of(release: Release, listing: Listing) -> Event:
    """The event of a release."""
    when = release.period.strftime("%b %Y" if listing.kind == "macro" else "%b %d, %Y")
    exclusive = listing.kind != "macro"
    return Event(
        ticker=release.event_ticker,
        series_ticker=release.series_ticker,
        title=f"{listing.subject} in {when}?" if listing.kind == "macro" else f"{listing.subject} on {when}?",
        sub_title=when,
        mutually_exclusive=exclusive,
        listed=release.listed,
        open_time=release.opens,
        close_time=release.closes,
        settled=release.settles,
        strike_date=release.closes if exclusive else None,
        strike_period=None if exclusive else when,
    )


def market_of(release: Release, listing: Listing, leg: Leg, outcome: Outcome) -> Market:
    """The market of a leg, outcome included."""
    label = yes_label(leg.strike_type, leg.floor, leg.cap, listing.unit)
    source = (listing.series.settlement_source or ("the settlement source", ""))[0]
    event = event_of(release, listing)
    return Market(
        ticker=f"{release.event_ticker}-{leg.suffix}",
        event_ticker=release.event_ticker,
        series_ticker=release.series_ticker,
        title=f"{event.title[:-1]}: {label[:1].lower()}{label[1:]}?",
        yes_sub_title=label,
        strike_type=leg.strike_type,
        floor_strike=leg.floor,
        cap_strike=leg.cap,
        listed=release.listed,
        created=release.listed,
        open_time=release.opens,
        close_time=release.closes,
        expected_expiration=release.released,
        occurrence=release.released,
        settlement_ts=release.settles,
        result="yes" if leg.pays(outcome.steps) else "no",
        expiration_value=outcome.text(release.series_ticker),
        rules=f"The market settles to Yes if {listing.subject} is {label.lower()} as published by {source}.",
    )
