"""Assignment: which target row each row points to, under quotas and with what must be kept.

Shape letters: R rows, W rows that want a target, T target rows, S scopes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray
from kinsynth.engine.augment import augment
from kinsynth.engine.quotas import scale_quotas
from kinsynth.engine.repair import repair
from kinsynth.engine.rules import Rules
from kinsynth.engine.seats import seat
from kinsynth.system.randomness import uniforms

NOBODY, SELF, UNRESOLVED = -1, -2, -3
_LARGEST = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Wanted:
    """What the rows want.

    Attributes:
        group_R: Group of the target row wanted, >= 0; ``NOBODY`` (-1) for none, ``SELF`` (-2) for the
            row itself, which is the caller's to fill in. Shape (R,).
        ids_R: Number of each row for its random numbers, shape (R,).
        scope_R: Label of each row; it gets a target row with the same label. None where all may meet.
        apart: Labels of rows, each of shape (R,): rows with equal labels never get the same target row.
        avoid: Target rows, -1 for none, each of shape (R,): the row must not get this one.
    """

    group_R: RowArray
    ids_R: RowArray
    scope_R: RowArray | None = None
    apart: tuple[RowArray, ...] = ()
    avoid: tuple[RowArray, ...] = ()

    def __post_init__(self) -> None:
        """Check the shapes and ranges."""
        scopes = () if self.scope_R is None else (self.scope_R,)
        for array in (self.ids_R, *scopes, *self.apart, *self.avoid):
            if array.shape != self.group_R.shape:
                raise ValueError(
                    f"shape {array.shape}: expected {self.group_R.shape}, one number for each row"
                )
        if len(self.group_R) and self.group_R.min() < SELF:
            raise ValueError(f"group {self.group_R.min()}: expected >= 0, {NOBODY} or {SELF}")


@dataclass(frozen=True)
class Supply:
    """What the target rows offer.

    Attributes:
        group_T: Group of each, >= 0, shape (T,).
        quota_T: How many rows shall point at each, >= 0, shape (T,).
        ids_T: Number of each for its random numbers, shape (T,).
        scope_T: Label of each, shape (T,), or None.
    """

    group_T: RowArray
    quota_T: RowArray
    ids_T: RowArray
    scope_T: RowArray | None = None

    def __post_init__(self) -> None:
        """Check the shapes and ranges."""
        scopes = () if self.scope_T is None else (self.scope_T,)
        for array in (self.quota_T, self.ids_T, *scopes):
            if array.shape != self.group_T.shape:
                raise ValueError(
                    f"shape {array.shape}: expected {self.group_T.shape}, one number for each target row"
                )
        if len(self.group_T) and min(self.group_T.min(), self.quota_T.min()) < 0:
            raise ValueError("a group or a quota of a target row is negative")


def assign(wanted: Wanted, supply: Supply, *, seed: int, stream: str) -> RowArray:
    """Give each row a target row of the group it wants, so that as many rows point at each as its quota says.

    Where rows and slots of a group do not agree, what is over goes to the nearest groups of the scope; where
    those of a scope do not agree, quotas are raised or lowered in proportion. What must be kept (``scope_R``,
    ``apart``, ``avoid``) is kept always; groups give way first, quotas next. The rest is by chance: within a
    group no order of rows meets an order of target rows.

    Args:
        wanted: What the rows want.
        supply: What the target rows offer.
        seed: Any integer.
        stream: Name of the use.

    Returns:
        Target row of each row, shape (R,); ``NOBODY`` and ``SELF`` where they were wanted, and
        ``UNRESOLVED`` (-3) where a row can have none.

    Raises:
        ValueError: One side has scopes and the other has none.

    Guarantees:
        With at most one array in ``apart`` as many rows as possible get a target row. Where rows and slots
        agree in number in each scope, and nothing need be kept apart or avoided, quotas are met exactly.
        The same arguments give the same bytes.
    """
    if (wanted.scope_R is None) != (supply.scope_T is None):
        raise ValueError("rows and target rows have scopes both or not at all")
    target_R = np.where(wanted.group_R < 0, wanted.group_R, UNRESOLVED)
    row_W = np.flatnonzero(wanted.group_R >= 0)
    if not len(row_W) or not len(supply.group_T):
        return target_R
    scope_W, scope_T = _scopes(wanted, supply, row_W)
    rules = Rules(
        scope_W,
        tuple(_dense(labels[row_W], len(supply.group_T)) for labels in wanted.apart),
        tuple(places[row_W] for places in wanted.avoid),
        scope_T,
    )
    if not (can_W := (scope_W >= 0) & ~_cornered(rules)).all():
        row_W, rules = row_W[can_W], rules.of(np.flatnonzero(can_W))
    del scope_W, can_W
    if len(row_W):
        target_W = _target_rows(rules, row_W, wanted, supply, seed=seed, stream=stream)
        target_R[row_W] = np.where(target_W >= 0, target_W, UNRESOLVED)
    return target_R


def _scopes(wanted: Wanted, supply: Supply, row_W: RowArray) -> tuple[RowArray, RowArray]:
    """Give the scope of each row, -1 where no target row has its label, and of each target row, from 0 on."""
    if wanted.scope_R is None or supply.scope_T is None:
        return np.zeros(len(row_W), dtype=np.int64), np.zeros(len(supply.group_T), dtype=np.int64)
    labels, scope_T = np.unique(supply.scope_T, return_inverse=True)
    label_W = wanted.scope_R[row_W]
    scope_W = np.minimum(np.searchsorted(labels, label_W), len(labels) - 1)
    return np.where(labels[scope_W] == label_W, scope_W, -1), scope_T


def _dense(label_W: RowArray, targets: int) -> RowArray:
    """Give labels >= 0 that are small enough to be paired with a target row in one number."""
    if label_W.min() >= 0 and label_W.max() < 2 * len(label_W) and 2 * len(label_W) * targets < _LARGEST:
        return label_W
    return np.unique(label_W, return_inverse=True)[1]


def _cornered(rules: Rules) -> NDArray[np.bool_]:
    """Tell which rows must avoid every target row of their scope."""
    barred_W = np.zeros(len(rules.scope_W), dtype=np.int64)
    for number, place_W in enumerate(rules.avoid):
        new_W = (place_W >= 0) & (rules.scope_T[place_W] == rules.scope_W)
        for earlier_W in rules.avoid[:number]:
            new_W &= earlier_W != place_W
        barred_W += new_W
    return barred_W >= np.bincount(rules.scope_T)[rules.scope_W]


def _target_rows(
    rules: Rules, row_W: RowArray, wanted: Wanted, supply: Supply, *, seed: int, stream: str
) -> RowArray:
    """Give the target row of each row that wants one and has a scope, -1 where it can have none."""
    chance_W = uniforms(seed, f"{stream}.rows", wanted.ids_R[row_W])[:, 0]
    chance_T = uniforms(seed, f"{stream}.targets", supply.ids_T)[:, 0]
    over_W = _too_many(rules, chance_W)
    fit = np.flatnonzero(~over_W)
    some = rules.of(fit) if over_W.any() else rules
    quota_T = scale_quotas(
        supply.quota_T,
        rules.scope_T,
        np.bincount(some.scope_W, minlength=int(rules.scope_T.max()) + 1),
        _limits(some),
        ids_T=supply.ids_T,
        seed=seed,
        stream=f"{stream}.quotas",
    )
    seats = seat(
        scope_W=some.scope_W,
        group_W=wanted.group_R[row_W[fit]],
        beside_W=max(some.apart, key=_crowded, default=None),
        scope_T=rules.scope_T,
        group_T=supply.group_T,
        quota_T=quota_T,
        chance_W=chance_W[fit],
        seed=seed,
        stream=stream,
    )
    target_W = np.full(len(row_W), -1, dtype=np.int64)
    target_W[fit] = repair(some, seats, quota_T, wanted.ids_R[row_W[fit]], seed=seed, stream=stream)
    target_W = augment(rules, target_W, fit[target_W[fit] < 0], quota_T, chance_T)
    if len(failed := fit[target_W[fit] < 0]):
        target_W = augment(rules, target_W, _beside(rules, np.flatnonzero(over_W), failed), quota_T, chance_T)
    return target_W


def _too_many(rules: Rules, chance_W: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which rows are more than target rows under their label and scope; which of them is by chance."""
    targets_S, over_W = np.bincount(rules.scope_T), np.zeros(len(chance_W), dtype=np.bool_)
    for label_W in rules.apart:
        row = np.flatnonzero((np.bincount(label_W)[label_W] > targets_S[rules.scope_W]) & ~over_W)
        scope, label = rules.scope_W[row], label_W[row]
        order = np.lexsort((chance_W[row], label, scope))
        starts = np.ones(len(row), dtype=np.bool_)
        starts[1:] = (np.diff(scope[order]) != 0) | (np.diff(label[order]) != 0)
        place = np.arange(len(row)) - np.flatnonzero(starts)[np.cumsum(starts) - 1]
        over_W[row[order[place >= targets_S[scope[order]]]]] = True
    return over_W


