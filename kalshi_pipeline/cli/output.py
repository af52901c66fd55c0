"""What a command says: results on standard output, as text or as JSON; progress on standard error.

So a result can be piped while its run is watched, and nothing but the result ever reaches the pipe.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson


def tell(values: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Say a result: ``values`` as one JSON object, or ``text``."""
    if as_json:
        print(orjson.dumps(values, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
    else:
        print(text)


def note(text: str) -> None:
    """Say what is going on, where it disturbs no result."""
    print(text, file=sys.stderr, flush=True)


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path | date | datetime):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")
