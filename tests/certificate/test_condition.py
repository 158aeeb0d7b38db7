"""Conditions break rows as in SQL: false breaks, unknown does not."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.certificate.condition import broken_rows, find_misfit
from kinsynth.schema.check_text import read_check

TABLE = pa.table(
    {
        "i": [1, None, 3],
        "f": [0.5, float("nan"), 2],
        "s": ["a", "b", None],
        "d": pa.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1), None]),
        "ts": pa.array([dt.datetime(2020, 1, 2)] * 3, pa.timestamp("us")),
        "b": [True, False, None],
        "m": pa.array([Decimal("1.50"), Decimal("2.00"), None], pa.decimal128(10, 2)),
        "t": pa.array([dt.time(1, 2)] * 3, pa.time64("us")),
        "n": pa.nulls(3),
    }
)


def broken(text: str) -> list[int]:
    """Numbers of the rows that break one of the conditions."""
    return sorted(
        {row for check in read_check(text) for row in broken_rows(check, TABLE).nonzero()[0].tolist()}
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("i > 1", [0]),
        ("i > 1.5", [0]),
        ("2 >= i", [2]),
        ("i in (1, 2)", [2]),
        ("i not in (1, 2)", [0]),
        ("i in ('1')", [2]),
        ("f > 1", [0]),
        ("f <> 2", [2]),
        ("s in ('a')", [1]),
        ("s like '_' and s not like 'A'", []),
        ("s like 'a%'", [1]),
        ("s ~ '^a$'", [1]),
        ("d >= '2020-06-01'", [0]),
        ("d <= ts", [1]),
        ("ts > '2020-01-02 00:00:00'", [0, 1, 2]),
        ("t < '01:02:00.5'", []),
        ("b = true", [1]),
        ("m > 1.5", [0]),
        ("m in (1.5, 2)", []),
        ("m > 1.505", [0]),
        ("i < f", [0, 2]),
        ("i is not null", [1]),
        ("i is null", [0, 2]),
        ("i between 0 and 2", [2]),
        ("n = 1 and n is null", []),
        ("n is not null", [0, 1, 2]),
    ],
)
def test_rows_break_when_the_condition_is_false(text: str, rows: list[int]) -> None:
    assert broken(text) == rows


@pytest.mark.parametrize(
    "text",
    [
        "s > 5",
        "i like 'a'",
        "s > i",
        "d > 5",
        "f > 'x'",
        "s ~ '('",
        "gone > 1",
        "i > gone",
        "t > '25:00'",
        "d = s",
    ],
)
def test_what_cannot_be_applied_is_explained_without_the_constant(text: str) -> None:
    (check,) = read_check(text)
    misfit = find_misfit(check, TABLE.schema)
    assert misfit is not None
    assert not any(
        constant in misfit.replace(check.column, "") for constant in check.constants if len(constant) > 1
    )
    with pytest.raises(ValueError, match=r".+"):
        broken_rows(check, TABLE)


CONDITIONS = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from("ab"),
        st.sampled_from(("<", "<=", ">", ">=", "=", "<>")),
        st.sampled_from(("a", "b", "0", "1")),
    ),
    st.builds(
        "{} {} ({}, 1)".format, st.sampled_from("ab"), st.sampled_from(("in", "not in")), st.integers(-2, 2)
    ),
    st.builds("{} is {}".format, st.sampled_from("ab"), st.sampled_from(("null", "not null"))),
    st.builds("{} between {} and {}".format, st.sampled_from("ab"), st.integers(-2, 2), st.integers(-2, 2)),
)
CELLS = st.lists(st.tuples(*[st.one_of(st.none(), st.integers(-2, 2))] * 2), min_size=1, max_size=20)


@given(text=st.lists(CONDITIONS, min_size=1, max_size=3).map(" and ".join), rows=CELLS)
def test_a_database_judges_alike(text: str, rows: list[tuple[int | None, int | None]]) -> None:
    """SQLite's own CHECK accepts exactly the rows that are not broken."""
    with sqlite3.connect(":memory:") as database:
        database.execute(f"create table t (a integer, b integer, check ({text}))")
        refused = []
        for row in rows:
            try:
                database.execute("insert into t values (?, ?)", row)
                refused.append(False)
            except sqlite3.IntegrityError:
                refused.append(True)
    database.close()
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.int64())}
    )
    marks = [broken_rows(check, table) for check in read_check(text)]
    assert [any(mark[row] for mark in marks) for row in range(len(rows))] == refused
