"""Ladders as flat arrays: which legs are known, which cells they make, how mass lies in each.

A ladder grows while it trades: a market listed later must not be seen earlier. A *layout* is a ladder with the markets
known by some instant; snapshots point at layouts, and everything that does not depend on quotes is computed once here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.segments import pointer_of
from kalshi_pipeline.distributions.tails import Shapes, cell_shapes, convention
from kalshi_pipeline.ladders.classify import CONFIDENCES, classify, confidence

KINDS = ("threshold", "bucket", "mixed")
THRESHOLD, BUCKET, MIXED = 0, 1, 2


@dataclass(frozen=True)
class Layouts:
    """A batch of layouts.

    Per layout: ``kind`` and ``confidence`` (codes of ``KINDS`` and ``CONFIDENCES``), ``overlapping`` (markets that
    are said to exclude each other do not), ``incomplete`` (a bucket ladder leaves cells uncovered), ``step`` (NaN
    without a grid), ``convention`` of the tails. Per leg (flat, by ``leg_pointer``): ``first`` cell it pays on and
    the cell it ``stop``s before. Per cell (flat, by ``cell_pointer``): cuts (infinite where open) and ``shapes``. Per
    threshold of P(X >= t) (flat, by ``threshold_pointer``): its cell and the share of the cell's mass that lies at or
    above it.
    """

    kind: Ints
    confidence: Ints
    overlapping: Bools
    incomplete: Bools
    step: Floats
    convention: list[str]
    leg_pointer: Ints
    first: Ints
    stop: Ints
    cell_pointer: Ints
    low_cut: Floats
    high_cut: Floats
    shapes: Shapes
    threshold_pointer: Ints
    threshold_cell: Ints
    threshold_share: Floats


def build_layouts(
    ladders: Sequence[Mapping[str, Any]], payoffs: Sequence[Floats], confidences: Sequence[Sequence[str]]
) -> Layouts:
    """Lay out ladders.

    Args:
        ladders: per layout, the row of ``research.ladders`` (``mutually_exclusive, grid_step, support_low,
            support_high, tail_ratio, tail_thresholds`` are read).
        payoffs: per layout, the payoff intervals of the known legs, ``(legs, 2)``, infinite where open.
        confidences: per layout, the confidence of each of these legs.
    """
    kinds, sure, cuts_of, shapes_of, first_of, stop_of = [], [], [], [], [], []
    located, conventions = [], []
    for ladder, intervals, legs_confidence in zip(ladders, payoffs, confidences, strict=True):
        pairs = [(float(low), float(high)) for low, high in intervals]
        kinds.append(classify(pairs, ladder["mutually_exclusive"]))
        sure.append(confidence(pairs, ladder["mutually_exclusive"], legs_confidence))
        cuts = np.unique(intervals[np.isfinite(intervals)])
        tail = (ladder["grid_step"], ladder["tail_ratio"], ladder["support_low"], ladder["support_high"])
        cuts_of.append(cuts)
        shapes_of.append(cell_shapes(cuts, *tail))
        conventions.append(convention(*tail))
        first_of.append(np.where(np.isinf(intervals[:, 0]), 0, np.searchsorted(cuts, intervals[:, 0]) + 1))
        stop_of.append(np.where(np.isinf(intervals[:, 1]), cuts.size + 1, np.searchsorted(cuts, intervals[:, 1]) + 1))
        located.append(_locate(np.array(ladder["tail_thresholds"] or [], dtype=np.float64), cuts, ladder["grid_step"]))
    legs = np.array([first.size for first in first_of], dtype=np.int64)
    cells = np.array([cuts.size + 1 for cuts in cuts_of], dtype=np.int64)
    kind = np.array([KINDS.index(name) for name in kinds], dtype=np.int64)
    exclusive = np.array([bool(ladder["mutually_exclusive"]) for ladder in ladders], dtype=np.bool_)
    return Layouts(
        kind=kind,
        confidence=np.array([CONFIDENCES.index(name) for name in sure], dtype=np.int64),
        overlapping=exclusive & (kind != BUCKET),
        incomplete=(kind == BUCKET) & (legs < cells),
        step=np.array([ladder["grid_step"] for ladder in ladders], dtype=np.float64),
        convention=conventions,
        leg_pointer=pointer_of(legs),
        first=_whole(first_of),
        stop=_whole(stop_of),
        cell_pointer=pointer_of(cells),
        low_cut=_flat([np.concatenate(([-np.inf], cuts)) for cuts in cuts_of]),
        high_cut=_flat([np.concatenate((cuts, [np.inf])) for cuts in cuts_of]),
        shapes=Shapes(*(_flat([shapes[i] for shapes in shapes_of]) for i in range(len(Shapes._fields)))),
        threshold_pointer=pointer_of(np.array([cell.size for cell, _ in located], dtype=np.int64)),
        threshold_cell=_whole([cell for cell, _ in located]),
        threshold_share=_flat([share for _, share in located]),
    )


def _locate(thresholds: Floats, cuts: Floats, step: float | None) -> tuple[Ints, Floats]:
    """The cell of every threshold t of P(X >= t), and the share of the cell's mass at or above t; NaN in open cells."""
    # On a grid, t is moved to half a step below the first value at or above it, which is where cuts lie.
    at = thresholds if step is None else (np.ceil(thresholds / step - 1e-6) - 0.5) * step
    cell = np.searchsorted(cuts, at + (0.0 if step is None else step * 1e-6), side="right")
    low = np.concatenate(([-np.inf], cuts))[cell]
    high = np.concatenate((cuts, [np.inf]))[cell]
    with np.errstate(invalid="ignore"):
        share = np.where(np.isclose(at, low, rtol=0.0, atol=0.0 if step is None else step * 1e-6), 1.0, np.nan)
        inner = np.isfinite(low) & np.isfinite(high) & np.isnan(share)
        share[inner] = ((high - at) / (high - low))[inner]
    return cell, share


def _flat(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _whole(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)
