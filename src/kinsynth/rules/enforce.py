"""Enforcement: drawn rows are made to keep every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import pyarrow as pa

from kinsynth.columns.measure import Rows
from kinsynth.rules.base import Columns, Rule
from kinsynth.rules.order import Order, put_in_order
from kinsynth.system.randomness import uniforms

Keep = Callable[[Mapping[str, pa.Array]], dict[str, pa.Array]]


def enforce(
    rules: Sequence[Rule],
    columns: Columns,
    spare: Columns,
    *,
    seed: int,
    stream: str,
    row_ids: Rows,
    keep: Keep = dict,
) -> dict[str, pa.Array]:
    """Give the columns with all rules kept, computed ones included.

    Args:
        rules: Rules in the order of application.
        columns: Drawn values by name.
        spare: Values to fill columns with, by name, one for each row.
        seed: Source of randomness.
        stream: Name of the use.
        row_ids: Number of each row that its random numbers hang on, shape (R,).
        keep: Puts given cells back into columns that a rule wrote.

    Guarantees:
        No row breaks a rule, unless a cell that ``keep`` puts back does. A row's values depend on its
        own drawn values and number only.
    """
    result = dict(columns)
    for number, group in enumerate(_grouped(rules)):
        if isinstance(group, tuple):
            result |= keep(put_in_order(group, result))
            continue
        uniform_RD = uniforms(seed, f"{stream}/{number}", row_ids, draws=max(1, group.draws))
        result |= keep(group.apply(result, uniform_RD, spare))
    return result


def _grouped(rules: Sequence[Rule]) -> Iterator[Rule | tuple[Order, ...]]:
    """Give orders together, other rules one by one."""
    for ordered, group in groupby(rules, key=lambda rule: isinstance(rule, Order)):
        if ordered:
            yield tuple(rule for rule in group if isinstance(rule, Order))
        else:
            yield from group
