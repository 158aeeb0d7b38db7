"""What is planted in the rows is found, what is accident is not, what integrity forces always is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.schema.check import Check
from kinsynth.schema.database import Database
from kinsynth.schema.facts import Facts, KeyFacts, find_facts, read_facts, write_facts
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Column, Relation, Schema, Table

Cells = Sequence[int | None] | np.ndarray


def base(
    tables: Mapping[str, Mapping[str, Cells]],
    keys: Mapping[str, tuple[str, ...]],
    *relations: Relation,
    original: tuple[str, ...] = (),
) -> Database:
    arrow = {
        name: pa.table({column: pa.array(list(cells), pa.int64()) for column, cells in columns.items()})
        for name, columns in tables.items()
    }
    schema = {
        name: Table(
            name,
            tuple(
                Column(column, "identifier", "int64", nullable=table.column(column).null_count > 0)
                for column in table.column_names
            ),
            keys.get(name, ("id",)),
            original=name in original,
        )
        for name, table in arrow.items()
    }
    return Database(Schema(schema, relations), arrow, "original")


def to(table: str, column: str, target: str, role: str = "") -> Relation:
    return Relation(table, (column,), target, ("id",), role=role)


def facts(database: Database) -> Facts:
    found = find_facts(database, find_structure(database.schema))
    assert read_facts(json.loads(json.dumps(write_facts(found)))) == found
    return found


RENTAL, CUSTOMER = to("pay", "rental", "rental"), to("pay", "customer", "customer")
RENTAL_CUSTOMER = to("rental", "customer", "customer")


def payments(rng: np.random.Generator, *, role: str = "implied", nulls: int = 0, wrong: int = 0) -> Database:
    customer_of_rental = rng.integers(0, 30, 200)
    rental = rng.integers(0, 200, 500)
    customer = customer_of_rental[rental]
    customer[:wrong] = (customer[:wrong] + 1) % 30
    return base(
        {
            "customer": {"id": range(30)},
            "rental": {"id": range(200), "customer": customer_of_rental},
            "pay": {
                "id": range(500),
                "rental": [None] * nulls + rental[nulls:].tolist(),
                "customer": customer,
            },
        },
        {},
        RENTAL_CUSTOMER,
        replace(RENTAL, role="key" if role != "implied" else "owner"),
        replace(CUSTOMER, role=role),
    )


def test_an_implied_key_has_its_path() -> None:
    found = facts(payments(np.random.default_rng(0)))
    assert found[replace(CUSTOMER, role="implied")].implied == (
        replace(RENTAL, role="owner"),
        RENTAL_CUSTOMER,
    )


def test_an_implied_key_without_a_path_is_an_error() -> None:
    with pytest.raises(ValueError, match="no path"):
        facts(payments(np.random.default_rng(0), wrong=1))


@pytest.mark.parametrize(("wrong", "scopes"), [(0, 1), (1, 0)])
def test_paths_that_meet_in_every_row_are_a_scope(wrong: int, scopes: int) -> None:
    owner, key = replace(CUSTOMER, role="owner"), replace(RENTAL, role="key")
    found = facts(payments(np.random.default_rng(0), role="owner", nulls=5, wrong=6 if wrong else 0))
    assert found[key].scopes == (((owner,), (RENTAL_CUSTOMER,)),) * scopes
    assert found[key].nullable
    assert not found[owner].nullable
    assert found[owner] == KeyFacts()


def test_few_rows_that_agree_are_an_accident() -> None:
    database = base(
        {
            "city": {"id": range(2)},
            "shop": {"id": range(4), "city": [0, 1, 0, 1]},
            "clerk": {"id": range(4), "city": [0, 1, 0, 1], "shop": [0, 1, 2, 3]},
        },
        {},
        to("shop", "city", "city"),
        to("clerk", "city", "city"),
        to("clerk", "shop", "shop"),
    )
    assert facts(database)[to("clerk", "shop", "shop")].scopes == ()


FIRM = to("product", "firm", "firm")
ORDER_FIRM = to("ordered", "firm", "firm")
LINE_ORDER = Relation("line", ("firm", "ordered"), "ordered", ("firm", "number"))
LINE_PRODUCT = Relation("line", ("firm", "product"), "product", ("firm", "number"))


def lines(rng: np.random.Generator, rows: int = 40) -> Database:
    firm = rng.integers(0, 2, rows)
    number = np.arange(6) % 3
    firms = np.arange(6) // 3
    return base(
        {
            "firm": {"id": range(2)},
            "product": {"firm": firms, "number": number},
            "ordered": {"firm": firms, "number": number},
            "line": {
                "firm": firm,
                "ordered": rng.integers(0, 3, rows),
                "product": rng.integers(0, 3, rows),
            },
        },
        {
            "product": ("firm", "number"),
            "ordered": ("firm", "number"),
            "line": ("firm", "ordered", "product"),
        },
        FIRM,
        ORDER_FIRM,
        LINE_ORDER,
        LINE_PRODUCT,
    )


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_keys_that_share_a_column_are_a_scope_whatever_the_rows(rows: int) -> None:
    found = facts(lines(np.random.default_rng(0), rows))[LINE_PRODUCT]
    assert found.scopes == (((LINE_ORDER, ORDER_FIRM), (FIRM,)),)
    assert found.apart == ((LINE_ORDER,),)


@pytest.mark.parametrize("missing", [False, True])
def test_a_tenant_in_every_key_of_many_tables_is_said_once(missing: bool) -> None:
    """Ways to the tenant are as many as paths; one that never ends early stands for all but owners' ones."""
    rng, firms, tables = np.random.default_rng(0), 4, 9
    firm = np.repeat(np.arange(firms), 5)
    cells: dict[str, dict[str, Cells]] = {"firm": {"id": range(firms)}}
    relations = []
    for number in range(tables):
        name = f"t{number}"
        cells[name] = {"firm": firm, "number": np.tile(np.arange(5), firms)}
        relations.append(to(name, "firm", "firm"))
        for other in range(max(0, number - 4), number):
            cells[name][f"k{other}"] = [
                None if missing and not row else key
                for row, key in enumerate(rng.integers(0, 5, 20).tolist())
            ]
            relations.append(Relation(name, ("firm", f"k{other}"), f"t{other}", ("firm", "number")))
    found = facts(base(cells, {name: ("firm", "number") for name in cells if name != "firm"}, *relations))
    for one in relations:
        if len(one.columns) == 2:
            own, theirs = (to(name, "firm", "firm") for name in (one.table, one.references_table))
            assert found[one].scopes == (((own,), (theirs,)),)


