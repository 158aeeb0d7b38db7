"""A made-up shop where one order in five has no customer: guests buy at the kiosk, with few lines each."""

from __future__ import annotations

import datetime as dt
from random import Random

import pyarrow as pa

START = dt.date(2020, 1, 1)
GUESTS = 0.2


def make_guests(customers: int, *, seed: int = 1) -> dict[str, pa.Table]:
    """Make customers, their orders and those of guests, and the lines of all orders."""
    chance = Random(seed)
    people: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    lines: list[tuple[object, ...]] = []
    for number in range(customers):
        segment = chance.choice(("firm", "person", "person"))
        since = START + dt.timedelta(days=chance.randrange(1000))
        people.append((number, segment, since))
        day, device = since, chance.choice(("phone", "desk"))
        several = chance.random() < 0.3
        for _ in range(min(chance.randrange(1, 6) if segment == "person" else chance.randrange(4, 10), 9)):
            day += dt.timedelta(days=chance.randrange(0, 60))
            used = chance.choice(("phone", "desk")) if several else device
            amount = round(chance.gauss(900 if segment == "firm" else 100, 20), 1)
            orders.append((number, day, chance.choice(("web", "app")), used, amount))
    guests = round(len(orders) * GUESTS / (1 - GUESTS))
    for _ in range(guests):
        day = START + dt.timedelta(days=1000 + chance.randrange(500))
        orders.append(
            (None, day, chance.choice(("kiosk", "kiosk", "web")), "till", round(chance.gauss(20, 5), 1))
        )
    chance.shuffle(orders)
    for number, order in enumerate(orders):
        for _ in range(1 if order[0] is None else chance.randrange(1, 5)):
            wares = ("bread", "milk") if order[0] is None else ("desk", "lamp", "chair")
            lines.append((number, chance.choice(wares), chance.randrange(1, 9)))
    return {
        "customers": _table(people, ("id", "segment", "since")),
        "orders": _table(
            [(number, *order) for number, order in enumerate(orders)],
            ("id", "customer_id", "placed", "channel", "device", "amount"),
        ),
        "lines": _table(
            [(number, *line) for number, line in enumerate(lines)], ("id", "order_id", "ware", "pieces")
        ),
    }


def _table(rows: list[tuple[object, ...]], names: tuple[str, ...]) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
