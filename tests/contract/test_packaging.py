"""What is declared, pinned and configured agrees with what is used."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.contract import house

pytestmark = pytest.mark.unit

#: Declared but imported nowhere in the package, and why.
NOT_IMPORTED = {
    "dagster-dg-cli": "run as a command",
    "dagster-webserver": "the UI",
    "dbt-core": "run as a command",
    "dbt-duckdb": "dbt's adapter",
    "tzdata": "time zones where the system has none",
}


@pytest.fixture(scope="module")
def project(repo_root: Path) -> Mapping[str, Any]:
    return tomllib.loads((repo_root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def pins(repo_root: Path) -> Mapping[str, str]:
    lines = (repo_root / "constraints.txt").read_text("utf-8").splitlines()
    stated = [line for line in lines if line and not line.startswith("#")]
    found = dict(line.split("==") for line in stated)
    assert len(found) == len(stated)
    return {canonicalize_name(name): version for name, version in found.items()}


def requirements(project: Mapping[str, Any]) -> list[Requirement]:
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return [Requirement(text) for text in texts]


def test_constraints_are_versions_and_nothing_else(pins: Mapping[str, str]) -> None:
    assert [name for name, version in pins.items() if not re.fullmatch(r"[0-9][0-9a-z.]*", version)] == []


def test_every_dependency_is_pinned_within_its_range(project: Mapping[str, Any], pins: Mapping[str, str]) -> None:
    outside = [
        f"{requirement}: {pins.get(canonicalize_name(requirement.name))}"
        for requirement in requirements(project)
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert outside == []


def test_what_the_package_imports_is_declared_and_the_other_way_round(
    project: Mapping[str, Any], repo_root: Path
) -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    distributions = packages_distributions()
    imported = {
        canonicalize_name(distribution)
        for module in house.modules_under(repo_root / house.PACKAGE)
        for name in house.imported_names(module)
        if (top := name.partition(".")[0]) not in {house.PACKAGE, *sys.stdlib_module_names}
        for distribution in distributions[top]
    }
    assert imported == declared - NOT_IMPORTED.keys()


def test_the_command_exists(project: Mapping[str, Any]) -> None:
    module, _, name = project["scripts"]["kalshi-pipeline"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_dagster_keeps_its_history_under_data_and_reports_to_nobody(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(repo_root / "dagster.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_runs() == []
    assert {path.name for path in tmp_path.iterdir()} == {"dagster.yaml", "data"}


def test_an_interpreter_that_does_not_fit_is_refused_in_words(repo_root: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repo_root / name, tmp_path)
    done = subprocess.run(
        ["make", "demo", "PYTHON=no-such-python"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert not (tmp_path / ".venv").exists()