@pytest.mark.parametrize("missing", [False, True])
def test_a_path_through_an_earlier_key_that_follows_from_a_found_one_is_no_scope(missing: bool) -> None:
    """An owner that is never missing says all that a key bound to it could say; one that may be does not."""
    made = lines(np.random.default_rng(0))
    rows = made.tables["line"].to_pydict()
    if missing:
        rows["ordered"][0] = rows["product"][2] = None
    # Where the firm's own key may be missing a path through it can end early.
    rows["payer"] = [None if missing and row == 1 else firm for row, firm in enumerate(rows["firm"])]
    payer = Relation("line", ("firm",), "firm", ("id",), role="owner")
    if missing:
        payer = Relation("line", ("payer",), "firm", ("id",), role="key")
    table = {
        name: {c: made.tables[name][c].to_pylist() for c in made.tables[name].column_names}
        for name in ("firm", "product", "ordered")
    }
    keys = {name: one.primary_key for name, one in made.schema.tables.items()}
    found = facts(base({**table, "line": rows}, keys, FIRM, ORDER_FIRM, payer, LINE_ORDER, LINE_PRODUCT))
    direct, through = ((payer,), (FIRM,)), ((LINE_ORDER, ORDER_FIRM), (FIRM,))
    scopes = found[LINE_PRODUCT].scopes
    assert (through in scopes) == missing
    assert missing or scopes == (direct,)


def test_a_reference_of_a_table_to_itself_within_its_owner() -> None:
    rng = np.random.default_rng(0)
    firm = np.repeat(np.arange(5), 20)
    boss = firm * 20 + rng.integers(0, 20, 100)
    rows: list[int | None] = boss.tolist()
    rows[0], rows[1], rows[2], rows[3] = None, 1, 3, 2
    chief, owner = to("person", "boss", "person"), to("person", "firm", "firm")
    database = base(
        {"firm": {"id": range(5)}, "person": {"id": range(100), "firm": firm, "boss": rows}}, {}, owner, chief
    )
    found = facts(database)[chief]
    assert found.scopes == (((owner,), (owner,)),)
    assert found.itself >= 1
    assert found.circular >= 2
    assert found.nullable


