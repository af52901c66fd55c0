"""The account printed after a run."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.research.summary import OffLadder, Summary, summarise

pytestmark = pytest.mark.unit

LADDERS = pa.table({"series_ticker": ["KXCPI", "KXCPI", "KXHIGHNY"]})
LEGS = pa.table(
    {
        "ticker": ["m1", "m2", "m3", "m4", "m9", "m8", "m7", "m6"],
        "series_ticker": ["KXCPI", "KXCPI", "KXCPI", "KXHIGHNY", "KXCPI", "KXCPI", "KXCPI", "KXMAYOR"],
        "ladder_id": ["C1", "C1", "C2", "W1", None, None, None, None],
        "reason": [None, None, None, None, "no strike", "no strike", "no strike", None],
    },
    schema=pa.schema([(name, pa.string()) for name in ("ticker", "series_ticker", "ladder_id", "reason")]),
)
DISTRIBUTIONS = pa.table(
    {
        "series_ticker": ["KXCPI", "KXCPI", "KXCPI", "KXHIGHNY"],
        "hard_gate_failed": [False, True, True, False],
        "gate_reasons": pa.array([[], ["spread", "coverage"], ["coverage"], []], type=pa.list_(pa.string())),
    }
)
LABELS = pa.table({"series_ticker": ["KXCPI", "KXCPI", "KXHIGHNY"], "has_label": [True, False, True]})
FOLDS = pa.table(
    {
        "pool": ["CPI"] * 4,
        "fold_id": ["CPI-000", "CPI-000", "CPI-001", "CPI-002"],
        "role": ["train", "test", "test", "not_built"],
    }
)
SENTENCES = {"CPI": "CPI: 2 folds.", "WEATHER": "WEATHER: 0 folds."}


def account(**changed: Any) -> Summary:
    given = {"rows": {"raw.series": 12, "raw.candles": 1_234_567}, "ladders": LADDERS, "legs": LEGS}
    given |= {"distributions": DISTRIBUTIONS, "labels": LABELS, "folds": FOLDS, "fold_sentences": SENTENCES}
    return summarise(**(given | changed))


def test_markets_are_followed_to_outcomes_by_series() -> None:
    summary = account()
    assert summary.by_series == {
        "KXCPI": {"markets": 6, "on a ladder": 3, "ladders": 2, "snapshots": 3, "passed": 1, "outcomes": 1},
        "KXHIGHNY": {"markets": 1, "on a ladder": 1, "ladders": 1, "snapshots": 1, "passed": 1, "outcomes": 1},
        "KXMAYOR": {"markets": 1, "on a ladder": 0, "ladders": 0, "snapshots": 0, "passed": 0, "outcomes": 0},
    }
    assert summary.total("markets") == len(LEGS) and summary.total("snapshots") == len(DISTRIBUTIONS)


def test_every_market_on_no_ladder_is_counted_under_a_reason() -> None:
    summary = account()
    assert summary.off_ladder == {
        "no strike": OffLadder(3, ("m7", "m8", "m9")),
        "no reason recorded": OffLadder(1, ("m6",)),
    }
    assert sum(off.count for off in summary.off_ladder.values()) == 4


def test_gated_snapshots_are_counted_by_gate_and_folds_without_those_not_built() -> None:
    summary = account()
    assert summary.gated == {"coverage": 2, "spread": 1}
    assert summary.folds == {"CPI": 2, "WEATHER": 0}


def test_the_text_says_it_all_in_aligned_lines() -> None:
    assert account().text() == (
        "Rows per table\n"
        "  raw.series          12\n"
        "  raw.candles  1,234,567\n"
        "\n"
        "From markets to outcomes, by series\n"
        "  series    markets  on a ladder  ladders  snapshots  passed  outcomes\n"
        "  KXCPI           6            3        2          3       1         1\n"
        "  KXHIGHNY        1            1        1          1       1         1\n"
        "  KXMAYOR         1            0        0          0       0         0\n"
        "  all             8            4        3          4       2         2\n"
        "\n"
        "Snapshots: 4, of which 2 passed every gate and 2 did not (one can fail several gates)\n"
        "  coverage  2\n"
        "  spread    1\n"
        "\n"
        "Markets on no ladder: 4 of 8\n"
        "  no strike           3  for example m7, m8, m9\n"
        "  no reason recorded  1  for example m6\n"
        "\n"
        "Walk-forward folds: 2\n"
        "  CPI: 2 folds.\n"
        "  WEATHER: 0 folds."
    )


def test_an_empty_warehouse_has_an_account_too() -> None:
    empty = {"ladders": LADDERS, "legs": LEGS, "distributions": DISTRIBUTIONS, "labels": LABELS, "folds": FOLDS}
    nothing = {name: table.slice(0, 0) for name, table in empty.items()}
    summary = account(rows={}, fold_sentences={}, **nothing)
    assert "Snapshots: none" in summary.text()
    assert "Markets on no ladder: 0 of 0" in summary.text()
    assert "Walk-forward folds: 0" in summary.text()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"The ladder legs table lacks reason"):
        account(legs=LEGS.drop_columns(["reason"]))
