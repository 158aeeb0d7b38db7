"""What the checks say, and do not say, of keys, references and circles."""

from __future__ import annotations

import copy

import pytest

from check_cases import CASES
from checked_bank import (
    DOCUMENT,
    ROOTS,
    circle,
    circle_of_primary_keys,
    codes_of_accounts,
    find,
    make_tables,
    put,
    tenants,
)


@pytest.mark.parametrize(
    ("unique", "told"),
    [
        (["account", "payer"], False),
        (["account", "payer", "amount"], False),
        (["payer", "seller"], False),
        (["account", "code"], False),
        (["account", "rank"], True),
        (["seller", "number"], True),
    ],
)
def test_unique_keys_that_foreign_keys_keep_need_no_word(unique: list[str], told: bool) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    rows, payment = len(tables["payment"]["way"]), tables["payment"]
    payment["account"] = [f"A{row // 5:05}" for row in range(rows)]
    payment["payer"] = [str(row % 5 + row // 5) for row in range(rows)]
    payment["seller"] = [str(row % 50) for row in range(rows)]
    payment["code"] = ["abcde"[row % 5] for row in range(rows)]
    payment["rank"] = [str(row % 5) for row in range(rows)]
    payment["number"] = [str(row // 50) for row in range(rows)]
    document["tables"]["payment"] |= {
        "unique": [unique],
        "foreign_keys": [
            {"columns": ["account"], "table": "account", "owner": True},
            {"columns": ["payer"], "table": "customer"},
            {"columns": ["seller"], "table": "customer"},
        ],
    }
    found = [one for one in find(tables, document) if one.code.startswith("unique_keys")]
    assert [one.code for one in found] == ["unique_keys.not_by_construction"] * told
    for one in found:
        assert one.remedy.startswith(f"Write tables.payment.columns.{unique[1]}.type: identifier")


@pytest.mark.parametrize("said", ["payer <> seller", "seller <> payer", "twin <> id"])
def test_conditions_that_foreign_keys_keep_need_no_word(said: str) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    rows, name = len(tables["payment"]["way"]), "customer" if "id" in said else "payment"
    tables["payment"]["payer"] = [str(row % 200) for row in range(rows)]
    tables["payment"]["seller"] = [str(200 + row % 200) for row in range(rows)]
    document["tables"]["payment"]["foreign_keys"] += [
        {"columns": [one], "table": "customer"} for one in ("payer", "seller")
    ]
    tables["customer"]["twin"] = [None, *map(str, range(ROOTS - 1))]
    document["tables"]["customer"]["foreign_keys"].append({"columns": ["twin"], "table": "customer"})
    document["tables"][name]["checks"] = [said]
    assert not [one for one in find(tables, document) if one.code.startswith("checks")]


def test_that_no_row_is_its_own_partner_is_not_kept_where_each_has_one() -> None:
    """Where circles are cut a row has no other to point at but itself."""
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["customer"]["twin"] = [str(row ^ 1) for row in range(ROOTS)]
    document["tables"]["customer"]["foreign_keys"].append({"columns": ["twin"], "table": "customer"})
    document["tables"]["customer"]["checks"] = ["twin <> id"]
    assert "checks.not_by_construction" in {one.code for one in find(tables, document)}


def test_one_to_one_keys_that_may_be_missing_are_kept_unique() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    circle(tables, document)
    tables["customer"]["main"][::3] = [None] * len(tables["customer"]["main"][::3])
    document["tables"]["customer"]["unique"] = [["main"]]
    assert "unique_keys.not_by_construction" not in {one.code for one in find(tables, document)}


def test_roots_may_be_many_when_the_document_says_so() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["payment"]["foreign_keys"] = []
    assert "roots.many" not in [f.code for f in find(make_tables(), {**document, "roots": "many"})]


def test_an_original_table_is_no_root_and_the_root_may_reference_it_with_nulls() -> None:
    tables = make_tables()
    tables["customer"]["town"][:50] = [None] * 50
    assert find(tables, DOCUMENT) == []


def test_composite_keys_of_a_parent_part_and_a_made_part_are_allowed() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["payment"]["number"] = [str(i) for i in range(len(tables["payment"]["way"]))]
    document["tables"]["payment"]["primary_key"] = ["account", "number"]
    assert find(tables, document) == []


def test_a_key_with_a_drawn_part_beside_a_made_part_is_allowed() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["customer"]["primary_key"] = ["id", "town"]
    document["tables"]["account"]["foreign_keys"][0]["references"] = ["id"]
    assert find(make_tables(), document) == []


def test_new_values_of_a_part_of_a_key_are_told_unless_asked_for() -> None:
    for change, part, counts in (
        (tenants, "tenant", "3 tenant, 500 number"),
        (codes_of_accounts, "code", "751 code"),
    ):
        tables, document = make_tables(), copy.deepcopy(DOCUMENT)
        change(tables, document)
        (finding,) = find(tables, document)
        assert f"the source has {counts} in 1,500 rows" in finding.message
        assert ("foreign key" in finding.remedy) == (part == "tenant")
        columns = document["tables"]["payment"]["columns"]
        columns |= {one: {"type": "identifier"} for one in (part, "number") if one in tables["payment"]}
        assert find(tables, document) == []


def test_a_circle_that_cannot_be_broken_is_drawn() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    circle_of_primary_keys(tables, document)
    (finding,) = [one for one in find(tables, document) if one.severity == "error"]
    assert "customer.main -> account, account.customer -> customer" in finding.message


def test_a_key_that_shares_what_names_the_row_is_told_once() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    account = tables["account"]
    account["company"] = [f"C{row // 9:03}" for row in range(len(account["id"]))]
    account["boss"] = [None if row % 9 == 0 else account["id"][row - 1] for row in range(len(account["id"]))]
    document["tables"]["account"]["primary_key"] = ["company", "id"]
    document["tables"]["account"]["foreign_keys"] = [{"columns": ["company", "boss"], "table": "account"}]
    document["tables"]["payment"]["foreign_keys"] = []
    errors = [one for one in find(tables, {**document, "roots": "many"}) if one.severity == "error"]
    assert [one.code for one in errors] == ["foreign_keys.partly_missing_not_available"]
    assert "Declare a foreign key by [company]" in errors[0].remedy


def test_a_default_of_its_own_rows_is_told_once_with_its_cause() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    account, rows = tables["account"], range(len(tables["account"]["id"]))
    account["number"] = [str(row // ROOTS + 1) for row in rows]
    tables["customer"]["main"] = ["1" if row % 3 else None for row in range(ROOTS)]
    document["tables"]["account"]["primary_key"] = ["customer", "number"]
    document["tables"]["payment"]["foreign_keys"] = []
    own = {"columns": ["id", "main"], "table": "account", "references": ["customer", "number"]}
    document["tables"]["customer"]["foreign_keys"].append(own)
    errors = [one for one in find(tables, {**document, "roots": "many"}) if one.severity == "error"]
    assert [one.code for one in errors] == ["foreign_keys.partly_missing_not_available"]
    assert "name the row itself" in errors[0].message
    assert "Declare" not in errors[0].remedy


def test_a_second_parent_stops_nothing_and_the_document_names_the_owner() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    CASES["foreign_keys.further"][0][0](tables, document)
    (finding,) = find(tables, document)
    assert "belong to account by [account] and point at customer by [payer]" in finding.message
    put("tables.payment.foreign_keys.1.owner", True)(tables, document)
    (finding,) = find(tables, document)
    assert "belong to customer by [payer] and point at account by [account]" in finding.message


def test_rows_without_a_parent_are_no_root_of_their_own() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["account"]["customer"][0] = None
    assert find(tables, document) == []


SHARED = [
    {"columns": ["town"], "table": "town", "references": ["id"]},
    {"columns": ["town", "job"], "table": "office"},
    {"columns": ["town", "since"], "table": "desk"},
]


@pytest.mark.parametrize(
    ("numbers", "known", "codes"),
    [
        ((0, 1), True, {"foreign_keys.implied"}),
        ((0, 1), False, {"foreign_keys.shared_column_not_available", "foreign_keys.further"}),
        ((1, 2), True, {"foreign_keys.further"}),
        ((1, 2), False, {"foreign_keys.shared_column_not_available", "foreign_keys.further"}),
    ],
)
def test_keys_that_share_a_column_need_a_table_that_settles_it(
    numbers: tuple[int, int], known: bool, codes: set[str]
) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    places, number = [f"T{i:02}" for i in range(30) for _ in range(30)], [f"N{i:02}" for i in range(30)] * 30
    for name in ("office", "desk"):
        tables[name] = {"town": places, "number": number}
        to_town = [{"columns": ["town"], "table": "town"}] if known else []
        document["tables"][name] = {"primary_key": ["town", "number"], "foreign_keys": to_town}
    customer = tables["customer"]
    customer["job"], customer["since"] = number[:ROOTS], number[1 : ROOTS + 1]
    document["tables"]["customer"]["columns"] = {}
    document["tables"]["town"]["original"] = False
    document["tables"]["customer"]["foreign_keys"] = [SHARED[place] for place in numbers]
    document["roots"] = "many"
    assert {one.code for one in find(tables, document) if one.severity != "warning"} == codes


def test_an_original_table_in_the_way_of_shared_columns_is_named() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    places, number = [f"T{i:02}" for i in range(30) for _ in range(30)], [f"N{i:02}" for i in range(30)] * 30
    for name in ("office", "desk"):
        tables[name] = {"town": places, "number": number}
        key = {"primary_key": ["town", "number"], "foreign_keys": [{"columns": ["town"], "table": "town"}]}
        document["tables"][name] = key
    customer = tables["customer"]
    customer["town"], customer["job"], customer["since"] = (
        places[:ROOTS],
        number[:ROOTS],
        number[1 : ROOTS + 1],
    )
    document["tables"]["customer"] |= {"columns": {}, "foreign_keys": SHARED[1:]}
    found = find(tables, {**document, "roots": "many"})
    (finding,) = [one for one in found if one.code == "foreign_keys.shared_column_not_available"]
    assert "agree but [town], which is original data" in finding.message
    assert finding.remedy.startswith("Write tables.town.original: false")
