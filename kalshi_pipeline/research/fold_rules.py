"""How walk-forward folds are cut: the numbers, and nothing that applies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

#: Days between the moment a training label is known and the first features of a test, by release type.
PURGE_DAYS: Mapping[str, float] = {"CPI": 3, "FOMC": 1, "UNEMPLOYMENT": 2, "GDP": 3, "WEATHER": 1}


@dataclass(frozen=True)
class FoldRules:
    """How folds are cut. Every count is of release groups.

    Attributes:
        horizons_minutes: minutes before the anchor at which features are taken.
        min_train_groups: least training groups of a fold, after purging and embargo.
        test_groups: groups of a test block.
        step_groups: distance between the starts of two test blocks.
        embargo_events: groups dropped at the end of training after purging.
        purge_days: days by release type.
        default_purge_days: days for the release types that ``purge_days`` does not name.
        inner_train_share: share of the training groups before the inner cut.
        min_inner_train_groups: with fewer inner training groups than this a fold has no inner split.
        pooled: build one scheme over all release types, purging by the longest of their purge days.

    Raises:
        ValueError: a number is out of range.
    """

    horizons_minutes: Sequence[int]
    min_train_groups: int = 40
    test_groups: int = 20
    step_groups: int = 20
    embargo_events: int = 1
    purge_days: Mapping[str, float] = field(default_factory=lambda: dict(PURGE_DAYS))
    default_purge_days: float = 2
    inner_train_share: float = 0.8
    min_inner_train_groups: int = 5
    pooled: bool = False

    def __post_init__(self) -> None:
        for name in ("min_train_groups", "test_groups", "step_groups", "min_inner_train_groups"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it takes a count of at least 1.")
        if self.embargo_events < 0:
            raise ValueError(f"embargo_events is {self.embargo_events}; it takes 0 or more.")
        if min(self.default_purge_days, *self.purge_days.values()) < 0:
            raise ValueError("purge_days holds a negative number of days; a label must be known before it is used.")
        if not 0 < self.inner_train_share < 1:
            raise ValueError(f"inner_train_share is {self.inner_train_share}; it takes a share between 0 and 1.")

    @property
    def inner_gap_groups(self) -> int:
        """Groups dropped between inner training and inner validation: the embargo, and at least one."""
        return max(1, self.embargo_events)

    def purge(self, release_type: str) -> np.timedelta64:
        """Time that must lie between a label of this type and the first test features."""
        days = self.purge_days.get(release_type, self.default_purge_days)
        return np.timedelta64(round(days * 86_400_000_000), "us")
