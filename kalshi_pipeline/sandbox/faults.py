"""What can go wrong on the exchange, on demand: the names, the ranges, and who is hit.

Everything is off unless told otherwise, and is drawn from a seed. Not here: spoiling answers (``fault_line``,
``spoiling``), and what the exchange shows under these faults (``visibility``, ``combos``).
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kalshi_pipeline.sandbox.clock import read_instant

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]

#: Tokens that the exchange bills for a request unless it lists another cost.
DEFAULT_COST = 10


class Faults(BaseModel):
    """What goes wrong, and how often. Shares are between 0 and 1; times are seconds or instants of ISO 8601.

    Attributes:
        requests_per_second: pace, in requests of default cost, above which the exchange answers 429; ``None`` is no
            limit.
        burst: requests the bucket holds when full.
        costs: tokens per GET by path below the API's root, where it is not 10; segments in braces stand for any text.
        server_errors: share of requests answered 500, 502, 503 or 504.
        stalled: share answered only after ``stall_seconds``, when every client has given up.
        stall_seconds: how long that is.
        latency_seconds: pause before every answer.
        truncated: share whose JSON stops halfway.
        repeated_cursor: whether every page with a cursor returns the cursor it was asked with.
        dropped: share of the rows of a list that are left out.
        duplicated: share of the rows of a list that come twice.
        restruck: share of markets whose strikes are one step off until half of their trading time is over.
        retitled: share of markets with other titles until then.
        amended: share of markets that are determined the wrong way, disputed and amended before they settle.
        combos: combos of several markets that swamp an unfiltered listing of markets.
        market_cutoff: instant before which settled markets are archived; ``None`` leaves it to the world.
        trade_cutoff: instant before which trades are archived; ``None`` leaves it to the world.
        clock_skew_seconds: how far the exchange's clock is ahead of the one it is told.
        seed: of the draws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    burst: Annotated[float, Field(ge=1)] = 10.0
    costs: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    server_errors: Share = 0.0
    stalled: Share = 0.0
    stall_seconds: Seconds = 60.0
    latency_seconds: Seconds = 0.0
    truncated: Share = 0.0
    repeated_cursor: bool = False
    dropped: Share = 0.0
    duplicated: Share = 0.0
    restruck: Share = 0.0
    retitled: Share = 0.0
    amended: Share = 0.0
    combos: Annotated[int, Field(ge=0)] = 0
    market_cutoff: datetime | None = None
    trade_cutoff: datetime | None = None
    clock_skew_seconds: float = 0.0
    seed: int = 0

    @field_validator("market_cutoff", "trade_cutoff", mode="before")
    @classmethod
    def _instant(cls, value: Any) -> Any:
        return read_instant(value) if isinstance(value, str) else value

    @classmethod
    def read(cls, values: dict[str, Any]) -> Faults:
        """Faults from a JSON object.

        Raises:
            ValueError: it names a fault that does not exist, or a value is out of its range; one sentence.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                raise ValueError(f"no such fault: {name}") from None
            raise ValueError(f"{name} is {first['input']!r}: {first['msg'].lower()}") from None

    @classmethod
    def from_json(cls, text: str) -> Faults:
        """Faults from the text of a JSON object; errors as for :meth:`read`, and for a text that is none."""
        values = orjson.loads(text)
        if not isinstance(values, dict):
            raise ValueError("faults are a JSON object")
        return cls.read(values)

    def hits(self, share: float, what: str, ticker: str) -> bool:
        """Whether a fault that hits a share of all markets hits this one; the same answer every time."""
        if share <= 0:
            return False
        drawn = hashlib.blake2b(f"{self.seed}|{what}|{ticker}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn) < share * 2**64

    def cost(self, path: str) -> int:
        """Tokens of a request for ``path`` below the API's root."""
        for entry, tokens in self.costs.items():
            if re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(entry)), path):
                return tokens
        return DEFAULT_COST
