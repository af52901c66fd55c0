"""Spoiling an answer on its way out: rows dropped or doubled, a cursor repeated, the JSON cut short.

Not here: which answers (``fault_line``), how a body is changed while it leaves (``altering``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Self

import orjson
from starlette.types import Scope, Send

from kalshi_pipeline.sandbox.altering import altered
from kalshi_pipeline.sandbox.faults import Faults

#: Keys under which answers hold lists of rows; the bars of an event come as a list for each of its markets.
_LISTS = frozenset(
    {
        *("series", "events", "markets", "orderbooks", "trades", "candlesticks", "market_candlesticks"),
        *("series_fee_change_arr", "event_fee_changes"),
    }
)


@dataclass(frozen=True)
class Spoiling:
    """What happens to one answer.

    Attributes:
        truncate: whether its JSON stops halfway.
        repeat: whether it returns the cursor it was asked with.
        dropped, duplicated: shares of its rows that are left out, or come twice.
        draw: where chance comes from.
    """

    truncate: bool
    repeat: bool
    dropped: float
    duplicated: float
    draw: random.Random

    @classmethod
    def drawn(cls, faults: Faults, draw: random.Random) -> Self | None:
        """What the faults do to the next answer; ``None`` where they leave it alone."""
        truncate = draw.random() < faults.truncated
        if not (truncate or faults.repeated_cursor or faults.dropped or faults.duplicated):
            return None
        return cls(truncate, faults.repeated_cursor, faults.dropped, faults.duplicated, draw)

    def of(self, send: Send, scope: Scope) -> Send:
        """A ``send`` that alters the whole body before it leaves."""
        return altered(send, lambda _, body: self._altered(body, scope))

    def _altered(self, body: bytes, scope: Scope) -> bytes:
        if self.dropped or self.duplicated:
            body = orjson.dumps(self._rows(orjson.loads(body)))
        if self.repeat:
            body = _with_cursor(body, scope)
        return body[: len(body) // 2] if self.truncate else body

    def _rows(self, node: Any) -> Any:
        """The node with the lists of rows in it thinned and doubled, lists within rows included."""
        if isinstance(node, dict):
            return {key: self._list(value) if key in _LISTS else self._rows(value) for key, value in node.items()}
        return node

    def _list(self, rows: Any) -> Any:
        if not isinstance(rows, list):
            return rows
        if rows and isinstance(rows[0], list):
            return [self._list(of_market) for of_market in rows]
        out = []
        for row in rows:
            if self.draw.random() >= self.dropped:
                out += [self._rows(row)] * (2 if self.draw.random() < self.duplicated else 1)
        return out


def _with_cursor(body: bytes, scope: Scope) -> bytes:
    pairs = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&") if "=" in part)
    asked = pairs.get("cursor", "")
    answer = orjson.loads(body)
    if asked and isinstance(answer, dict) and "cursor" in answer:
        answer["cursor"] = asked
    return orjson.dumps(answer)
