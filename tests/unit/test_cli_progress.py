"""Long work shows how far it is where somebody can see it: a bar in a terminal, and no trace of one anywhere else."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import pytest

from kalshi_pipeline.cli.progress import RunProgress
from kalshi_pipeline.landing.collect import land_markets
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.runs import RunFailed, run_assets, steps_of
from kalshi_pipeline.watching import say, watched
from tests.exchange_double import Exchange
from tests.terminal import terminal

pytestmark = pytest.mark.unit

UNIVERSE = ["KXA", "KXB", "KXC"]


@pytest.fixture
def defs(tmp_path: Path) -> dg.Definitions:
    """Two assets of which the first lands six units, and the second fails where a file tells it to."""
    exchange = Exchange()
    for series in UNIVERSE:
        exchange.list(f"{series}-1-T0", "2026-06-01T10:00", "2026-06-10T04:59", series=series)

    @dg.asset
    def landed() -> None:
        with exchange.client() as client:
            land_markets(client, LandingStore(tmp_path / "landing"), UNIVERSE, "run")
        time.sleep(0.5)  # bars are drawn ten times a second

    @dg.asset(deps=[landed])
    def loaded() -> None:
        if (tmp_path / "fails").exists():
            raise ValueError("it fails")

    return dg.Definitions([landed, loaded], jobs=[dg.define_asset_job("both")])


def run(defs: dg.Definitions, **options: bool) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        RunProgress("Small", steps_of(defs, "both"), **options) as heard,
    ):
        run_assets(defs, instance, job="both", heard=heard)


def test_in_a_terminal_steps_and_the_units_of_the_step_are_counted(
    defs: dg.Definitions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal(monkeypatch) as shown:
        run(defs)
    said = b"".join(shown).decode()
    assert "Small: loaded" in said
    assert "2/2" in said
    assert "6/6" in said and "units" in said
    assert "[1/2]" not in said, "lines are for where there is no terminal"
    assert capsys.readouterr().out == "", "standard output is the result's"


def test_without_a_terminal_every_step_is_a_line_and_there_is_no_bar(
    defs: dg.Definitions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(defs)
    said = capsys.readouterr()
    assert said.err.splitlines()[-3:] == ["Small: 2 steps", "  [1/2] landed done", "  [2/2] loaded done"]
    assert "\x1b" not in said.err and said.out == ""
    (tmp_path / "fails").touch()
    with pytest.raises(RunFailed, match="it fails"):
        run(defs)
    assert "  [2/2] loaded FAILED" in capsys.readouterr().err


def test_what_shall_say_nothing_without_a_terminal_says_nothing(
    defs: dg.Definitions, capsys: pytest.CaptureFixture[str]
) -> None:
    run(defs, lines=False)
    assert "steps" not in capsys.readouterr().err


def test_steps_are_those_of_the_chosen_assets(defs: dg.Definitions) -> None:
    assert (steps_of(defs, "both"), steps_of(defs, "both", ["loaded"])) == (2, 1)


def test_only_the_work_called_within_the_block_is_heard() -> None:
    heard: list[tuple[int, int, str]] = []
    say(1, 3, "units")
    with watched(lambda *part: heard.append(part)):
        say(2, 3, "units")
    say(3, 3, "units")
    assert heard == [(2, 3, "units")]
