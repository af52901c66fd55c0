"""Every planted mistake turns its test red, and without one they are all green: the tests of the core can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.mutations import MUTATIONS, Mutation

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture(scope="module")
def copy(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its unit tests, to plant mistakes in."""
    folder = tmp_path_factory.mktemp("mutated")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(repo_root / "kalshi_pipeline", folder / "kalshi_pipeline", ignore=ignored)
    shutil.copytree(repo_root / "tests" / "unit", folder / "tests" / "unit", ignore=ignored)
    for name in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(repo_root / name, folder / name)
    return folder


def run(folder: Path, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy; kernels are interpreted, which is faster than compiling them for one test."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_mistake_every_test_is_green(copy: Path) -> None:
    done = run(copy, dict.fromkeys(mutation.test for mutation in MUTATIONS))
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_planted_mistake_turns_its_test_red(copy: Path, mutation: Mutation) -> None:
    source = copy / "kalshi_pipeline" / mutation.file
    right = source.read_text(encoding="utf-8")
    assert right.count(mutation.right) == 1, "the place of the mistake is gone or there are several: state it anew"
    source.write_text(right.replace(mutation.right, mutation.wrong), encoding="utf-8")
    try:
        done = run(copy, [mutation.test])
    finally:
        source.write_text(right, encoding="utf-8")
    assert done.returncode == 1, done.stdout[-3000:]
    assert "failed" in done.stdout
