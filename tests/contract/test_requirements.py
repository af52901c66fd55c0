"""Every requirement names tests that exist, or says why it has none; none is left out, and none is there twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.requirements import Outcomes, Row, not_shown, read_rows, unknown_tests

pytestmark = pytest.mark.unit


def test_every_named_test_exists(repo_root: Path) -> None:
    rows = read_rows(repo_root)
    assert len(rows) > 150
    assert unknown_tests(rows, repo_root) == []


def test_a_row_is_there_once_and_says_something(repo_root: Path) -> None:
    rows = read_rows(repo_root)
    assert [row for row, times in Counter(row.identifier for row in rows).items() if times > 1] == []
    assert [row.identifier for row in rows if not row.asked or not (row.tests or row.shown.endswith("."))] == []


def test_no_core_or_expected_row_is_unaccounted_for(repo_root: Path, shared_dir: Path) -> None:
    asked = set()
    for line in (shared_dir / "requirements.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if re.fullmatch(r"[\dQ]+\.\d+", cells[0]) and {"C", "E"} & set(cells):
            asked.add(cells[0])
    assert asked
    assert asked == {row.identifier for row in read_rows(repo_root)}


def test_a_test_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_here():\n    pass\n")
    rows = [
        Row("1.1", "x", ("tests/test_a.py::test_here",), ""),
        Row("1.2", "x", ("tests/test_a.py::test_gone", "tests/test_b.py::test_here"), ""),
    ]
    assert unknown_tests(rows, tmp_path) == ["1.2: tests/test_a.py::test_gone", "1.2: tests/test_b.py::test_here"]


def test_a_row_is_shown_when_all_its_tests_passed_in_all_their_forms() -> None:
    outcomes = Outcomes(passed={"t::a", "t::b"}, failed={"t::b"})
    rows = [Row("1.1", "x", ("t::a",), ""), Row("1.2", "x", ("t::a", "t::b"), ""), Row("1.3", "x", ("t::skipped",), "")]
    assert not_shown(rows, outcomes) == {"1.2": ["t::b"], "1.3": ["t::skipped"]}
