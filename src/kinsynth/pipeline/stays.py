"""Stays: columns that keep one value over all child rows of a parent: which do, and how parents say so.

A child row is drawn from the rows before it, and a small chance to part from them adds up over a sequence. So
parents say beforehand whether a column stays the same, in a summary with two codes; nothing is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import Numbers, SketchCodec, build_sketch
from kinsynth.columns.storage import as_array
from kinsynth.encoded import ALWAYS, AS_BEFORE, Stay
from kinsynth.privacy.protection import Roots, has_few_roots
from kinsynth.schema.chance import nats

CONSTANT = "constant"
STAYING = ("column", "reference", "sequence")
SEVERAL = 2  # rows from which on they agree or do not
ANSWERS = 3  # fewer rows, not the same, the same
MOST_STAYS = 16
FEWEST_THAT_SAY = 100  # parents of several rows: of fewer, shares say little
PARENTS_OF_ANSWER = (
    150  # of fewer for each answer, what a parent says is a fingerprint, and children are worse
)
LEAST_BEYOND_CHANCE = 0.01
NEARLY_ALL = 0.995


@dataclass(frozen=True)
class Stays:
    """Which columns of a child table stay the same.

    Attributes:
        said: What its parents say: one summary for each column that stays the same for some of them.
        always: First columns of the factors that stay the same for all.
    """

    said: tuple[SketchCodec, ...] = ()
    always: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """First columns of the factors, those first that stay the same for most parents."""
        said = sorted(self.said, key=lambda one: -int(one.mass_K[-1]))
        return (*self.always, *(one.column for one in said))


def are_constant(columns: tuple[pa.Array, ...], parent_R: Rows, parents: int) -> Numbers:
    """Tell for each parent whether its rows agree on some columns; a missing value is a value of its own.

    Args:
        columns: Values of the columns, each of length R.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        parents: Number of parents P.

    Returns:
        1 or 0, NaN for a parent with fewer than two rows, shape (P,).

    >>> are_constant((pa.array([1, 1, None, None, 2, 3]),), np.array([0, 0, 1, 1, 3, 3]), 4)
    array([ 1.,  1., nan,  0.])
    """
    count_P = np.bincount(parent_R, minlength=parents)
    sibling_R = parent_R[1:] == parent_R[:-1]
    breaks_R = sibling_R & ~np.logical_and.reduce([repeats(column) for column in columns])
    broken_P = np.bincount(parent_R[1:][breaks_R], minlength=parents) > 0
    return np.where(count_P < SEVERAL, np.nan, (~broken_P).astype(np.float64))


def repeats(values: pa.Array) -> NDArray[np.bool_]:
    """Tell which values, from the second on, equal the one before; missing equals missing."""
    after, before = values.slice(1), values.slice(0, max(len(values) - 1, 0))
    equal = pc.fill_null(pc.equal(after, before), False)
    both = pc.and_(pc.is_null(after), pc.is_null(before))
    found: NDArray[np.bool_] = pc.or_(equal, both).to_numpy(zero_copy_only=False)
    return found


def find_stays(
    table: pa.Table,
    groups: Mapping[str, tuple[str, ...]],
    parent_R: Rows,
    root_P: Roots,
    *,
    minimum: int,
) -> Stays:
    """Find the columns of a child table that stay the same for more parents, or fewer, than by chance.

    Few parents say nothing; what stays for all need not be said.

    Args:
        table: Its rows, in arranged order.
        groups: Columns of each factor that may stay, by its first column.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        root_P: Number of each parent's root, shape (P,), or own roots.
        minimum: Roots needed behind what a parent says.
    """
    parents = len(root_P)
    count_P = np.bincount(parent_R, minlength=parents)
    several_P = count_P >= SEVERAL
    if not several_P.any():
        return Stays()
    said: list[tuple[float, SketchCodec]] = []
    always: list[str] = []
    for name, columns in groups.items():
        values = tuple(as_array(table[column]) for column in columns)
        constant_P = are_constant(values, parent_R, parents)
        chance_P = _chances(values[0], count_P)
        beyond, codec = _beyond_chance(constant_P[several_P], chance_P[several_P]), None
        if _is_rule(constant_P, chance_P, several_P, root_P, minimum):
            always.append(name)
        elif beyond > LEAST_BEYOND_CHANCE:
            codec = build_stay(constant_P, root_P, name, minimum=minimum)
        if codec is not None:
            said.append((beyond, codec))
    said.sort(key=lambda one: -one[0])
    most = most_stays(int(np.count_nonzero(several_P)))
    return Stays(tuple(codec for _, codec in said[:most]), tuple(always))


def most_stays(several: int) -> int:
    """Give of how many columns of a child table parents say whether they stay the same.

    Args:
        several: Parents of several rows.

    >>> most_stays(90), most_stays(100), most_stays(925), most_stays(100_000)
    (0, 1, 6, 16)
    """
    return min(MOST_STAYS, max(1, several // PARENTS_OF_ANSWER)) if several >= FEWEST_THAT_SAY else 0


def _chances(values: pa.Array, count_P: Rows) -> Numbers:
    """Give the chance that as many independent rows as each parent has would agree, shape (P,)."""
    rows_D = pc.value_counts(values).field("counts").to_numpy(zero_copy_only=False)
    share_U, times_U = np.unique(rows_D / max(len(values), 1), return_counts=True)
    count_N, place_P = np.unique(count_P, return_inverse=True)
    chance_N = np.array([(times_U * share_U**count).sum() for count in np.maximum(count_N, 1)])
    chance_P: Numbers = np.minimum(chance_N, 1.0)[place_P]
    return chance_P


def _beyond_chance(constant_P: Numbers, chance_P: Numbers) -> float:
    """Give how far the share of parents lies from what chance makes it; 0 where chance may explain it."""
    beyond = abs(float(constant_P.mean() - chance_P.mean()))
    error = float(np.sqrt((chance_P * (1 - chance_P)).sum()) / len(chance_P))
    return beyond if beyond > 2 * error else 0.0


def _is_rule(
    constant_P: Numbers, chance_P: Numbers, several_P: NDArray[np.bool_], root_P: Roots, minimum: int
) -> bool:
    """Tell whether all parents agree, but for too few to speak of, and by no accident."""
    other_P = constant_P == 0
    if has_few_roots(several_P, root_P, minimum=minimum):
        return False
    if constant_P[several_P].mean() < NEARLY_ALL or not has_few_roots(other_P, root_P, minimum=minimum):
        return False
    evidence = -np.log(np.maximum(chance_P[several_P & ~other_P], np.finfo(float).tiny)).sum()
    return bool(evidence >= nats())


def build_stay(constant_P: Numbers, root_P: Roots, column: str, *, minimum: int) -> SketchCodec | None:
    """Make what parents say of a column; None where too few roots stand behind yes or behind no."""
    codec = build_sketch(
        constant_P, root_P, column=column, statistic=CONSTANT, ordered=False, cells=2, minimum=minimum
    )
    return codec if codec is not None and codec.edge_K.tolist() == [0.0, 1.0] else None


def stay_of(codec: object, span: slice, *, said: int = ALWAYS, says: SketchCodec | None = None) -> Stay:
    """Tell the engine of a column that stays the same.

    Args:
        codec: How the column becomes codes.
        span: Its sub-columns.
        said: Position of the sub-column of the parent that says so, or ``ALWAYS``.
        says: How the parent's sub-column becomes codes.
    """
    places = range(span.start, span.stop)
    pairs = [(place, AS_BEFORE) for place in places]
    if isinstance(codec, SequenceCodec):
        # The gap comes first: a row that is not to repeat the one before parts from it there.
        pairs = [(span.start + place, code) for place, code in codec.repeated()]
    columns, again = zip(*pairs, strict=True)
    if says is None:
        return Stay(columns, again)
    other, same = says.encode((pa.array([0.0, 1.0]),))[:, 0].tolist()
    return Stay(columns, again, said, same, other)
