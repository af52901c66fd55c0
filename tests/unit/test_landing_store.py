"""A landed file is whole, verbatim and checkable; what killed writers leave behind is never taken for one."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange.transport import Response
from kalshi_pipeline.landing.days import DayRun, runs_of, stamp, unstamp
from kalshi_pipeline.landing.envelope import envelope
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry, merged
from kalshi_pipeline.landing.store import LandingStore, UnitWriter, safe_name
from tests.exchange_double import envelopes

pytestmark = pytest.mark.unit


def response(body: bytes = b'{"a": 1}', url: str = "https://x/trade-api/v2/series/A") -> Response:
    moment = datetime(2026, 6, 3, 12, 0, 0, 250_000, UTC)
    return Response("session-000001", url, 200, moment, body, json.loads(body), "trade_proxy")


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


def write(store: LandingStore, *bodies: bytes, unit_id: str = "unit", tickers: tuple[str, ...] = ()) -> UnitEntry:
    def fill(writer: UnitWriter) -> None:
        for body in bodies:
            writer.add(response(body), {"dataset": "series", "tickers": list(tickers)}, 2)

    return store.write(store.path("series", "A", unit_id), unit_id, "run", {"dataset": "series"}, fill)


def test_an_envelope_says_where_when_and_why_and_holds_the_body() -> None:
    body = b'{"series": {"title": "caf\xc3\xa9", "price": "0.5600"}}'
    line = envelope(response(body), unit_id="u", run_id="r", context={"dataset": "series", "tier": "live"})
    assert json.loads(line) == {
        "request_id": "session-000001",
        "run_id": "r",
        "url": "https://x/trade-api/v2/series/A",
        "status": 200,
        "received_at": "2026-06-03T12:00:00.250000Z",
        "sha256": hashlib.sha256(body).hexdigest(),
        "unit_id": "u",
        "context": {"dataset": "series", "tier": "live", "quote_kind": "trade_proxy"},
        "body": json.loads(body),
    }
    assert body in line


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(document=st.dictionaries(st.text(), json_values, max_size=4), indent=st.sampled_from([None, 2]))
def test_any_body_stays_one_line_and_the_same_value(document: dict[str, object], indent: int | None) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=False).replace("\n", "\r\n").encode()
    line = envelope(response(body), unit_id="u", run_id="r", context={})
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert json.loads(line)["body"] == document


def test_a_unit_is_a_gzip_file_of_lines_and_its_entry_tells_what_it_holds(store: LandingStore) -> None:
    entry = write(store, b'{"a": 1}', b'{"b": 2}', tickers=("T1", "T0"))
    path = store.root / entry.path
    assert [line["body"] for line in envelopes(path)] == [{"a": 1}, {"b": 2}]
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (entry.bytes, entry.responses, entry.rows) == (path.stat().st_size, 2, 4)
    assert entry.tickers == ("T0", "T1")
    assert store.entry(path, {"dataset": "series"}) == entry


def test_equal_responses_give_equal_files(store: LandingStore) -> None:
    assert write(store, b'{"a": 1}', unit_id="one").sha256 != write(store, b'{"a": 2}', unit_id="one").sha256
    first = write(store, b'{"a": 1}', unit_id="one").sha256
    assert write(store, b'{"a": 1}', unit_id="one").sha256 == first


def test_a_unit_that_fails_half_way_leaves_what_was_there(store: LandingStore) -> None:
    entry = write(store, b'{"a": 1}')
    before = (store.root / entry.path).read_bytes()

    def fail(writer: UnitWriter) -> None:
        writer.add(response(), {}, 1)
        raise OSError("the disk is full")

    for unit_id in ("unit", "other"):
        with pytest.raises(OSError, match="disk is full"):
            store.write(store.path("series", "A", unit_id), unit_id, "run", {}, fail)
    assert (store.root / entry.path).read_bytes() == before
    assert [path.name for path in store.unit_files("series", "A")] == ["unit.jsonl.gz"]
    assert list((store.root / ".incoming").iterdir()) == []


def _bitten(raw: bytes) -> bytes:
    return raw[:20] + b"\0\0" + raw[22:]


@pytest.mark.parametrize("damage", [lambda raw: raw[:-5], _bitten, lambda _: b"", lambda _: b"x"])
def test_a_damaged_file_is_no_unit(store: LandingStore, damage: Callable[[bytes], bytes]) -> None:
    path = store.root / write(store, b'{"a": 1}').path
    path.write_bytes(damage(path.read_bytes()))
    assert store.entry(path, {}) is None
    assert store.entry(path.with_name("absent"), {}) is None


def test_only_what_was_abandoned_long_ago_is_swept(store: LandingStore) -> None:
    write(store, b'{"a": 1}')
    old, new = store.root / ".incoming" / "old", store.root / ".incoming" / "new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    store.sweep()
    assert not old.exists() and new.exists()


def test_names_stay_inside_their_folder() -> None:
    assert safe_name("../../etc/passwd") == ".._.._etc_passwd"
    assert safe_name("KXCPI-26AUG-T0.3") == "KXCPI-26AUG-T0.3"


def manifest(partition: str, *units: UnitEntry) -> Manifest:
    return Manifest("candles", partition, True, "run", "2026-06-03T12:00:00+00:00", "", units)


def test_a_manifest_is_read_back_as_written_and_a_torn_one_is_none(store: LandingStore) -> None:
    entry = write(store, b'{"a": 1}', tickers=("T0",))
    store.write_manifest(manifest("2026-06-03", entry))
    assert store.manifest("candles", "2026-06-03") == manifest("2026-06-03", entry)
    path = store.root / "candles" / "manifests" / "2026-06-03.json"
    for torn in (path.read_text()[:40], "[]", "{}", '{"units": [{}]}'):
        path.write_text(torn)
        assert store.manifest("candles", "2026-06-03") is None
    assert store.manifest("candles", "2026-06-04") is None


def test_files_of_days_are_each_named_once_and_without_failed_units(store: LandingStore) -> None:
    entry = write(store, b'{"a": 1}')
    failed = UnitEntry("broken", {}, state="failed", reason="500")
    for day in ("2026-06-03", "2026-06-04"):
        store.write_manifest(manifest(day, entry, failed))
    days = [date(2026, 6, 3), date(2026, 6, 4), date(2026, 6, 5)]
    assert store.files("candles", days) == [store.root / entry.path]
    assert store.files("candles", days[2:]) == store.files("candles") == []


def unit(name: str, event: str, state: str = "landed") -> UnitEntry:
    return UnitEntry(name, {"event_ticker": event}, state=state)  # type: ignore[arg-type]


def test_a_later_unit_replaces_an_earlier_one_of_the_same_event_only_when_it_landed() -> None:
    old = [unit("a1", "A"), unit("b1", "B"), unit("c0", "C", "failed"), unit("d0", "D", "failed")]
    new = [unit("a2", "A"), unit("b2", "B", "failed"), unit("c1", "C")]
    assert [u.unit_id for u in merged(old, new)] == ["b1", "d0", "a2", "b2", "c1"]


def test_days_are_put_together_and_the_running_one_stands_alone() -> None:
    now = datetime(2026, 6, 5, 9, tzinfo=UTC)
    days = [date(2026, 6, n) for n in (7, 5, 4, 3, 1)]
    assert runs_of(days, now) == [
        DayRun(date(2026, 6, 1), date(2026, 6, 1), datetime(2026, 6, 2, tzinfo=UTC)),
        DayRun(date(2026, 6, 3), date(2026, 6, 4), datetime(2026, 6, 5, tzinfo=UTC)),
        DayRun(date(2026, 6, 5), date(2026, 6, 5), now),
    ]


@given(st.integers(0, 4_000_000_000))
def test_a_stamp_is_read_back(ts: int) -> None:
    assert unstamp(stamp(ts)) == ts
