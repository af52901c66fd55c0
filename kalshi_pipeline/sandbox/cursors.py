"""Opaque cursors: where a walk of the listing stands, so that pages stay disjoint while new rows appear.

A cursor names the last row served by its sort key; the next page holds what sorts after it. A cursor nobody can read is
ignored, as the exchange does, and the walk begins again. Not here: the order of a listing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TypeVar

import orjson

Key = tuple[int | str, ...]
Row = TypeVar("Row")


def encode(key: Key) -> str:
    """A key as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode(cursor: str | None, like: tuple[type, ...]) -> Key | None:
    """The key of a cursor, or ``None`` where it is absent, unreadable or of another listing."""
    if not cursor:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError):
        return None
    if not isinstance(parts, list) or tuple(type(part) for part in parts) != like:
        return None
    return tuple(parts)


def page(rows: Iterable[tuple[Key, Row]], size: int) -> tuple[list[Row], str]:
    """The first ``size`` rows and the cursor that continues after them; the cursor is ``""`` at the end."""
    taken: list[Row] = []
    last: Key = ()
    for key, row in rows:
        if len(taken) == size:
            return taken, encode(last)
        taken.append(row)
        last = key
    return taken, ""
