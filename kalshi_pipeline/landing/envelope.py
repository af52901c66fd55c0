"""One landed response: a line of JSON that holds the body as it came and where, when and why it was asked for.

Not here: the files the lines are in (``store``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kalshi_pipeline.exchange.transport import Response

_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def envelope(response: Response, *, unit_id: str, run_id: str, context: Mapping[str, Any]) -> bytes:
    """The line for a response, its line break included.

    ``sha256`` is of the body's bytes as they arrived. In the line the body stands as a JSON value; line breaks between
    its tokens become blanks, nothing else changes (a JSON text holds none within strings).
    """
    head = {
        "request_id": response.request_id,
        "run_id": run_id,
        "url": response.url,
        "status": response.status,
        "received_at": response.received_at.isoformat().replace("+00:00", "Z"),
        "sha256": hashlib.sha256(response.body).hexdigest(),
        "unit_id": unit_id,
        "context": {**context, "quote_kind": response.quote_kind},
    }
    return json.dumps(head).encode()[:-1] + b', "body": ' + response.body.translate(_LINE_BREAKS) + b"}\n"
