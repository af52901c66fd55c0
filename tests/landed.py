"""Landed files made by hand, in the envelope that landing writes, for tests of what loads them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

RECEIVED_AT = "2026-07-01T00:00:00Z"


def response(
    body: Any, *, received_at: str = RECEIVED_AT, run_id: str = "run-1", unit_id: str = "unit-1", **context: Any
) -> str:
    """One line of a landed file; ``body`` is a document, or the text of one, kept as it is."""
    head = {
        "request_id": "request-1",
        "run_id": run_id,
        "url": "http://127.0.0.1/trade-api/v2/markets",
        "status": 200,
        "received_at": received_at,
        "sha256": "0" * 64,
        "unit_id": unit_id,
        "context": {"series_ticker": "KXHIGHNY", "tier": "live", "rows": 1, **context},
    }
    text = body if isinstance(body, str) else json.dumps(body)
    return json.dumps(head)[:-1] + f', "body": {text}}}\n'


def landed(path: Path, *lines: str) -> list[Path]:
    """A landed file with these lines, as the list of files that a load takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(lines)
    return [path]
