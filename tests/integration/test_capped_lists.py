"""A list that goes on beyond any length it can have is never taken for whole: unit, partition and check say so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import pytest

from kalshi_pipeline.exchange import client
from kalshi_pipeline.exchange.pagination import pages
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.runs import RunFailed
from tests.integration.pipeline import DAYS, Pipeline

pytestmark = pytest.mark.integration

DAY = DAYS[0]
ASSETS = ("landing/trades", "raw/trades")
#: More than most markets of the day have trades, and fewer than some.
TRADES_PER_PAGE, MOST_PAGES = 10, 3


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A day whose lists of trades are given up after three pages, what is loaded of it, and the day repaired."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(tmp_path_factory.mktemp("data"), instance, universe=("KXHIGHCHI",))
        pipeline.run(assets=("landing/events", "landing/markets", "raw/markets", "raw/settlements"), days=(DAY, DAY))
        told: dict[str, Any] = {"pipeline": pipeline}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client, "TRADES_PER_PAGE", TRADES_PER_PAGE)
            patch.setattr(client, "pages", partial(pages, most=MOST_PAGES))
            with pytest.raises(RunFailed, match=f"went on after {MOST_PAGES} pages") as caught:
                pipeline.run(assets=ASSETS, days=(DAY, DAY))
        told["message"] = str(caught.value)
        told["manifest"] = LandingStore(pipeline.settings.landing_dir).manifest("trades", DAY.isoformat())
        told["rest"] = pipeline.run(assets=("raw/trades",), days=(DAY, DAY))
        told["rows of the rest"] = trades_by_market(pipeline)
        told["repaired"] = pipeline.run(assets=ASSETS, days=(DAY, DAY))
        yield told


def trades_by_market(pipeline: Pipeline) -> dict[str, int]:
    return dict(pipeline.rows("select ticker, count(*) from raw.trades group by all"))


def coverage(result: dg.ExecuteInProcessResult) -> Any:
    return next(one for one in result.get_asset_check_evaluations() if one.check_name == "coverage")


def test_the_units_of_capped_lists_have_failed_and_their_partition_is_incomplete(story: dict[str, Any]) -> None:
    manifest = story["manifest"]
    assert not manifest.complete
    failed = [unit for unit in manifest.units if unit.state == "failed"]
    assert failed and all("it is incomplete and was given up" in unit.reason for unit in failed)
    assert failed[0].unit_id in manifest.reason and failed[0].unit_id in story["message"]


def test_the_check_of_coverage_fails_with_the_reason(story: dict[str, Any]) -> None:
    check = coverage(story["rest"])
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    reasons = [str(value.value) for name, value in check.metadata.items() if name.startswith("failed: ")]
    assert reasons and all("incomplete" in reason for reason in reasons)


def test_nothing_of_a_capped_list_is_loaded_and_all_of_it_once_it_is_whole(story: dict[str, Any]) -> None:
    assert coverage(story["repaired"]).passed
    whole = trades_by_market(story["pipeline"])
    long = {ticker for ticker, count in whole.items() if count > TRADES_PER_PAGE * MOST_PAGES}
    assert long, "the world has no market with a list to cap"
    assert not long & story["rows of the rest"].keys()
    assert all(whole[ticker] == count for ticker, count in story["rows of the rest"].items())
