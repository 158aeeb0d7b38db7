"""Charts: plain data drawn as SVG, one style for all. Same data, same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from kinsynth.evaluation.results import Distribution, Matrix
from kinsynth.report.colours import ASSOCIATION, DIFFERENCE, HOLDOUT, INK, LINE, MUTED, ORIGINAL, SYNTHETIC
from kinsynth.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CARD_INCHES = (2.05, 1.22)
_DAY_US = 86_400_000_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "kinsynth",
    "text.parse_math": False,
    "font.family": ["Roboto", "DejaVu Sans"],
    "font.size": 6,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#eef2f7",
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 5.5,
    "ytick.labelsize": 5.5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
}


@contextmanager
def _styled() -> Iterator[None]:
    """Draw in our style, with our fonts, whatever the process has set."""
    import matplotlib as mpl
    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for weight in ("Regular", "Medium", "Bold"):
        path = str(files("kinsynth.report").joinpath("fonts", f"Roboto-{weight}.ttf"))
        if path not in known:
            font_manager.fontManager.addfont(path)
    with warnings.catch_warnings(), mpl.rc_context(rc=mpl.rcParamsDefault):
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


def draw_figure(size: tuple[float, float], fill: Callable[[Figure], None]) -> bytes:
    """Make a figure and give it as SVG without a date."""
    from matplotlib.figure import Figure

    with _styled():
        figure = Figure(figsize=size)
        figure.patch.set_alpha(0)
        fill(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def draw_distribution(distribution: Distribution) -> bytes:
    """Draw one column: bars for categories, steps for numbers and dates."""
    if distribution.labels:
        return draw_figure(_CARD_INCHES, lambda figure: _bars(figure, distribution))
    return draw_figure(_CARD_INCHES, lambda figure: _steps(figure, distribution))


def draw_counts(distribution: Distribution, axis: str) -> bytes:
    """Draw numbers as upright bars, the axis named."""
    return draw_figure((3.25, 1.5), lambda figure: _upright(figure, distribution, axis))


def draw_distances(distribution: Distribution, axis: str) -> bytes:
    """Draw distances of synthetic and of real rows, the axis named."""
    return draw_figure((2.05, 1.35), lambda figure: _steps(figure, distribution, axis=axis))


def _bars(figure: Figure, distribution: Distribution) -> None:
    """Draw a broad bar for the original, a narrow one for the synthetic, a mark for held-out rows."""
    axes = figure.add_axes((0.36, 0.12, 0.6, 0.86))
    places = np.arange(len(distribution.labels))[::-1]
    axes.barh(places, distribution.original, height=0.78, color=ORIGINAL)
    axes.barh(places, distribution.synthetic, height=0.34, color=SYNTHETIC)
    if distribution.holdout is not None:
        axes.scatter(distribution.holdout, places, marker="|", s=16, color=HOLDOUT, linewidth=1, zorder=3)
    axes.set_yticks(places, [shortened(label, 15) for label in distribution.labels], color=INK)
    axes.set_ylim(min(-0.6, len(places) / 2 - 3), max(len(places) - 0.4, len(places) / 2 + 2))
    _percent(axes, "x")
    axes.grid(axis="x")


def _steps(figure: Figure, distribution: Distribution, axis: str = "") -> None:
    """Draw the original as an area, the synthetic as a line, held-out rows as a dotted line."""
    axes = figure.add_axes((0.11, 0.26 if axis else 0.15, 0.86, 0.7 if axis else 0.8))
    edges = distribution.edges
    axes.stairs(distribution.original, edges, fill=True, color=ORIGINAL)
    if distribution.holdout is not None:
        axes.stairs(distribution.holdout, edges, color=HOLDOUT, linewidth=0.9, linestyle=(0, (1, 1)))
    axes.stairs(distribution.synthetic, edges, color=SYNTHETIC, linewidth=1.2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(axis, fontsize=5.5, labelpad=2)
    _percent(axes, "y")
    axes.grid(axis="y")
    _label_edges(axes, distribution)


def _upright(figure: Figure, distribution: Distribution, axis: str) -> None:
    """Draw shares by number."""
    axes = figure.add_axes((0.08, 0.22, 0.9, 0.74))
    places = np.arange(len(distribution.labels))
    axes.bar(places, distribution.original, width=0.8, color=ORIGINAL)
    axes.bar(places, distribution.synthetic, width=0.36, color=SYNTHETIC)
    if distribution.holdout is not None:
        axes.scatter(places, distribution.holdout, marker="_", s=40, color=HOLDOUT, linewidth=1, zorder=3)
    axes.set_xticks(places, [shortened(label, 9) for label in distribution.labels])
    axes.set_xlim(min(-0.6, len(places) / 2 - 3), max(len(places) - 0.4, len(places) / 2 + 2))
    axes.set_xlabel(shortened(axis, 60), fontsize=5.5, labelpad=2)
    _percent(axes, "y")
    axes.grid(axis="y")


def _percent(axes: Axes, which: str) -> None:
    """Write shares as percentages, at few places."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(3))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def _label_edges(axes: Axes, distribution: Distribution) -> None:
    """Write the ends of cells as what they are."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    low, high = distribution.edges[0], distribution.edges[-1]
    if distribution.scale == "number" or not _is_calendar(distribution):
        whole = low % 1 == 0.5 and len(distribution.edges) == high - low + 1
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], integer=whole))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        return
    axes.xaxis.set_major_locator(FixedLocator(list(np.linspace(low, high, 7)[1:-1:2])))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: moment(value, distribution)))


def number(value: float) -> str:
    """Write a number briefly.

    >>> number(1_250_000), number(12_500), number(0.25), number(-3)
    ('1.25M', '12.5k', '0.25', '−3')
    """
    for limit, sign in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if sign == "k" else limit)
            return f"{scaled:.4g}{sign}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def _is_calendar(distribution: Distribution) -> bool:
    """Tell whether both ends are days the calendar knows."""
    if distribution.scale == "time":
        return True
    unit = _DAY_US if distribution.scale == "datetime" else 1
    return distribution.edges[0] / unit >= _FIRST_DAY and distribution.edges[-1] / unit <= _LAST_DAY


def moment(value: float, distribution: Distribution) -> str:
    """Write a date or time as precisely as the axis needs."""
    if distribution.scale == "time":
        minutes = round(value / 60_000_000)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    unit = _DAY_US if distribution.scale == "datetime" else 1
    days = (distribution.edges[-1] - distribution.edges[0]) / unit
    day = date(1970, 1, 1) + timedelta(days=int(value // unit))
    if days > 1500:
        return f"{day.year}"
    if days > 90:
        return f"{day.year}-{day.month:02d}"
    if days > 3:
        return f"{day.year}-{day.month:02d}-{day.day:02d}"
    minutes = int(value % unit) * (1440 if unit == 1 else 1) // (1 if unit == 1 else 60_000_000)
    return f"{day.month:02d}-{day.day:02d} {minutes // 60:02d}:{minutes % 60:02d}"


def draw_pairs(columns: Sequence[str], original: Matrix, synthetic: Matrix) -> bytes:
    """Draw how columns go together in the original and the synthetic rows, and the difference."""
    side = min(1.75, 0.4 + 0.22 * len(columns))
    height = 0.42 + side

    def fill(figure: Figure) -> None:
        difference = np.array(synthetic) - np.array(original)
        panels = (
            ("Original", np.array(original), "sequential"),
            ("Synthetic", np.array(synthetic), "sequential"),
            ("Synthetic − original", difference, "diverging"),
        )
        for place, (title, values, colours) in enumerate(panels):
            left = (1.16 + place * (side + 0.1)) / 6.85
            axes = figure.add_axes((left, 0.16 / height, side / 6.85, side / height))
            _heatmap(axes, values, colours)
            axes.set_title(title, fontsize=6.5, color=INK, pad=4, fontweight="bold")
            numbers = np.arange(len(columns))
            labels = [f"{shortened(name, 20)}  {i + 1}" for i, name in enumerate(columns)]
            axes.set_yticks(
                numbers + 0.5, labels if place == 0 else [""] * len(columns), color=INK, fontsize=5
            )
            axes.set_xticks(numbers + 0.5, [str(i + 1) for i in numbers], fontsize=4.5)

    return draw_figure((6.85, height), fill)


def _heatmap(axes: Axes, values_CC: Any, colours: str) -> None:
    """Draw a square matrix, the first row at the top."""
    from matplotlib.colors import LinearSegmentedColormap

    shades, low, high = (ASSOCIATION, 0.0, 1.0) if colours == "sequential" else (DIFFERENCE, -0.5, 0.5)
    scale = LinearSegmentedColormap.from_list("kinsynth", shades)
    axes.pcolormesh(values_CC, cmap=scale, vmin=low, vmax=high, edgecolors="white", linewidth=0.5)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.spines["bottom"].set_visible(False)


def draw_gauge(score: float | None, colour: str) -> bytes:
    """Draw a score from 0 to 10 as a ring; the number itself is set by the page."""

    def fill(figure: Figure) -> None:
        from matplotlib.patches import Arc

        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-1.15, 1.15)
        axes.set_ylim(-1.15, 1.15)
        axes.set_axis_off()
        axes.add_patch(Arc((0, 0), 2, 2, theta1=-50, theta2=230, color=LINE, linewidth=9, capstyle="round"))
        if score:
            start = 230 - 28 * score
            axes.add_patch(
                Arc((0, 0), 2, 2, theta1=start, theta2=230, color=colour, linewidth=9, capstyle="round")
            )

    return draw_figure((1.6, 1.6), fill)
