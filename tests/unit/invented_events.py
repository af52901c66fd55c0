"""Made-up events with a market whose belief is known to be true, biased or too wide: panel, labels and cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from kalshi_pipeline.research.cases import Cases, build_cases
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.panel import FEATURES, PANEL_SCHEMA
from kalshi_pipeline.research.surprises import LABEL_WITH_SURPRISE_SCHEMA

HORIZONS = (1_440, 60)
START = datetime(2020, 1, 1, 13, 30, tzinfo=UTC)

CELL_SCHEMA = pa.schema(
    {"ladder_id": pa.string(), "asof": TIMESTAMP, "cell_index": pa.int32()}
    | dict.fromkeys(("low_cut", "high_cut", "probability"), pa.float64())
)
QUOTE_SCHEMA = pa.schema(
    {"ladder_id": pa.string(), "asof": TIMESTAMP, "leg_index": pa.int32()}
    | dict.fromkeys(("low_cut", "high_cut", "yes_bid", "yes_ask", "repaired"), pa.float64())
)
LADDER_SCHEMA = pa.schema(
    {"ladder_id": pa.string(), "kind": pa.string()}
    | dict.fromkeys(("grid_step", "tail_ratio", "support_low", "support_high"), pa.float64())
)


@dataclass(frozen=True)
class Invented:
    """Tables as the pipeline makes them, of events that never happened."""

    panel: pa.Table
    labels: pa.Table
    ladders: pa.Table
    cells: pa.Table
    quotes: pa.Table

    @property
    def cases(self) -> Cases:
        return build_cases(self.panel, self.labels, self.ladders, self.cells, self.quotes)


def invented(
    events: int,
    *,
    seed: int,
    bias_by_feature: float = 0.0,
    spread: float = 1.0,
    missing: float = 0.0,
    horizons: tuple[int, ...] = HORIZONS,
    series: int = 1,
) -> Invented:
    """Weekly releases of a whole number with eight buckets; each horizon sees part of what makes the number.

    Args:
        events: how many.
        seed: of the generator.
        bias_by_feature: how much the outcome leans on ``mean_speed`` beyond what the market believes.
        spread: width of the market's belief over the true one.
        missing: share of snapshots that failed a gate.
        horizons: minutes before the anchor.
        series: events take turns among so many series, several to a release.
    """
    rng = np.random.default_rng(seed)
    panel: list[dict[str, Any]] = []
    labels, ladders, cells, quotes = [], [], [], []
    level = np.zeros(series)
    for number in range(events):
        member = number % series
        anchor = START + timedelta(weeks=number // series)
        ladder = f"E{number:05d}"
        level[member] += rng.normal(0, 4)
        feature = rng.normal()
        centre = level[member]
        outcome = round(centre + bias_by_feature * feature + rng.normal(0, 1.5))
        kind = f"S{member}"
        own = {"ladder_id": ladder, "event_ticker": ladder, "series_ticker": kind, "release_type": "CPI"}
        own |= {"release_id": f"CPI:{anchor}", "release_group": f"{anchor}", "anchor_ts": anchor}
        labels.append(
            {
                **own,
                **{"unit": "percent", "open_time": anchor - timedelta(days=30), "close_time": anchor},
                **{"known_at": anchor - timedelta(days=30), "has_label": True, "label_value": float(outcome)},
                **{"label_mode": "first_print", "learned_at": anchor + timedelta(hours=1), "flags": []},
            }
        )
        ladders.append({"ladder_id": ladder, "kind": "bucket", "grid_step": 1.0, "tail_ratio": 0.45})
        cuts = np.floor(centre) + np.arange(-3.0, 4.0) + 0.5
        for minutes in horizons:
            gone = rng.random() < missing
            asof = anchor - timedelta(minutes=minutes)
            row: dict[str, Any] = {**own, "horizon_minutes": minutes, "asof": asof}
            row["missing_reason"] = "gated" if gone else None
            if not gone:
                values = rng.normal(size=len(FEATURES))
                values[rng.random(len(FEATURES)) < 0.1] = np.nan
                row |= {name: None if np.isnan(v) else v for name, v in zip(FEATURES, values, strict=True)}
                row |= {"mean": centre, "mean_speed": feature, "iqr": None}
            panel.append(row)
            mass = np.diff(np.concatenate([[0.0], stats.norm.cdf(cuts, centre, 1.5 * spread), [1.0]]))
            edges = list(zip([None, *cuts], [*cuts, None], strict=True))
            for i, ((low, high), m) in enumerate(zip(edges, mass, strict=True)):
                at = {"ladder_id": ladder, "asof": asof, "low_cut": low, "high_cut": high}
                cells.append({**at, "cell_index": i, "probability": m})
                two_sided = {"yes_bid": max(m - 0.02, 0.0), "yes_ask": min(m + 0.02, 1.0)}
                quotes.append({**at, "leg_index": i, **two_sided, "repaired": m})
    return Invented(
        panel=pa.Table.from_pylist(panel, schema=PANEL_SCHEMA),
        labels=pa.Table.from_pylist(labels, schema=LABEL_WITH_SURPRISE_SCHEMA),
        ladders=pa.Table.from_pylist(ladders, schema=LADDER_SCHEMA),
        cells=pa.Table.from_pylist(cells, schema=CELL_SCHEMA),
        quotes=pa.Table.from_pylist(quotes, schema=QUOTE_SCHEMA),
    )
