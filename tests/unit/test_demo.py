"""What the demo runs: history where it is worth having, and then everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kalshi_pipeline.demo import SANDBOX_NOW, sandbox_steps
from kalshi_pipeline.settings import Settings

pytestmark = pytest.mark.unit

SETTINGS = replace(Settings(), sandbox_now=SANDBOX_NOW)


def test_the_last_step_materialises_every_asset() -> None:
    last = sandbox_steps(SETTINGS)[-1]
    assert (last.job, last.assets, last.universe) == ("everything", (), ())


def test_the_steps_leave_no_day_out_and_take_none_twice() -> None:
    history, recent = (step.days for step in sandbox_steps(SETTINGS) if step.days)
    assert (recent[0] - history[1]).days == 1
    assert (recent[1] - recent[0]).days == 14


def test_monthly_series_alone_have_years_of_history() -> None:
    first, *_ = sandbox_steps(replace(SETTINGS, universe=("KXHIGHCHI", "KXCPI")))
    assert first.universe == ("KXCPI",)
    assert len(sandbox_steps(replace(SETTINGS, universe=("KXHIGHCHI",)))) == 1
