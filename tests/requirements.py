"""Reads ``docs/requirements.md``, and says whether every test it names exists and passed (``make requirements``).

A row names the tests that show it, or says in words why there is none. Not here: what the rows ask for.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_TEST = re.compile(r"`(tests/[\w/]+\.py::test_\w+)`")


@dataclass(frozen=True)
class Row:
    """One requirement.

    Attributes:
        identifier: its number.
        asked: what it asks for.
        tests: the tests that show it, as pytest names them.
        shown: the whole last cell.
    """

    identifier: str
    asked: str
    tests: tuple[str, ...]
    shown: str


def read_rows(root: Path = ROOT) -> list[Row]:
    """The rows of the table, in order."""
    rows = []
    for line in (root / "docs" / "requirements.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"[\dQ]+\.\d+", cells[0]):
            rows.append(Row(cells[0], cells[1], tuple(_TEST.findall(cells[2])), cells[2]))
    return rows


def unknown_tests(rows: Iterable[Row], root: Path = ROOT) -> list[str]:
    """The tests that rows name and that do not exist."""
    defined: dict[str, set[str]] = {}
    missing = []
    for row in rows:
        for test in row.tests:
            file, _, name = test.partition("::")
            if file not in defined:
                path = root / file
                tree = ast.parse(path.read_text("utf-8")) if path.is_file() else ast.Module([], [])
                defined[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            if name not in defined[file]:
                missing.append(f"{row.identifier}: {test}")
    return missing


@dataclass
class Outcomes:
    """A pytest plugin that notes how every test came out, its parameters put together."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        name = report.nodeid.partition("[")[0]
        if report.failed:
            self.failed.add(name)
        elif report.passed and report.when == "call":
            self.passed.add(name)


def not_shown(rows: Iterable[Row], outcomes: Outcomes) -> Mapping[str, list[str]]:
    """Rows whose tests did not all pass, with those tests; one that was skipped did not pass."""
    shown = outcomes.passed - outcomes.failed
    left = {row.identifier: [test for test in row.tests if test not in shown] for row in rows}
    return {row: tests for row, tests in left.items() if tests}


def main(arguments: Sequence[str]) -> int:
    """Run every named test; 0 where all of them exist and passed."""
    rows = read_rows()
    if missing := unknown_tests(rows):
        print("No such test:", *missing, sep="\n  ")
        return 1
    outcomes = Outcomes()
    tests = sorted({test for row in rows for test in row.tests})
    pytest.main(["-q", *arguments, *tests], plugins=[outcomes])
    left = not_shown(rows, outcomes)
    by_test = sum(bool(row.tests) for row in rows)
    print(f"\n{len(rows)} requirements: {by_test} by {len(tests)} tests, {len(rows) - by_test} in words.")
    for row, names in left.items():
        print(f"  {row} is not shown by {', '.join(names)}: failed or skipped")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
