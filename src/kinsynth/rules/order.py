"""Orders: a number, date or time that is never above another one; drawn values that are change places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask, Measure, Rows, read_measure, write_measure
from kinsynth.columns.walk import ascend_by_parent
from kinsynth.rules.base import Columns
from kinsynth.rules.evidence import count_present_roots, log_all_ordered
from kinsynth.rules.view import View

FAMILIES = (("integer", "numeric"), ("date",), ("time",), ("datetime",))
FEWEST_VALUES = 3
_NARROW = 0.25
_STANDS_OUT = 0.05
_LARGEST = 2**53


@dataclass(frozen=True)
class Order:
    """``columns[0]`` is at most, or less than, ``columns[1]``.

    Attributes:
        columns: The smaller and the larger one.
        strict: Whether they never are equal.
        measure: Exact measure of both.
        step: Smallest difference of two values, those of few roots aside, ticks.
        bounds: Smallest and largest value of each column that enough roots reach, ticks.
        fixed: Whether the smaller one must not be changed.
        relative: Whether the larger one is better learned as a distance from the smaller one.
        capped: Whether the larger one must not be changed.
    """

    kind: ClassVar[str] = "order"
    draws: ClassVar[int] = 0
    columns: tuple[str, ...]
    strict: bool
    measure: Measure
    step: int
    bounds: tuple[tuple[int, int], tuple[int, int]]
    fixed: bool
    relative: bool
    capped: bool = False

    @property
    def writes(self) -> tuple[str, ...]:
        """Both, or the one that may be changed."""
        return self.columns[int(self.fixed) : 2 - int(self.capped)]

    @property
    def least(self) -> int:
        """Fewest steps between the two."""
        return int(self.strict)

    @property
    def derives(self) -> str | None:
        """Nothing."""
        return None

    @property
    def weaker(self) -> Order | None:
        """The same order, equal values allowed."""
        return replace(self, strict=False) if self.strict else None

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs of one type that are in order in a sample, without those that follow from others."""
        found: set[tuple[str, ...]] = set()
        for family in FAMILIES:
            names = [name for name in view.of_kinds(*family) if len(view.code(name)[1]) >= FEWEST_VALUES]
            found |= {pair for pair in permutations(names, 2) if cls.holds_quickly(view, *pair)}
        yield from _reduced(view, [pair for pair in sorted(found) if cls.fit(view, pair) is not None])

    @classmethod
    def holds_quickly(cls, view: View, small: str, large: str) -> bool:
        """Tell whether two columns of one type are in order in a sample."""
        sample = view.sample
        if view.columns[small].type != view.columns[large].type:
            return False
        return not pc.any(pc.greater(sample.columns[small], sample.columns[large])).as_py()

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Order | None:
        """Make the rule where all rows agree and both columns have the same kind of steps.

        Drawn values that disagree change places, and stay within the protected bounds of their new column.
        """
        small, large = columns
        measure = view.measure(small)
        if measure is None or measure != view.measure(large):
            return None
        (small_R, valid_R), (large_R, other_R) = view.ticks(small), view.ticks(large)
        both_R = valid_R & other_R
        low, high = view.bounds(small), view.bounds(large)
        if not both_R.any() or low is None or high is None or (small_R > large_R)[both_R].any():
            return None
        fixed, capped = small in view.fixed, large in view.fixed
        moved, other = columns if capped else columns[::-1]
        lattice = (1, 0) if measure.kind == "float" else view.lattice(moved)
        if measure.kind != "float" and not _stands_on(view.lattice(other), lattice, coarser=fixed or capped):
            return None
        step, low, high = lattice[0], inside_steps(low, lattice), inside_steps(high, lattice)
        if low[0] > high[1]:
            return None
        strict = bool((small_R < large_R)[both_R].all())
        exact = measure.kind != "float" and max(map(abs, (*low, *high))) < _LARGEST
        if (fixed or capped) and (not exact or fixed == capped):
            return None
        relative = exact and not capped and not (other_R & ~valid_R).any()
        relative = relative and (fixed or _is_close(small_R[both_R], large_R[both_R]))
        return cls(columns, strict, measure, step, (low, high), fixed, relative, capped)

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows that stand the wrong way round."""
        small, large = (view.columns[name] for name in columns)
        if small.type != large.type:
            return 0
        return int(pc.sum(pc.greater(small, large)).as_py() or 0)

    def chance(self, view: View) -> float:
        """Bound the chance that independent values are in order everywhere."""
        both_R = ~(view.missing(self.columns[0]) | view.missing(self.columns[1]))
        small_P, large_P = (view.ticks(name)[0][both_R] for name in self.columns)
        return log_all_ordered(small_P, large_P, count_present_roots(view, *self.columns))

    def broken(self, columns: Columns) -> Mask:
        """Mark rows whose values stand the wrong way round."""
        compare = pc.less if self.strict else pc.less_equal
        kept = compare(*(columns[name] for name in self.columns)).fill_null(True)
        broken_R: Mask = ~kept.to_numpy(zero_copy_only=False)
        return broken_R

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],  # noqa: ARG002
        spare: Columns,  # noqa: ARG002
    ) -> dict[str, pa.Array]:
        """Put the two in order."""
        return put_in_order([self], columns)

    def to_json(self) -> dict[str, Any]:
        """Give names and numbers."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "strict": self.strict,
            "measure": write_measure(self.measure),
            "step": self.step,
            "bounds": [list(pair) for pair in self.bounds],
            "fixed": self.fixed,
            "relative": self.relative,
            "capped": self.capped,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Order:
        """Read what ``to_json`` gave."""
        low, high = (tuple(pair) for pair in document["bounds"])
        fields = {name: document[name] for name in ("strict", "step", "fixed", "relative", "capped")}
        measure = read_measure(document["measure"])
        return cls(tuple(document["columns"]), measure=measure, bounds=(low, high), **fields)


