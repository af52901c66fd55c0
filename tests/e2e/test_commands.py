"""The commands of the README, run as subprocesses at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.e2e

MODULE = ("--module-name", "kalshi_pipeline.definitions")
SMALL = {"KALSHI_UNIVERSE": "KXHIGHCHI", "KALSHI_SANDBOX_NOW": "2026-07-01T14:00Z", "KALSHI_GRID_MINUTES": "60"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the checkout whose reference data is materialised."""
    checkout = Checkout.copied_to(tmp_path_factory.mktemp("checkout") / "kalshi")
    done = checkout.run("dagster", "job", "execute", *MODULE, "--job", "reference", env=SMALL)
    assert done.code == 0, done.said
    return checkout


def count(checkout: Checkout, sql: str) -> int:
    """One number of the warehouse, read by another process than the one that wrote it."""
    with duckdb.connect(str(checkout.root / "data/sandbox/kalshi.duckdb"), read_only=True) as con:
        return int(con.execute(sql).fetchall()[0][0])


def test_the_definitions_load_without_an_error_or_a_warning_of_ours(checkout: Checkout) -> None:
    done = checkout.run("dagster", "definitions", "validate")
    assert done.code == 0, done.said
    warnings = [line for line in done.said.splitlines() if "Warning" in line and "Supersession" not in line]
    assert not warnings


def test_dg_checks_the_definitions(checkout: Checkout) -> None:
    done = checkout.run("dg", "check", "defs")
    assert done.code == 0, done.said
    assert "kalshi_pipeline/" not in "".join(line for line in done.said.splitlines() if "Warning" in line)


def test_one_partition_is_materialised_from_a_shell(checkout: Checkout) -> None:
    select = 'key:"landing/candles" or key:"raw/candles"'
    done = checkout.run(
        "dagster", "asset", "materialize", *MODULE, "--select", select, "--partition", "2026-06-29", env=SMALL
    )
    assert done.code == 0, done.said
    assert "BetaWarning" not in done.said
    assert count(checkout, "select count(distinct partition_date) from raw.candles") == 1


def test_a_range_of_partitions_is_one_run(checkout: Checkout) -> None:
    done = checkout.run(
        "dagster", "asset", "materialize", *MODULE,
        "--select", 'group:"facts" or group:"marts" or group:"distributions" or group:"research"',
        "--partition-range", "2026-06-29...2026-06-30",
        env=SMALL,
    )  # fmt: skip
    assert done.code == 0, done.said
    assert count(checkout, "select count(distinct partition_date) from raw.candles") == 2
    assert count(checkout, "select count(*) from research.implied_distributions where not hard_gate_failed") > 0
    assert done.said.count("RUN_SUCCESS") == 1


def test_the_materialisations_are_remembered_beside_the_data(checkout: Checkout) -> None:
    done = checkout.run("dagster", "asset", "list", *MODULE)
    assert done.code == 0, done.said
    assert (checkout.root / "data" / "dagster").is_dir()


@pytest.mark.parametrize(
    ("env", "command", "sentence"),
    [
        ({"KALSHI_SOURCE": "moon"}, ["status"], "KALSHI_SOURCE is 'moon'; use sandbox"),
        ({"KALSHI_SANDBOX_NOW": "yesterday"}, ["demo"], "KALSHI_SANDBOX_NOW is 'yesterday'; it takes a date or time"),
        ({"KALSHI_UNIVERSE": "KXNOSUCH", "KALSHI_SANDBOX_NOW": "2026-07-01"}, ["demo"], "KXNOSUCH"),
        ({"KALSHI_UNIVERSE": "KXHIGHNOSUCH", "KALSHI_SANDBOX_NOW": "2026-07-01"}, ["demo"], "KXHIGHNOSUCH"),
        ({}, ["demo", "--source", "recorded:nowhere"], "nowhere"),
        ({"KALSHI_DATA_DIR": "empty"}, ["status"], "kalshi.duckdb"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    checkout: Checkout, env: dict[str, str], command: list[str], sentence: str
) -> None:
    done = checkout.run("kalshi-pipeline", *command, env=env)
    assert done.code in (1, 2)
    assert sentence in done.err
    assert "Traceback" not in done.said
    assert len(done.err.strip().splitlines()) == 1


def test_a_missing_dbt_is_one_sentence(checkout: Checkout, tmp_path: Path) -> None:
    script = (
        "import sys; sys.executable = sys.argv.pop(); "
        "from kalshi_pipeline.cli import main; sys.argv = ['kalshi-pipeline', 'demo']; main()"
    )
    done = checkout.run("python", "-c", script, str(tmp_path / "python"), env={"PATH": str(tmp_path)})
    assert done.code == 1, done.said
    assert done.err.strip() == (
        "kalshi-pipeline: The dbt command is neither beside this Python nor on PATH; install the project again "
        "(`make demo` does)."
    )


def test_a_file_held_by_another_process_names_the_holder(checkout: Checkout) -> None:
    database = checkout.root / "data/sandbox/kalshi.duckdb"
    with duckdb.connect(str(database)):
        done = checkout.run("kalshi-pipeline", "status", env={"KALSHI_LOCK_TIMEOUT": "1"})
    assert done.code == 1, done.said
    assert "is held by process" in done.err
    assert len(done.err.strip().splitlines()) == 1
