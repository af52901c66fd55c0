"""The look that every picture shares: colours, type, axes, numbers, and the way to a PNG.

No drawing of data here. Figures are built through matplotlib's objects; its global state (pyplot) is never touched, so
pictures can be made in any thread.
"""

from __future__ import annotations

import base64
import io
from datetime import UTC

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

#: The belief itself, what the market quoted, and what came true.
BELIEF, QUOTES, OUTCOME = "#1f6f8b", "#8a939b", "#d1495b"
#: Paler belief, from the widest quantile band to the narrowest.
BANDS = ("#dbe9ee", "#abced9", "#7bb2c3")
OPEN_CELL = "#8fbccb"
INK, SOFT_INK, RULE = "#22292f", "#6b757d", "#e3e7ea"

DPI = 144
#: Width and height in inches.
SIZE = (7.0, 4.0)

_SMALL = 8
_ROUND_STEPS = [1, 2, 5, 10]
_UNIT_SIGNS = {"percent": "%", "degrees Fahrenheit": "°F", "dollars": "$"}


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty white figure of ``size`` inches whose parts arrange themselves."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=size, dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG, without time stamps: the same data gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def data_uri(picture: bytes) -> str:
    """A PNG as an address that holds it, for a page that fetches nothing."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def dress(axes: Axes, title: str, subtitle: str = "") -> None:
    """Give axes the shared look: a bold title over a soft subtitle, thin horizontal rules, no box."""
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", color=INK, pad=20 if subtitle else 8)
    under = axes.annotate(
        _fitting(subtitle, axes.get_figure(root=True)),
        (0, 1),
        xytext=(0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=_SMALL,
        color=SOFT_INK,
        annotation_clip=False,
    )
    # Words make no room for themselves: a long line on a small picture would leave none for the data.
    under.set_in_layout(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT_INK)
    axes.tick_params(labelsize=_SMALL, colors=SOFT_INK, length=0)
    axes.tick_params(axis="x", length=3)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)


def _fitting(words: str, figure: Figure | None) -> str:
    """As much of a line of small type as fits on a figure, with an ellipsis for the rest."""
    room = int((figure.get_figwidth() - 0.5) / 0.062) if figure is not None else len(words)
    return words if len(words) <= room else words[: room - 1].rstrip(" ,·") + "…"


def headline(figure: Figure, words: str) -> None:
    """Write one line over all panels of a figure."""
    figure.suptitle(words, x=0.012, ha="left", fontsize=10.5, color=SOFT_INK)


def number_axis(axis: Axis) -> None:
    """Label an axis of settled numbers in round, plain figures."""
    axis.set_major_locator(MaxNLocator(7, steps=_ROUND_STEPS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def probability_axis(axes: Axes, top: float) -> None:
    """Label the vertical axis with probabilities in percent, from 0 to ``top``."""
    axes.set_ylim(0, top)
    whole = FixedLocator([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_locator(whole if top >= 1 else MaxNLocator(4, steps=_ROUND_STEPS))
    percents(axes.yaxis)


def percents(axis: Axis) -> None:
    """Label an axis of shares in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def time_axis(axes: Axes) -> None:
    """Label the horizontal axis with UTC dates as short as they can be."""
    locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.xaxis.get_offset_text().set(fontsize=_SMALL, color=SOFT_INK)


def legend(figure: Figure) -> None:
    """Name the marks below the axes, where they hide nothing."""
    figure.legend(
        loc="outside lower left",
        ncols=3 if figure.get_figwidth() < 5 else 6,
        frameon=False,
        fontsize=_SMALL,
        labelcolor=SOFT_INK,
        handlelength=1.4,
        columnspacing=1.4,
    )


def halo() -> list[AbstractPathEffect]:
    """A white edge that keeps a word legible on top of data."""
    return [withStroke(linewidth=2.5, foreground="white")]


def number(value: float) -> str:
    """A number as people write it: ``0.3``, ``68.5``, ``250k``, ``62.5k``."""
    text = f"{value / 1_000:.10g}k" if abs(value) >= 10_000 else f"{value:.10g}"
    return text.replace("-", "−")


def with_unit(value: float, unit: str, digits: int = 4) -> str:
    """A number with its unit, what follows a comma left out: ``0.3 %``, ``71 °F``, ``$62.5k``, ``250k jobs``."""
    kind = unit.partition(",")[0]
    sign = _UNIT_SIGNS.get(kind, kind)
    rounded = number(float(f"{value:.{digits}g}"))
    return f"{sign}{rounded}" if sign == "$" else f"{rounded} {sign}".strip()


def and_unit(words: str, unit: str) -> str:
    """Words with the unit they are in, where there is one."""
    return f"{words}, {unit}" if unit else words


def empty_picture(title: str, reason: str, size: tuple[float, float] = SIZE) -> bytes:
    """A low picture that says in words why it shows nothing."""
    figure = new_figure((size[0], min(size[1], 1.4)))
    axes = figure.subplots()
    dress(axes, title)
    axes.set_axis_off()
    axes.text(0, 0.9, reason, transform=axes.transAxes, va="top", color=SOFT_INK, fontsize=9, wrap=True)
    return png(figure)
