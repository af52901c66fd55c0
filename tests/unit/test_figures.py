"""Pictures: what is drawn, what is left out, and what is said where there is nothing to draw."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.curves import distribution_fan, survival_picture
from kalshi_pipeline.report.figures import latest_distributions_picture, mass_picture
from kalshi_pipeline.report.heat import mass_heat_map
from kalshi_pipeline.report.snapshots import ladder_fan, ladder_heat_map, ladder_survival
from tests.unit.distribution_kit import around, computed, ladders_of, market, observe, thresholds

pytestmark = pytest.mark.unit

RELEASE = datetime(2026, 6, 10, 12, 30, tzinfo=UTC)
ASOF = [RELEASE - timedelta(hours=6 * step) for step in range(40, 0, -1)]
LOWS, HIGHS, MASS = [None, 67.5, 69.5, 71.5], [67.5, 69.5, 71.5, None], [0.1, 0.5, 0.3, 0.1]


def fan(gated: int = 0, **more: Any) -> bytes:
    values = {level: [None] * gated + [level] * (len(ASOF) - gated) for level in (0.05, 0.25, 0.5, 0.75, 0.95)}
    return distribution_fan(ASOF, values, title="KXCPI-26MAY", **more)


def heat(*masses: list[float] | None, step: timedelta = timedelta(hours=1), **more: Any) -> bytes:
    masses = masses or (MASS, MASS)
    asof = [RELEASE + number * step for number in range(len(masses))]
    return mass_heat_map(asof, [HIGHS[:-1]] * len(masses), list(masses), title="KXHIGHNY-26JUN10", **more)


def snapshots(*ladders: tuple[str, str, int, bool]) -> tuple[pa.Table, pa.Table]:
    """Distributions and cells of (series, ladder, hour, gated)."""
    rows, cells = [], []
    for series, ladder, hour, gated in ladders:
        asof = datetime(2026, 6, 30, hour, tzinfo=UTC)
        key = {"ladder_id": ladder, "asof": asof}
        mean = None if gated else 69.0
        rows.append({**key, "event_ticker": ladder, "series_ticker": series, "mean": mean, "hard_gate_failed": gated})
        for index, (low, high, mass) in enumerate(zip(LOWS, HIGHS, MASS, strict=True)):
            cells.append({**key, "cell_index": index, "low_cut": low, "high_cut": high, "probability": mass})
    stamp = pa.timestamp("us", tz="UTC")
    texts = [(name, pa.string()) for name in ("ladder_id", "event_ticker", "series_ticker")]
    return (
        pa.Table.from_pylist(
            rows, pa.schema([*texts, ("asof", stamp), ("mean", pa.float64()), ("hard_gate_failed", pa.bool_())])
        ),
        pa.Table.from_pylist(cells),
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures behind the pictures made in a test."""
    figures: list[Figure] = []
    render = canvas.png
    monkeypatch.setattr(canvas, "png", lambda figure: figures.append(figure) or render(figure))
    return figures


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def heights(axes: Axes) -> list[float]:
    return [round(float(bar.get_height()), 9) for bar in axes.patches]  # type: ignore[attr-defined]


def tick_boxes(axis: Axis) -> list[Bbox]:
    """Where the tick labels stand that are in view, in pixels."""
    low, high = sorted(axis.get_view_interval())
    labels = [
        label
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
        for label in (tick.label1, tick.label2)
        if label.get_visible() and label.get_text()
    ]
    return [label.get_window_extent() for label in labels]


@pytest.mark.parametrize("size", [(3.0, 2.0), (7.0, 4.0), (12.0, 7.0)])
def test_every_picture_is_a_png_of_the_size_asked_for(size: tuple[float, float]) -> None:
    pictures = [
        fan(anchor=RELEASE, outcome=0.3, size=size),
        survival_picture([0.1, 0.2], [0.7, None], [0.8, 0.2], [0.75, 0.1], title="t", outcome=0.2, size=size),
        mass_picture(LOWS, HIGHS, MASS, title="t", outcome=70, size=size),
        heat(outcome=70, size=size),
    ]
    for picture in pictures:
        height, width, _ = image.imread(io.BytesIO(picture)).shape
        assert (width, height) == (round(size[0] * canvas.DPI), round(size[1] * canvas.DPI))


