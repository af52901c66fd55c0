"""What traders of the simulated world believe: a forecaster whose error shrinks as the release draws near.

The centre of the belief is outcome + error. The error is a random walk in *doubt* (its variance), run backwards from
the release, so its increments are fresh news; the belief around it is a Student t with four degrees of freedom whose
width is the true doubt times a factor that is wrong by up to a third either way, plus a small bias. So beliefs are
informative and imperfectly calibrated, as a market's are. Not here: quotes (``books``).
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from kalshi_pipeline.sandbox.simulated.catalogue import Listing
from kalshi_pipeline.sandbox.simulated.draws import stream
from kalshi_pipeline.sandbox.simulated.schedule import Release
from kalshi_pipeline.sandbox.world import Ints

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Belief:
    """A belief along a path of instants: centre and width (standard deviation), both of shape (n,)."""

    centre: Floats
    width: Floats


def opening_centre(seed: int, release: Release, listing: Listing, latent: float) -> float:
    """Centre of the belief when the market opens, around which its strikes are set."""
    last, first, _ = _ends(seed, release)
    return latent + listing.last_doubt * last + listing.first_doubt * first


def belief_path(seed: int, release: Release, listing: Listing, latent: float, at: Ints) -> Belief:
    """The belief at ascending instants (unix seconds) of a market's life."""
    last, first, misjudged = _ends(seed, release)
    left = doubt_left(release, listing, at)
    # A Brownian bridge in remaining doubt, pinned at the opening and at the release.
    fresh = np.sqrt(np.maximum(-np.diff(left, append=0.0), 0.0))
    noise = stream(seed, "news", release.event_ticker).standard_normal(len(at)) * fresh
    walk = np.cumsum(noise[::-1])[::-1]
    bridge = walk - left * walk[0] / max(left[0], 1e-12)
    error = listing.last_doubt * last + listing.first_doubt * (left * first + bridge)
    doubt = np.sqrt(listing.last_doubt**2 + listing.first_doubt**2 * left)
    bias, factor = misjudged
    return Belief(latent + error + bias * doubt, factor * doubt)


def doubt_left(release: Release, listing: Listing, at: Ints) -> Floats:
    """Share of the opening doubt (variance) that is left at an instant: 1 at the opening, 0 at the release."""
    opens, closes = release.opens.timestamp(), release.closes.timestamp()
    if listing.kind != "weather":
        return np.clip((closes - at) / (closes - opens), 0.0, 1.0)
    # A day's high is forecast until the afternoon, then seen: most doubt goes between 11:00 and 17:00 local.
    noon = release.closes.astimezone(ZoneInfo(listing.zone)).replace(hour=11, minute=0).timestamp()
    evening = noon + 6 * 3600
    return np.interp(at, (opens, noon, evening, closes), (1.0, 0.35, 0.01, 0.0))


def survival(x: Floats, centre: Floats, width: Floats) -> Floats:
    """P(X > x) under the belief: a Student t with four degrees of freedom, in closed form."""
    t = (x - centre) * np.sqrt(2.0) / width
    h = t / np.sqrt(4.0 + t * t)
    return np.asarray(0.5 - h * (0.75 - 0.25 * h * h))


def _ends(seed: int, release: Release) -> tuple[float, float, tuple[float, float]]:
    """Error at the release and on top of it at the opening, in units of their doubts; bias and factor of the width."""
    draw = stream(seed, "forecaster", release.event_ticker)
    heavy = draw.standard_t(5) / np.sqrt(5 / 3)
    first = draw.standard_normal()
    factor = float(np.exp(0.14 * draw.standard_normal()))
    return float(heavy), float(first), (float(0.12 * draw.standard_normal()), min(max(factor, 0.67), 1.5))
