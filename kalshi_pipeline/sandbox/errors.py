"""What the exchange answers when it refuses: the shapes its error bodies come in.

Not here: faults put in on purpose (``faults``).
"""

from __future__ import annotations

import orjson
from starlette.responses import Response


class Refusal(Exception):
    """A request the exchange refuses, with its status and its body."""

    def __init__(self, status: int, code: str, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        error = {"code": code, "message": message}
        if details is not None:
            error["details"] = details
        self.body = orjson.dumps({"error": error})

    def response(self) -> Response:
        """The refusal as an HTTP response."""
        return Response(self.body, self.status, media_type="application/json")


def bad_request(details: str | None = None, message: str = "bad request") -> Refusal:
    """400 for a query that cannot be answered."""
    return Refusal(400, "bad_request", message, details)


def not_found(what: str = "not found", code: str = "not_found") -> Refusal:
    """404 for something that does not exist, does not exist yet, or is in the other tier."""
    return Refusal(404, code, what)
