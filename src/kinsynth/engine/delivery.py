"""Delivery: hands on what a store holds, block by block, without the rows that must be taken out. No torch.

Shape letters: R rows, C sub-columns, P parents, T rows of a target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from kinsynth.encoded import EncodedTable, RowArray
from kinsynth.engine.layout import find_levels
from kinsynth.engine.prune import renumber
from kinsynth.engine.sampled import SampledBlock, SampledTable
from kinsynth.engine.store import Store


def deliver(store: Store, root: str) -> Iterator[SampledBlock]:
    """Give the blocks of the rows under one root table, in order, tables of keys left out.

    Args:
        store: All tables, drawn, and their keys, assigned.
        root: Name of the root table.
    """
    names = [name for name, each in store.layouts.items() if each.keys_of is None and each.root == root]
    targets = {each.pointer.target for name in names for each, _, _ in store.keys(name)}
    number_T = {name: renumber(store.dead(name)) for name in targets if store.dead(name).any()}
    levels = (0, *find_levels(store.layouts, root))
    each = store.frame(root).blocks // len(levels)
    for block in range(store.frame(root).blocks):
        tables = {name: _deliver_table(store, name, block, number_T) for name in names}
        yield SampledBlock(root, tables, levels[block // each])


def _deliver_table(store: Store, name: str, block: int, number_T: Mapping[str, RowArray]) -> SampledTable:
    frame, dead_R = store.frame(name), store.dead_of(name, block)
    codes_RC = store.tables[name].codes_RC[frame.block(block)][~dead_R].astype(np.int32)
    layout = store.layouts[name]
    pointed, emptied, lost = _deliver_keys(store, name, block, number_T)
    parent_R, alone = _deliver_parents(store, name, block)
    return SampledTable(
        EncodedTable(
            codes_RC,
            layout.sub_columns,
            layout.parent,
            parent_R,
            layout.counts,
            layout.ordered,
            alone=alone,
        ),
        store.roots(name, block)[~dead_R],
        store.row_ids(name, block)[~dead_R],
        pointed,
        int(dead_R.sum()),
        emptied,
        lost,
    )


def _deliver_parents(store: Store, name: str, block: int) -> tuple[RowArray | None, int]:
    """Give the number of each row's parent among the parents of the block, and the rows without owner."""
    frame, dead_R = store.frame(name), store.dead_of(name, block)
    if frame.parent is None or frame.parent_R is None:
        return None, 0
    rows = frame.block(block)
    if rows.start < rows.stop and rows.start >= frame.owned:
        alone = int((~dead_R).sum())
        return np.arange(alone, dtype=np.int64), alone
    parent_R = frame.parent_R[rows] - store.frame(frame.parent).block(block).start
    kept_R: RowArray = renumber(store.dead_of(frame.parent, block))[parent_R[~dead_R]]
    return kept_R, 0


def _deliver_keys(
    store: Store, name: str, block: int, number_T: Mapping[str, RowArray]
) -> tuple[dict[str, RowArray], dict[str, int], dict[str, int]]:
    """Give for each further key the row of its target, and the rows it was emptied in, or that it cost."""
    rows, dead_R = store.frame(name).block(block), store.dead_of(name, block)
    pointed: dict[str, RowArray] = {}
    emptied: dict[str, int] = {}
    lost: dict[str, int] = {}
    for each, row_R, unresolved_R in store.keys(name):
        key, target = each.pointer.key, each.pointer.target
        given_R = row_R[rows][~dead_R]
        pointed[key] = given_R
        if target in number_T and len(given_R):
            pointed[key] = np.where(given_R < 0, -1, number_T[target][given_R])
        empty_R = (given_R >= 0) & (pointed[key] < 0)
        empty_R |= unresolved_R[rows][~dead_R]
        if empty_R.any():
            emptied[key] = int(empty_R.sum())
        if not each.pointer.nullable and unresolved_R[rows].any():
            lost[key] = int(unresolved_R[rows].sum())
    return pointed, emptied, lost
