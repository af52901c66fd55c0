"""The stated forms of the exchange's answers are those of its documentation, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from kalshi_pipeline.schemas import wire
from kalshi_pipeline.schemas.raw import RAW_TABLES

pytestmark = pytest.mark.unit

OBJECTS = [
    wire.SettlementSource,
    wire.Series,
    wire.EventData,
    wire.PriceRange,
    wire.Market,
    wire.BidAskDistribution,
    wire.PriceDistribution,
    wire.MarketCandlestick,
    wire.BidAskDistributionHistorical,
    wire.PriceDistributionHistorical,
    wire.MarketCandlestickHistorical,
    wire.Trade,
    wire.MarketOrderbookFp,
    wire.SeriesFeeChange,
    wire.EventFeeChange,
    wire.DailySchedule,
    wire.WeeklySchedule,
    wire.MaintenanceWindow,
    wire.Schedule,
    wire.ExchangeIndexStatus,
    wire.ExchangeStatus,
]
_WORDS = {
    inspect.StrType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.ListType: "array",
    inspect.DictType: "object",
    inspect.StructType: "object",
}


@pytest.fixture(scope="module")
def documented(shared_dir: Path) -> dict[str, Any]:
    definitions: dict[str, Any] = json.loads((shared_dir / "kalshi_schemas.json").read_text())["$defs"]
    return definitions


def types_of(definition: dict[str, Any], documented: dict[str, Any]) -> set[str]:
    """The JSON types of a documented property, references followed."""
    if "$ref" in definition:
        return types_of(documented[definition["$ref"].rsplit("/", 1)[1]], documented)
    if several := definition.get("anyOf") or definition.get("allOf"):
        return {word for one in several for word in types_of(one, documented)}
    given = definition["type"]
    return {given} if isinstance(given, str) else set(given)


def stated(known: inspect.Type) -> set[str]:
    forms = known.types if isinstance(known, inspect.UnionType) else (known,)
    return {_WORDS[type(form)] for form in forms}


@pytest.mark.parametrize("form", OBJECTS, ids=lambda form: form.__name__)
def test_an_object_has_the_documented_fields(form: type[wire.WireObject], documented: dict[str, Any]) -> None:
    described = documented[form.__name__]
    known = inspect.type_info(form)
    assert isinstance(known, inspect.StructType) and known.forbid_unknown_fields
    assert {one.encode_name for one in known.fields} == set(described["properties"])
    assert {one.encode_name for one in known.fields if one.required} == set(described.get("required", ()))
    for one in known.fields:
        # Lists that must be there have arrived as null.
        tolerated = {"null"} if "array" in stated(one.type) or one.encode_name == "price" else set()
        given = types_of(described["properties"][one.encode_name], documented)
        assert given <= stated(one.type) <= given | tolerated, one.encode_name


def test_every_table_of_landed_responses_has_a_form() -> None:
    # Outcomes are read from the answers about markets; vintages come from elsewhere.
    assert set(wire.ANSWERS) == {table.name for table in RAW_TABLES} - {"settlements", "outcome_vintages"}
