"""A table that is not what its contract states is found, whatever the difference, and one that is, is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from kalshi_pipeline.warehouse.contracts import broken_contracts, contracts_of
from kalshi_pipeline.warehouse.errors import WarehouseError

pytestmark = pytest.mark.unit

BUILT = """
CREATE TABLE marts.trades (
    trade_id VARCHAR NOT NULL PRIMARY KEY,
    side VARCHAR CHECK (side in ('yes', 'no')),
    "asof" TIMESTAMP WITH TIME ZONE NOT NULL,
    price DECIMAL(10, 6) CHECK (price >= 0) CHECK (price <= 1),
    CHECK (price > 0 or side is null),
    UNIQUE (side, "asof")
)
"""


def constraint(kind: str, expression: str | None = None, columns: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": kind, "expression": expression, "columns": list(columns)}


def manifest(**changes: Any) -> dict[str, Any]:
    columns = {
        "trade_id": ("varchar", [constraint("not_null"), constraint("primary_key")]),
        "side": ("text", [constraint("check", "side in ('yes', 'no')")]),
        "asof": ("timestamptz", [constraint("not_null")]),
        "price": ("decimal(10, 6)", [constraint("check", "price >= 0"), constraint("check", "price <= 1")]),
    }
    node = {
        "resource_type": "model",
        "unique_id": "model.kalshi_pipeline.trades",
        "schema": "marts",
        "alias": "trades",
        "config": {"materialized": "incremental"},
        "contract": {"enforced": True},
        "columns": {
            name: {"name": name, "data_type": data_type, "constraints": constraints}
            for name, (data_type, constraints) in {**columns, **changes.pop("columns", {})}.items()
        },
        "constraints": [
            constraint("check", "price > 0 or side is null"),
            constraint("unique", columns=("side", "asof")),
        ],
    }
    return {"nodes": {"model.kalshi_pipeline.trades": {**node, **changes}}}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA marts")
        con.execute(BUILT)
        yield con


def differences(con: duckdb.DuckDBPyConnection, stated: Mapping[str, Any]) -> list[str]:
    return [line for lines in broken_contracts(con, contracts_of(stated)).values() for line in lines]


def test_a_table_that_is_what_its_contract_states_is_fine(con: duckdb.DuckDBPyConnection) -> None:
    assert differences(con, manifest()) == []


def test_a_model_that_was_never_built_is_fine(con: duckdb.DuckDBPyConnection) -> None:
    assert differences(con, manifest(alias="quotes")) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"columns": {"price": ("decimal(10, 6)", [constraint("check", "price >= 0")])}},
            "CHECK((price <= 1)) is gone",
            id="a check less",
        ),
        pytest.param(
            {"columns": {"side": ("varchar", [constraint("check", "side in ('yes', 'no', 'void')")])}},
            "CHECK((side IN ('yes', 'no', 'void'))) is new",
            id="another check",
        ),
        pytest.param(
            {"columns": {"side": ("varchar", [constraint("not_null"), constraint("check", "side in ('yes', 'no')")])}},
            "NOT NULL side is new",
            id="a value that must be there",
        ),
        pytest.param({"columns": {"note": ("varchar", [])}}, "column note VARCHAR is new", id="a column more"),
        pytest.param(
            {"columns": {"asof": ("date", [constraint("not_null")])}}, "column asof DATE is new", id="another type"
        ),
        pytest.param({"constraints": []}, 'UNIQUE(side, "asof") is gone', id="a key less"),
    ],
)
def test_every_difference_is_named(con: duckdb.DuckDBPyConnection, changes: dict[str, Any], said: str) -> None:
    assert said in differences(con, manifest(**changes))


def test_another_order_of_columns_counts(con: duckdb.DuckDBPyConnection) -> None:
    stated = manifest()
    node = stated["nodes"]["model.kalshi_pipeline.trades"]
    node["columns"] = dict(reversed(node["columns"].items()))
    assert differences(con, stated) == ["the columns stand in another order"]


@pytest.mark.parametrize(
    "changes",
    [{"contract": {"enforced": False}}, {"config": {"materialized": "view"}}, {"resource_type": "seed"}],
    ids=["not enforced", "a view", "no model"],
)
def test_only_enforced_contracts_of_tables_count(con: duckdb.DuckDBPyConnection, changes: dict[str, Any]) -> None:
    con.execute("DROP TABLE marts.trades; CREATE TABLE marts.trades (n INTEGER)")
    assert differences(con, manifest(**changes)) == []


def test_a_contract_that_duckdb_cannot_hold_is_named(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(WarehouseError, match=r"contract of marts\.trades .*nonsense"):
        differences(con, manifest(columns={"price": ("nonsense", [])}))


def test_a_reader_can_ask(tmp_path: Any) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as con:
        con.execute("CREATE SCHEMA marts; CREATE TABLE marts.trades (n INTEGER)")
    with duckdb.connect(tmp_path / "x.duckdb", read_only=True) as con:
        assert "column n INTEGER is gone" in differences(con, manifest())


def test_the_model_is_named_as_dbt_selects_it() -> None:
    (contract,) = contracts_of(manifest(unique_id="model.kalshi_pipeline.event_outcomes.v2", alias="event_outcomes"))
    assert (contract.model, contract.table, contract.keeps_rows) == ("event_outcomes.v2", "marts.event_outcomes", True)
