"""Small encoded databases whose truth is known."""

from __future__ import annotations

import numpy as np

from kinsynth.encoded import (
    FIRST_GROUP,
    NONE,
    ChildCount,
    Encoded,
    EncodedTable,
    Grouping,
    Link,
    Pointer,
    SubColumn,
)
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


def encode(columns, sizes, parent=None, parent_R=None, **more) -> EncodedTable:
    """Put columns of codes together to a table."""
    subs = tuple(SubColumn(number, size) for number, size in enumerate(sizes))
    return EncodedTable(np.stack(columns, 1).astype(np.uint8), subs, parent, parent_R, **more)


def count(child: str, sub_column: int, most: int) -> ChildCount:
    """A count whose codes are the counts."""
    return ChildCount(child, sub_column, np.arange(most + 1), np.arange(most + 1))


def grouping(sub_column: int, codes: int, groups: int) -> Grouping:
    """A chain that tells ranges of codes of one sub-column apart."""
    nodes = 2 * groups - 1
    asked_N, group_N = np.full(nodes, -1), np.full(nodes, -1)
    below_N2 = np.full((nodes, 2), -1)
    left: list[tuple[int, ...]] = [()] * nodes
    asked_N[0:-1:2], group_N[1::2], group_N[-1] = sub_column, np.arange(groups - 1), groups - 1
    for group in range(groups - 1):
        below_N2[2 * group] = 2 * group + 1, 2 * group + 2
        left[2 * group] = tuple(code for code in range(codes) if code * groups // codes <= group)
    return Grouping(asked_N, tuple(left), below_N2, group_N)


def market(sellers: int = 300, seed: int = 0) -> Encoded:
    """Lines of orders point to products, which sellers own; reviews are roots that point to lines.

    A third of the lines points at no product. A line's kind, of 8 codes, is its product's, or 8 for none; its
    duty, of 4, is the region of its product's seller, or 4. Its one part repeats its kind. A review's mood is
    the channel of its line's order, or 3 for none. A table of keys says of each line whether it points at
    none or at a product of the lower or upper half of kinds.
    """
    rng = np.random.default_rng(seed)
    region, seller_R = rng.integers(0, 4, sellers), np.repeat(np.arange(sellers), 2)
    kind, orders = rng.integers(0, 8, len(seller_R)), 2 * sellers
    channel, lines = rng.integers(0, 3, orders), rng.integers(1, 4, orders)
    order_R = np.repeat(np.arange(orders), lines)
    product_R = rng.integers(0, len(kind), len(order_R))
    product_R[rng.random(len(order_R)) < 1 / 3] = -1
    known_R = product_R >= 0
    line_kind = np.where(known_R, kind[product_R], 8)
    duty = np.where(known_R, region[seller_R[product_R]], 4)
    reviewed_R = rng.integers(-1, len(order_R), len(order_R))
    reviewed_R[::4] = -1
    mood = np.where(reviewed_R >= 0, channel[order_R[reviewed_R]], 3)
    sold = np.bincount(product_R[known_R], minlength=len(kind))
    most = int(sold.max())
    token = np.where(known_R, FIRST_GROUP + line_kind // 4, NONE)
    pointer = Pointer(
        "sold", "products", grouping(0, 8, 2), nullable=True, avoid=((-1, 0),), apart=((), ((-1,),))
    )
    one_R = np.ones(len(order_R), dtype=np.int64)
    return Encoded(
        {
            "sellers": encode([region, region * 0 + 2], [4, 3], counts=(count("products", 1, 2),)),
            "products": encode(
                [kind, sold], [8, most + 1], "sellers", seller_R, counts=(count("sold", 1, most),)
            ),
            "orders": encode([channel, lines], [3, 4], counts=(count("lines", 1, 3),)),
            "lines (keys)": encode(
                [token], [FIRST_GROUP + 2], "orders", order_R, keys_of="lines", pointers=(pointer,)
            ),
            "lines": encode(
                [line_kind, duty, one_R],
                [9, 5, 2],
                "orders",
                order_R,
                counts=(count("parts", 2, 1),),
                links=(Link("products", product_R),),
            ),
            "parts": encode([line_kind], [9], "lines", np.arange(len(order_R))),
            "reviews": encode([mood], [4], links=(Link("lines", reviewed_R),)),
        }
    )


def staff(rows: int = 1000, seed: int = 0) -> Encoded:
    """A root table whose rows point at others of their own of 4 departments, by a late table of keys."""
    rng = np.random.default_rng(seed)
    department = rng.integers(0, 4, rows)
    department[:4] = np.arange(4)
    leader = np.arange(rows) < 4
    managed = np.where(leader, 3, 0)
    counts = (ChildCount("manager", 1, np.zeros(4, np.int64), np.full(4, rows)), count("level", 2, 1))
    pointer = Pointer("manager", "staff", grouping(0, 4, 4), nullable=True, level="level")
    token = np.where(leader, NONE, FIRST_GROUP + department)
    own = Link("staff", np.arange(rows))
    return Encoded(
        {
            "staff": encode([department, managed, ~leader], [4, 4, 2], counts=counts),
            "staff (late keys)": encode(
                [token], [FIRST_GROUP + 4], keys_of="staff", links=(own,), pointers=(pointer,)
            ),
        }
    )


def guests(roots: int = 600, seed: int = 0) -> Encoded:
    """Buyers, their orders in rising order and those of nobody, and lines of orders and of nothing.

    Orders have the colour of their buyer, those of nobody colour 3; lines have the colour of their order and
    say whether it has a buyer, lines of nothing have colour 4.
    """
    rng = np.random.default_rng(seed)
    colour, orders = rng.integers(0, 3, roots), rng.integers(0, 4, roots)
    buyers = encode([colour, orders], [3, 4], counts=(ChildCount("orders", 1, np.arange(4), np.arange(4)),))
    of, nobody = np.repeat(np.arange(roots), orders), roots // 2
    order_colour = np.append(colour[of], np.full(nobody, 3))
    lines = rng.integers(0, 3, len(order_colour))
    order = encode(
        [order_colour, lines],
        [4, 3],
        "buyers",
        np.append(of, roots + np.arange(nobody)),
        alone=nobody,
        ordered=True,
        counts=(ChildCount("lines", 1, np.arange(3), np.arange(3)),),
    )
    under, nothing = np.repeat(np.arange(order.rows), lines), roots // 3
    line_colour = np.append(order_colour[under], np.full(nothing, 4))
    bought = np.append(under < order.owned, np.zeros(nothing, dtype=bool)).astype(np.int64)
    parents = np.append(under, order.rows + np.arange(nothing))
    line_ = encode([line_colour, bought], [5, 2], "orders", parents, alone=nothing)
    return Encoded({"buyers": buyers, "orders": order, "lines": line_})
