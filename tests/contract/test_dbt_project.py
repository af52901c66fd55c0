"""The dbt project takes the raw tables as Python states them, describes what it builds, and tests it in two groups."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster_dbt import dbt_assets
from dbt.cli.main import dbtRunner

from kalshi_pipeline.dictionary import dictionary, tables_of_python
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.schemas.raw import RAW_TABLES
from kalshi_pipeline.settings import DEFAULT_UNIVERSE
from kalshi_pipeline.warehouse.sql import QUOTE_PREFERENCE

pytestmark = pytest.mark.unit

Node = Mapping[str, Any]


@pytest.fixture(scope="module")
def manifest_path(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of a parse in which a warning is an error."""
    project, folder = repo_root / "dbt_project", tmp_path_factory.mktemp("target")
    parsed = dbtRunner().invoke(
        [
            *("--quiet", "--warn-error", "--log-path", str(folder), "parse", "--target-path", str(folder)),
            *("--project-dir", str(project), "--profiles-dir", str(project)),
        ]
    )
    assert parsed.success, parsed.exception
    return folder / "manifest.json"


@pytest.fixture(scope="module")
def manifest(manifest_path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(manifest_path.read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def models(manifest: Mapping[str, Any]) -> Mapping[str, Node]:
    return {node["unique_id"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def data_tests(manifest: Mapping[str, Any]) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]


def test_sources_are_the_raw_tables_column_by_column(manifest: Mapping[str, Any]) -> None:
    stated = {
        source["name"]: {name: column["data_type"] for name, column in source["columns"].items()}
        for source in manifest["sources"].values()
        if source["schema"] == "raw"
    }
    assert stated == {
        table.name: {name: table.sql_type(name).lower() for name in table.columns} for table in RAW_TABLES
    }


def test_the_data_dictionary_says_what_the_schemas_and_the_models_say(
    manifest: Mapping[str, Any], repo_root: Path
) -> None:
    written = (repo_root / "docs" / "data-dictionary.md").read_text("utf-8")
    assert dictionary(tables_of_python(), manifest) == written, "Write it again with `kalshi-pipeline dictionary`."


def test_every_table_and_column_is_described(manifest: Mapping[str, Any], models: Mapping[str, Node]) -> None:
    described = [*manifest["sources"].values(), *models.values()]
    assert [node["unique_id"] for node in described if not node["description"]] == []
    assert [node["name"] for node in models.values() if "Grain: " not in node["description"]] == []
    assert [
        f"{node['name']}.{name}"
        for node in described
        for name, column in node["columns"].items()
        if not column["description"].endswith(".")
    ] == []


def test_amounts_and_instants_state_their_unit(models: Mapping[str, Node]) -> None:
    units = {"timestamptz": "(UTC).", "decimal(10,6)": "(dollars).", "decimal(18,2)": "(contracts)."}
    assert [
        f"{node['name']}.{name}"
        for node in models.values()
        for name, column in node["columns"].items()
        if not column["description"].endswith(units.get(column["data_type"], "."))
    ] == []


def test_marts_have_contracts_and_are_the_only_tables(models: Mapping[str, Node]) -> None:
    by_layer = {
        layer: [node for node in models.values() if node["schema"] == layer]
        for layer in ("staging", "intermediate", "marts", "health")
    }
    assert sum(map(len, by_layer.values())) == len(models)
    assert {node["name"] for node in by_layer["marts"]} == {
        *("series", "events", "markets", "quotes", "candles", "trades", "market_settlements"),
        *("event_outcomes", "event_outcomes_first_print", "event_outcomes_revised", "event_outcome_rejects"),
        *("settlement_disagreements", "market_specifications", "event_specifications"),
    }
    assert all(node["contract"]["enforced"] for node in by_layer["marts"] + by_layer["health"])
    assert {node["config"]["materialized"] for node in by_layer["staging"] + by_layer["intermediate"]} == {"view"}


def test_a_model_is_one_sql_and_one_yml_file(repo_root: Path, models: Mapping[str, Node]) -> None:
    folder = repo_root / "dbt_project" / "models"
    files = {path.stem: path for path in folder.rglob("*.sql")}
    expected = {
        f"{node['name']}_v{node['version']}" if node["version"] else node["name"]: node["name"]
        for node in models.values()
    }
    assert files.keys() == expected.keys()
    for stem, name in expected.items():
        [model] = yaml.safe_load((files[stem].parent / f"{name}.yml").read_text("utf-8"))["models"]
        assert model["name"] == name


def test_every_model_has_a_group_and_research_is_named_as_its_user(
    manifest: Mapping[str, Any], models: Mapping[str, Node]
) -> None:
    assert {(node["schema"], node["group"]) for node in models.values()} == {
        *((layer, "models") for layer in ("staging", "intermediate", "marts")),
        ("health", "health"),
    }
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    assert exposures.keys() == {"implied_distributions", "event_labels", "release_mapping", "recipes"}
    used = {model for exposure in exposures.values() for model in exposure["depends_on"]["nodes"]}
    assert {"model.kalshi_pipeline.quotes", "model.kalshi_pipeline.event_outcomes.v2"} <= used <= models.keys()


def test_every_raw_table_says_when_it_is_stale(manifest: Mapping[str, Any]) -> None:
    raw = [source for source in manifest["sources"].values() if source["schema"] == "raw"]
    limits = {name: _expectation(source["freshness"][name]) for source in raw for name in ("warn_after", "error_after")}
    assert limits == {"warn_after": timedelta(hours=30), "error_after": timedelta(hours=54)}
    assert all("meta.ingestion_log" in source["loaded_at_query"] for source in raw)


def _expectation(limit: Mapping[str, Any]) -> timedelta:
    return timedelta(**{f"{limit['period']}s": limit["count"]})


def test_an_old_version_of_a_model_says_until_when_it_is_kept(models: Mapping[str, Node]) -> None:
    versioned = [node for node in models.values() if node["version"]]
    assert {node["name"] for node in versioned} == {"event_outcomes"}
    for node in versioned:
        is_latest = node["version"] == node["latest_version"]
        assert (node["deprecation_date"] is None) == is_latest
        assert node["alias"] == (node["name"] if is_latest else f"{node['name']}_v{node['version']}")
    [first] = [node for node in versioned if node["version"] == 1]
    [second] = [node for node in versioned if node["version"] == 2]
    assert second["columns"].keys() - first["columns"].keys() == {"revision_number", "reference_period"}


def test_a_model_belongs_to_one_group_of_runs(models: Mapping[str, Node]) -> None:
    assert {tuple(node["tags"]) for node in models.values()} == {("daily",), ("reference",), ("health",)}
    assert {node["schema"] for node in models.values() if node["tags"] == ["health"]} == {"health"}
    assert {node["name"] for node in models.values() if node["config"]["materialized"] == "incremental"} == {
        node["name"] for node in models.values() if node["schema"] == "marts" and node["tags"] == ["daily"]
    }


def test_no_test_needs_a_table_that_another_group_of_runs_builds(
    models: Mapping[str, Node], data_tests: list[Node]
) -> None:
    groups = {
        test["name"]: {tag for parent in test["depends_on"]["nodes"] for tag in models.get(parent, {}).get("tags", [])}
        for test in data_tests
    }
    assert {name: tags for name, tags in groups.items() if len(tags) != 1} == {}


def test_every_data_test_is_one_asset_check_that_says_what_it_finds(
    manifest_path: Path, data_tests: list[Node]
) -> None:
    @dbt_assets(manifest=manifest_path)
    def models(context):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    checks = Counter(check.name for check in models.check_specs)
    assert checks == Counter(test["name"] for test in data_tests)
    assert set(checks.values()) == {1}
    assert [check.name for check in models.check_specs if not check.description] == []


def test_only_what_can_never_be_true_stops_a_run(data_tests: list[Node]) -> None:
    """The exchange's oddities warn; an error says that we built something wrong."""
    assert {test["name"] for test in data_tests if test["config"]["severity"].lower() == "error"} == {
        *("quotes_are_unique", "quotes_match_their_loads", "trades_are_unique", "trades_match_their_loads"),
        *("candles_are_unique", "candles_match_their_loads", "candles_last_as_long_as_their_period"),
        *("revisions_are_consecutive", "first_prints_equal_revision_zero", "crossed_bars_are_rare"),
    }


def test_the_cities_of_decision_times_are_those_of_the_registry(repo_root: Path) -> None:
    macro = (repo_root / "dbt_project" / "macros" / "decision_times.sql").read_text("utf-8")
    cities = dict(re.findall(r"\('(KX\w+)', '([\w/]+)'\)", macro))
    assert set(cities) == {series for series in DEFAULT_UNIVERSE if series.startswith("KXHIGH")}
    registry = Registry.load()
    assert cities == {series: registry.timezone_of(series) for series in cities}


@pytest.mark.parametrize("place", ["dbt_project/macros/point_in_time.sql", "docs/recipes/06_calibration.sql"])
def test_of_two_observations_of_one_instant_every_reader_takes_the_same(repo_root: Path, place: str) -> None:
    assert (repo_root / place).read_text("utf-8").count(QUOTE_PREFERENCE) == 1
