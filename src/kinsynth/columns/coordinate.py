"""Places on Earth: a tree over latitude and longitude that is fine where the places are dense.

Each token splits a cell into 16 by four bands of longitude, each cut into four by latitude, all holding
equally many places. Behind the last token stands a leaf: its box, and the exact places that enough roots
share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Rows, Values
from kinsynth.columns.lattice import roundest_between
from kinsynth.columns.numeric import choose_scale
from kinsynth.columns.scale import NumberScale, Scale, read_scale, write_scale
from kinsynth.columns.storage import as_array
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.privacy.protection import Roots, count_roots, extremes, number_of_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

MISSING, OTHER, FIRST = 0, 1, 2
SIDE = 4
CHILDREN = SIDE * SIDE
LEAF_ROOTS = 20
MOST_TOKENS = 5
NOWHERE = 2**62
GRIDS = ((4, 4), (4, 2), (2, 2), (2, 1))
SPARE = 1.15
_SHAPES: dict[str, tuple[int, ...]] = {
    "cut_N": (-1, SIDE + 1, SIDE - 1),
    "child_N": (-1, CHILDREN),
    "leaf_A": (-1,),
    "box_A": (-1, 4),
    "mass_A": (-1,),
}


@dataclass(frozen=True, eq=False)
class CoordinateCodec:
    """Codes of places.

    Attributes:
        scales: Latitude's and longitude's.
        missing: Whether missing places are generated; a place without one of its numbers is missing.
        tokens: Number of tokens.
        south_west_north_east: Places outside are other, in ticks; None for everywhere.
        cut_N: Cuts of each node, shape (N, 5, 3): of longitude, then of latitude in each of four bands.
        child_N: Children of each node, shape (N, 16): a node, or a leaf as ``-1 - number``.
        leaf_A: Leaf of each atom, ascending; an atom is a box or a single place.
        box_A: South, west, north, east of each atom, all included, shape (A, 4).
        mass_A: Rows behind each atom.

    Guarantees:
        A box holds the places of at least ``rare_minimum`` roots, a single place is shared by as many.
    """

    kind: ClassVar[str] = "coordinates"
    scales: tuple[Scale, Scale]
    missing: bool
    tokens: int
    south_west_north_east: tuple[int, int, int, int] | None
    cut_N: Rows
    child_N: Rows
    leaf_A: Rows
    box_A: Rows
    mass_A: Rows

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """One token for each level of the tree."""
        forbidden_K = np.zeros(FIRST + CHILDREN, dtype=bool)
        forbidden_K[[MISSING, OTHER]] = not (self.missing or self.empty), True
        forbidden_K[FIRST:] = self.empty
        first = SubColumn(0, FIRST + CHILDREN, forbidden_K=forbidden_K)
        return (first, *(SubColumn(0, CHILDREN) for _ in range(self.tokens - 1)))

    @property
    def draws(self) -> int:
        """Three: the atom, and a place in its box."""
        return 3

    @property
    def empty(self) -> bool:
        """Whether value protection left no place."""
        return not len(self.leaf_A)

    def encode(self, values: Values) -> IntArray:
        """Turn places into codes."""
        latitude_R, longitude_R, valid_R = _ticks(values, self.scales)
        code_RC = np.zeros((len(latitude_R), self.tokens), dtype=np.int64)
        node_R = np.full(len(latitude_R), 0 if len(self.cut_N) else -1)
        for token in range(self.tokens):
            inner = np.flatnonzero(node_R >= 0)
            child_R = _child(self.cut_N[node_R[inner]], latitude_R[inner], longitude_R[inner])
            target_R = self.child_N[node_R[inner], child_R]
            code_RC[inner, token] = (self.child_N[node_R[inner]] == target_R[:, None]).argmax(axis=1)
            node_R[inner] = target_R
        inside_R = _inside(latitude_R, longitude_R, self.south_west_north_east) & (not self.empty)
        code_RC[~(valid_R & inside_R), 1:] = 0
        first_R = np.where(inside_R, code_RC[:, 0] + FIRST, MISSING if self.empty else OTHER)
        code_RC[:, 0] = np.where(valid_R, first_R, MISSING)
        return code_RC.astype(np.int32)

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Turn codes into places."""
        loose_R = codes_RC[:, 0] < FIRST
        valid_R = ((codes_RC[:, 0] != MISSING) | (not self.missing)) & (not self.empty)
        if self.empty:
            nothing = np.zeros(len(codes_RC), dtype=np.int64)
            return tuple(scale.to_values(nothing, valid_R) for scale in self.scales)
        leaf_R = self._leaves(codes_RC)
        ends = np.concatenate([[0.0], np.cumsum(self.mass_A, dtype=np.float64)])
        start_R = np.where(loose_R, 0, np.searchsorted(self.leaf_A, leaf_R))
        stop_R = np.where(loose_R, len(self.leaf_A), np.searchsorted(self.leaf_A, leaf_R, side="right"))
        target_R = ends[start_R] + uniform_RD[:, 0] * (ends[stop_R] - ends[start_R])
        atom_R = np.clip(np.searchsorted(ends, target_R, side="right") - 1, start_R, stop_R - 1)
        box_R = self.box_A[atom_R]
        ticks = []
        for axis in (0, 1):
            span_R = box_R[:, axis + 2] - box_R[:, axis] + 1
            step_R = np.minimum((uniform_RD[:, axis + 1] * span_R).astype(np.int64), span_R - 1)
            ticks.append(np.where(valid_R, box_R[:, axis] + step_R, 0))
        return tuple(
            scale.to_values(tick_R, valid_R) for scale, tick_R in zip(self.scales, ticks, strict=True)
        )

    def _leaves(self, codes_RC: IntArray) -> Rows:
        """Follow the codes down to a leaf."""
        node_R = self.child_N[0, (codes_RC[:, 0] - FIRST).clip(0)]
        for token in range(1, self.tokens):
            node_R = np.where(node_R >= 0, self.child_N[node_R.clip(0), codes_RC[:, token]], node_R)
        leaf_R: Rows = -1 - node_R
        return leaf_R

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        box = self.south_west_north_east
        return {
            "kind": self.kind,
            "scales": [write_scale(scale) for scale in self.scales],
            "missing": self.missing,
            "tokens": self.tokens,
            "south_west_north_east": None if box is None else list(box),
            **{name: getattr(self, name).tolist() for name in _SHAPES},
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CoordinateCodec:
        """Make a codec of ``to_json``'s document."""
        box = document["south_west_north_east"]
        latitude, longitude = (read_scale(scale) for scale in document["scales"])
        arrays = {
            name: np.array(document[name], dtype=np.int64).reshape(shape) for name, shape in _SHAPES.items()
        }
        return cls(
            (latitude, longitude),
            document["missing"],
            document["tokens"],
            None if box is None else tuple(box),
            **arrays,
        )


def build_coordinates(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> CoordinateCodec:
    """Choose the lattices, then grow the tree."""
    part = part.by_root()
    scales = tuple(
        choose_scale(_axis(part, name), settings, protection.rare_minimum, text) for name in ("v0", "v1")
    )
    latitude_P, longitude_P, valid_P = _ticks(part.values, scales)
    declared = _box_ticks(settings, scales)
    kept_P = valid_P & _inside(latitude_P, longitude_P, declared)
    places = _Places(
        np.stack([latitude_P, longitude_P], axis=1)[kept_P], part.roots[kept_P], part.rows[kept_P]
    )
    tree = _Tree(protection)
    if places.roots >= max(protection.rare_minimum, protection.extreme_minimum):
        tree.plant(places)
    missing = bool((~valid_P).any()) and settings.missing == "reproduce"
    return CoordinateCodec((scales[0], scales[1]), missing, max(tree.depth, 1), declared, *tree.arrays())


@dataclass(frozen=True)
class _Places:
    """Places with their roots and rows; latitude and longitude in ticks, shape (P, 2)."""

    tick_P2: Rows
    root_P: Roots
    rows_P: Rows

    def where(self, kept_P: Any) -> _Places:
        return _Places(self.tick_P2[kept_P], self.root_P[kept_P], self.rows_P[kept_P])

    @property
    def roots(self) -> int:
        return number_of_roots(self.root_P)


class _Tree:
    """A tree while it grows."""

    def __init__(self, protection: Protection) -> None:
        self.protection = protection
        self.leaf_roots = max(LEAF_ROOTS, protection.rare_minimum)
        self.depth = 0
        self.cuts: list[Rows] = []
        self.children: list[Rows] = []
        self.leaves = 0
        self.atoms: list[tuple[int, Rows, int]] = []

    def arrays(self) -> tuple[Rows, Rows, Rows, Rows, Rows]:
        """Give cuts, children, and leaf, box and mass of the atoms."""
        return (
            np.array(self.cuts, dtype=np.int64).reshape(-1, SIDE + 1, SIDE - 1),
            np.array(self.children, dtype=np.int64).reshape(-1, CHILDREN),
            np.array([leaf for leaf, _, _ in self.atoms], dtype=np.int64),
            np.array([box for _, box, _ in self.atoms], dtype=np.int64).reshape(-1, 4),
            np.array([mass for _, _, mass in self.atoms], dtype=np.int64),
        )

    def plant(self, places: _Places) -> None:
        """Grow the whole tree; places beyond the extremes do not count."""
        minimum = self.protection.extreme_minimum
        ends = [extremes(places.tick_P2[:, axis], places.root_P, minimum=minimum) for axis in (0, 1)]
        low, high = np.array(ends).T
        inner = places.where(((places.tick_P2 >= low) & (places.tick_P2 <= high)).all(axis=1))
        if inner.roots >= self.protection.rare_minimum:
            self._grow(inner, _inner_box(inner.tick_P2), 1)

    def _grow(self, places: _Places, box: Rows, depth: int) -> int:
        """Add a node and everything below it; give its number."""
        number = len(self.cuts)
        cuts = _cuts(places, _grid(places.roots, self.leaf_roots))
        child_P = _child(np.broadcast_to(cuts, (len(places.root_P), *cuts.shape)), *places.tick_P2.T)
        alias = _aliases(count_roots(child_P, places.root_P, codes=CHILDREN), self.leaf_roots)
        self.depth = max(self.depth, depth)
        self.cuts.append(cuts)
        self.children.append(np.zeros(CHILDREN, dtype=np.int64))
        for child in np.unique(alias):
            below = places.where(alias[child_P] == child)
            inside = _sub_box(cuts, int(child), box)
            deeper = (
                len(below.root_P) < len(places.root_P)
                and depth < MOST_TOKENS
                and below.roots >= CHILDREN * self.leaf_roots / 2
            )
            target = self._grow(below, inside, depth + 1) if deeper else self._leaf(below, inside)
            self.children[number][alias == child] = target
        return number

    def _leaf(self, places: _Places, box: Rows) -> int:
        """Add a leaf: single places that enough roots share, and a box for the rest; give its reference."""
        number, self.leaves = self.leaves, self.leaves + 1
        minimum = self.protection.rare_minimum
        pair, pair_P = np.unique(places.tick_P2, axis=0, return_inverse=True)
        shared = count_roots(pair_P, places.root_P, codes=len(pair)) >= minimum
        mass = np.bincount(pair_P, places.rows_P, len(pair)).astype(np.int64)
        for place in np.flatnonzero(shared):
            self.atoms.append((number, np.tile(pair[place], 2), int(mass[place])))
        loose = places.where(~shared[pair_P])
        if loose.roots >= minimum or not shared.any():
            for inner in _pieces(loose, minimum):
                self.atoms.append((number, _tight(inner, box), int(inner.rows_P.sum())))
        return -1 - number


def _axis(part: Part, name: str) -> Part:
    return part.select([name])


def _ticks(values: Values, scales: Any) -> tuple[Rows, Rows, NDArray[np.bool_]]:
    latitude_R, known_R = scales[0].to_ticks(as_array(values[0]))
    longitude_R, given_R = scales[1].to_ticks(as_array(values[1]))
    return latitude_R, longitude_R, known_R & given_R


def _box_ticks(settings: Column, scales: tuple[NumberScale, ...]) -> tuple[int, int, int, int] | None:
    if settings.bounding_box is None:
        return None
    south, west, north, east = settings.bounding_box
    latitude, longitude = (scale.steps for scale in scales)
    return (
        math.ceil(south * latitude),
        math.ceil(west * longitude),
        math.floor(north * latitude),
        math.floor(east * longitude),
    )


def _inside(latitude_R: Rows, longitude_R: Rows, box: tuple[int, int, int, int] | None) -> NDArray[np.bool_]:
    if box is None:
        return np.ones(len(latitude_R), dtype=bool)
    south, west, north, east = box
    return (latitude_R >= south) & (latitude_R <= north) & (longitude_R >= west) & (longitude_R <= east)


def _child(cut_R: Rows, latitude_R: Rows, longitude_R: Rows) -> Rows:
    """Give the child of a node that holds each place: band of longitude, then of latitude."""
    band_R = (longitude_R[:, None] >= cut_R[:, 0]).sum(axis=1)
    inner_R = (latitude_R[:, None] >= cut_R[np.arange(len(band_R)), band_R + 1]).sum(axis=1)
    child_R: Rows = band_R * SIDE + inner_R
    return child_R


def _grid(roots: int, leaf_roots: int) -> tuple[int, int]:
    """Give into how many bands, and parts of a band, a cell is cut so that they hold enough roots."""
    fitting = (grid for grid in GRIDS if roots >= SPARE * grid[0] * grid[1] * leaf_roots)
    return next(fitting, (1, 1))


def _cuts(places: _Places, grid: tuple[int, int]) -> Rows:
    """Cut longitude into bands of equal mass, and each band by latitude."""
    cuts = np.full((SIDE + 1, SIDE - 1), NOWHERE, dtype=np.int64)
    latitude_P, longitude_P = places.tick_P2.T
    bands, parts = grid
    cuts[0, : bands - 1] = _equal_cuts(longitude_P, bands)
    band_P = (longitude_P[:, None] >= cuts[0]).sum(axis=1)
    for band in range(bands):
        cuts[band + 1, : parts - 1] = _equal_cuts(latitude_P[band_P == band], parts)
    return cuts


def _pieces(places: _Places, minimum: int) -> list[_Places]:
    """Halve places along their wider side as long as both halves hold enough roots."""
    if len(places.root_P) < 2 * minimum:
        return [places]
    span = places.tick_P2.max(axis=0) - places.tick_P2.min(axis=0)
    axis = int(span.argmax())
    cut = int(_equal_cuts(places.tick_P2[:, axis], 2)[0])
    halves = [places.where(places.tick_P2[:, axis] < cut), places.where(places.tick_P2[:, axis] >= cut)]
    if min(half.roots for half in halves) < minimum:
        return [places]
    return [piece for half in halves for piece in _pieces(half, minimum)]


def _equal_cuts(tick_P: Rows, side: int) -> Rows:
    """Give round cuts that split ticks into parts of about equal size, in the widest gaps nearby."""
    ordered = np.sort(tick_P)
    slack = len(ordered) // (4 * side)
    places = [len(ordered) * part // side for part in range(1, side)]
    cuts = [_gap_cut(ordered, max(place - slack, 1), place + slack + 1) for place in places]
    return np.array(cuts, dtype=np.int64)


def _gap_cut(ordered: Rows, first: int, last: int) -> int:
    """Give a round cut in the widest gap before one of the places from first to last."""
    if len(ordered) < 2:
        return int(ordered[0]) if len(ordered) else NOWHERE
    gaps = np.diff(ordered[first - 1 : last])
    at = first - 1 + int(gaps.argmax())
    return roundest_between(int(ordered[at]), int(ordered[at + 1]))


def _aliases(roots_K: Rows, leaf_roots: int) -> Rows:
    """Send each child with too few roots to the nearest one with enough, else all to the largest."""
    enough = np.flatnonzero(roots_K >= leaf_roots)
    if len(enough) < 2:
        return np.full(len(roots_K), int(roots_K.argmax()))
    nearest: Rows = enough[np.abs(np.arange(len(roots_K))[:, None] - enough).argmin(axis=1)]
    return nearest


def _inner_box(tick_P2: Rows) -> Rows:
    """Give a round box just inside the outermost places, which may be single persons' own."""
    ticks = [np.unique(tick_P2[:, axis]).tolist() for axis in (0, 1)]
    low = [-roundest_between(-one[1], -one[0]) if len(one) > 1 else one[0] for one in ticks]
    high = [roundest_between(one[-2], one[-1]) if len(one) > 1 else one[0] for one in ticks]
    return np.array([*low, *np.maximum(high, low)], dtype=np.int64)


def _sub_box(cuts: Rows, child: int, box: Rows) -> Rows:
    """Give the part of a box that a child covers."""
    south, west, north, east = box
    band, inner = divmod(child, SIDE)
    lon = np.concatenate([[west], np.clip(cuts[0], west, east + 1), [east + 1]])
    lat = np.concatenate([[south], np.clip(cuts[band + 1], south, north + 1), [north + 1]])
    return np.array(
        [lat[inner], lon[band], max(lat[inner + 1] - 1, lat[inner]), max(lon[band + 1] - 1, lon[band])]
    )


def _tight(places: _Places, box: Rows) -> Rows:
    """Shrink a box towards the places it holds, ending at round numbers that are no place's own."""
    low, high = places.tick_P2.min(axis=0).tolist(), places.tick_P2.max(axis=0).tolist()
    reach = [(high[axis] - low[axis]) // len(places.root_P) + 2 for axis in (0, 1)]
    first = [roundest_between(low[axis] - reach[axis], low[axis]) for axis in (0, 1)]
    last = [-roundest_between(-high[axis] - reach[axis], -high[axis]) for axis in (0, 1)]
    south_west = np.maximum(first, box[:2])
    return np.concatenate([south_west, np.maximum(np.minimum(last, box[2:]), south_west)])
