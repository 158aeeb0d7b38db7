"""Owners, further keys, circles, the order of generation and what a rule about one root table counts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from schema_toys import TO_CUSTOMER, TO_ORDER, TO_PRODUCT, schema, whole

from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Relation, Schema, Table


def test_a_tree_with_a_lookup() -> None:
    found = find_structure(schema())
    assert found.parent_relation == {"lines": TO_ORDER, "orders": TO_CUSTOMER, "customers": None}
    assert found.reference_relations == {"lines": (TO_PRODUCT,), "orders": (), "customers": ()}
    assert (found.order, found.roots, found.originals) == (
        ("customers", "orders", "lines"),
        ("customers",),
        ("products",),
    )
    assert found.root_of("lines") == "customers"
    assert found.ancestors("lines") == ("orders", "customers")
    assert found.children("orders") == ("lines",)
    assert found.subjects == ("customers",)
    assert found.further("lines") == found.pointing("orders") == ()


def test_a_key_that_may_be_missing_is_a_further_one() -> None:
    found = find_structure(schema(original=()))
    assert found.parent_relation["lines"] == TO_ORDER
    assert found.keys["lines"] == found.further("lines") == found.pointing("products") == (TO_PRODUCT,)
    assert found.roots == found.subjects == ("products", "customers")
    assert found.order.index("products") < found.order.index("lines")


def test_two_keys_to_one_table() -> None:
    again = Relation("orders", ("amount",), "customers", ("id",))
    found = find_structure(schema(again))
    assert (found.parent_relation["orders"], found.keys["orders"]) == (TO_CUSTOMER, (again,))


def test_the_role_decides_about_the_owner_even_where_the_key_may_be_missing() -> None:
    again = Relation("orders", ("amount",), "customers", ("id",), role="owner")
    found = find_structure(schema(again))
    assert (found.parent_relation["orders"], found.keys["orders"]) == (again, (TO_CUSTOMER,))
    keys = Schema(schema().tables, tuple(replace(one, role="key") for one in schema().relations))
    assert set(find_structure(keys).parent_relation.values()) == {None}
    wished = replace(TO_PRODUCT, role="owner")
    shop = schema(original=())
    found = find_structure(Schema(shop.tables, (TO_CUSTOMER, TO_ORDER, wished)))
    assert (found.parent_relation["lines"], found.keys["lines"]) == (wished, (TO_ORDER,))


def test_a_key_inside_the_primary_key_goes_before_one_outside() -> None:
    tables = {
        "note": Table("note", (whole("who"), whole("item"), whole("line")), ("item", "line")),
        "person": Table("person", (whole("id"),), ("id",)),
        "item": Table("item", (whole("id"),), ("id",)),
    }
    who = Relation("note", ("who",), "person", ("id",))
    item = Relation("note", ("item",), "item", ("id",))
    assert find_structure(Schema(tables, (who, item))).parent_relation["note"] == item


def test_implied_keys_stand_apart_and_order_nothing() -> None:
    implied = Relation("lines", ("customer",), "customers", ("id",), role="implied")
    lookup = replace(TO_PRODUCT, role="implied")
    found = find_structure(Schema(schema().tables, (TO_CUSTOMER, TO_ORDER, lookup, implied)))
    assert found.implied["lines"] == (implied, lookup)
    assert found.keys["lines"] == found.late["lines"] == found.reference_relations["lines"] == ()


def test_a_table_that_references_itself() -> None:
    boss = Relation("customers", ("age",), "customers", ("id",))
    outward = Relation("products", ("price",), "customers", ("id",))
    found = find_structure(schema(boss, outward))
    assert found.late["customers"] == found.pointing("customers") == (boss,)
    assert found.outward == (outward,)
    assert found.parent_relation["customers"] is None
    assert found.subjects == ("customers",)
    assert found.unbreakable == ()


def circle(*, nullable: str = "", key: tuple[str, ...] = ("id",)) -> Schema:
    """Two tables that reference each other, with a leaf and a table outside."""
    names = ("staff", "store", "rental", "city")
    tables = {
        name: Table(name, (whole("id"), whole("other", nullable=name == nullable), whole("place")), key)
        for name in names
    }
    relations = (
        Relation("staff", ("other",), "store", ("id",)),
        Relation("store", ("other",), "staff", ("id",)),
        Relation("rental", ("other",), "staff", ("id",)),
        Relation("store", ("place",), "city", ("id",)),
    )
    return Schema(tables, relations)


@pytest.mark.parametrize(("nullable", "broken"), [("staff", 0), ("store", 1), ("", 1)])
def test_a_circle_is_broken_where_a_key_may_be_missing_else_outside_the_primary_key(
    nullable: str, broken: int
) -> None:
    data = circle(nullable=nullable)
    found = find_structure(data)
    late = data.relations[broken]
    assert found.late[late.table] == (late,)
    assert found.parent_relation[late.references_table] == data.relations[1 - broken]
    assert found.unbreakable == ()
    assert found.subjects == ("city",)


def test_a_circle_of_primary_keys_cannot_be_broken() -> None:
    data = circle(key=("id", "other"))
    found = find_structure(data)
    assert found.unbreakable == (data.relations[:2],)
    assert sorted(found.order) == sorted(data.tables)


def test_a_part_of_the_primary_key_that_another_key_says_too_does_not_bind() -> None:
    tables = {
        "firm": Table("firm", (whole("id"),), ("id",)),
        "person": Table("person", (whole("firm"), whole("id"), whole("boss")), ("firm", "id")),
    }
    boss = Relation("person", ("firm", "boss"), "person", ("firm", "id"))
    firm = Relation("person", ("firm",), "firm", ("id",))
    found = find_structure(Schema(tables, (boss, firm)))
    assert (found.late["person"], found.unbreakable) == ((boss,), ())
    assert find_structure(Schema(tables, (boss,))).unbreakable == ((boss,),)


def test_a_circle_without_a_way_out_is_one_subject() -> None:
    data = circle()
    found = find_structure(Schema(data.tables, data.relations[:3]))
    assert found.subjects == ("staff", "city")


def test_an_empty_schema() -> None:
    found = find_structure(Schema())
    assert found.roots == found.order == found.subjects == ()


def random_schema(seed: int) -> Schema:
    """Tables with any keys between them, to themselves and in circles."""
    rng = np.random.default_rng(seed)
    names = [f"t{number}" for number in range(rng.integers(1, 7))]
    relations, columns = [], {name: [whole("id")] for name in names}
    for name in names:
        for place in range(rng.integers(0, 4)):
            columns[name].append(whole(f"k{place}", nullable=bool(rng.random() < 0.3)))
            role = str(rng.choice(["", "", "", "owner", "key"]))
            relations.append(Relation(name, (f"k{place}",), str(rng.choice(names)), ("id",), role=role))
    tables = {
        name: Table(
            name,
            tuple(columns[name]),
            ("id", "k0") if len(columns[name]) > 1 and not columns[name][1].nullable else ("id",),
            original=bool(rng.random() < 0.15),
        )
        for name in names
    }
    return Schema(tables, tuple(relations))


def inner(data: Schema) -> list[Relation]:
    return [
        one
        for one in data.relations
        if not data.tables[one.table].original and not data.tables[one.references_table].original
    ]


def is_free_of_circles(relations: list[Relation], names: list[str]) -> bool:
    """Slow: some order puts every target first."""
    edges = {(one.table, one.references_table) for one in relations}
    return any(
        all(order.index(target) < order.index(table) for table, target in edges)
        for order in permutations(names)
    )


@pytest.mark.parametrize("seed", range(150))
def test_any_schema(seed: int) -> None:
    data = random_schema(seed)
    found = find_structure(data)
    owners = [one for one in found.parent_relation.values() if one]
    groups = [owners, *found.keys.values(), *found.late.values(), *found.implied.values()]
    assert sorted(map(str, inner(data))) == sorted(str(one) for group in groups for one in group)
    for one in owners:
        assert one.table != one.references_table
        assert one.role == "owner" or not data.may_be_missing(one)
        assert one.role in ("", "owner")
    for name in found.order:
        ready = [one for one in (found.parent_relation[name], *found.keys[name]) if one]
        assert all(found.order.index(one.references_table) < found.order.index(name) for one in ready)
    check_deferred(data, found)
    check_subjects(data, found)
    assert found == find_structure(data)


def check_deferred(data: Schema, found: Structure) -> None:
    names = [name for name, table in data.tables.items() if not table.original]
    ready = [
        *(one for one in found.parent_relation.values() if one),
        *(k for v in found.keys.values() for k in v),
    ]
    late = [one for group in found.late.values() for one in group]
    for one in late:
        assert one.table == one.references_table or not is_free_of_circles([*ready, one], names)
    bound = [
        one
        for one in late
        if not data.may_be_missing(one) and one.columns[0] in data.tables[one.table].primary_key
    ]
    last = {way[-1] for way in found.unbreakable}
    assert set(bound) <= last
    for way in found.unbreakable:
        assert all(first.references_table == second.table for first, second in pairwise([*way, way[0]]))
        assert all(one.columns[0] in data.tables[one.table].primary_key for one in way)


def check_subjects(data: Schema, found: Structure) -> None:
    """Slow: every table leads to a subject, and no subject leads to another."""
    edges = {(one.table, one.references_table) for one in inner(data)}
    reach = {name: {name} for name in found.order}
    for _ in found.order:
        for table, target in edges:
            reach[table] |= reach[target]
    assert all(reach[name] & set(found.subjects) for name in found.order)
    assert all(reach[name] & set(found.subjects) == {name} for name in found.subjects)
