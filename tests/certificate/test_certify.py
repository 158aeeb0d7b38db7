"""A database with every kind of constraint: whole files prove, every single thing broken in them is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from kinsynth.certificate.certify import Statement, prove
from kinsynth.certificate.guarantee import Certificate, Guarantee
from kinsynth.connectors.destination import write
from kinsynth.connectors.read_back import read_back
from kinsynth.schema.check_text import read_check
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings.destination import Destination

Tables = dict[str, pa.Table]
PEOPLE = 60


def column(name: str, storage: str = "int64", *, nullable: bool = False) -> Column:
    return Column(name, "identifier", storage, nullable=nullable)


SCHEMA = Schema(
    {
        "city": Table(
            "city", (column("id"), column("name", "string", nullable=True)), ("id",), original=True
        ),
        "person": Table(
            "person",
            (
                column("id"),
                column("boss", nullable=True),
                column("city", nullable=True),
                column("mail", "string", nullable=True),
                column("born", "date32[day]"),
                column("died", "date32[day]", nullable=True),
                column("status", "string", nullable=True),
                column("height", "double", nullable=True),
            ),
            ("id",),
            unique_keys=(("mail",), ("city", "born")),
            checks=(
                *read_check("died >= born"),
                *read_check("status in ('on', 'off')"),
                *read_check("height > 0"),
                *read_check("mail like 'm%@%'"),
                *read_check("boss <> id"),
            ),
        ),
        "passport": Table(
            "passport", (column("person"), column("number", "string", nullable=True)), ("person",)
        ),
        "project": Table(
            "project",
            (column("company", "string"), column("number"), column("lead", nullable=True)),
            ("company", "number"),
            unique_keys=(("lead",),),
        ),
        "membership": Table(
            "membership",
            (
                column("person"),
                column("company", "string"),
                column("number"),
                column("role", "string", nullable=True),
            ),
            ("person", "company", "number"),
        ),
    },
    (
        Relation("person", ("boss",), "person", ("id",), acyclic=True),
        Relation("person", ("city",), "city", ("id",)),
        Relation("passport", ("person",), "person", ("id",)),
        Relation("project", ("lead",), "person", ("id",)),
        Relation("membership", ("person",), "person", ("id",)),
        Relation("membership", ("company", "number"), "project", ("company", "number")),
    ),
)


def make_tables() -> Tables:
    rows = range(PEOPLE)
    day = dt.date(1980, 1, 1)
    person = {
        "id": [100 + row for row in rows],
        "boss": [None if row == 0 else 100 + (row - 1) // 3 for row in rows],
        "city": [None if row % 10 == 9 else 1 + row % 4 for row in rows],
        "mail": [None if row % 6 == 5 else f"m{row}@x" for row in rows],
        "born": [day + dt.timedelta(days=row // 4) for row in rows],
        "died": [day + dt.timedelta(days=row) if row % 3 else None for row in rows],
        "status": ["on" if row % 2 else None if row % 4 else "off" for row in rows],
        "height": [None if row % 8 == 7 else 1.5 + row / 100 for row in rows],
    }
    pairs = [(company, number) for company in ("a", "b", "c") for number in range(1, 5)]
    return {
        "city": pa.table({"id": [1, 2, 3, 4], "name": ["Here", "", None, "There"]}),
        "person": pa.table(person),
        "passport": pa.table({"person": person["id"][::2], "number": [f"P{row}" for row in rows[::2]]}),
        "project": pa.table(
            {
                "company": [company for company, _ in pairs],
                "number": [number for _, number in pairs],
                "lead": [None if row % 4 == 3 else 100 + row for row in range(len(pairs))],
            }
        ),
        "membership": pa.table(
            {
                "person": [100 + row for row in range(20) for _ in range(3)],
                "company": [pairs[(row + n) % 12][0] for row in range(20) for n in range(3)],
                "number": [pairs[(row + n) % 12][1] for row in range(20) for n in range(3)],
                "role": ["x" if row % 2 else None for row in range(60)],
            }
        ),
    }


def prove_files(tables: Tables, folder: Path, file_format: str = "csv") -> dict[tuple[str, str], Guarantee]:
    """Write, read back and prove; guarantees by code and place, each there once."""
    database = Database(SCHEMA, tables, "synthetic")
    written = write(database, Destination(format=file_format), folder / "tables")
    found = prove(
        Statement(
            SCHEMA, {"city": make_tables()["city"]}, {name: t.num_rows for name, t in make_tables().items()}
        ),
        read_back(written, SCHEMA, folder=folder / "back"),
    )
    guarantees = {(one.code, one.where): one for one in found}
    assert len(guarantees) == len(found)
    return guarantees


def failures(tables: Tables, folder: Path, file_format: str = "csv") -> dict[tuple[str, str], int]:
    found = prove_files(tables, folder, file_format)
    return {place: one.violations for place, one in found.items() if not one.passed}


def put(table: str, name: str, row: int, value: object) -> Callable[[Tables], None]:
    """Break one cell."""

    def change(tables: Tables) -> None:
        old = tables[table]
        values = old.column(name).to_pylist()
        values[row] = value
        place = old.column_names.index(name)
        tables[table] = old.set_column(place, name, pa.array(values, old.schema.field(name).type))

    return change


def edit(table: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Tables], None]:
    return lambda tables: tables.update({table: change(tables[table])})


EARLY = dt.date(1979, 1, 1)
NOBODY = pa.nulls(12, pa.int64())
BOSS, CITY = "person(boss) -> person(id)", "person(city) -> city(id)"
PASS, LEAD = "passport(person) -> person(id)", "project(lead) -> person(id)"
MEMBER, JOINED = "membership(person) -> person(id)", "membership(company, number) -> project(company, number)"
BRIDGE = "membership(person, company, number)"
MUTATIONS: dict[str, tuple[Callable[[Tables], None], dict[tuple[str, str], int]]] = {
    "a key twice": (
        put("person", "id", 59, 158),
        {("primary_key.unique", "person(id)"): 1, ("foreign_key.resolved", PASS): 0},
    ),
    "a key missing": (
        put("person", "id", 59, None),
        {("primary_key.not_null", "person(id)"): 1, ("column.not_null", "person.id"): 1},
    ),
    "an orphan": (put("person", "city", 0, 9), {("foreign_key.resolved", CITY): 1}),
    "an orphan boss": (put("person", "boss", 7, 999), {("foreign_key.resolved", BOSS): 1}),
    "an orphan passport": (put("passport", "person", 3, 999), {("foreign_key.resolved", PASS): 1}),
    "an orphan lead": (put("project", "lead", 0, 999), {("foreign_key.resolved", LEAD): 1}),
    "an orphan member": (put("membership", "person", 0, 999), {("foreign_key.resolved", MEMBER): 1}),
    "half of a composite key": (put("membership", "number", 0, 9), {("foreign_key.resolved", JOINED): 1}),
    "a wrong pair of right parts": (
        edit("project", lambda t: t.slice(0, 11)),
        {("table.rows", "project"): 1, ("foreign_key.resolved", JOINED): 3},
    ),
    "a passport twice": (
        put("passport", "person", 1, 100),
        {("primary_key.unique", "passport(person)"): 1, ("one_to_one.unique", PASS): 1},
    ),
    "a passport of nobody": (
        put("passport", "person", 1, None),
        {("primary_key.not_null", "passport(person)"): 1, ("column.not_null", "passport.person"): 1},
    ),
    "a lead twice": (
        put("project", "lead", 3, 100),
        {("unique_key.unique", "project(lead)"): 1, ("one_to_one.unique", LEAD): 1},
    ),
    "a project twice": (
        edit("project", lambda t: t.take([0, 0, *range(1, 11)]).set_column(2, "lead", NOBODY)),
        {("primary_key.unique", "project(company, number)"): 1, ("foreign_key.resolved", JOINED): 3},
    ),
    "a member twice": (
        put("membership", "number", 1, 1),
        {("primary_key.unique", BRIDGE): 1, ("bridge.unique", BRIDGE): 1},
    ),
    "a member of nothing": (
        put("membership", "company", 0, None),
        {("primary_key.not_null", BRIDGE): 1, ("column.not_null", "membership.company"): 1},
    ),
    "a mail twice": (put("person", "mail", 5, "m4@x"), {("unique_key.unique", "person(mail)"): 1}),
    "a pair twice": (put("person", "city", 1, 1), {("unique_key.unique", "person(city, born)"): 1}),
    "a circle of three": (put("person", "boss", 0, 104), {("self_reference.acyclic", BOSS): 3}),
    "an own boss": (
        put("person", "boss", 59, 159),
        {("self_reference.acyclic", BOSS): 1, ("check.kept", "person: boss != id"): 1},
    ),
    "died before": (put("person", "died", 8, EARLY), {("check.kept", "person: died >= born"): 1}),
    "a small height": (put("person", "height", 0, 0.0), {("check.kept", "person: height > ?"): 1}),
    "a mail of another form": (put("person", "mail", 0, "z@x"), {("check.kept", "person: mail like ?"): 1}),
    "a value not listed": (
        put("person", "status", 0, "gone"),
        {("enumeration.kept", "person: status in (2 values)"): 1},
    ),
    "a missing birth": (put("person", "born", 1, None), {("column.not_null", "person.born"): 1}),
    "a changed original": (put("city", "name", 3, "Nowhere"), {("original.equal", "city"): 1}),
    "an empty text for a missing one": (put("city", "name", 2, ""), {("original.equal", "city"): 1}),
    "another order": (edit("city", lambda t: t.take([1, 0, 2, 3])), {("original.equal", "city"): 2}),
    "an original key twice": (
        put("city", "id", 3, 3),
        {
            ("primary_key.unique", "city(id)"): 1,
            ("original.equal", "city"): 1,
            ("foreign_key.resolved", CITY): 12,
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("file_format", ["csv", "tsv", "parquet", "xlsx", "ods"])
def test_whole_files_prove(tmp_path: Path, file_format: str) -> None:
    assert failures(make_tables(), tmp_path, file_format) == {}


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_one_broken_thing_is_found_and_nothing_else(tmp_path: Path, name: str, file_format: str) -> None:
    change, expected = MUTATIONS[name]
    tables = make_tables()
    change(tables)
    assert failures(tables, tmp_path, file_format) == {place: n for place, n in expected.items() if n}


def test_every_guarantee_but_presence_can_fail(tmp_path: Path) -> None:
    """No line of the certificate is decoration: each is broken by a mutation or a lost column."""
    broken = {place for _, expected in MUTATIONS.values() for place in expected}
    kinds = {code for code, _ in broken}
    assert {code for code, _ in prove_files(make_tables(), tmp_path)} - kinds == {
        "table.present",
        "column.type",
    }


@pytest.mark.parametrize("name", sorted(SCHEMA.tables))
def test_a_lost_table_or_column_breaks_all_that_is_declared_of_it(name: str) -> None:
    statement = Statement(SCHEMA, {"city": make_tables()["city"]})
    tables = make_tables()
    whole = {(one.code, one.where) for one in prove(statement, tables)}
    lost = tables.pop(name)
    failed = {(one.code, one.where) for one in prove(statement, tables) if not one.passed}
    others = {"column.not_null", "table.present"}
    about = {(code, where) for code, where in whole if where.startswith((name + "(", name + ":", name + "."))}
    about |= {
        (code, where) for code, where in whole if f"-> {name}(" in where and code != "one_to_one.unique"
    }
    assert {place for place in about if place[0] not in others} <= failed
    assert ("table.present", name) in failed
    for one in lost.column_names:
        tables[name] = lost.drop_columns([one])
        failed = {(found.code, found.where) for found in prove(statement, tables) if not found.passed}
        assert {("table.present", name), ("column.type", f"{name}.{one}")} <= failed


def test_a_column_of_another_type_fails() -> None:
    tables = make_tables()
    tables["person"] = tables["person"].set_column(7, "height", pa.array(["1"] * PEOPLE))
    failed = {(one.code, one.where) for one in prove(Statement(SCHEMA), tables) if not one.passed}
    assert failed == {
        ("column.type", "person.height"),
        ("check.kept", "person: height > ?"),
        ("original.equal", "city"),
    }


def test_references_with_a_missing_part_name_nothing() -> None:
    """As in SQL (MATCH SIMPLE): a composite reference counts only when all its columns are set."""
    tables = make_tables()
    put("membership", "company", 0, None)(tables)
    put("membership", "number", 0, 77)(tables)
    found = {(one.code, one.where): one for one in prove(Statement(SCHEMA), tables)}
    assert found["foreign_key.resolved", JOINED].passed


def test_circles_count_only_where_the_source_has_none() -> None:
    relation = Relation("person", ("boss",), "person", ("id",))
    tables = make_tables()
    put("person", "boss", 0, 104)(tables)
    found = prove(Statement(Schema(SCHEMA.tables, (relation,))), tables)
    assert not any(one.code == "self_reference.acyclic" for one in found)


def test_the_certificate_does_not_depend_on_the_order_of_tables_and_reads_back() -> None:
    tables = make_tables()
    first = Certificate(guarantees=prove(Statement(SCHEMA), tables))
    second = Certificate(guarantees=prove(Statement(SCHEMA), dict(reversed(tables.items()))))
    assert first.to_json() == second.to_json()
    assert Certificate.from_json(first.to_json()) == first


def test_no_constant_of_a_check_stands_in_the_certificate(tmp_path: Path) -> None:
    text = Certificate(guarantees=tuple(prove_files(make_tables(), tmp_path).values())).to_json()
    assert "off" not in text
    assert "m%@%" not in text