def test_a_late_key_may_lead_back_to_the_row_itself() -> None:
    rng = np.random.default_rng(0)
    owner, manager = to("staff", "store", "store"), to("store", "manager", "staff")
    store = np.sort(rng.permutation(np.concatenate([np.arange(40), rng.integers(0, 40, 80)])))
    first = np.searchsorted(store, np.arange(40))
    database = base(
        {"staff": {"id": range(120), "store": store}, "store": {"id": range(40), "manager": first}},
        {},
        owner,
        manager,
    )
    found = facts(database)[manager]
    assert found.scopes == (((), (owner,)),)
    assert found.apart == ((),)


ORIGIN, GOAL = to("flight", "origin", "airport"), to("flight", "goal", "airport")


@pytest.mark.parametrize("planted", [True, False])
def test_two_keys_to_one_table_that_never_agree_avoid_each_other(planted: bool) -> None:
    rng = np.random.default_rng(0)
    origin = rng.integers(0, 10, 400)
    goal = (origin + rng.integers(1 if planted else 0, 10, 400)) % 10
    database = base(
        {"airport": {"id": range(10)}, "flight": {"id": range(400), "origin": origin, "goal": goal}},
        {},
        ORIGIN,
        GOAL,
    )
    assert facts(database)[GOAL].avoid == ((ORIGIN,) if planted else ())
    assert facts(database)[ORIGIN].avoid == ()


@pytest.mark.parametrize("said", [True, False])
def test_what_a_condition_says_needs_no_other_evidence(said: bool) -> None:
    """Among 300 airports 40 flights would hardly have met by chance."""
    database = base(
        {
            "airport": {"id": range(300)},
            "flight": {"id": range(40), "origin": range(40), "goal": range(200, 240)},
        },
        {},
        ORIGIN,
        GOAL,
    )
    flight = database.schema.tables["flight"]
    checks = (Check("origin", "!=", "goal"),) if said else ()
    tables = {**database.schema.tables, "flight": replace(flight, checks=checks)}
    found = facts(replace(database, schema=replace(database.schema, tables=tables)))
    assert found[GOAL].avoid == ((ORIGIN,) if said else ())


@pytest.mark.parametrize("planted", [True, False])
def test_a_bridge_without_a_primary_key_never_repeats_a_pair(planted: bool) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(400)[:150] if planted else rng.integers(0, 400, 150)
    film, actor = to("role", "film", "film"), to("role", "actor", "actor")
    tables = {
        "film": {"id": range(20)},
        "actor": {"id": range(20)},
        "role": {"film": pairs // 20, "actor": pairs % 20},
    }
    assert facts(base(tables, {"role": ()}, film, actor))[actor].apart == (((film,),) if planted else ())


@pytest.mark.parametrize(("rows", "apart"), [(100, ((),)), (5, ())])
def test_a_key_that_never_repeats_stays_one_to_one(
    rows: int, apart: tuple[tuple[Relation, ...], ...]
) -> None:
    rng = np.random.default_rng(0)
    owner, card = to("visit", "person", "person"), to("visit", "card", "card")
    tables = {
        "person": {"id": range(10)},
        "card": {"id": range(120)},
        "visit": {
            "id": range(rows),
            "person": rng.integers(0, 10, rows),
            "card": rng.permutation(120)[:rows],
        },
    }
    assert facts(base(tables, {}, owner, card))[card].apart == apart


def test_a_primary_key_that_is_a_foreign_key_is_one_to_one() -> None:
    detail = to("detail", "id", "person")
    found = facts(base({"person": {"id": range(4)}, "detail": {"id": [2, 0]}}, {}, detail))
    assert found[detail].apart == ((),)


@pytest.mark.parametrize("seed", range(30))
def test_rows_by_chance_say_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = {name: int(rng.integers(2, 60)) for name in "abcd"}
    tables = {
        name: {
            "id": range(size),
            **{other: rng.integers(0, rows[other], size) for other in "abcd" if other < name},
        }
        for name, size in rows.items()
    }
    relations = [to(name, other, other) for name in "abcd" for other in "abcd" if other < name]
    found = facts(base(tables, {}, *relations))
    assert len(found) == len(relations)
    for relation, one in found.items():
        assert (one.scopes, one.avoid, one.implied) == ((), (), ()), relation
