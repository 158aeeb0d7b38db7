"""A small encoded database whose tables point at rows of others, and whose truth is known."""

from __future__ import annotations

import numpy as np

from kinsynth.encoded import (
    FIRST_GROUP,
    ITSELF,
    NONE,
    OWNER,
    ChildCount,
    Encoded,
    EncodedTable,
    Grouping,
    Link,
    Pointer,
    SubColumn,
)
from kinsynth.engine.layout import TableLayout, describe_table
from kinsynth.engine.passes import Assign, plan_steps
from kinsynth.engine.pointing import assign_keys
from kinsynth.engine.store import Store


def by_code(sub_column: int, cardinality: int) -> Grouping:
    """One group for each code of one sub-column."""
    nodes, left, below, group = [], [], [], []
    for code in range(cardinality - 1):
        here = len(nodes)
        nodes += [sub_column, -1]
        left += [(code,), ()]
        below += [(here + 1, here + 2), (-1, -1)]
        group += [-1, code]
    arrays = ([*nodes, -1], [*below, (-1, -1)], [*group, cardinality - 1])
    node_N, below_N2, group_N = (np.array(array, dtype=np.int64) for array in arrays)
    return Grouping(node_N, (*left, ()), below_N2.reshape(-1, 2), group_N)


def table(columns, parent=None, parent_R=None, counts=(), **more) -> EncodedTable:
    """Columns are arrays of codes; ``counts`` are (name, array of counts), coded one by one."""
    arrays = [*columns, *(counted for _, counted in counts)]
    codes = np.stack(arrays, 1).astype(np.int32)
    subs = tuple(SubColumn(c, int(codes[:, c].max(initial=1)) + 1) for c in range(codes.shape[1]))
    ranges = [np.arange(subs[len(columns) + c].cardinality) for c in range(len(counts))]
    made = tuple(
        ChildCount(name, len(columns) + c, ranges[c], ranges[c]) for c, (name, _) in enumerate(counts)
    )
    return EncodedTable(codes, subs, parent, parent_R, made, **more)


def keys_table(of: str, owner: EncodedTable, pointers, rows, group_of, *, late: bool = False) -> EncodedTable:
    """The table of keys of rows; for each pointer the row pointed at, and the groups of the target's rows."""
    tokens = []
    for pointer, row_R, group_T in zip(pointers, rows, group_of, strict=True):
        token_R = np.where(row_R < 0, NONE, FIRST_GROUP + group_T[row_R])
        if pointer.target == of:
            token_R = np.where(row_R == np.arange(len(row_R)), ITSELF, token_R)
        tokens.append(token_R)
    subs = tuple(
        SubColumn(
            number,
            FIRST_GROUP + pointer.grouping.groups,
            forbidden_K=np.array(
                [not pointer.nullable, pointer.target != of, True] + [False] * pointer.grouping.groups
            ),
        )
        for number, pointer in enumerate(pointers)
    )
    links = (Link(of, np.arange(owner.rows)),) if late else ()
    return EncodedTable(
        np.stack(tokens, 1).astype(np.int32),
        subs,
        owner.parent,
        owner.parent_R,
        keys_of=of,
        pointers=tuple(pointers),
        links=links,
    )


def counted(row_R: np.ndarray, rows: int) -> np.ndarray:
    return np.bincount(row_R[row_R >= 0], minlength=rows)


BOUGHT = Pointer("orders.product", "products", by_code(0, 3), nullable=False)
GIVEN = Pointer("orders.gift", "products", by_code(0, 3), nullable=True, avoid=((0,),))
LIKED = Pointer("likes.product", "products", by_code(0, 3), nullable=False, apart=(((OWNER,),),))
WORKS = Pointer("staff.department", "departments", by_code(0, 2), nullable=False)
BOSS = Pointer("staff.boss", "staff", by_code(0, 2), nullable=True, level="staff.boss (level)")
SEAT = Pointer("desks.staff", "staff", by_code(0, 2), nullable=False, apart=((),))
HEAD = Pointer("departments.head", "staff", by_code(0, 2), nullable=True, scopes=(((), (0,)),))


