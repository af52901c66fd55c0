"""Lines of JSON in the log: one an event, with the run, the step and the request it belongs to, and no secret."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from kalshi_pipeline.logs import JsonLines

pytestmark = pytest.mark.unit


def line(message: str = "GET failed", **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("kalshi_pipeline.x", logging.WARNING, "x.py", 1, message, None, extra.pop("exc", None))
    record.__dict__.update(extra)
    text = JsonLines().format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_names_run_step_and_request() -> None:
    meta = {"run_id": "r1", "step_key": "landing__quotes", "job_name": "ingest", "orig_message": "as it was said"}
    assert line(dagster_meta=meta, request_id="q7", status=503) | {"at": ""} == {
        "at": "",
        "level": "warning",
        "logger": "kalshi_pipeline.x",
        "message": "as it was said",
        "run_id": "r1",
        "job_name": "ingest",
        "step_key": "landing__quotes",
        "request_id": "q7",
        "status": 503,
    }


def test_what_is_not_known_is_left_out() -> None:
    assert set(line()) == {"at", "level", "logger", "message"}
    assert line()["at"].endswith("+00:00")


def test_a_message_of_several_lines_and_an_error_stay_one_line() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        said = line("first\nsecond", exc=sys.exc_info())
    assert said["message"] == "first\nsecond"
    assert "ValueError: one\ntwo" in said["error"]
