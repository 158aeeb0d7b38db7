"""Overview: all tables with their rows, and an arrow for each foreign key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kinsynth.evaluation.results import KeyArrow, Overview, TableBox
from kinsynth.report import wording
from kinsynth.report.charts import draw_figure
from kinsynth.report.colours import HOLDOUT, INK, MUTED, SYNTHETIC
from kinsynth.report.layers import BOX_HEIGHT, BOX_WIDTH, Layers, arrange_layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _TALLEST = 6.85, 8.6
_LINES = {
    "owner": (INK, 1.1, "-"),
    "key": (SYNTHETIC, 0.9, (0, (4, 2))),
    "self": (SYNTHETIC, 0.9, (0, (4, 2))),
    "late": (HOLDOUT, 1.1, (0, (4, 1.5, 1, 1.5))),
    "implied": (MUTED, 0.8, (0, (1, 1.5))),
    "reference": (MUTED, 0.7, "-"),
    "copied": (MUTED, 0.7, "-"),
}


def draw_overview(overview: Overview) -> bytes:
    """Draw tables as boxes and keys as arrows to the tables they reference."""
    edges = [(key.table, key.parent) for key in overview.keys if key.table != key.parent]
    layers = arrange_layers([table.name for table in overview.tables], edges, width=_WIDTH)
    width = max(layers.width, layers.height * _WIDTH / _TALLEST)  # a page shows the whole width
    margin = (width - layers.width) / 2

    def fill(figure: Figure) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-margin, layers.width + margin)
        axes.set_ylim(0, layers.height)
        axes.set_axis_off()
        _draw_lines(axes, layers, overview.keys)
        for table in overview.tables:
            _draw_box(axes, layers, table)

    return draw_figure((width, layers.height), fill)


def _draw_box(axes: Axes, layers: Layers, table: TableBox) -> None:
    """Draw one table: its name, and its original and synthetic rows."""
    from matplotlib.patches import FancyBboxPatch

    x, y = layers.x[table.name], layers.y(table.name)
    box = FancyBboxPatch(
        (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2),
        BOX_WIDTH,
        BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor="#eef2f7" if table.original else "white",
        edgecolor=MUTED if table.original else INK,
        linewidth=0.8,
        zorder=4,
    )
    axes.add_patch(box)
    name, rows = wording.shortened(table.name, 19), f"{table.rows[0]:,} → {table.rows[1]:,}"
    words = f"{table.rows[0]:,} copied" if table.original else rows
    style: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 5}
    axes.text(x, y + 0.07, name, fontsize=6.5, fontweight="bold", color=INK, **style)
    axes.text(x, y - 0.075, words, fontsize=5.5, color=MUTED, **style)


def _draw_lines(axes: Axes, layers: Layers, keys: Sequence[KeyArrow]) -> None:
    """Draw every key; the keys between two tables run beside each other."""
    ends = _ends(layers, keys)
    for number, key in enumerate(keys):
        if key.table == key.parent:
            _draw_loop(axes, layers, key)
            continue
        way = layers.ways[key.table, key.parent]
        passed = [(layers.x[name], layers.y(name)) for name in way[1:-1]]
        if layers.y(key.table) == layers.y(key.parent):
            passed = [((ends[number, 0][0] + ends[number, 1][0]) / 2, ends[number, 0][1] - 0.22)]
        _draw_way(axes, [ends[number, 0], *passed, ends[number, 1]], key)


def _ends(layers: Layers, keys: Sequence[KeyArrow]) -> dict[tuple[int, int], tuple[float, float]]:
    """Give where each key leaves its table and reaches the other, spread along the edges of the boxes."""
    sides: dict[tuple[str, bool], list[tuple[float, int, int]]] = {}
    for number, key in enumerate(keys):
        if key.table == key.parent:
            continue
        way = layers.ways[key.table, key.parent]
        for end, (name, other) in enumerate(((way[0], way[1]), (way[-1], way[-2]))):
            upper = layers.y(other) > layers.y(name)
            sides.setdefault((name, upper), []).append((layers.x[other], number, end))
    found = {}
    for (name, upper), several in sides.items():
        step = min(0.13, 0.8 * BOX_WIDTH / len(several))
        for place, (_, number, end) in enumerate(sorted(several)):
            x = layers.x[name] + step * (place - (len(several) - 1) / 2)
            found[number, end] = (x, layers.y(name) + (BOX_HEIGHT / 2 if upper else -BOX_HEIGHT / 2))
    return found


def _draw_way(axes: Axes, points: list[tuple[float, float]], key: KeyArrow) -> None:
    """Draw a smooth line through points, with a head at its end."""
    from matplotlib.patches import FancyArrowPatch, PathPatch
    from matplotlib.path import Path

    colour, width, dash = _LINES[key.kind]
    vertices, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        vertices += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2), (x1, y1)]
        codes += [Path.CURVE4] * 3
    path = Path(vertices, codes)
    axes.add_patch(
        PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, linestyle=dash, zorder=2)
    )
    (x, y), rising = points[-1], points[-1][1] > points[-2][1]
    tail = (x, y - 0.07 if rising else y + 0.07)
    axes.add_patch(
        FancyArrowPatch(
            tail, (x, y), arrowstyle="-|>", mutation_scale=6, color=colour, shrinkA=0, shrinkB=0, zorder=3
        )
    )


def _draw_loop(axes: Axes, layers: Layers, key: KeyArrow) -> None:
    """Draw the reference of a table to itself."""
    from matplotlib.patches import FancyArrowPatch

    colour, width, dash = _LINES[key.kind]
    x, y = layers.x[key.table] + BOX_WIDTH / 2 - 0.06, layers.y(key.table)
    axes.add_patch(
        FancyArrowPatch(
            (x - 0.14, y + BOX_HEIGHT / 2),
            (x + 0.06, y + 0.02),
            connectionstyle="arc3,rad=-1.4",
            arrowstyle="-|>",
            mutation_scale=5,
            color=colour,
            linewidth=width,
            linestyle=dash,
            shrinkA=0,
            shrinkB=0,
            zorder=6,
        )
    )
