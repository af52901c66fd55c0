"""Alerts: what is posted, that nothing is lost or leaked when it cannot be, and which address is taken."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from kalshi_pipeline.defs.alerts import Alert, LogNotifier, Several, WebhookNotifier, notifier_of
from kalshi_pipeline.settings import Settings, SettingsError

pytestmark = pytest.mark.unit

ALERT = Alert("run_failed", "ingest failed at raw__candles", "two rows share a key", {"run_id": "r1"})


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; an address that ends with a status answers with it."""

    posted: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status = self.path.rpartition("/")[2]
        self.send_response(int(status) if status.isdigit() else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.posted = []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/s3cret"
    server.shutdown()
    server.server_close()


def test_a_webhook_gets_the_alert_as_json(hook: str) -> None:
    WebhookNotifier(hook).send(ALERT)
    assert Hook.posted == [
        {
            "kind": "run_failed",
            "title": "ingest failed at raw__candles",
            "text": "ingest failed at raw__candles\ntwo rows share a key",
            "details": {"run_id": "r1"},
        }
    ]


@pytest.mark.parametrize("refusal", ["500", "404", "302"])
def test_a_refusal_is_logged_without_the_address(hook: str, refusal: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "kalshi_pipeline")
    caplog.set_level(logging.INFO, "httpx")
    WebhookNotifier(f"{hook}/{refusal}").send(ALERT)
    assert f"answered {refusal}; the alert was: ingest failed" in caplog.text
    assert "s3cret" not in caplog.text


def test_an_address_nobody_answers_at_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Alert] = []

    class Ear:
        def send(self, alert: Alert) -> None:
            heard.append(alert)

    Several([WebhookNotifier("http://127.0.0.1:9/s3cret"), Ear()]).send(ALERT)
    assert heard == [ALERT]
    assert "was not reached (ConnectError)" in caplog.text
    assert "s3cret" not in caplog.text


def test_the_log_is_always_told_and_the_webhook_where_one_is_set(caplog: pytest.LogCaptureFixture) -> None:
    LogNotifier().send(ALERT)
    assert "ingest failed at raw__candles: two rows share a key" in caplog.text
    quiet, posting = (notifier_of(Settings(alert_webhook=url)) for url in (None, "https://example.org/s3cret"))
    assert isinstance(quiet, Several)
    assert isinstance(posting, Several)
    assert [type(notifier) for notifier in quiet.notifiers] == [LogNotifier]
    assert [type(notifier) for notifier in posting.notifiers] == [LogNotifier, WebhookNotifier]
    assert "s3cret" not in repr(posting)


@pytest.mark.parametrize("url", ["https://example.org/hook", "http://127.0.0.1:8000/hook"])
def test_an_address_is_taken(url: str) -> None:
    settings = Settings.from_env({"KALSHI_ALERT_WEBHOOK": url})
    assert settings.alert_webhook == url
    assert url not in repr(settings)


@pytest.mark.parametrize("url", ["http://example.org/s3cret", "ftp://x/s3cret", "s3cret", "https://"])
def test_an_address_in_the_clear_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="takes an https:// address") as refused:
        Settings.from_env({"KALSHI_ALERT_WEBHOOK": url})
    assert "s3cret" not in str(refused.value)
