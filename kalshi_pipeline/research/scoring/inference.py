"""How sure a mean score or a difference of two is, when releases of one moment rise and fall together.

The unit is the cluster (a release group, in order of time), never the row: rows of one event are one observation.
Neighbouring clusters are drawn together in blocks, since overlapping horizons tie them. Diebold and Mariano (1995)
with the small-sample correction of Harvey, Leybourne and Newbold (1997); circular block bootstrap of Politis and
Romano (1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints


class Interval(NamedTuple):
    """A mean over rows with the percentile interval of its bootstrap; NaN limits with fewer than two clusters."""

    mean: float
    low: float
    high: float


class DieboldMariano(NamedTuple):
    """Test of equal mean loss: corrected statistic, two-sided p-value, clusters; NaN where nothing varies."""

    statistic: float
    p_value: float
    clusters: int


def block_length(clusters: int) -> int:
    """Clusters drawn together: the cube root of their number, rounded, at least one."""
    return max(1, round(float(clusters ** (1 / 3))))


def draw_clusters(clusters: int, length: int, draws: int, seed: int) -> Ints:
    """How often each cluster is in each draw of a circular block bootstrap.

    Args:
        clusters: number of clusters, in order of time.
        length: clusters per block; blocks wrap around the end.
        draws: number of draws.
        seed: of the generator.

    Returns:
        Shape ``(draws, clusters)``; every row sums to ``clusters``: the last block is cut short.
    """
    blocks = -(-clusters // length)
    starts = np.random.default_rng(seed).integers(0, clusters, size=(draws, blocks))
    chosen = ((starts[:, :, None] + np.arange(length)) % clusters).reshape(draws, -1)[:, :clusters]
    flat = chosen + np.arange(draws)[:, None] * clusters
    return np.bincount(flat.ravel(), minlength=draws * clusters).reshape(draws, clusters)


def cluster_sums(values: Floats, cluster: Ints, clusters: int) -> tuple[Floats, Floats]:
    """Sum and number of the finite values of every cluster."""
    known = np.isfinite(values)
    sums: Floats = np.bincount(cluster[known], values[known], minlength=clusters).astype(np.float64)
    counts: Floats = np.bincount(cluster[known], minlength=clusters).astype(np.float64)
    return sums, counts


def bootstrap_mean(sums: Floats, counts: Floats, times_drawn: Ints | Floats, level: float = 0.95) -> Interval:
    """Mean over rows, and its percentile interval over draws of clusters.

    Args:
        sums: sum of the values of each cluster.
        counts: their number.
        times_drawn: from :func:`draw_clusters`.
        level: of the interval.
    """
    [interval] = bootstrap_means([(sums, counts)], times_drawn, level)
    return interval


def bootstrap_means(
    sums_and_counts: Sequence[tuple[Floats, Floats]], times_drawn: Ints | Floats, level: float = 0.95
) -> list[Interval]:
    """The same of several values at once, which walks over the draws, by far the largest array, only once.

    Args:
        sums_and_counts: of each value what :func:`cluster_sums` gives.
        times_drawn: from :func:`draw_clusters`.
        level: of the intervals.
    """
    drawn = (times_drawn @ np.column_stack([column for pair in sums_and_counts for column in pair])).T
    return [
        _interval(*pair, drawn[2 * place], drawn[2 * place + 1], level) for place, pair in enumerate(sums_and_counts)
    ]


def _interval(sums: Floats, counts: Floats, drawn_sums: Floats, drawn: Floats, level: float) -> Interval:
    total = counts.sum()
    mean = float(sums.sum() / total) if total else np.nan
    if np.count_nonzero(counts) < 2:
        return Interval(mean, np.nan, np.nan)
    means = drawn_sums[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def diebold_mariano(difference: Floats, overlap: int = 1) -> DieboldMariano:
    """Test that the mean loss difference is zero.

    Args:
        difference: mean loss difference of each cluster, in order of time.
        overlap: clusters whose forecasts overlap in time, 1 for none; autocovariances up to ``overlap - 1`` count.
            Where they sum to nothing positive the plain variance stands in.
    """
    n = difference.size
    if n < 3:
        return DieboldMariano(np.nan, np.nan, n)
    steps = min(max(overlap, 1), n - 1)
    off = difference - difference.mean()
    covariance = [float(off[lag:] @ off[: n - lag]) / n for lag in range(steps)]
    variance = covariance[0] + 2 * sum(covariance[1:])
    if variance <= 0:
        steps, variance = 1, covariance[0]
    if variance <= 0:
        return DieboldMariano(np.nan, np.nan, n)
    from scipy import stats  # takes a while to import: only who tests waits for it

    correction = (n + 1 - 2 * steps + steps * (steps - 1) / n) / n
    statistic = float(difference.mean() / np.sqrt(variance / n) * np.sqrt(correction))
    return DieboldMariano(statistic, float(2 * stats.t.sf(abs(statistic), n - 1)), n)