@pytest.mark.parametrize("width", [4.0, 8.0, 12.0])
@pytest.mark.parametrize("legs", [1, 5, 40, 200])
@pytest.mark.filterwarnings("error")
def test_all_words_of_a_picture_lie_on_it_and_no_two_ticks_overlap(
    width: float, legs: int, drawn: list[Figure]
) -> None:
    size = (width, 0.55 * width)
    hours = [RELEASE + timedelta(hours=6 * hour) for hour in range(legs)]
    cuts = [60_000.0 + 250 * leg for leg in range(legs)]
    curve = [1 - (leg + 1) / (legs + 2) for leg in range(legs)]
    levels = {level: [None if hour == 3 else level for hour in range(legs)] for level in (0.05, 0.25, 0.5, 0.75, 0.95)}
    mass = [1 / (legs + 1)] * (legs + 1)
    words_of: dict[str, Any] = {"title": "KXBTCD-26JUN0317", "unit": "dollars", "size": size}
    distribution_fan(hours, levels, anchor=hours[-1] + timedelta(hours=12), outcome=0.6, **words_of)
    survival_picture(
        cuts, curve, [None, *curve[1:]], curve, subtitle="2026-06-03 12:00 UTC", outcome=cuts[-1], **words_of
    )
    mass_heat_map(
        hours, [cuts] * legs, [None if hour == 3 else mass for hour in range(legs)], outcome=60_100, **words_of
    )
    assert len(drawn) == 3
    for figure in drawn:
        figure.draw_without_rendering()
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                labels = tick_boxes(axis)
                assert not any(one.overlaps(other) for one, other in pairwise(labels))
            named = [text for text in axes.texts if text.get_text()]
            for box in [
                *tick_boxes(axes.xaxis),
                *tick_boxes(axes.yaxis),
                *(text.get_window_extent() for text in named),
            ]:
                assert min(box.x0, box.y0) >= 0
                assert box.x1 <= figure.bbox.x1
                assert box.y1 <= figure.bbox.y1


def test_the_same_data_gives_the_same_bytes() -> None:
    assert fan() == fan()
    tables = snapshots(("KXHIGHNY", "A", 9, False))
    assert latest_distributions_picture(*tables) == latest_distributions_picture(*tables)


def test_pyplot_is_never_touched() -> None:
    import subprocess
    import sys

    code = "import sys, kalshi_pipeline.report.figures, kalshi_pipeline.report.snapshots; "
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_fan_leaves_gated_snapshots_out_and_marks_them(drawn: list[Figure]) -> None:
    fan(gated=4, anchor=RELEASE)
    axes = drawn[0].axes[0]
    lines = {str(line.get_label()): line for line in axes.lines}
    assert np.isnan(np.asarray(lines["median"].get_ydata())[:4]).all()
    assert len(np.asarray(lines["gated"].get_xdata())) == 4
    assert words(axes)[0] == "release"


def test_a_fan_has_a_band_for_every_pair_of_levels(drawn: list[Figure]) -> None:
    fan()
    names = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert names == ["5–95 %", "25–75 %", "median"]


def test_a_survival_curve_draws_no_mid_where_a_side_is_empty(drawn: list[Figure]) -> None:
    survival_picture([1, 2, 3], [0.8, None, 0.1], [0.9, 0.6, None], [0.85, 0.5, 0.2], title="t")
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in drawn[0].axes[0].lines}
    assert np.allclose(lines["raw mid"], [0.85, np.nan, np.nan], equal_nan=True)
    assert np.allclose(lines["repaired"], [0.85, 0.5, 0.2])


def test_the_band_of_a_survival_curve_lies_between_its_bounds(drawn: list[Figure]) -> None:
    survival_picture([1, 2], [None] * 2, [None] * 2, [0.8, 0.3], lows=[0.7, 0.2], highs=[0.9, 0.5], title="t")
    (band,) = drawn[0].axes[0].collections
    assert band.get_label() == "no-arbitrage band"
    heights_of_band = {round(float(y), 9) for y in band.get_paths()[0].vertices[:, 1]}  # type: ignore[index]
    assert heights_of_band == {0.7, 0.2, 0.9, 0.5}


