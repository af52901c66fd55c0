"""The commands, called as the console script calls them, over a small pipeline: results, exit codes, what is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.cli import main
from tests.integration.pipeline import DAYS, NOW, UNIVERSE
from tests.terminal import terminal

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


Call = Callable[..., Said]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command in this process, with the settings of the small pipeline."""
    monkeypatch.setenv("KALSHI_DATA_DIR", str(home))
    monkeypatch.setenv("KALSHI_UNIVERSE", ",".join(UNIVERSE))
    monkeypatch.setenv("KALSHI_SANDBOX_NOW", NOW.isoformat())
    monkeypatch.setenv("KALSHI_GRID_MINUTES", "60")

    def called(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["kalshi-pipeline", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), *capsys.readouterr())

    return called


@pytest.fixture
def filled(call: Call, home: Path) -> Call:
    """The same over a warehouse that was created and filled by the commands themselves, once."""
    if not (home / "sandbox" / "kalshi.duckdb").exists():
        created = call("init", "--json")
        assert created.result["created"] is True
        done = call("backfill", "--from", f"{DAYS[0]}", "--to", f"{DAYS[0]}", "--json")
        assert done.code == 0, done.err
        assert done.result["rows"]["raw/candles"] > 0
        assert "[1/" in done.err
    return call


def test_a_backfill_goes_from_the_exchange_to_folds(filled: Call) -> None:
    result = filled("status", "--json").result
    for table in ("raw.markets", "marts.quotes", "research.implied_distributions", "research.event_labels"):
        assert result["rows"][table] > 0
    newest = {dataset["dataset"]: dataset["newest_day"] for dataset in result["freshness"]}
    assert newest["candles"] == f"{DAYS[0]}"
    assert newest["quotes"] is None


def test_init_again_changes_nothing(filled: Call) -> None:
    before = filled("status", "--json").result["rows"]
    assert filled("init", "--json").result["created"] is False
    assert filled("status", "--json").result["rows"] == before


def test_status_for_people_names_every_dataset_and_when_it_was_written(filled: Call) -> None:
    said = filled("status")
    assert said.code == 0
    for words in ("Rows per table", "Walk-forward folds", "Freshness", "candles"):
        assert words in said.out


def test_one_snapshot_is_taken_now_and_a_terminal_shows_how_far_it_is(
    filled: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal(monkeypatch) as shown:
        taken = filled("collect", "--once", "--json")
    said = b"".join(shown).decode()
    assert taken.code == 0, said
    assert "Quotes: raw__quotes" in said and "━" in said
    assert taken.result["rows"]["raw/quotes"] > 0


def test_the_result_alone_is_on_standard_output(filled: Call) -> None:
    synced = filled("sync", "--json")
    assert synced.code == 0, synced.err
    assert synced.result["job"] == "reference"
    assert synced.result["rows"]["marts/markets"] > 0
    assert "landing__markets done" in synced.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["backfill", "--from", "2026-06-30", "--to", "2026-06-29"], "comes after"),
        (["backfill", "--from", "2026-06-30", "--to", "2027-01-01"], "to today"),
        (["backfill", "--from", "yesterday", "--to", "2026-06-29"], "yesterday"),
        (["backfill", "--from", "2026-06-30", "--to", "2026-06-30", "--period-minutes", "5"], "1, 60 or 1440"),
        (["backfill"], "Missing option"),
        (["collect", "--interval", "7m"], "5m, 15m or 1h"),
        (["collect", "--source", "recorded:anywhere"], "no present"),
        (["status", "--source", "moon"], "KALSHI_SOURCE is 'moon'"),
        (["fly"], "No such command"),
    ],
)
def test_wrong_usage_is_exit_code_2(call: Call, words: list[str], sentence: str) -> None:
    said = call(*words)
    assert said.code == 2
    assert sentence in " ".join(said.err.replace("│", " ").split())
    assert said.out == ""


def test_what_does_not_exist_is_exit_code_2(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KALSHI_DATA_DIR", str(tmp_path))
    assert call("status").code == 2
    monkeypatch.setenv("KALSHI_UNIVERSE", "KXNOSUCH")
    unknown = call("sync")
    assert unknown.code == 2
    assert "KXNOSUCH is not listed by the exchange" in unknown.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KALSHI_PIPELINE_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", "kalshi-pipeline ba")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "kalshi-pipeline ba")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    assert "backfill" in call().out


def test_a_report_of_what_was_filled_is_one_file(filled: Call, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "page.html"
    said = filled("report", "--output", str(path), "--json")
    assert said.code == 0, said.err
    assert said.result["bytes"] == path.stat().st_size
    page = path.read_text("utf-8")
    for words in ("KXHIGHCHI", "Releases to come", "Coverage", "Folds", "implied_cells"):
        assert words in page
    # The run that filled the warehouse wrote one as its last asset.
    assert (home / "sandbox" / "report.html").exists()


def test_a_verification_signs_a_window_off_or_says_what_failed(filled: Call, home: Path, tmp_path: Path) -> None:
    empty = filled(
        "verify", "--window", "2020-01-01/2020-01-09", "--output", str(tmp_path / "out" / "page.md"), "--json"
    )
    assert empty.code == 0, empty.err
    (window,) = empty.result["windows"]
    assert (window["verdict"], empty.result["failed"]) == ("no data", [])
    assert {measure["name"]: measure["checked"] > 0 for measure in window["measures"]}["schema_state"]
    assert (tmp_path / "out" / "page.md").read_text("utf-8").startswith("# Verification")
    # One day was filled: of a window that reaches further back, most bars are missing.
    failed = filled("verify", "--window", "2026-06-20/2026-06-30")
    assert failed.code == 1
    assert "Failed: " in failed.out
    assert "2026-06-20/2026-06-30: 2026-06-20 to 2026-06-30: failed" in failed.out
    assert (home / "sandbox" / "verification.md").exists()


def test_what_runs_say_is_lines_of_json_with_the_run(filled: Call, home: Path) -> None:
    lines = [json.loads(line) for line in (home / "sandbox" / "dagster" / "runs.jsonl").read_text("utf-8").splitlines()]
    steps = {line.get("step_key") for line in lines}
    assert {"raw__candles", "landing__candles", "report"} <= steps
    assert all(line["run_id"] and line["at"] and line["message"] for line in lines)
