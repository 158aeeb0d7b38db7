"""Owners, order, roots, and what does not fit a tree."""

from __future__ import annotations

from schema_toys import TO_CUSTOMER, TO_ORDER, TO_PRODUCT, schema, whole

from kinsynth.schema.graph import find_structure
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


def test_two_parents_keep_the_first_that_is_never_missing() -> None:
    found = find_structure(schema(original=()))
    assert found.parent_relation["lines"] == TO_ORDER
    assert found.extra_parents == {"lines": (TO_PRODUCT,)}
    assert found.roots == ("products", "customers")


def test_two_relations_to_one_parent() -> None:
    again = Relation("orders", ("amount",), "customers", ("id",))
    assert find_structure(schema(again)).extra_parents == {"orders": (again,)}


def test_self_references_and_outward_relations() -> None:
    boss = Relation("customers", ("age",), "customers", ("id",))
    outward = Relation("products", ("price",), "customers", ("id",))
    found = find_structure(schema(boss, outward))
    assert found.self_references == (boss,)
    assert found.outward == (outward,)
    assert found.parent_relation["customers"] is None


def test_circles_own_nothing_but_may_have_children() -> None:
    names = ("a", "b", "c")
    tables = {name: Table(name, (whole("id"), whole("other"))) for name in names}
    circle = [Relation("a", ("other",), "b", ("id",)), Relation("b", ("other",), "a", ("id",))]
    leaf = Relation("c", ("other",), "a", ("id",))
    found = find_structure(Schema(tables, (*circle, leaf)))
    assert found.cycles == (("a", "b"),)
    assert found.parent_relation == {"a": None, "b": None, "c": leaf}
    assert found.extra_parents == {}


def test_an_empty_schema() -> None:
    found = find_structure(Schema())
    assert found.roots == found.order == ()
