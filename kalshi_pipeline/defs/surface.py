"""What every asset says about itself besides what its own module says: owners, freshness, the form of landed lines.

Applied to all assets at once where the definitions are put together, so that none can lack it.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from kalshi_pipeline.defs.freshness import expectation
from kalshi_pipeline.settings import Settings

#: Who answers for a group whose module names nobody: the dbt layers.
_OWNERS = {"staging": "team:models", "intermediate": "team:models", "marts": "team:models", "health": "team:models"}

_LINE = (
    ("request_id", "VARCHAR", "Identifier the request was sent with, also in its X-Request-Id header."),
    ("run_id", "VARCHAR", "Dagster run that fetched the response."),
    ("url", "VARCHAR", "Address that was asked, query included."),
    ("status", "INTEGER", "HTTP status."),
    ("received_at", "TIMESTAMPTZ", "When the response had arrived: nothing in it was known earlier. [UTC]"),
    ("sha256", "VARCHAR", "Digest of the body's bytes as they arrived."),
    ("unit_id", "VARCHAR", "Unit of work the response belongs to: what a killed run resumes at."),
    ("context", "JSON", "What the unit is about: series, event, days, bar length, kind of quote."),
    ("body", "JSON", "The body as it came."),
)
LINE_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn(name=name, type=kind, description=said, constraints=dg.TableColumnConstraints(nullable=False))
        for name, kind, said in _LINE
    ]
)


def dress(assets: Sequence[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """The assets with owners, freshness policies and, where they are landed files, the columns of a line."""

    def dressed(spec: dg.AssetSpec) -> dg.AssetSpec:
        owners = [_OWNERS[spec.group_name]] if not spec.owners and spec.group_name in _OWNERS else []
        columns = {"dagster/column_schema": LINE_SCHEMA} if spec.key.path[0] == "landing" else {}
        spec = spec.merge_attributes(owners=owners, metadata=columns)
        expected = expectation(spec.key, spec.group_name, settings)
        return spec.replace_attributes(freshness_policy=expected.policy) if expected else spec

    return [asset.map_asset_specs(dressed) for asset in assets]
