"""Settings: what the environment says, or the default; anything unreadable is one sentence that names the variable."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.settings import Settings, SettingsError, Source, SourceKind, read_instant

pytestmark = pytest.mark.unit


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_blank_values_and_other_variables_change_nothing() -> None:
    assert Settings.from_env({"KALSHI_SOURCE": " ", "KALSHI_UNIVERSE": "", "PATH": "anywhere"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("KALSHI_SOURCE", "live", "source", Source(SourceKind.LIVE)),
        ("KALSHI_SOURCE", "recorded:worlds/june", "source", Source(SourceKind.RECORDED, Path("worlds/june"))),
        ("KALSHI_UNIVERSE", "kxcpi, KXU3 ,", "universe", ("KXCPI", "KXU3")),
        ("KALSHI_DATA_DIR", "elsewhere", "data_dir", Path("elsewhere")),
        ("KALSHI_GRID_MINUTES", "60", "grid_minutes", 60),
        ("KALSHI_GRID_MINUTES", "none", "grid_minutes", None),
        ("KALSHI_QUOTE_MINUTES", "5", "quote_minutes", 5),
        ("KALSHI_CANDLE_MINUTES", "1440", "candle_minutes", 1440),
        ("KALSHI_REQUESTS_PER_SECOND", "2.5", "requests_per_second", 2.5),
        ("KALSHI_CONCURRENCY", "3", "concurrency", 3),
        ("KALSHI_LOCK_TIMEOUT", "2.5", "lock_timeout", 2.5),
        ("KALSHI_RUN_LIVE_API", "1", "run_live_api", True),
        ("KALSHI_SANDBOX_SEED", "7", "sandbox_seed", 7),
        ("KALSHI_SANDBOX_NOW", "2026-06-30", "sandbox_now", datetime(2026, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_variable_sets_its_field_and_no_other(variable: str, text: str, field: str, value: Any) -> None:
    settings = Settings.from_env({variable: text})
    changed = {name for name in vars(Settings()) if getattr(settings, name) != getattr(Settings(), name)}
    assert (changed, getattr(settings, field)) == ({field}, value)


def test_a_key_is_its_identifier_and_its_file_together() -> None:
    both = Settings.from_env({"KALSHI_KEY_ID": "my-key", "KALSHI_KEY_FILE": "keys/kalshi.pem"})
    assert (both.key_id, both.key_file) == ("my-key", Path("keys/kalshi.pem"))
    assert "my-key" not in repr(both) and "kalshi.pem" not in repr(both)
    for variable in ("KALSHI_KEY_ID", "KALSHI_KEY_FILE"):
        with pytest.raises(SettingsError, match="belong together: set both, or neither"):
            Settings.from_env({variable: "alone"})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("KALSHI_SOURCE", "production"),
        ("KALSHI_SOURCE", "recorded"),
        ("KALSHI_SOURCE", "recorded:"),
        ("KALSHI_SOURCE", "live:somewhere"),
        ("KALSHI_GRID_MINUTES", "quarter"),
        ("KALSHI_GRID_MINUTES", "0"),
        ("KALSHI_GRID_MINUTES", "-15"),
        ("KALSHI_GRID_MINUTES", "7"),
        ("KALSHI_QUOTE_MINUTES", "1"),
        ("KALSHI_CANDLE_MINUTES", "5"),
        ("KALSHI_REQUESTS_PER_SECOND", "0"),
        ("KALSHI_REQUESTS_PER_SECOND", "nan"),
        ("KALSHI_REQUESTS_PER_SECOND", "fast"),
        ("KALSHI_CONCURRENCY", "0"),
        ("KALSHI_CONCURRENCY", "many"),
        ("KALSHI_LOCK_TIMEOUT", "-1"),
        ("KALSHI_SANDBOX_SEED", "1.5"),
        ("KALSHI_SANDBOX_NOW", "yesterday"),
    ],
)
def test_an_unreadable_value_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        Settings.from_env({variable: text})
    assert "\n" not in str(refused.value)


def test_sources_share_no_file() -> None:
    sources = ["sandbox", "demo", "live", "recorded:worlds/june", "recorded:worlds/july"]
    all_settings = [Settings(source=Source.parse(source)) for source in sources]
    assert len({settings.database for settings in all_settings}) == len(sources)
    assert len({settings.landing_dir for settings in all_settings}) == len(sources)


def test_every_database_bears_the_name_that_dbt_knows() -> None:
    assert {Settings(source=Source.parse(source)).database.stem for source in ("sandbox", "live")} == {"kalshi"}


@pytest.mark.parametrize("text", ["sandbox", "recorded:worlds/june", "demo", "live"])
def test_a_source_reads_back_from_its_text(text: str) -> None:
    assert str(Source.parse(text)) == text


def test_only_the_sandbox_and_recorded_worlds_are_served_by_the_pipeline() -> None:
    assert {kind for kind in SourceKind if Source(kind).embedded} == {SourceKind.SANDBOX, SourceKind.RECORDED}


@given(
    instant=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)),
    hours=st.none() | st.integers(-12, 14),
)
def test_an_instant_is_read_in_utc_whatever_its_offset(instant: datetime, hours: int | None) -> None:
    zone = UTC if hours is None else timezone(timedelta(hours=hours))
    text = instant.isoformat() if hours is None else instant.replace(tzinfo=zone).isoformat()
    read = read_instant(text)
    assert read == instant.replace(tzinfo=zone)
    assert read.tzinfo is UTC


def test_settings_do_not_change_after_they_are_made() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().concurrency = 1  # type: ignore[misc]
