"""What the exchange gets wrong is seen by the models over it: more than seventy kinds of loss, each at its own place.

Landing and loading cannot tell: every answer has its form. The whole chain runs once over an exchange that answers
wrongly about some markets and events; what is found is told apart by ticker, and nothing may be found of the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.runs import run_assets
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.integration.source_faults import Faults, exchange_with
from tests.integration.source_losses import FIRST_DAY, NOW, TODAY, UNIVERSE, Loss, plant

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "injected-loss.md"
#: Where things are found: model, and the columns that name the market or event and what is wrong with it.
FOUND = """
    select 'fact_findings' as model, ticker as subject, finding, row_count as rows from health.fact_findings
    union all
    select 'snapshot_findings', ticker, finding, row_count from health.snapshot_findings
    union all
    select 'description_findings', subject, finding, 1 from health.description_findings
    union all
    select 'settlement_findings', subject, finding, 1 from health.settlement_findings
    union all
    select 'ladder_completeness', event_ticker, finding, rows
    from (
        unpivot (
            select event_ticker, holes, overlapping_legs, missing_ends, (not pays_as_listed)::integer as pays_otherwise
            from health.ladder_completeness
        ) on holes, overlapping_legs, missing_ends, pays_otherwise into name finding value rows
    )
    where rows > 0
    union all
    select 'ladder_legs', ticker, flag, 1
    from (select ticker, unnest(list_append(flags, reason)) as flag from research.ladder_legs)
    where flag is not null
    union all
    select 'quarantine', row_json ->> 'ticker', split_part(reason, ';', 1), 1 from meta.quarantine
"""


@dataclass(frozen=True)
class Found:
    """Something that a model says of a market or event."""

    model: str
    subject: str
    finding: str
    rows: int


def looked_at(folder: Path, faults: Faults) -> list[Found]:
    """Land, load, build and look, over the exchange seen through faults; what was found."""
    settings = Settings(data_dir=folder, universe=UNIVERSE, sandbox_now=NOW)
    snapshots = [f"{layer}/{name}" for name in ("quotes", "orderbooks") for layer in ("landing", "raw")]
    with exchange_with(faults, settings) as exchange, dg.DagsterInstance.ephemeral() as instance:
        given = dg.ResourceDefinition.hardcoded_resource(exchange)
        defs = build_defs(settings, resources={"exchange": given})
        run_assets(defs, instance, job="reference")
        run_assets(defs, instance, assets=snapshots, days=(TODAY, TODAY))
        run_assets(defs, instance, job="ingest", days=(FIRST_DAY, TODAY))
        run_assets(defs, instance, assets=("research/ladders", "research/ladder_legs"))
    with Warehouse(database=str(settings.database)).read() as con:
        return [Found(*row) for row in con.execute(FOUND).fetchall()]


@dataclass(frozen=True)
class Seen:
    """What was planted, and what was found at each of the places, and elsewhere."""

    losses: Sequence[Loss]
    found: dict[str, list[Found]]
    elsewhere: list[Found]

    def table(self) -> str:
        """The detection table, a line a kind."""
        lines = ["| family | what goes wrong | seen by | rows |", "|---|---|---|---:|"]
        for loss in self.losses:
            found = self.found[loss.kind]
            models: dict[str, set[str]] = defaultdict(set)
            for one in found:
                models[one.model].add(f"`{one.finding}`")
            said = "; ".join(f"{model}: {', '.join(sorted(names))}" for model, names in sorted(models.items()))
            rows = sum(one.rows for one in found)
            lines.append(f"| {loss.family} | {loss.kind} | {said or f'nothing. {loss.unseen}'} | {rows} |")
        return "\n".join(lines)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Every kind of loss planted at once."""
    faults = Faults()
    losses = plant(faults, Settings().sandbox_seed)
    found = looked_at(tmp_path_factory.mktemp("data"), faults)
    at: dict[str, list[Found]] = {loss.kind: [one for one in found if one.subject in loss.targets] for loss in losses}
    targets = frozenset().union(*(loss.targets for loss in losses))
    return Seen(losses, at, [one for one in found if one.subject not in targets])


def test_the_kinds_have_places_of_their_own(seen: Seen) -> None:
    assert len({loss.kind for loss in seen.losses}) == len(seen.losses) >= 40
    assert sum(len(loss.targets) for loss in seen.losses) == len(frozenset().union(*(x.targets for x in seen.losses)))


def test_nine_kinds_in_ten_are_seen_and_the_others_say_why_not(seen: Seen) -> None:
    missed = {loss.kind for loss in seen.losses if not seen.found[loss.kind]}
    assert missed == {loss.kind for loss in seen.losses if loss.unseen}
    assert len(missed) <= 0.1 * len(seen.losses)


def test_no_alarm_is_raised_where_nothing_is_wrong(seen: Seen) -> None:
    assert seen.elsewhere == []


def test_the_published_table_is_what_was_seen(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text(seen.table(), "utf-8")
    assert seen.table() in PAGE.read_text("utf-8"), f"{PAGE.name} has another table than {tmp_path / 'table.md'}"
