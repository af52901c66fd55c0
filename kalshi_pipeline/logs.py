"""Logs as lines of JSON: one object an event, with the run, the step and the request it belongs to.

Dagster's instance configuration names :class:`JsonLines` as the formatter of a file beside its storage. Nothing here
decides what is logged.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

#: What a record may carry besides its message, in the order in which it is written.
_OF_OURS = ("request_id", "status")
_OF_THE_RUN = ("run_id", "job_name", "step_key")


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON.

    The keys are ``at`` (UTC), ``level``, ``logger``, ``message``, and where they are known ``run_id``, ``job_name``,
    ``step_key``, ``request_id``, ``status`` and ``error``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record, without its line break."""
        run: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": run.get("orig_message") or record.getMessage(),
            **{name: run[name] for name in _OF_THE_RUN if run.get(name)},
            **{name: getattr(record, name) for name in _OF_OURS if getattr(record, name, None) is not None},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
