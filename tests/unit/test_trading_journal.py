"""The journal is written before anything happens, says the same thing the same way, and shows when it was touched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.trading.orders.journal import Journal, JournalError, canonical

pytestmark = pytest.mark.unit

AT = datetime(2026, 7, 1, 15, tzinfo=UTC)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), _VALUES), st.randoms())
def test_the_same_content_gives_the_same_line_in_any_order(content: dict[str, Any], random: Any) -> None:
    shuffled = list(content.items())
    random.shuffle(shuffled)
    line = canonical(dict(shuffled))
    assert line == canonical(content)
    assert "\n" not in line
    assert json.loads(line).keys() == content.keys()


def test_amounts_are_exact_and_instants_in_utc() -> None:
    eastern = AT.astimezone(timezone(timedelta(hours=-4)))
    assert canonical({"price": Decimal("1E-2"), "at": eastern}) == canonical({"at": AT, "price": Decimal("0.01")})
    assert canonical({"price": Decimal("0.4400")}) == '{"price":"0.4400"}'


@pytest.mark.parametrize("value", [0.1, float("nan"), {1}, b"x", datetime(2026, 7, 1)])
def test_a_value_without_an_exact_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


def test_the_same_steps_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Journal(tmp_path / name) as journal:
            journal.append("intended", AT, count=Decimal(10), ticker="T")
            journal.append("refused", AT, reasons=[{"code": "x"}])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_journal_opened_again_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        first = journal.append("intended", AT)
    with Journal(tmp_path / "j") as journal:
        assert journal.records == [first]
        assert journal.append("refused", AT)["number"] == 2


@pytest.mark.parametrize(
    "touch",
    [
        pytest.param(lambda lines: [lines[0].replace("10", "11"), *lines[1:]], id="changed"),
        pytest.param(lambda lines: lines[1:], id="first line gone"),
        pytest.param(lambda lines: [lines[0], lines[2]], id="line gone in the middle"),
        pytest.param(lambda lines: [lines[1], lines[0], lines[2]], id="order changed"),
        pytest.param(lambda lines: [lines[0], "not json", lines[2]], id="no record"),
    ],
)
def test_a_journal_that_was_touched_is_not_written_on(tmp_path: Path, touch: Callable[[list[str]], list[str]]) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        for step in ("intended", "sending", "accepted"):
            journal.append(step, AT, count=Decimal(10))
    path.write_text("\n".join(touch(path.read_text().splitlines())) + "\n")
    with pytest.raises(JournalError, match="does not follow"):
        Journal(path)


def test_a_line_that_never_got_whole_is_set_aside_and_kept_in_words(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.append("intended", AT)
    with path.open("a") as file:
        file.write('{"step":"send')
    with Journal(path) as journal:
        assert [record["step"] for record in journal.records] == ["intended", "recovered"]
        assert journal.records[-1]["torn"] == '{"step":"send'
    with Journal(path) as journal:
        assert len(journal.records) == 2


def test_one_journal_has_one_writer_in_this_process_and_in_others(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path):
        with pytest.raises(JournalError, match="Another process writes"):
            Journal(path)
        other = subprocess.run(
            [
                sys.executable,
                "-c",
                f"from kalshi_pipeline.trading.orders.journal import *; Journal(Path({str(path)!r}))",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Another process writes" in other.stderr
    Journal(path).close()


def test_a_journal_that_failed_once_takes_nothing_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.close()
    for words in ("cannot be written", "failed before"):
        with pytest.raises(JournalError, match=words):
            journal.append("intended", AT)


def test_a_journal_in_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "file" / "j")
