"""Tests that are named for a requirement see its fault: the code is broken on purpose, and the named test turns red.

Every mutant is tried in a copy of the checkout, with only its named test, in a process of its own. Kernels run as plain
Python there: compiling them would take a minute a time and shows nothing here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutations.mutants import MUTANTS, Mutant
from tests.requirements import read_rows

pytestmark = pytest.mark.slow


def run(checkout: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=checkout,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the named tests are green."""
    copy = tmp_path_factory.mktemp("mutants") / "checkout"
    copy.mkdir()
    for name in ("kalshi_pipeline", "tests"):
        shutil.copytree(repo_root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repo_root / "pyproject.toml", copy)
    sound = run(copy, sorted({mutant.test for mutant in MUTANTS}))
    assert sound.returncode == 0, sound.stdout[-3000:]
    return copy


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_named_test_turns_red(checkout: Path, mutant: Mutant) -> None:
    path = checkout / "kalshi_pipeline" / mutant.module
    source = path.read_text("utf-8")
    assert source.count(mutant.old) == 1, f"{mutant.old!r} stands {source.count(mutant.old)} times in {mutant.module}"
    path.write_text(source.replace(mutant.old, mutant.new), "utf-8")
    try:
        broken = run(checkout, [mutant.test])
    finally:
        path.write_text(source, "utf-8")
    # 1 is a failed test; anything else (nothing collected, wrong usage) would say nothing about it.
    assert broken.returncode == 1, broken.stdout[-3000:]
    assert "failed" in broken.stdout, broken.stdout[-3000:]


def test_the_sample_is_of_thirty_faults_in_rows_that_name_the_test(repo_root: Path) -> None:
    named = {row.identifier: row.tests for row in read_rows(repo_root)}
    assert len(MUTANTS) >= 30
    assert [mutant for mutant in MUTANTS if f"tests/{mutant.test}" not in named.get(mutant.row, ())] == []
