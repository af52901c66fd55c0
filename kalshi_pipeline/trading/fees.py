"""What the exchange takes for a trade, exactly, and which schedule was in force when.

Source: ``fee_type`` and ``fee_multiplier`` of a series and the scheduled changes of both. A taker pays
``0.07 * multiplier * contracts * price * (1 - price)``; a maker pays a part of it where the fee type says so. Amounts
round up to the cent per order, as an ordinary member is charged. Not here: when somebody trades (``backtest``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

TAKER_RATE = Decimal("0.07")
CENT = Decimal("0.01")

#: Fee type -> the maker's part of the taker's rate. Other types have a table of their own that no endpoint serves.
MAKER_PART = {
    "quadratic": Decimal(0),
    "quadratic_with_maker_fees": Decimal("0.25"),
    "quadratic_with_combo_maker_fees": Decimal("0.5"),
}


@dataclass(frozen=True)
class FeeSchedule:
    """How a series charges.

    Attributes:
        fee_type: the exchange's word for the formula.
        multiplier: scale of the formula.
    """

    fee_type: str
    multiplier: Decimal

    @property
    def known(self) -> bool:
        """Whether the fee follows from the type."""
        return self.fee_type in MAKER_PART

    def taker(self, count: Decimal, price: Decimal) -> Decimal | None:
        """Dollars a taker pays for ``count`` contracts at ``price``; ``None`` where the type has no formula."""
        return self._charged(Decimal(1), count, price)

    def maker(self, count: Decimal, price: Decimal) -> Decimal | None:
        """Dollars a maker pays for ``count`` contracts at ``price``; ``None`` where the type has no formula."""
        return self._charged(MAKER_PART.get(self.fee_type, Decimal(0)), count, price)

    def _charged(self, part: Decimal, count: Decimal, price: Decimal) -> Decimal | None:
        if not self.known:
            return None
        exact = TAKER_RATE * part * self.multiplier * count * price * (1 - price)
        return exact.quantize(CENT, rounding=ROUND_CEILING)


#: The schedule of a series that says nothing of its own.
STANDARD = FeeSchedule("quadratic", Decimal(1))


@dataclass(frozen=True)
class FeeChange:
    """A schedule that comes into force at an instant."""

    scheduled: datetime
    schedule: FeeSchedule


@dataclass(frozen=True)
class FeeOverride:
    """What an event charges instead of its series from an instant on; ``None`` leaves the series' own word.

    An override with neither is the end of the one before it.
    """

    scheduled: datetime
    fee_type: str | None
    multiplier: Decimal | None


def schedule_at(moment: datetime, current: FeeSchedule, changes: Iterable[FeeChange]) -> FeeSchedule:
    """The schedule in force at ``moment``: the last change scheduled by then, or else the series' own."""
    due = [change for change in changes if change.scheduled <= moment]
    return max(due, key=lambda change: change.scheduled).schedule if due else current


def overridden_at(moment: datetime, schedule: FeeSchedule, overrides: Iterable[FeeOverride]) -> FeeSchedule:
    """The schedule of an event at ``moment``: its series', with the last override scheduled by then."""
    due = [override for override in overrides if override.scheduled <= moment]
    if not due:
        return schedule
    last = max(due, key=lambda override: override.scheduled)
    return FeeSchedule(
        last.fee_type or schedule.fee_type, schedule.multiplier if last.multiplier is None else last.multiplier
    )
