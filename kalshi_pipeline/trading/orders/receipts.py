"""What became of an intent or a cancel, for whoever wanted to trade."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from kalshi_pipeline.trading.orders.limits import Objection
from kalshi_pipeline.trading.orders.sending import Answer


class Status(StrEnum):
    """What became of an intent or a cancel."""

    REFUSED = "refused"
    DRY_RUN = "dry_run"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Receipt:
    """The answer to whoever wanted to trade.

    Attributes:
        client_order_id: our identifier of the order; the exchange's one for a cancel.
        status: what became of it.
        objections: why it was refused.
        said: what the exchange said, where it was asked.
        order_id: the exchange's identifier.
        filled, remaining: contracts executed and still open.
    """

    client_order_id: str
    status: Status
    objections: tuple[Objection, ...] = ()
    said: str = ""
    order_id: str | None = None
    filled: Decimal | None = None
    remaining: Decimal | None = None

    @classmethod
    def of(cls, identifier: str, answer: Answer) -> Self:
        """The receipt of a request that was sent."""
        status = Status(answer.kind)
        return cls(identifier, status, (), answer.said, answer.order_id, answer.filled, answer.remaining)
