"""Small encoded databases whose truth is known."""

from __future__ import annotations

import numpy as np

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine.sizing import TablePlan

QUICK = TablePlan(
    batch_size=256, max_steps=240, validation_steps=60, patience=4, block_size=256, dropout=0.0, window=64
)


def line(cardinality: int) -> np.ndarray:
    return np.linspace(0, 1, cardinality, dtype=np.float32)


def missing_together(rows: int = 3000, seed: int = 0) -> Encoded:
    """A has 4 codes; B is missing (code 5) exactly when A is 2."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, rows), rng.integers(0, 5, rows)
    codes = np.stack([a, np.where(a == 2, 5, b)], 1).astype(np.int32)
    subs = (SubColumn(0, 4), SubColumn(1, 6, np.append(line(5), np.nan).astype(np.float32)))
    return Encoded({"people": EncodedTable(codes, subs)})


def family(roots: int = 600, seed: int = 0) -> Encoded:
    """A root with two child tables and a grandchild.

    Children ``steps`` count up by one from a start that the parent names; ``notes`` repeat the parent's
    colour; the number of steps is 1, 2 or 5 to 8; ``leaves`` under steps say whether the root has any note.
    """
    rng = np.random.default_rng(seed)
    colour = rng.integers(0, 3, roots)
    step_code = rng.integers(0, 3, roots)
    note_code = (rng.random(roots) < 0.5).astype(np.int64)
    low, high = np.array([1, 2, 5]), np.array([1, 2, 8])
    steps = rng.integers(low[step_code], high[step_code] + 1)
    notes = note_code * 2
    root = EncodedTable(
        np.stack([colour, step_code, note_code], 1).astype(np.int32),
        (SubColumn(0, 3), SubColumn(1, 3), SubColumn(2, 2)),
        counts=(
            ChildCount("notes", 2, np.array([0, 2]), np.array([0, 2])),
            ChildCount("steps", 1, low, high),
        ),
    )
    note_parent = np.repeat(np.arange(roots), notes)
    note = EncodedTable(
        np.stack([colour[note_parent], rng.integers(0, 2, len(note_parent))], 1).astype(np.int32),
        (SubColumn(0, 3), SubColumn(1, 2)),
        "root",
        note_parent,
    )
    step_parent = np.repeat(np.arange(roots), steps)
    index = np.arange(len(step_parent)) - np.searchsorted(step_parent, step_parent)
    place = colour[step_parent] * 4 + index
    leaf_code = rng.integers(0, 2, len(place))
    step = EncodedTable(
        np.stack([place, leaf_code], 1).astype(np.int32),
        (SubColumn(0, 16, line(16)), SubColumn(1, 2)),
        "root",
        step_parent,
        counts=(ChildCount("leaves", 1, np.array([0, 1]), np.array([0, 1])),),
        ordered=True,
    )
    leaf_parent = np.flatnonzero(leaf_code)
    leaf = EncodedTable(
        note_code[step_parent[leaf_parent]][:, None].astype(np.int32),
        (SubColumn(0, 2),),
        "steps",
        leaf_parent,
    )
    return Encoded({"root": root, "notes": note, "steps": step, "leaves": leaf})