def company(seed: int = 0, customers: int = 500, products: int = 100, staff: int = 500) -> Encoded:
    """Customers order and like products; staff works in departments, has bosses and heads departments.

    Customers buy products of the colour they like; an order's shade is the product's colour, its second
    code tells whether it has a gift of the same colour, never the same product; its stamps have its shade.
    Nobody likes a product twice. Staff of departments of kind 1 has role 1; the level of a boss is one less.
    The head of a department works in it. A desk stands on the floor of the department of the one who sits
    there; nobody has two.
    """
    rng = np.random.default_rng(seed)
    colour = rng.integers(0, 3, products)
    weight = rng.exponential(size=products)
    taste = rng.integers(0, 3, customers)

    def choose(wanted: int, number: int, *, but: int = -1) -> np.ndarray:
        weight_P = weight * (colour == wanted) * (np.arange(products) != but)
        return rng.choice(products, number, replace=False, p=weight_P / weight_P.sum())

    orders, likes = rng.integers(0, 6, customers), rng.integers(0, 4, customers)
    order_parent, like_parent = (np.repeat(np.arange(customers), count) for count in (orders, likes))
    bought = np.array([choose(taste[c], 1)[0] for c in order_parent])
    has_gift = rng.random(len(bought)) < 0.4
    gift = np.array(
        [choose(colour[b], 1, but=b)[0] if g else -1 for b, g in zip(bought, has_gift, strict=True)]
    )
    liked = np.concatenate([choose(taste[c], n) for c, n in enumerate(likes)]).astype(np.int64)
    stamps = rng.integers(0, 3, len(bought))
    product = table(
        [colour],
        counts=[
            (BOUGHT.key, counted(bought, products)),
            (GIVEN.key, counted(gift, products)),
            (LIKED.key, counted(liked, products)),
        ],
    )
    customer = table([taste], counts=[("orders", orders), ("likes", likes)])
    order = table(
        [colour[bought], has_gift],
        "customers",
        order_parent,
        counts=[("stamps", stamps)],
        links=(Link("products", bought), Link("products", gift)),
    )
    stamp_parent = np.repeat(np.arange(len(bought)), stamps)
    stamp = table([colour[bought][stamp_parent]], "orders", stamp_parent)
    like = table([colour[liked]], "customers", like_parent, links=(Link("products", liked),))
    order_keys = keys_table("orders", order, (BOUGHT, GIVEN), (bought, gift), (colour, colour))
    like_keys = keys_table("likes", like, (LIKED,), (liked,), (colour,))
    return Encoded(
        {
            "products": product,
            "customers": customer,
            "orders (keys)": order_keys,
            "orders": order,
            "stamps": stamp,
            "likes (keys)": like_keys,
            "likes": like,
            **_workforce(rng, staff),
        }
    )


