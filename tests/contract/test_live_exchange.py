"""The real exchange keeps the contract that the client is written for; asked only where KALSHI_RUN_LIVE_API=1."""

from __future__ import annotations

import os

import pytest

from kalshi_pipeline.defs.resources import open_exchange
from kalshi_pipeline.exchange.probes import probe
from kalshi_pipeline.settings import Settings, Source, SourceKind

pytestmark = pytest.mark.live


def test_the_probes_of_the_canary_find_nothing(settings: Settings) -> None:
    allowed = Settings.from_env(os.environ)
    if not allowed.run_live_api:
        pytest.skip("KALSHI_RUN_LIVE_API=1 is not set, so the real exchange is not asked")
    remote = Settings(source=Source(SourceKind.LIVE), data_dir=settings.data_dir, universe=allowed.universe)
    with open_exchange(remote) as exchange:
        findings = probe(exchange.client, exchange.universe[0])
    assert [f"{finding.name}: {finding.fault}" for finding in findings if finding.fault] == []
