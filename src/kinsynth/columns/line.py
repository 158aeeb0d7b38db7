"""Line: how the ticks of an ordered column become codes and come back.

The chain of codes: state (missing, other, a single value, a bin), then where needed the residue class
(weekdays), then the place within the bin. Behind each code stand leaves: single ticks and ranges of ticks
with their masses; a value is drawn from them by one uniform, so that ties and round values keep their
shares whatever the model knows of them.

Shape letters: R rows, F fine cells, L leaves, K codes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Uniforms
from kinsynth.columns.lattice import Class, classify, count_members, nth_member
from kinsynth.encoded import IntArray, SubColumn

MISSING, OTHER, FIRST = 0, 1, 2
STEPS_ASIDE = 3


@dataclass(frozen=True, eq=False)
class Line:
    """The states of an ordered column, and the leaves behind them.

    Attributes:
        classes: Residue classes.
        class_token: Whether the chain has a token for the residue class.
        places: Places within a bin; one means that the chain has no place token.
        missing: Whether missing values are generated.
        refused: Ticks that are never generated, ascending: they are encoded as other.
        low, high: Ticks outside are other, where ``outside`` says so, else they stand at the end.
        outside: Whether ticks outside the bounds are other.
        cell_low_F: First tick of each fine cell, ascending, shape (F,).
        cell_state_F: State of each fine cell.
        cell_place_F: Place of each fine cell within its state.
        state_L: State of each leaf, from 0; leaves are sorted by state, place, class and low.
        place_L: Place of each leaf.
        class_L: Residue class of each leaf.
        low_L: First tick of each leaf.
        high_L: Last tick of each leaf, included; equal to the first for a single tick.
        mass_L: Rows behind each leaf; a state whose leaves have none is never drawn.
    """

    classes: tuple[Class, ...]
    class_token: bool
    places: int
    missing: bool
    refused: Rows
    low: int
    high: int
    outside: bool
    cell_low_F: Rows
    cell_state_F: Rows
    cell_place_F: Rows
    state_L: Rows
    place_L: Rows
    class_L: Rows
    low_L: Rows
    high_L: Rows
    mass_L: Rows

    @property
    def states(self) -> int:
        """Number of states, without missing and other."""
        return int(self.state_L[-1]) + 1 if len(self.state_L) else 0

    @property
    def empty(self) -> bool:
        """Whether value protection left no value."""
        return not len(self.state_L)

    def without_places(self) -> Line:
        """Give the same states with all places of a bin as one."""
        order_L = np.lexsort((self.low_L, self.class_L, self.state_L))
        leaves = {name: getattr(self, name)[order_L] for name in _ARRAYS if name.endswith("_L")}
        leaves["place_L"] = np.zeros_like(self.place_L)
        return replace(self, places=1, cell_place_F=np.zeros_like(self.cell_place_F), **leaves)

    @cached_property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """State, then class and place where the column needs them."""
        tokens = [SubColumn(0, FIRST + self.states, self._positions(), self._forbidden())]
        if self.class_token:
            tokens.append(SubColumn(0, len(self.classes)))
        if self.places > 1:
            position_K = (np.arange(self.places) + 0.5) / self.places
            tokens.append(SubColumn(0, self.places, position_K.astype(np.float32)))
        return tuple(tokens)

    def _positions(self) -> NDArray[np.float32]:
        mass_K = np.bincount(self.state_L, self.mass_L, self.states)
        middle_K = np.cumsum(mass_K) - mass_K / 2
        position_K = middle_K / max(float(mass_K.sum()), 1.0)
        return np.concatenate([[np.nan, np.nan], position_K]).astype(np.float32)

    def _forbidden(self) -> NDArray[np.bool_]:
        forbidden_K = np.zeros(FIRST + self.states, dtype=bool)
        forbidden_K[[MISSING, OTHER]] = not (self.missing or self.empty), True
        forbidden_K[FIRST:] = np.bincount(self.state_L, self.mass_L, self.states) == 0
        return forbidden_K

    def encode(self, tick_R: Rows, valid_R: NDArray[np.bool_]) -> IntArray:
        """Turn ticks into codes, shape (R, c)."""
        state_R = np.full(len(tick_R), MISSING if self.empty else OTHER, dtype=np.int64)
        class_R, place_R = np.zeros_like(state_R), np.zeros_like(state_R)
        known_R = valid_R & ~np.isin(tick_R, self.refused) & (not self.empty)
        if self.outside:
            known_R &= (tick_R >= self.low) & (tick_R <= self.high)
        if known_R.any():
            found = self._locate(np.clip(tick_R[known_R], self.low, self.high))
            state_R[known_R], class_R[known_R], place_R[known_R] = found
            state_R[known_R] += FIRST
        state_R[~valid_R] = MISSING
        chain = [state_R]
        if self.class_token:
            chain.append(class_R)
        if self.places > 1:
            chain.append(place_R)
        return np.stack(chain, axis=1).astype(np.int32)

    def _locate(self, tick_R: Rows) -> tuple[Rows, Rows, Rows]:
        """Find state, class and place of ticks: single ticks first, then cells, else the nearest leaf."""
        if len(self.cell_low_F):
            cell_R = np.searchsorted(self.cell_low_F, tick_R, side="right").clip(1) - 1
            state_R, place_R = self.cell_state_F[cell_R], self.cell_place_F[cell_R]
            class_R = self._nearest_class(state_R, place_R, classify(tick_R, self.classes))
        else:
            leaf_R = self._nearest_point(tick_R)
            state_R, place_R, class_R = self.state_L[leaf_R], self.place_L[leaf_R], self.class_L[leaf_R]
        leaf_R, exact_R = self._points(tick_R)
        return (
            np.where(exact_R, self.state_L[leaf_R], state_R),
            np.where(exact_R, self.class_L[leaf_R], class_R),
            np.where(exact_R, self.place_L[leaf_R], place_R),
        )

    @cached_property
    def _point_order(self) -> Rows:
        points = np.flatnonzero(self.low_L == self.high_L)
        ordered: Rows = points[np.argsort(self.low_L[points], kind="stable")]
        return ordered

    def _points(self, tick_R: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        if not len(self._point_order):
            return np.zeros_like(tick_R), np.zeros(len(tick_R), dtype=bool)
        ticks = self.low_L[self._point_order]
        place_R = np.searchsorted(ticks, tick_R).clip(max=len(ticks) - 1)
        leaf_R: Rows = self._point_order[place_R]
        return leaf_R, ticks[place_R] == tick_R

    def _nearest_point(self, tick_R: Rows) -> Rows:
        ticks = self.low_L[self._point_order]
        after_R = np.searchsorted(ticks, tick_R).clip(max=len(ticks) - 1)
        before_R = (after_R - 1).clip(0)
        nearer_R = tick_R - ticks[before_R] < ticks[after_R] - tick_R
        nearest: Rows = self._point_order[np.where(nearer_R, before_R, after_R)]
        return nearest

    def _nearest_class(self, state_R: Rows, place_R: Rows, class_R: Rows) -> Rows:
        """Give each row's class where a leaf has it, else the next class that a leaf of the cell has."""
        present = self._present
        cell_R = state_R * self.places + place_R
        later_R = np.where(present[cell_R] & (np.arange(len(self.classes)) >= class_R[:, None]), 1, 0)
        next_R: Rows = np.where(later_R.any(axis=1), later_R.argmax(axis=1), present[cell_R].argmax(axis=1))
        return next_R

    @cached_property
    def _present(self) -> NDArray[np.bool_]:
        present = np.zeros((self.states * self.places, len(self.classes)), dtype=bool)
        present[self.state_L * self.places + self.place_L, self.class_L] = True
        return present

    def decode(self, codes_RC: IntArray, uniform_R: Uniforms) -> tuple[Rows, NDArray[np.bool_]]:
        """Draw ticks for codes: ticks and which of them are not missing, both of shape (R,)."""
        state_R = codes_RC[:, 0].astype(np.int64)
        valid_R = ((state_R != MISSING) | (not self.missing)) & (not self.empty)
        if self.empty:
            return np.zeros_like(state_R), valid_R
        start_R, stop_R = self._leaves_of(codes_RC)
        ends = np.concatenate([[0.0], np.cumsum(self.mass_L, dtype=np.float64)])
        target_R = ends[start_R] + uniform_R * (ends[stop_R] - ends[start_R])
        leaf_R = np.clip(np.searchsorted(ends, target_R, side="right") - 1, start_R, stop_R - 1)
        rest_R = np.clip((target_R - ends[leaf_R]) / np.maximum(self.mass_L[leaf_R], 1), 0.0, 1.0)
        return np.where(valid_R, self._within(leaf_R, rest_R), 0), valid_R

    def _within(self, leaf_R: Rows, uniform_R: Uniforms) -> Rows:
        """Draw a tick of each leaf's class between its bounds."""
        moduli, remainders = np.array(self.classes, dtype=np.int64).T
        class_R = self.class_L[leaf_R]
        modulus_R, remainder_R = moduli[class_R], remainders[class_R]
        low_R, high_R = self.low_L[leaf_R], self.high_L[leaf_R]
        members_R = count_members(low_R, high_R, modulus_R, remainder_R)
        scaled_R = uniform_R * members_R
        step_R = np.minimum(scaled_R.astype(np.int64), members_R - 1)
        drawn_R = nth_member(low_R, step_R, modulus_R, remainder_R)
        # A range of all ticks holds round ones too, whose share is counted with the round ones: step aside.
        aside_R = 1 + (scaled_R % 1.0 * STEPS_ASIDE).astype(np.int64)
        aside_R = np.where(step_R + aside_R < members_R, step_R + aside_R, step_R - aside_R)
        aside_R = nth_member(low_R, aside_R, modulus_R, remainder_R)
        taken_R = (classify(drawn_R, self.classes) < class_R) & (aside_R >= low_R)
        return np.where(low_R == high_R, low_R, np.where(taken_R, aside_R, drawn_R))

    def _leaves_of(self, codes_RC: IntArray) -> tuple[Rows, Rows]:
        """Give the range of leaves behind each row's codes; where there are none, behind fewer of them."""
        starts, stops = self._spans
        state_R = codes_RC[:, 0].astype(np.int64) - FIRST
        class_R = codes_RC[:, 1].astype(np.int64) if self.class_token else np.zeros_like(state_R)
        place_R = codes_RC[:, -1].astype(np.int64) if self.places > 1 else np.zeros_like(state_R)
        key_R = (state_R * self.places + place_R) * len(self.classes) + class_R
        key_R = np.where(state_R < 0, len(starts) - 1, key_R)
        return starts[key_R], stops[key_R]

    @cached_property
    def _spans(self) -> tuple[Rows, Rows]:
        """Give the range of leaves behind each state, place and class; last, behind any.

        Where a class is no token, or has no leaf, all classes of the place count; where the place has none,
        all of the state.
        """
        width = len(self.classes)
        state_K, place_K, class_K = (
            index.ravel() for index in np.indices((self.states, self.places, width), dtype=np.int64)
        )
        key_L = (self.state_L * self.places + self.place_L) * width + self.class_L
        cell_K = (state_K * self.places + place_K) * width
        start_K = np.searchsorted(self.state_L, state_K)
        stop_K = np.searchsorted(self.state_L, state_K, side="right")
        spans = [(cell_K, cell_K + width - 1), (cell_K + class_K, cell_K + class_K)]
        for first_K, last_K in spans if self.class_token else spans[:1]:
            low_K = np.searchsorted(key_L, first_K)
            high_K = np.searchsorted(key_L, last_K, side="right")
            found_K = high_K > low_K
            start_K, stop_K = np.where(found_K, low_K, start_K), np.where(found_K, high_K, stop_K)
        return np.append(start_K, 0), np.append(stop_K, len(self.state_L))

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {"classes": [list(one) for one in self.classes], **plain, **arrays}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Line:
        """Make a line of ``to_json``'s document."""
        arrays = {name: np.array(document[name], dtype=np.int64) for name in _ARRAYS}
        classes = tuple((modulus, remainder) for modulus, remainder in document["classes"])
        return cls(**{**document, **arrays, "classes": classes})


_PLAIN = ("class_token", "places", "missing", "low", "high", "outside")
_ARRAYS = (
    "refused",
    "cell_low_F",
    "cell_state_F",
    "cell_place_F",
    "state_L",
    "place_L",
    "class_L",
    "low_L",
    "high_L",
    "mass_L",
)
