"""What a materialisation says about itself: column schemas, counts and small pictures."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.previews import Preview


def table_metadata(table: Table) -> dict[str, Any]:
    """Definition metadata of an asset that writes ``table``: its columns with type, unit and description."""
    columns = [
        dg.TableColumn(
            name=name,
            type=table.sql_type(name),
            description=table.meaning(name),
            constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=table.key == (name,)),
        )
        for name, column in table.columns.items()
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/relation_identifier": f"kalshi.{table.qualified_name}",
        "grain": table.grain,
        **({"partition_expr": table.partition_column} if table.partition_column else {}),
    }


def picture(png: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """A PNG as materialisation metadata, shown in the asset's page without another file."""
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})")


def first_rows(preview: Preview) -> dict[str, Any]:
    """The first rows of a table as a Markdown table, under ``first rows``; nothing where the table is empty.

    The values are the exchange's: none of them can end a cell, a row or the table.
    """
    if not preview.rows:
        return {}
    lines = [preview.columns, ("---",) * len(preview.columns), *preview.rows]
    text = "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)
    more = f"\n\n{preview.left_out} more columns." if preview.left_out else ""
    return {"first rows": dg.MetadataValue.md(text + more)}


def counts(values: Mapping[str, Any], *, prefix: str = "") -> dict[str, Any]:
    """Numbers and short texts as metadata entries, ``None`` left out."""
    return {f"{prefix}{name}": value for name, value in values.items() if value is not None}


def _plain(value: str) -> str:
    """Text without a meaning in Markdown or HTML."""
    return re.sub(r"[\\`*_\[\]|~$!]", r"\\\g<0>", html.escape(" ".join(value.split()), quote=False))
