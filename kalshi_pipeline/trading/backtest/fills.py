"""Whether a resting order would have been executed: a seeded draw per decision, the same in any order of rows.

A draw depends on the seed and the decision alone, is made after the decision, and knows nothing of what the market did
next. It therefore has no adverse selection: real resting orders are executed more often when the market moves against
them.
"""

from __future__ import annotations

import hashlib

#: Share of resting orders, one cent above the best bid, that are taken to be executed.
MAKER_FILL_PROBABILITY = 0.4


def is_filled(decision: str, *, seed: int, probability: float = MAKER_FILL_PROBABILITY) -> bool:
    """Whether the resting order of a decision is executed.

    Args:
        decision: what names the decision.
        seed: of all draws.
        probability: between 0 and 1.
    """
    digest = hashlib.sha256(f"{seed}:{decision}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < probability
