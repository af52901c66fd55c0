"""Reading single fields off the wire, in every form the exchange has ever sent them.

Prices and counts have been integer cents, strings beside cents, strings alone and, in the historical tier, strings
under the bare name; year 1 stands for no time; lists that must be there arrive as null. Values come out exact
(``Decimal``), absent ones as ``None``. Not here: which fields a record has (``records``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kalshi_pipeline.exchange.errors import ContractError

Row = Mapping[str, Any]


def dollars(row: Row, name: str) -> Decimal | None:
    """A price in dollars: ``<name>_dollars`` as text, else ``<name>`` as text in dollars or as integer cents.

    Combos of 2026 sent arrays such as ``[0, 0]`` for ``<name>_dollars``; they are no price and are passed over.

    Raises:
        ContractError: the field is there in a form that was never seen.
    """
    text = row.get(f"{name}_dollars")
    if isinstance(text, str):
        return _decimal(text, name)
    if text is not None and not isinstance(text, list):
        raise _unseen(f"{name}_dollars", text)
    bare = row.get(name)
    if bare is None:
        return None
    if isinstance(bare, str):
        return _decimal(bare, name)
    if isinstance(bare, int) and not isinstance(bare, bool):
        return Decimal(bare).scaleb(-2)
    raise _unseen(name, bare)


def contracts(row: Row, name: str) -> Decimal | None:
    """A number of contracts: ``<name>_fp`` as text, else ``<name>`` as text or integer.

    Raises:
        ContractError: the field is there in a form that was never seen.
    """
    value = row.get(f"{name}_fp")
    value = row.get(name) if value is None else value
    if value is None:
        return None
    if isinstance(value, str):
        return _decimal(value, name)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise _unseen(name, value)


def number(row: Row, name: str) -> Decimal | None:
    """A JSON number or a number as text, such as a strike or a multiplier.

    Raises:
        ContractError: the field is there and is no number.
    """
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _unseen(name, value)
    return _decimal(str(value), name)


def instant(row: Row, name: str) -> datetime | None:
    """A time in UTC; absent, null, empty and year 1 are ``None``.

    Raises:
        ContractError: the field is there and is no time.
    """
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _unseen(name, value) from None
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def text(row: Row, name: str) -> str | None:
    """A text; absent, null and empty are ``None``."""
    value = row.get(name)
    return None if value is None or value == "" else str(value)


def required(row: Row, name: str) -> str:
    """A text that identifies the row.

    Raises:
        ContractError: it is absent.
    """
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ContractError(f"A row of the exchange has no {name!r}; it holds {sorted(row)}.")
    return value


def rows(document: Row, name: str) -> Sequence[Any]:
    """A list; absent and null are empty.

    Raises:
        ContractError: the field is there and is no list.
    """
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _unseen(name, value)
    return value


def part(row: Row, name: str) -> Row:
    """An object within a row; absent and null are empty."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _decimal(value: str, name: str) -> Decimal | None:
    if value == "":
        return None
    try:
        parsed = Decimal(value)
    except InvalidOperation:
        raise _unseen(name, value) from None
    if not parsed.is_finite():
        raise _unseen(name, value)
    return parsed


def _unseen(name: str, value: Any) -> ContractError:
    return ContractError(f"The exchange sent {name} as {value!r}, a form it never had; the parser must learn it first.")
