"""Roles that the rows suggest: implied keys, owners, and where circles are broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from test_facts import base, payments, to

from kinsynth.schema.database import Database
from kinsynth.schema.ownership import choose_roles
from kinsynth.schema.table import Column, Relation, Schema, Table


def roles(database: Database) -> dict[str, str]:
    undecided = replace(
        database.schema, relations=tuple(replace(one, role="") for one in database.schema.relations)
    )
    chosen = choose_roles(Database(undecided, database.tables, database.origin))
    assert choose_roles(Database(chosen, database.tables, database.origin)) == chosen
    return {f"{one.table}.{one.columns[0]}": one.role for one in chosen.relations}


@pytest.mark.parametrize(("wrong", "role"), [(0, "implied"), (1, "key")])
def test_a_key_that_follows_from_another_in_every_row_is_implied(wrong: int, role: str) -> None:
    found = roles(payments(np.random.default_rng(0), wrong=wrong))
    assert found == {"rental.customer": "owner", "pay.rental": "owner", "pay.customer": role}


def test_a_reference_to_an_original_table_may_be_implied_too() -> None:
    data = payments(np.random.default_rng(0))
    tables = {**data.schema.tables, "customer": replace(data.schema.tables["customer"], original=True)}
    found = roles(Database(replace(data.schema, tables=tables), data.tables, "original"))
    assert found == {"rental.customer": "", "pay.rental": "owner", "pay.customer": "implied"}


@pytest.mark.parametrize("seed", range(20))
def test_what_few_rows_show_is_an_accident(seed: int) -> None:
    """Two shops in two cities, and clerks whose cities are those of their shops in half of the databases."""
    rng = np.random.default_rng(seed)
    city, shop = rng.permutation(2), rng.integers(0, 2, 8)
    database = base(
        {
            "city": {"id": range(2)},
            "shop": {"id": range(2), "city": city},
            "clerk": {"id": range(8), "shop": shop, "city": city[shop]},
        },
        {},
        to("shop", "city", "city"),
        to("clerk", "shop", "shop"),
        to("clerk", "city", "city"),
    )
    assert "implied" not in roles(database).values()


def visits(of: str, rng: np.random.Generator, *, rooms: int = 40, declared: str = "") -> Database:
    """Visits of persons to rooms; when they took place depends on one of these."""
    person, room = rng.integers(0, 60, 600), rng.integers(0, rooms, 600)
    day = {"person": person, "room": room}[of] * 10 + rng.integers(0, 5, 600)
    names = ("id", "room", "person", "day")
    columns = tuple(Column(name, "integer", "int64", nullable=False) for name in names)
    key = Column("id", "identifier", "int64", nullable=False)
    schema = Schema(
        {
            "person": Table("person", (key,), ("id",)),
            "room": Table("room", (key,), ("id",)),
            "visit": Table("visit", columns, ("id",)),
        },
        tuple(
            Relation("visit", (name,), name, ("id",), role="owner" if name == declared else "")
            for name in ("room", "person")
        ),
    )
    tables = {
        "person": pa.table({"id": np.arange(60)}),
        "room": pa.table({"id": np.arange(rooms)}),
        "visit": pa.table(dict(zip(names, (np.arange(600), room, person, day), strict=True))),
    }
    return Database(schema, tables, "original")


def owner(database: Database) -> str:
    (found,) = (one.columns[0] for one in choose_roles(database).relations if one.role == "owner")
    return found


@pytest.mark.parametrize("of", ["person", "room"])
def test_the_owner_is_the_one_whose_rows_are_tied_together(of: str) -> None:
    assert owner(visits(of, np.random.default_rng(0))) == of


@pytest.mark.parametrize(("wrong", "expected"), [(2, "rental"), (100, "customer")])
def test_rows_belong_to_the_nearer_of_two_where_it_mostly_leads_to_the_other(
    wrong: int, expected: str
) -> None:
    """One payment a rental, days by customer: siblings are alike under the customer only."""
    rng = np.random.default_rng(0)
    customer_of_rental = rng.integers(0, 30, 400)
    customer = customer_of_rental.copy()
    customer[:wrong] = (customer[:wrong] + 1) % 30
    database = base(
        {
            "customer": {"id": range(30)},
            "rental": {"id": range(400), "customer": customer_of_rental},
            "pay": {
                "id": range(400),
                "customer": customer,
                "rental": range(400),
                "day": customer * 10 + rng.integers(0, 5, 400),
            },
        },
        {},
        to("rental", "customer", "customer"),
        to("pay", "customer", "customer"),
        to("pay", "rental", "rental"),
    )
    found = roles(database)
    assert found["rental.customer"] == "owner"
    assert [key for key in ("customer", "rental") if found[f"pay.{key}"] == "owner"] == [expected]


def test_few_parents_come_last_and_the_document_wins() -> None:
    rng = np.random.default_rng(0)
    assert owner(visits("room", rng, rooms=10)) == "person"
    assert owner(visits("person", rng, declared="room")) == "room"


@pytest.mark.parametrize("numbered", [True, False])
def test_rows_that_are_numbered_belong_to_those_under_which_they_are(numbered: bool) -> None:
    """The price of a line is that of its product, so that products tie lines together most."""
    rng = np.random.default_rng(0)
    order = np.repeat(np.arange(100), 3)
    line = np.tile([1, 2, 3], 100) if numbered else rng.integers(1, 4, 300)
    product = rng.integers(0, 40, 300)
    database = base(
        {
            "order": {"id": range(100)},
            "product": {"id": range(40)},
            "line": {"id": range(300), "order": order, "product": product, "no": line, "price": product * 7},
        },
        {},
        to("line", "order", "order"),
        to("line", "product", "product"),
    )
    assert owner(database) == ("order" if numbered else "product")


def test_groups_of_one_row_say_nothing() -> None:
    """As a disposition has a client of its own, and an account has one or two."""
    rng = np.random.default_rng(0)
    client, account = rng.permutation(90), np.concatenate([np.arange(60), np.arange(30)])
    kind = pa.array(["owner"] * 60 + ["other"] * 30)
    data = base(
        {
            "client": {"id": range(90)},
            "account": {"id": range(60)},
            "disp": {"id": range(90), "client": client, "account": account},
        },
        {},
        to("disp", "client", "client"),
        to("disp", "account", "account"),
    )
    disp = data.schema.tables["disp"]
    disp = replace(disp, columns=(*disp.columns, Column("kind", "categorical", "string", nullable=False)))
    tables = {**data.tables, "disp": data.tables["disp"].append_column("kind", kind)}
    schema = replace(data.schema, tables={**data.schema.tables, "disp": disp})
    assert owner(Database(schema, tables, "original")) == "account"


@pytest.mark.parametrize("first", ["staff", "shop"])
def test_a_circle_is_broken_at_the_key_that_repeats_least(first: str) -> None:
    shop = np.arange(90) % 30
    tables = {"staff": {"id": range(90), "shop": shop}, "shop": {"id": range(30), "manager": range(30)}}
    keys = [to("staff", "shop", "shop"), to("shop", "manager", "staff")]
    found = roles(base(tables, {}, *(keys if first == "staff" else keys[::-1])))
    assert found == {"staff.shop": "owner", "shop.manager": "key"}


def guests(missing: float, rng: np.random.Generator, *, siblings: int = 5, declared: str = "") -> Database:
    """Orders of customers, and some of nobody."""
    rows = 600
    customer = rng.integers(0, rows // siblings, rows) if siblings > 1 else rng.permutation(rows)
    nobody_R = rng.permutation(rows) < missing * rows
    cells = [None if nobody else one for nobody, one in zip(nobody_R, customer.tolist(), strict=True)]
    return base(
        {
            "customer": {"id": range(rows)},
            "order": {"id": range(rows), "customer": cells, "amount": customer % 7},
        },
        {},
        to("order", "customer", "customer", role=declared),
    )


@pytest.mark.parametrize(
    ("missing", "siblings", "role"), [(0.2, 5, "owner"), (0.45, 5, "owner"), (0.6, 5, "key"), (0.2, 1, "key")]
)
def test_a_key_that_may_be_missing_is_the_owners_where_it_makes_sequences(
    missing: float, siblings: int, role: str
) -> None:
    found = roles(guests(missing, np.random.default_rng(0), siblings=siblings))
    assert found == {"order.customer": role}


def test_a_key_that_may_be_missing_can_be_declared_the_owners_whatever_the_rows_say() -> None:
    data = guests(0.9, np.random.default_rng(0), declared="owner")
    assert choose_roles(data).relations[0].role == "owner"
    data = guests(0.2, np.random.default_rng(0), declared="key")
    assert choose_roles(data).relations[0].role == "key"
