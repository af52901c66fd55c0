"""Who is told when something is wrong: a notifier, and the two that come with the project.

Another one is any object with ``send``: hand it to ``build_defs(settings, resources={"notifier": ...})``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from kalshi_pipeline.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """Something a person should know.

    Attributes:
        kind: ``run_failed`` or ``stale_data``.
        title: one line.
        text: what happened and what to do.
        details: names and numbers, for machines.
    """

    kind: str
    title: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """Tells somebody."""

    def send(self, alert: Alert) -> None:
        """Tell it. An alert that cannot be delivered must not stop the others: say so in the log."""


@dataclass(frozen=True)
class LogNotifier:
    """Writes alerts to the log, at level error."""

    def send(self, alert: Alert) -> None:
        """Log the alert."""
        log.error("%s: %s", alert.title, alert.text)


@dataclass(frozen=True)
class WebhookNotifier:
    """Posts alerts as JSON, with a key ``text`` that chat services show.

    Attributes:
        url: where to; it may hold a secret and is never logged.
        timeout: seconds to wait for an answer.
    """

    url: str = field(repr=False)
    timeout: float = 10.0

    def send(self, alert: Alert) -> None:
        """Post the alert; a failure is logged without the address."""
        body = {
            "kind": alert.kind,
            "title": alert.title,
            "text": f"{alert.title}\n{alert.text}",
            "details": dict(alert.details),
        }
        request = httpx.Request(
            "POST", self.url, json=body, extensions={"timeout": httpx.Timeout(self.timeout).as_dict()}
        )
        try:
            # The transport itself: httpx's client would log the address.
            with httpx.HTTPTransport() as transport:
                status = transport.handle_request(request).status_code
        except httpx.HTTPError as error:
            log.error("The alert webhook was not reached (%s); the alert was: %s", type(error).__name__, alert.title)
            return
        if not httpx.codes.is_success(status):
            log.error("The alert webhook answered %s; the alert was: %s", status, alert.title)


@dataclass(frozen=True)
class Several:
    """Tells several."""

    notifiers: Sequence[Notifier]

    def send(self, alert: Alert) -> None:
        """Tell each of them."""
        for notifier in self.notifiers:
            notifier.send(alert)


def notifier_of(settings: Settings) -> Notifier:
    """The log, and the webhook where one is set (KALSHI_ALERT_WEBHOOK)."""
    webhook = [WebhookNotifier(settings.alert_webhook)] if settings.alert_webhook else []
    return Several([LogNotifier(), *webhook])