def _limits(rules: Rules) -> RowArray:
    """Give the most rows that may hold one target row of each scope: rows that are pairwise not apart."""
    scopes = int(rules.scope_T.max()) + 1
    limit_S = np.bincount(rules.scope_W, minlength=scopes)
    for label_W in rules.apart:
        labels = int(label_W.max(initial=0)) + 1
        pair_W = np.sort(rules.scope_W * labels + label_W)
        scope_U = pair_W[np.diff(pair_W, prepend=-1) != 0] // labels
        limit_S = np.minimum(limit_S, np.bincount(scope_U, minlength=scopes))
    return limit_S


def _crowded(label_W: RowArray) -> float:
    """Tell how many pairs of rows have equal labels; 0 where there is one label only."""
    rows_B = np.bincount(label_W).astype(np.float64)
    return 0.0 if (rows_B > 0).sum() < 2 else float(np.square(rows_B).sum())


def _beside(rules: Rules, row: RowArray, failed: RowArray) -> RowArray:
    """Give rows that share scope and a label with one that failed: they may fit in its stead."""
    near = np.zeros(len(row), dtype=np.bool_)
    for label_W in rules.apart:
        pair_W = rules.scope_W * (int(label_W.max()) + 1) + label_W
        near |= np.isin(pair_W[row], pair_W[failed])
    return row[near]
