"""The registry says what is known about each series, and says so where it knows nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.ladders.registry import Registry, RegistryError
from kalshi_pipeline.settings import DEFAULT_UNIVERSE

pytestmark = pytest.mark.unit

REGISTRY = Registry.load()


@pytest.mark.parametrize("series", [*DEFAULT_UNIVERSE, "KXBTC", "KXGDP", "KXHIGHNY"])
def test_every_series_we_take_in_is_registered_with_a_grid_and_a_known_stale_profile(series: str) -> None:
    rule = REGISTRY.rule(series)
    assert rule.registered
    assert rule.grid_step is not None
    assert rule.unit is not None
    assert rule.stale_profile in Rules().stale_rows


@pytest.mark.parametrize(
    ("series", "release_type"),
    [
        ("KXCPI", "CPI"),
        ("KXCPICORE", "CPI"),
        ("KXCPIYOY", "CPI"),
        ("KXU3", "UNEMPLOYMENT"),
        ("KXPAYROLLS", "PAYROLLS"),
        ("KXFED", "FOMC"),
        ("KXGDP", "GDP"),
        ("KXHIGHLAX", "WEATHER"),
        ("KXBTC", "CRYPTO"),
    ],
)
def test_release_types(series: str, release_type: str) -> None:
    assert REGISTRY.rule(series).release_type == release_type


@pytest.mark.parametrize(
    ("series", "event", "current"),
    [
        ("CPI", None, "KXCPI"),
        ("HIGHNY", "HIGHNY-24AUG16", "KXHIGHNY"),
        ("PAYROLLS", None, "KXPAYROLLS"),
        ("UNHEARD-OF", "PROLLS-23APR", "KXPAYROLLS"),
    ],
)
def test_legacy_names_find_the_present_series(series: str, event: str | None, current: str) -> None:
    assert REGISTRY.rule(series, event).series_ticker == current


def test_a_series_of_a_known_family_is_described_but_not_registered() -> None:
    rule = REGISTRY.rule("KXHIGHSFO")
    assert (rule.series_ticker, rule.release_type, rule.grid_step) == ("KXHIGHSFO", "WEATHER", 1.0)
    assert not rule.registered
    assert rule.support_low is None


def test_an_unknown_series_is_inferred_and_says_so() -> None:
    rule = REGISTRY.rule("KXNEVERHEARD")
    assert (rule.release_type, rule.grid_step, rule.unit, rule.registered) == ("OTHER", None, None, False)


@pytest.mark.parametrize(
    ("close", "release"),
    [
        pytest.param("2026-07-14T12:25:00", "2026-07-14T12:30:00", id="summer"),
        pytest.param("2026-12-10T13:25:00", "2026-12-10T13:30:00", id="winter"),
        pytest.param("2026-07-14T12:30:00", "2026-07-14T12:30:00", id="closing at the release"),
        pytest.param("2026-07-14T12:31:00", "2026-07-15T12:30:00", id="closing after the day's release"),
        pytest.param("2026-03-07T14:00:00", "2026-03-08T12:30:00", id="over the switch to summer time"),
    ],
)
def test_the_release_is_the_first_local_release_time_at_or_after_the_close(close: str, release: str) -> None:
    rule = REGISTRY.rule("KXCPI")
    assert rule.release_ts(datetime.fromisoformat(close).replace(tzinfo=UTC)) == datetime.fromisoformat(
        release
    ).replace(tzinfo=UTC)


def test_a_series_anchored_at_its_close_has_no_release_time() -> None:
    assert REGISTRY.rule("KXHIGHCHI").release_ts(datetime(2026, 7, 14, tzinfo=UTC)) is None
    assert REGISTRY.timezone_of("KXHIGHDEN") == "America/Denver"


TYPES = "[types.OTHER]\nanchor = 'close'\n[types.CPI]\nanchor = 'release'\nrelease_time_local = '08:30'\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[series.A]\ntype = 'NONE'\n", "A in the series registry has type 'NONE'", id="unknown type"),
        pytest.param("[series.A]\ntype = 'CPI'\ngrid_step = 0\n", "grid_step", id="no step"),
        pytest.param("[series.A]\ntype = 'CPI'\nsupport = [2.0, 1.0]\n", "lower cap", id="caps in the wrong order"),
        pytest.param("[series.A]\ntype = 'CPI'\ntail_ratio = 1.0\n", "tail_ratio", id="a tail without an end"),
        pytest.param("[series.A]\ntype = 'OTHER'\nanchor = 'release'\n", "anchor", id="a release without a time"),
    ],
)
def test_a_faulty_entry_is_named(text: str, said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        Registry.parse(TYPES + text)


def test_a_file_that_is_not_toml_is_said_to_be_none() -> None:
    with pytest.raises(RegistryError, match="not valid TOML"):
        Registry.parse("[series")
