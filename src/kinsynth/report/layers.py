"""Layers: tables arranged in rows, referenced ones above, so that few keys cross. Positions in inches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Edge = tuple[str, str]
BOX_WIDTH, BOX_HEIGHT = 1.02, 0.33
_GAP, _LANE, _LAYER, _MOST, _SWEEPS = 0.12, 0.14, 0.66, 6, 24


@dataclass
class Layers:
    """Where boxes and lines are.

    Attributes:
        width: Width of the picture.
        rows: Names from the top; a name that is an edge's is a place where a long line passes.
        ways: For each edge the names it passes, from the referencing to the referenced table.
        x: Middle of each name.
    """

    width: float
    rows: list[list[str]] = field(default_factory=list)
    ways: dict[Edge, list[str]] = field(default_factory=dict)
    x: dict[str, float] = field(default_factory=dict)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return _LAYER * len(self.rows) - (_LAYER - BOX_HEIGHT) + 0.24

    def y(self, name: str) -> float:
        """Middle of a name, from the bottom."""
        row = next(number for number, names in enumerate(self.rows) if name in names)
        return self.height - 0.12 - BOX_HEIGHT / 2 - _LAYER * row


def arrange_layers(names: Sequence[str], edges: Iterable[Edge], *, width: float) -> Layers:
    """Arrange tables in layers.

    Args:
        names: Tables.
        edges: Pairs of different tables, the referencing one first.
        width: Width of the picture, at least.

    Sources:
        Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981.
    """
    edges = list(dict.fromkeys(edges))
    layers = Layers(width, _split_wide(_rank(names, edges)))
    for edge in edges:
        layers.ways[edge] = _lay_way(layers.rows, edge)
    layers.width = max(width, *(sum(map(_room, row)) for row in layers.rows))
    near = _neighbours(layers.ways.values())
    for sweep in range(_SWEEPS):
        _sort_rows(layers.rows, near, downwards=sweep % 2 == 0)
    _place(layers, near)
    return layers


def _rank(names: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Put each table below those it references; one that references none just above the first below it."""
    above = {name: [parent for table, parent in edges if table == name] for name in names}
    rank: dict[str, int] = {}

    def find(name: str, path: tuple[str, ...]) -> int:
        if name not in rank:
            open_ones = [one for one in above[name] if one not in path]
            rank[name] = max((find(one, (*path, name)) + 1 for one in open_ones), default=0)
        return rank[name]

    for name in names:
        find(name, (name,))
    for name in names:
        below = [rank[table] for table, parent in edges if parent == name and rank[table] > rank[name]]
        if not above[name] and below:
            rank[name] = min(below) - 1
    return [[name for name in names if rank[name] == number] for number in range(max(rank.values()) + 1)]


def _split_wide(rows: list[list[str]]) -> list[list[str]]:
    """Part rows of many tables."""
    parted: list[list[str]] = []
    for row in filter(None, rows):
        size = -(-len(row) // -(-len(row) // _MOST))
        parted += [row[start : start + size] for start in range(0, len(row), size)]
    return parted


def _lay_way(rows: list[list[str]], edge: Edge) -> list[str]:
    """Let a line pass every row between its tables; give what it passes."""
    start, end = (next(n for n, row in enumerate(rows) if name in row) for name in edge)
    step = 1 if end > start else -1
    between = [(number, f"{edge[0]}\n{edge[1]}\n{number}") for number in range(start + step, end, step)]
    for number, name in between:
        rows[number].append(name)
    return [edge[0], *(name for _, name in between), edge[1]]


def _neighbours(ways: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for way in ways:
        for one, other in pairwise(way):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    return near


def _sort_rows(rows: list[list[str]], near: Mapping[str, Sequence[str]], *, downwards: bool) -> None:
    """Order each row by the middle of what its names are joined to in the row before."""
    order = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for number in order:
        before = rows[number - 1 if downwards else number + 1]
        place = {name: index / max(len(before) - 1, 1) for index, name in enumerate(before)}
        own = {name: index / max(len(rows[number]) - 1, 1) for index, name in enumerate(rows[number])}

        def middle(name: str, place: Mapping[str, float] = place, own: Mapping[str, float] = own) -> float:
            found = [place[one] for one in near.get(name, ()) if one in place]
            return sum(found) / len(found) if found else own[name]

        rows[number].sort(key=middle)


def _room(name: str) -> float:
    return _LANE if "\n" in name else BOX_WIDTH + _GAP


def _place(layers: Layers, near: Mapping[str, Sequence[str]]) -> None:
    """Move names towards the middle of what they are joined to, as far as there is room."""
    for row in layers.rows:
        left = (layers.width - sum(map(_room, row))) / 2
        for name in row:
            layers.x[name], left = left + _room(name) / 2, left + _room(name)
    for sweep in range(_SWEEPS):
        for row in layers.rows if sweep % 2 else layers.rows[::-1]:
            wanted = {
                name: sum(layers.x[one] for one in near[name]) / len(near[name])
                if name in near
                else layers.x[name]
                for name in row
            }
            layers.x |= _spread(row, wanted, layers.width)
    ends = [(x - _room(name) / 2, x + _room(name) / 2) for name, x in layers.x.items()]
    left = (layers.width - max(end for _, end in ends) - min(start for start, _ in ends)) / 2
    layers.x = {name: x + left for name, x in layers.x.items()}


def _spread(row: Sequence[str], wanted: Mapping[str, float], width: float) -> dict[str, float]:
    """Give places near the wanted ones that keep order and distances within the width."""
    room = [_room(name) for name in row]
    starts = [sum(room[:number]) + room[number] / 2 for number in range(len(row))]
    free = max(width - sum(room), 0.0)
    shift = [min(max(wanted[name] - start, 0.0), free) for name, start in zip(row, starts, strict=True)]
    rising, falling = list(shift), list(shift)
    for number in range(1, len(row)):
        rising[number] = max(rising[number], rising[number - 1])
    for number in range(len(row) - 2, -1, -1):
        falling[number] = min(falling[number], falling[number + 1])
    return {
        name: start + (up + down) / 2
        for name, start, up, down in zip(row, starts, rising, falling, strict=True)
    }