def test_a_long_ladder_is_drawn_where_its_curve_is_not_sure(drawn: list[Figure]) -> None:
    cuts = np.arange(100.0)
    curve = np.clip((55 - cuts) / 10, 0, 1)
    survival_picture(cuts.tolist(), [None] * 100, [None] * 100, curve.tolist(), title="t")
    assert drawn[0].axes[0].get_xlim() == (43.0, 57.0)


def test_a_heat_map_shows_every_mass_where_its_cell_lies_and_leaves_gated_snapshots_blank(drawn: list[Figure]) -> None:
    heat(MASS, None, [0.2, 0.4, 0.3, 0.1])
    axes = drawn[0].axes[0]
    shades = [np.asarray(mesh.get_array()) for mesh in axes.collections]
    assert [shade.shape for shade in shades] == [(4, 1), (4, 1)]
    assert shades[1].ravel().tolist() == [0.2, 0.4, 0.3, 0.1]
    assert [line.get_label() for line in axes.lines].count("gated") == 1
    low, high = axes.get_ylim()
    assert low < 67.5 - 2 and high > 71.5 + 2, "open cells are as wide as a typical one"


def test_a_gap_in_time_stays_a_gap_and_other_cells_are_drawn_on_their_own(drawn: list[Figure]) -> None:
    asof = [RELEASE + timedelta(hours=hour) for hour in (0, 1, 2, 10)]
    cuts = [[67.5, 69.5, 71.5]] * 3 + [[67.5, 69.5]]
    mass_heat_map(asof, cuts, [MASS, MASS, MASS, [0.2, 0.5, 0.3]], title="t")
    first, second = (np.asarray(mesh.get_array()) for mesh in drawn[0].axes[0].collections)
    assert (first.shape, second.shape) == ((4, 3), (3, 1))
    drawn.clear()
    mass_heat_map(asof, [[67.5, 69.5, 71.5]] * 4, [MASS] * 4, title="t")
    (mesh,) = drawn[0].axes[0].collections
    blank = np.isnan(np.ma.filled(mesh.get_array(), np.nan)).all(axis=0)
    assert blank.tolist() == [False, False, False, True, False]


def test_a_heat_map_needs_one_cell_more_than_cuts() -> None:
    with pytest.raises(ValueError, match="has 3 cells and 3 cuts"):
        heat(MASS[:3])


def test_pictures_of_a_ladder_are_made_from_its_published_rows(drawn: list[Figure]) -> None:
    markets = [*thresholds([2.8, 3.0, 3.2, 3.4]), market("L36", "less", None, 3.6)]
    tables = ladders_of(markets)
    rows = []
    for hour, asof in enumerate(ASOF[-4:]):
        age = timedelta(days=1) if hour == 1 else None
        rows += observe(tables, around(markets, [0.9, 0.7, 0.4, 0.2, 0.9]), asof, age=age)
    made, name = computed(tables, rows), "KXCPIYOY-26JUN"
    ladder_fan(made.distributions, name)
    ladder_heat_map(made.distributions, made.cells, name)
    ladder_survival(made.cells, made.quotes, tables.legs, name, ASOF[-1])
    fan_axes, heat_axes, curve_axes = (figure.axes[0] for figure in drawn)
    assert [axes.get_title(loc="left") for axes in (fan_axes, heat_axes, curve_axes)] == [name] * 3
    medians = {str(line.get_label()): np.asarray(line.get_ydata()) for line in fan_axes.lines}["median"]
    assert np.isnan(medians).tolist() == [False, True, False, False]
    curve = {str(line.get_label()): np.asarray(line.get_ydata()) for line in curve_axes.lines}
    assert np.allclose(curve["raw mid"], [0.9, 0.7, 0.4, 0.2, 0.1]), "a market below its strike is turned round"
    assert np.allclose(curve["repaired"], [0.9, 0.7, 0.4, 0.2, 0.1])


