"""The measures: what each one counts, its query, and the share of faults that still passes.

A query takes ``$first_day`` and ``$last_day`` (both included) and gives rows of ``subject``, ``checked`` and
``faulty``. What a decision saw is asked of the health models' own function; the other health models hold the last 60
loaded days alone, and a window may lie years back, so those measures count in the marts. Not here: running them
(``verify``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Measure:
    """One thing that is verified.

    Attributes:
        name: its name, and that of its query's file.
        says: what a fault is, in a sentence.
        limit: largest share of faults that passes.
        below: whether the share has to stay below the limit rather than not above it.
        needed: whether a window without anything to check cannot be signed off.
    """

    name: str
    says: str
    limit: float
    below: bool = False
    needed: bool = False

    @property
    def sql(self) -> str:
        """Its query."""
        return _read(self.name)

    def passes(self, checked: int, faulty: int) -> bool:
        """Whether so many faults are few enough."""
        share = faulty / checked if checked else 0.0
        return share < self.limit if self.below else share <= self.limit


@cache
def _read(name: str) -> str:
    return files("kalshi_pipeline.verification").joinpath(f"queries/{name}.sql").read_text(encoding="utf-8")


MEASURES: tuple[Measure, ...] = (
    Measure("schema_state", "An applied migration is missing from the file, or is not known to this code.", 0.0),
    Measure("baseline_coverage", "An event that closed has markets, but not a single bar.", 0.05, needed=True),
    Measure(
        "decision_coverage",
        "At 10:00 local time of the day before or of the climate day, an open market had no bar of the last hour.",
        0.05,
        needed=True,
    ),
    Measure(
        "crossed_spreads",
        "A bar opened or closed with its bid above its ask.",
        0.001,
        below=True,
        needed=True,
    ),
    Measure("missing_opens", "The first bar of a market ends more than an hour after the market opened.", 0.05),
    Measure("continuity", "Two bars of a market that follow each other are over an hour and a period apart.", 0.05),
    Measure("parity", "A market has bars but is not known, or a known one has none though the event has some.", 0.0),
    Measure("unique_bars", "A bar is there more than once.", 0.0),
    Measure("bar_times", "A bar does not last as long as its period.", 0.0),
    Measure("settled", "A market closed more than three days before the last bar and has no outcome.", 0.05),
    Measure("one_winner", "An event whose markets exclude each other has settled without exactly one winner.", 0.05),
    Measure("quarantined", "A candle was faulty and was set aside.", 0.01),
    Measure("explained_trades", "A series had an edge in the readiness backtest, but no trade.", 0.0),
)

#: The table of the baseline: what there is, by series and month of the event date, and which events have no bar.
BASELINE = "baseline_by_month"


def baseline_sql() -> str:
    """The query of the baseline table; it takes ``$first_day``."""
    return _read(BASELINE)
