"""What a materialisation says about itself: column schemas, counts and small pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg

from kalshi_pipeline.schemas.table import Table


def table_metadata(table: Table) -> dict[str, Any]:
    """Definition metadata of an asset that writes ``table``: its columns with type, unit and description."""
    columns = [
        dg.TableColumn(
            name=name,
            type=table.sql_type(name),
            description=_with_unit(column.description, table.unit(name)),
            constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=table.key == (name,)),
        )
        for name, column in table.columns.items()
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/relation_identifier": f"kalshi.{table.qualified_name}",
        "grain": table.grain,
    }


def picture(png: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """A PNG as materialisation metadata, shown in the asset's page without another file."""
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})")


def counts(values: Mapping[str, Any], *, prefix: str = "") -> dict[str, Any]:
    """Numbers and short texts as metadata entries, ``None`` left out."""
    return {f"{prefix}{name}": value for name, value in values.items() if value is not None}


def _with_unit(description: str | None, unit: str | None) -> str:
    return f"{description} [{unit}]" if unit else str(description)