def _workforce(rng: np.random.Generator, staff: int) -> dict[str, EncodedTable]:
    departments = 40
    kind, floor = np.arange(departments) % 2, rng.integers(0, 2, departments)
    works = rng.integers(0, departments, staff)
    level = rng.choice(3, staff, p=[0.1, 0.3, 0.6])
    bosses = [np.flatnonzero(level == above) for above in range(2)]
    bosses = [some[: max(1, len(some) // 2)] for some in bosses]
    boss = np.array([-1 if own == 0 else rng.choice(bosses[own - 1]) for own in level])
    head = np.array([rng.choice(np.append(np.flatnonzero(works == one), -1)) for one in range(departments)])
    role = kind[works]
    seated = rng.permutation(staff)[: staff // 2]
    desk = table([floor[works[seated]]], links=(Link("staff", seated),))
    person = table(
        [role],
        counts=[
            (BOSS.key, counted(boss, staff)),
            (BOSS.level, level),
            (HEAD.key, counted(head, staff)),
            (SEAT.key, counted(seated, staff)),
        ],
        links=(Link("departments", works),),
    )
    department = table([kind, floor], counts=[(WORKS.key, counted(works, departments))])
    return {
        "departments": department,
        "departments (late keys)": keys_table(
            "departments", department, (HEAD,), (head,), (role,), late=True
        ),
        "staff (keys)": keys_table("staff", person, (WORKS,), (works,), (kind,)),
        "staff": person,
        "staff (late keys)": keys_table("staff", person, (BOSS,), (boss,), (role,), late=True),
        "desks (keys)": keys_table("desks", desk, (SEAT,), (seated,), (role,)),
        "desks": desk,
    }


THREAD = Pointer(
    "notes.answered",
    "notes",
    Grouping.whole(),
    nullable=False,
    scopes=(((OWNER,), (OWNER,)),),
    level="notes.answered (level)",
)


def threads(pages: int = 200, seed: int = 0) -> Encoded:
    """Notes on pages answer notes on the same page; the first ones answer themselves."""
    rng = np.random.default_rng(seed)
    notes = rng.integers(0, 7, pages)
    parent_R = np.repeat(np.arange(pages), notes)
    index_R = np.arange(len(parent_R)) - np.searchsorted(parent_R, parent_R)
    answered = np.arange(len(parent_R)) - np.where(
        index_R == 0, 0, rng.integers(1, np.maximum(index_R, 1) + 1)
    )
    level = np.zeros(len(parent_R), dtype=np.int64)
    for row in np.flatnonzero(index_R > 0):
        level[row] = level[answered[row]] + 1
    note = table(
        [rng.integers(0, 2, len(parent_R))],
        "pages",
        parent_R,
        counts=[(THREAD.key, counted(answered, len(parent_R))), (THREAD.level, level)],
    )
    page = table([rng.integers(0, 2, pages)], counts=[("notes", notes)])
    none = np.zeros(note.rows, dtype=np.int64)
    late = keys_table("notes", note, (THREAD,), (answered,), (none,), late=True)
    return Encoded({"pages": page, "notes": note, "notes (late keys)": late})


STANDS = Pointer("desks.room", "rooms", by_code(0, 2), nullable=False)
HANGS = Pointer("lamps.room", "rooms", by_code(0, 2), nullable=True)
SITS = Pointer("people.desk", "desks", by_code(0, 2), nullable=True)
LIT = Pointer("people.lamp", "lamps", by_code(0, 2), nullable=False, scopes=(((0, 0), (0,)),))


def rooms(*, lamps_without_a_room: bool = False, people: int = 800, seed: int = 0) -> Encoded:
    """People have a lamp, some a desk of the same room; perhaps some lamps are in no room."""
    rng = np.random.default_rng(seed)
    rooms, things, colour = 20, 100, np.arange(100) % 2
    stands, hangs = np.arange(things) % rooms, np.arange(things) % rooms
    if lamps_without_a_room:
        hangs = np.where(np.arange(things) % 5 == 4, -1, hangs)
    sits = np.where(rng.random(people) < 0.5, rng.integers(0, things, people), -1)
    lit = np.array(
        [rng.choice(np.flatnonzero((hangs == stands[desk]) | (hangs < 0) | (desk < 0))) for desk in sits]
    )
    room = table(
        [np.arange(rooms) % 2],
        counts=[(STANDS.key, counted(stands, rooms)), (HANGS.key, counted(hangs, rooms))],
    )
    desk = table([colour], counts=[(SITS.key, counted(sits, things))], links=(Link("rooms", stands),))
    lamp = table([colour], counts=[(LIT.key, counted(lit, things))], links=(Link("rooms", hangs),))
    person = table([colour[lit]], links=(Link("desks", sits), Link("lamps", lit)))
    kind = np.arange(rooms) % 2
    return Encoded(
        {
            "rooms": room,
            "desks (keys)": keys_table("desks", desk, (STANDS,), (stands,), (kind,)),
            "desks": desk,
            "lamps (keys)": keys_table("lamps", lamp, (HANGS,), (hangs,), (kind,)),
            "lamps": lamp,
            "people (keys)": keys_table("people", person, (SITS, LIT), (sits, lit), (colour, colour)),
            "people": person,
        }
    )


def layouts_of(encoded: Encoded) -> dict[str, TableLayout]:
    return {name: describe_table(encoded, name) for name in encoded.tables}


def store_of(encoded: Encoded, *, block: int = 64, seed: int = 1) -> Store:
    """A store that holds the codes of a database as if they had been drawn, its keys assigned anew."""
    store = Store(layouts_of(encoded))
    for step in plan_steps(store.layouts):
        if isinstance(step, Assign):
            assign_keys(store, step.keys, seed=seed)
            continue
        name = step.table
        made = encoded.tables[name]
        if not store.has_rows(name):
            if made.parent_R is None:
                store.lay_roots(name, made.rows, block)
            else:
                parents = encoded.tables[made.parent].rows
                store.lay_children(name, np.bincount(made.parent_R, minlength=parents))
        store.open(name)
        for number in range(store.frame(name).blocks):
            store.fill(name, number, made.codes_RC[store.frame(name).block(number)])
    return store