def test_the_bars_are_the_mass_of_the_cells_and_open_cells_point_outward(drawn: list[Figure]) -> None:
    mass_picture(LOWS, HIGHS, MASS, title="t", unit="degrees Fahrenheit", outcome=70)
    axes = drawn[0].axes[0]
    assert heights(axes) == MASS
    assert {"←", "→", "settled 70 °F"} <= set(words(axes))


def test_empty_cells_at_the_ends_are_cut_off_but_the_first(drawn: list[Figure]) -> None:
    edges = np.arange(50_000, 97_000, 250.0).tolist()
    mass = np.zeros(len(edges) + 1)
    mass[100:103] = [0.25, 0.5, 0.25]
    mass_picture([None, *edges], [*edges, None], mass.tolist(), title="t")
    assert heights(drawn[0].axes[0]) == [0, 0.25, 0.5, 0.25, 0]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (lambda: fan(gated=len(ASOF)), "None of the 40 snapshots passed the quality gates"),
        (lambda: distribution_fan([], {}, title="t"), "There are no snapshots yet."),
        (lambda: mass_picture([None], [None], [None], title="t"), "The snapshot did not pass the quality gates"),
        (lambda: survival_picture([], [], [], [], title="t"), "The ladder has no cut"),
        (lambda: latest_distributions_picture(*snapshots()), "There are no snapshots yet."),
        (lambda: mass_heat_map([], [], [], title="t"), "There are no snapshots yet."),
        (lambda: heat(None, None), "None of the 2 snapshots passed the quality gates"),
        (
            lambda: latest_distributions_picture(*snapshots(("S", "A", 9, True), ("S", "A", 8, True))),
            "None of the 2 snapshots passed the quality gates",
        ),
    ],
)
def test_a_picture_with_nothing_to_show_says_why(picture: Any, sentence: str, drawn: list[Figure]) -> None:
    assert picture().startswith(b"\x89PNG")
    assert any(said.startswith(sentence) for said in words(drawn[0].axes[0]))


def test_the_latest_passed_snapshot_of_a_ladder_is_shown(drawn: list[Figure]) -> None:
    tables = snapshots(("KXHIGHNY", "A", 7, False), ("KXHIGHNY", "A", 8, False), ("KXHIGHNY", "A", 9, True))
    latest_distributions_picture(*tables, outcomes={"A": 70.0})
    (axes,) = drawn[0].axes
    assert titles(drawn[0]) == ["A"] and heights(axes) == MASS
    assert {"30 Jun 2026 08:00 UTC · mean 69 °F", "settled 70 °F"} <= set(words(axes))


def test_series_take_turns_in_the_picture(drawn: list[Figure]) -> None:
    busy = [("KXHIGHNY", f"NY{hour}", hour, False) for hour in range(10, 20)]
    latest_distributions_picture(*snapshots(*busy, ("KXCPI", "CPI", 1, False), ("KXU3", "U3", 2, False)), limit=4)
    assert titles(drawn[0]) == ["CPI", "NY18", "NY19", "U3"]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_panels_without_a_ladder_stay_blank(count: int, drawn: list[Figure]) -> None:
    latest_distributions_picture(*snapshots(*((f"S{n}", f"L{n}", n, False) for n in range(count))), limit=9)
    assert titles(drawn[0]) == [f"L{n}" for n in range(count)]


def test_an_unusable_request_is_refused_with_a_sentence() -> None:
    distributions, cells = snapshots(("S", "A", 9, False))
    with pytest.raises(ValueError, match="A picture of 0 ladders"):
        latest_distributions_picture(distributions, cells, limit=0)
    with pytest.raises(ValueError, match=r"The snapshot of A at .* comes without its cells"):
        latest_distributions_picture(distributions, cells.slice(0, 0))
    with pytest.raises(ValueError, match="differ in length: lows 1, highs 0, mass 1"):
        mass_picture([1.0], [], [0.2], title="t")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.3, "percent, month on month", "0.3 %"),
        (-2.0, "degrees Fahrenheit", "−2 °F"),
        (61_965.55, "dollars", "$61.97k"),
        (57_000, "jobs", "57k jobs"),
        (3.0, "", "3"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: float, unit: str, text: str) -> None:
    assert canvas.with_unit(value, unit) == text