def put_in_order(rules: Sequence[Order], columns: Columns) -> dict[str, pa.Array]:
    """Make the columns of several orders keep all of them.

    Values that stand the wrong way round change places until none do: each exchange moves a larger value to
    a column that comes later, so that this ends. Where one of the two is fixed, the other one goes as far to
    its right side as it was on the wrong one. Then equal values that must differ move apart, step by step.
    """
    order = sort_columns([rule.columns for rule in rules])
    measures = {name: rule.measure for rule in rules for name in rule.columns}
    pairs = {name: measures[name].to_ticks(columns[name]) for name in order}
    before = {name: pair[0] for name, pair in pairs.items()}
    valid = {name: pair[1] for name, pair in pairs.items()}
    tick = {name: values.copy() for name, values in before.items()}
    for rule in (rule for rule in rules if rule.fixed or rule.capped):
        _mirror(rule, tick, valid)
    moving = (rule for rule in rules if not (rule.fixed or rule.capped))
    free = sorted(moving, key=lambda rule: order.index(rule.columns[0]))
    while any(_exchange(rule, tick, valid) for rule in free):
        pass
    for rule in rules:
        for name, (low, high) in zip(rule.columns, rule.bounds, strict=True):
            moved_R = tick[name] != before[name]
            tick[name][moved_R] = np.clip(tick[name][moved_R], low, high)
    _move_apart(rules, order, tick, valid)
    return {
        name: _replaced(columns[name], measures[name], before[name], tick[name], valid[name])
        for name in order
    }


def _mirror(rule: Order, tick: Mapping[str, Rows], valid: Mapping[str, Mask]) -> None:
    """Move the one that is not fixed as far to the right side of the other as it was on the wrong side."""
    small, large = rule.columns
    wrong_R = valid[small] & valid[large] & (tick[small] > tick[large])
    if rule.capped:
        mirrored_R = np.maximum(2 * tick[large] - tick[small], rule.bounds[0][0])
        tick[small][wrong_R] = np.minimum(mirrored_R, tick[large])[wrong_R]
        return
    mirrored_R = np.minimum(2 * tick[small] - tick[large], rule.bounds[1][1])
    tick[large][wrong_R] = np.maximum(mirrored_R, tick[small])[wrong_R]


def _exchange(rule: Order, tick: Mapping[str, Rows], valid: Mapping[str, Mask]) -> bool:
    """Exchange values that stand the wrong way round; tell whether there were any."""
    small, large = rule.columns
    wrong_R = valid[small] & valid[large] & (tick[small] > tick[large])
    tick[small][wrong_R], tick[large][wrong_R] = tick[large][wrong_R], tick[small][wrong_R]
    return bool(wrong_R.any())


def _move_apart(
    rules: Sequence[Order], order: list[str], tick: Mapping[str, Rows], valid: Mapping[str, Mask]
) -> None:
    """Move values apart that are too close: upwards, and where that leaves the bounds, downwards again."""
    raised = [rule for rule in rules if not rule.capped]
    up = sorted(raised, key=lambda rule: order.index(rule.columns[0]))
    down = sorted(rules, key=lambda rule: -order.index(rule.columns[1]))
    touched = {name: np.zeros(len(values), dtype=bool) for name, values in tick.items()}
    for rule in up:
        touched[rule.columns[1]] |= _raise(rule, tick, valid)
    floor = _floors(up, tick, valid)
    for rule in raised:
        name, high = rule.columns[1], rule.bounds[1][1]
        capped_R = np.maximum(np.minimum(tick[name], high), floor[name])
        tick[name][touched[name]] = capped_R[touched[name]]
    for rule in (rule for rule in down if not rule.fixed):
        small, large = rule.columns
        most_R = tick[large] - rule.step * rule.least
        long_R = valid[small] & valid[large] & (tick[small] > most_R)
        tick[small][long_R] = most_R[long_R]


