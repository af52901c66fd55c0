"""Medians of the pieces of a flat array are those of NumPy, whatever the length of the piece."""

from __future__ import annotations

import numpy as np
import pytest

from kalshi_pipeline.distributions.segments import FEW, medians, pointer_of

pytestmark = pytest.mark.unit


def test_medians_are_those_of_the_known_values_of_short_and_long_pieces() -> None:
    rng = np.random.default_rng(0)
    pieces = [rng.normal(size=size).round(1) for size in (1, 2, 3, 12, FEW - 1, FEW, FEW + 1, FEW + 2, 200)]
    for piece in pieces[2:]:
        piece[rng.random(piece.size) < 0.2] = np.nan
    pieces += [np.full(3, np.nan), np.zeros(0), np.array([np.nan, 7.0])]
    made = medians(pointer_of(np.array([piece.size for piece in pieces])), np.concatenate(pieces))
    expected = [np.median(piece[~np.isnan(piece)]) if (~np.isnan(piece)).any() else np.nan for piece in pieces]
    assert made.tolist() == pytest.approx(expected, nan_ok=True, abs=0)
