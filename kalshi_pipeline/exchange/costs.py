"""What a request costs of the exchange's budget: 10 tokens, unless the exchange lists another price for its endpoint.

Not here: how tokens are spent over time (``pacing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.pacing import DEFAULT_COST


@dataclass(frozen=True)
class EndpointCosts:
    """Tokens per GET request.

    Attributes:
        default: of an endpoint that is not listed.
        listed: by path below the API's root; segments in braces stand for any text.
    """

    default: int = DEFAULT_COST
    listed: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> int:
        """The cost of a request for ``path``, which may carry a query; the most literal of the entries that fit."""
        asked = path.partition("?")[0].strip("/").split("/")
        fitting = [(_literal(entry), cost) for entry, cost in self.listed.items() if _fits(entry, asked)]
        return max(fitting)[1] if fitting else self.default

    @classmethod
    def from_wire(cls, document: wire.Row, root: str) -> Self:
        """Read the answer of ``/account/endpoint_costs``; its paths may begin with the API's ``root``.

        Raises:
            ContractError: a cost is no whole number of at least 0.
        """
        rows = [row for row in wire.rows(document, "endpoint_costs") if str(row.get("method")).upper() == "GET"]
        listed = {wire.required(row, "path").removeprefix(root): _cost(row.get("cost")) for row in rows}
        return cls(_cost(document.get("default_cost")), listed)


def _cost(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ContractError(f"The exchange lists {value!r} as the cost of an endpoint; it takes a whole number.")
    return value


def _segments(entry: str) -> list[str]:
    return entry.strip("/").split("/")


def _is_any(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def _literal(entry: str) -> int:
    return sum(not _is_any(segment) for segment in _segments(entry))


def _fits(entry: str, asked: list[str]) -> bool:
    segments = _segments(entry)
    return len(segments) == len(asked) and all(_is_any(s) or s == a for s, a in zip(segments, asked, strict=True))