def _floors(up: Sequence[Order], tick: Mapping[str, Rows], valid: Mapping[str, Mask]) -> dict[str, Rows]:
    """Give the least value that fixed columns leave to each column."""
    floor = {name: np.full(len(values), np.iinfo(np.int64).min) for name, values in tick.items()}
    for rule in up:
        small, large = rule.columns
        from_R = tick[small] if rule.fixed else floor[small]
        bound_R = valid[small] & valid[large] & (from_R > np.iinfo(np.int64).min)
        floor[large] = np.where(
            bound_R, np.maximum(floor[large], from_R + rule.step * rule.least), floor[large]
        )
    return floor


def _raise(rule: Order, tick: Mapping[str, Rows], valid: Mapping[str, Mask]) -> Mask:
    """Raise the larger one where it is too low; mark these rows."""
    small, large = rule.columns
    least_R = tick[small] + rule.step * rule.least
    short_R: Mask = valid[small] & valid[large] & (tick[large] < least_R)
    tick[large][short_R] = least_R[short_R]
    return short_R


def sort_columns(pairs: Sequence[tuple[str, ...]]) -> list[str]:
    """Give columns so that each pair stands in order.

    Raises:
        ValueError: The pairs make a circle.

    >>> sort_columns([("b", "c"), ("a", "b")])
    ['a', 'b', 'c']
    """
    left = list(dict.fromkeys(name for pair in pairs for name in pair))
    sorted_names: list[str] = []
    while left:
        free = [n for n in left if not any(p[1] == n and p[0] in left for p in pairs)]
        if not free:
            raise ValueError(f"{pairs}: orders make a circle")
        sorted_names.append(free[0])
        left.remove(free[0])
    return sorted_names


def _replaced(values: pa.Array, measure: Measure, before_R: Rows, tick_R: Rows, valid_R: Mask) -> pa.Array:
    changed_R = valid_R & (before_R != tick_R)
    if not changed_R.any():
        return values
    return pc.if_else(pa.array(changed_R), measure.to_values(tick_R, valid_R), values)


def _reduced(view: View, pairs: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out pairs that follow from two others in every row, and both of two that say equal."""
    known = set(pairs)
    kept = [pair for pair in pairs if pair[::-1] not in known]
    above: dict[str, set[str]] = {}
    for small, large in kept:
        above.setdefault(small, set()).add(large)
    return [pair for pair in kept if not _follows(view, pair, above)]


def _follows(view: View, pair: tuple[str, ...], above: dict[str, set[str]]) -> bool:
    """Tell whether a pair follows in every row from two others, by a column between its own."""
    small, large = pair
    between = [middle for middle in above[small] if large in above.get(middle, ())]
    ends_R = ~(view.missing(small) | view.missing(large))
    return any(not (view.missing(middle) & ends_R).any() for middle in between)


def _is_close(small_P: Rows, large_P: Rows) -> bool:
    """Tell whether distances say much more than values: far less spread, and no value stands out."""
    distance_P = large_P - small_P
    spread, distance_spread = (
        float(np.subtract(*np.quantile(one, [0.9, 0.1]))) for one in (large_P, distance_P)
    )
    most = int(np.unique(large_P, return_counts=True)[1].max())
    narrow = distance_spread < _NARROW * spread and distance_P.max() <= np.ptp(large_P) / 2
    return bool(narrow and most <= _STANDS_OUT * len(large_P))


def _stands_on(small: tuple[int, int], large: tuple[int, int], *, coarser: bool) -> bool:
    """Tell whether two columns have the same steps; a smaller one that never moves may have wider ones.

    >>> _stands_on((14, 10), (7, 3), coarser=True)
    True
    """
    return small == large or (coarser and small[0] % large[0] == 0 and small[1] % large[0] == large[1])


def put_between(rules: Sequence[Order], columns: Columns, name: str, parent_R: Rows) -> pa.Array:
    """Give the order column of a sequence, moved to the right side of what all rows of a parent share.

    Args:
        rules: Orders of the column and one that must not be changed.
        columns: Values by name; the column ascends within each parent, and does so still.
        name: Name of the column.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
    """
    measure = rules[0].measure
    before_R, valid_R = measure.to_ticks(columns[name])
    tick_R = before_R
    for rule in sorted(rules, key=lambda rule: rule.capped):
        other_R, known_R = measure.to_ticks(columns[rule.columns[1 if rule.capped else 0]])
        apart = rule.step * rule.least
        moved_R = np.minimum(tick_R, other_R - apart) if rule.capped else np.maximum(tick_R, other_R + apart)
        tick_R = np.where(valid_R & known_R, moved_R, tick_R)
    tick_R = ascend_by_parent(tick_R, valid_R, parent_R)
    return _replaced(columns[name], measure, before_R, tick_R, valid_R)


def inside_steps(bounds: tuple[int, int], lattice: tuple[int, int]) -> tuple[int, int]:
    """Move bounds inwards to steps: one that lies between them would tell a single person's digits.

    >>> inside_steps((11, 29), (5, 0))
    (15, 25)
    """
    (low, high), (step, remainder) = bounds, lattice
    inner = low + (remainder - low) % step, high - (high - remainder) % step
    return inner if inner[0] <= inner[1] else bounds
