"""The funnel: how many candidates reached each stage, and why the others did not. It explains zero trades by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kalshi_pipeline.trading.backtest.simulate import STAGES, Result


@dataclass(frozen=True)
class Funnel:
    """Candidates of one series, or of all.

    Attributes:
        events: events looked at.
        reached: candidates by stage reached, or passed on the way; falls from stage to stage.
        stopped: candidates by stage and reason they stopped at.
    """

    events: int
    reached: Mapping[str, int]
    stopped: Mapping[tuple[str, str], int]

    @property
    def trades(self) -> int:
        """Candidates that became trades."""
        return self.reached["filled"]

    @property
    def edges(self) -> int:
        """Candidates with an edge."""
        return self.reached["edge"]

    def sentence(self) -> str:
        """Where the candidates went, in one sentence; with no trade, it says why."""
        way = " → ".join(f"{self.reached[stage]} {stage}" for stage in STAGES)
        if self.trades:
            return f"{self.events} events: {way}."
        why = ", ".join(f"{count} {reason}" for (_, reason), count in self._by_count())
        return f"{self.events} events: {way}. No trade: {why or 'there was no candidate'}."

    def _by_count(self) -> list[tuple[tuple[str, str], int]]:
        return sorted(self.stopped.items(), key=lambda item: (-item[1], item[0]))


def funnel(results: Iterable[Result]) -> Funnel:
    """Count results."""
    results = list(results)
    last = Counter(STAGES.index(result.stage) for result in results)
    reached = {stage: sum(last[later] for later in range(index, len(STAGES))) for index, stage in enumerate(STAGES)}
    stopped = Counter((result.stage, result.reason) for result in results if result.reason is not None)
    return Funnel(len({result.candidate.event_ticker for result in results}), reached, dict(stopped))


def by_series(results: Iterable[Result]) -> dict[str, Funnel]:
    """A funnel per series, by ticker."""
    grouped: dict[str, list[Result]] = {}
    for result in results:
        grouped.setdefault(result.candidate.series_ticker, []).append(result)
    return {series: funnel(grouped[series]) for series in sorted(grouped)}
