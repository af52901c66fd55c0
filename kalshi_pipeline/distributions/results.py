"""Everything computed of a batch, before it is decided what of it is published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.freshness import Coverage, Freshness
from kalshi_pipeline.distributions.moments import Moments
from kalshi_pipeline.distributions.observations import Batch
from kalshi_pipeline.distributions.quality import Quality
from kalshi_pipeline.distributions.repair import Repaired


@dataclass(frozen=True)
class Results:
    """Everything computed of a batch."""

    batch: Batch
    bands: Bands
    fresh: Freshness
    cover: Coverage
    weight: Floats
    repaired: Repaired
    violations_before: Ints
    violations_after: Ints
    magnitude: Floats
    delta: Floats
    reasons: Bools
    quality: Quality
    moments: Moments
    quantile: Floats
    edge: Floats
    tails: tuple[Ints, Floats]

    @property
    def failed(self) -> Bools:
        """Which snapshots a hard gate failed."""
        return np.asarray(self.reasons.any(axis=1))

    @property
    def outer_mass(self) -> Floats:
        """Mass beyond the outer cuts."""
        return self.moments.mass_below + self.moments.mass_above

    @property
    def uncapped_mass(self) -> Floats:
        """Mass beyond the outer cuts on the sides on which nothing caps the support."""
        layouts, of = self.batch.layouts, self.batch.layout_of
        first, last = layouts.cell_pointer[of], layouts.cell_pointer[of + 1] - 1
        below = np.where(np.isinf(layouts.shapes.least[first]), self.moments.mass_below, 0.0)
        above = np.where(np.isinf(layouts.shapes.most[last]), self.moments.mass_above, 0.0)
        return below + above
