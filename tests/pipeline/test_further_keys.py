"""Keys of a row that hang together: what is missing beside each other, and pairs that never repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.certificate.certify import Statement, prove
from kinsynth.encoded import OWNER


def fit(
    tables: dict[str, pl.DataFrame], keys: dict[str, dict[str, Any]], *, epochs: int = 1
) -> kinsynth.Model:
    """Learn a database, its keys declared."""
    return kinsynth.fit(
        tables,
        kinsynth.Synthesis.model_validate(
            {
                "roots": "many",
                "tables": keys,
                "training": {"max_epochs": epochs, "threads": 1, "model_size": "small"},
                "evaluation": {"holdout_share": 0},
                "report": {"enabled": False},
            }
        ),
    )


def key(columns: Sequence[str], table: str) -> dict[str, Any]:
    return {"columns": list(columns), "table": table}


def test_two_keys_to_one_table_never_repeat_a_unique_pair() -> None:
    """Both are drawn after the rows: a boss and a mentor among the staff, never the same two."""
    rng, seen, rows = np.random.default_rng(0), set(), []
    for number in range(120):
        boss = int(rng.integers(0, min(number, 4))) if number > 4 else None
        mentor = int(rng.integers(0, number)) if number > 4 and rng.random() < 0.8 else None
        if mentor is not None and (boss, mentor) in seen:
            mentor = None
        seen.add((boss, mentor))
        rows.append({"id": number, "boss": boss, "mentor": mentor, "age": int(rng.integers(20, 60))})
    staff = {
        "primary_key": ["id"],
        "unique": [["boss", "mentor"]],
        "foreign_keys": [key(["boss"], "staff"), key(["mentor"], "staff")],
    }
    model = fit({"staff": pl.DataFrame(rows)}, {"staff": staff})
    for seed in range(5):
        drawn = model.draw(seed=seed)
        assert all(guarantee.passed for guarantee in prove(Statement(drawn.schema, {}, {}), drawn.tables))


def test_of_two_keys_that_share_a_column_one_may_be_missing_and_the_other_not() -> None:
    """A person's department and desk are of one firm: a missing one takes the other not with it."""
    rng, firms, rows = np.random.default_rng(1), 100, 600
    parts = {"firm": np.repeat(np.arange(firms), 3), "number": np.tile(np.arange(3), firms)}
    columns = [
        [None if none else int(rng.integers(0, 3)) for none in missing_R]
        for missing_R in rng.random((2, rows)) < 0.5
    ]
    tables = {
        "firms": pl.DataFrame({"id": np.arange(firms), "size": rng.integers(1, 9, firms)}),
        "depts": pl.DataFrame({**parts, "size": rng.integers(1, 9, 3 * firms)}),
        "desks": pl.DataFrame({**parts, "size": rng.integers(1, 9, 3 * firms)}),
        "people": pl.DataFrame(
            {
                "id": np.arange(rows),
                "firm": rng.integers(0, firms, rows),
                "dept": columns[0],
                "desk": columns[1],
            }
        ),
    }
    firm = key(["firm"], "firms")
    owned = {"primary_key": ["firm", "number"], "foreign_keys": [firm]}
    named = [{**key(["firm", one], f"{one}s"), "references": ["firm", "number"]} for one in ("dept", "desk")]
    people = {"primary_key": ["id"], "foreign_keys": [firm, *named]}
    model = fit(
        tables,
        {"firms": {"primary_key": ["id"]}, "depts": owned, "desks": owned, "people": people},
        epochs=8,
    )
    scopes = [pointer.scopes for keys in model.codec.keys.values() for pointer in keys.pointers]
    assert scopes == [(((OWNER,), (OWNER,)),)] * 2
    drawn = pl.from_arrow(model.draw(seed=1).tables["people"])
    assert isinstance(drawn, pl.DataFrame)
    for dept, desk in ((True, False), (False, True), (True, True)):
        asked, got = (
            float(((table["dept"].is_null() == dept) & (table["desk"].is_null() == desk)).mean())  # type: ignore[arg-type]
            for table in (tables["people"], drawn)
        )
        error = (asked * (1 - asked) * (1 / len(drawn) + 1 / rows)) ** 0.5
        assert abs(asked - got) < 4 * error, (dept, desk)


@pytest.mark.parametrize(
    ("airports", "flights", "tokens"), [(12, 4_000, 1), (3_000, 4_000, 1), (1_400, 24_000, 2)]
)
def test_two_references_that_never_agree_in_the_source_never_do_in_the_result(
    airports: int, flights: int, tokens: int
) -> None:
    """Of over 1,000 airports that many name each is drawn by group and member; rare ones are pooled."""
    rng = np.random.default_rng(2)
    start, goal = rng.integers(0, np.where(rng.random((2, flights)) < 0.5, 12, airports))
    goal = np.where(start == goal, (goal + 1) % airports, goal)
    goal[::10] = -1
    tables = {
        "airports": pl.DataFrame({"code": np.arange(airports), "high": rng.integers(0, 2, airports)}),
        "flights": pl.DataFrame({"id": np.arange(flights), "start": start, "goal": goal}).with_columns(
            goal=pl.col("goal").replace(-1, None)
        ),
    }
    keys = {
        "airports": {"original": True, "primary_key": ["code"]},
        "flights": {
            "primary_key": ["id"],
            "foreign_keys": [key(["start"], "airports"), key(["goal"], "airports")],
        },
    }
    model = fit(tables, keys)
    widths = [len(factor.codec.sub_columns) for factor in model.codec.tables["flights"].factors]
    assert widths == [tokens] * 2
    drawn = pl.from_arrow(model.draw({"flights": 9_000}, seed=1).tables["flights"])
    assert isinstance(drawn, pl.DataFrame)
    assert not (drawn["start"] == drawn["goal"]).any()
    assert 0.05 < float(drawn["goal"].is_null().mean()) < 0.2  # type: ignore[arg-type]


def test_keys_of_a_tenant_in_every_table_need_no_other_word() -> None:
    """Every key has the tenant; it follows from one of them, and the others agree three keys away."""
    rng, tenants = np.random.default_rng(2), 60
    tenant, number = np.repeat(np.arange(tenants), 4), np.tile(np.arange(4), tenants)
    task = {"tenant": np.repeat(np.arange(tenants), 8), "number": np.tile(np.arange(8), tenants)}
    rows = len(task["number"])
    helper = [None if rng.random() < 0.3 else int(one) for one in rng.integers(0, 4, rows)]
    tables = {
        "notes": pl.DataFrame({**task, "user": rng.integers(0, 4, rows), "vote": rng.integers(0, 3, rows)}),
        "projects": pl.DataFrame({"tenant": tenant, "number": number, "lead": rng.integers(0, 4, 240)}),
        "tasks": pl.DataFrame(
            {**task, "project": rng.integers(0, 4, rows), "user": rng.integers(0, 4, rows), "helper": helper}
        ),
        "tenants": pl.DataFrame({"id": np.arange(tenants), "plan": rng.integers(0, 3, tenants)}),
        "users": pl.DataFrame({"tenant": tenant, "number": number, "role": rng.integers(0, 2, 240)}),
    }

    def named(*keys: tuple[str, str]) -> dict[str, Any]:
        ways = [key(["tenant", column], table) for column, table in keys]
        return {"primary_key": ["tenant", "number"], "foreign_keys": [key(["tenant"], "tenants"), *ways]}

    model = fit(
        tables,
        {
            "tenants": {"primary_key": ["id"]},
            "users": named(),
            "projects": named(("lead", "users")),
            "tasks": named(("project", "projects"), ("user", "users"), ("helper", "users")),
            "notes": named(("number", "tasks"), ("user", "users")),
        },
    )
    drawn = model.draw(seed=1)
    assert all(guarantee.passed for guarantee in prove(Statement(drawn.schema, {}, {}), drawn.tables))
    for name, table in drawn.tables.items():  # none repeats a number of its tenant, and is left out
        assert table.num_rows > 0.8 * len(tables[name]), name


def test_a_row_points_at_those_whose_owner_is_of_its_kind() -> None:
    """Students go to lectures of their faculty, which only the courses of these lectures tell."""
    rng, courses, students = np.random.default_rng(3), 80, 400
    faculty, major = np.arange(courses) % 4, rng.integers(0, 4, students)
    lecture = np.repeat(np.arange(courses), 3)
    student = np.repeat(np.arange(students), 4)
    own = rng.random(len(student)) < 0.8
    chosen = [
        int(rng.choice(np.flatnonzero((faculty[lecture] == major[one]) == same)))
        for one, same in zip(student, own, strict=True)
    ]
    tables = {
        "courses": pl.DataFrame({"id": np.arange(courses), "faculty": [f"F{one}" for one in faculty]}),
        "lectures": pl.DataFrame(
            {"id": np.arange(3 * courses), "course": lecture, "hour": rng.integers(8, 18, 3 * courses)}
        ),
        "students": pl.DataFrame({"id": np.arange(students), "major": [f"F{one}" for one in major]}),
        "visits": pl.DataFrame({"id": np.arange(len(student)), "student": student, "lecture": chosen}),
    }

    def named(*keys: tuple[str, str]) -> dict[str, Any]:
        return {"primary_key": ["id"], "foreign_keys": [key([column], table) for column, table in keys]}

    model = fit(
        tables,
        {
            "courses": named(),
            "lectures": named(("course", "courses")),
            "students": named(),
            "visits": named(("student", "students"), ("lecture", "lectures")),
        },
        epochs=20,
    )

    def share(drawn: dict[str, pl.DataFrame]) -> float:
        rows = drawn["visits"].join(drawn["students"], left_on="student", right_on="id")
        rows = rows.join(drawn["lectures"], left_on="lecture", right_on="id")
        rows = rows.join(drawn["courses"], left_on="course", right_on="id")
        return float((rows["major"] == rows["faculty"]).mean())  # type: ignore[arg-type]

    drawn = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in model.draw(seed=1).tables.items()}
    assert abs(share(tables) - 0.8) < 0.05
    assert share(drawn) > 0.6  # 0.25 by chance


def test_friends_are_never_their_own_where_a_condition_says_so() -> None:
    """Among many persons few would be by chance, so that the rows alone do not tell."""
    rng, persons, pairs = np.random.default_rng(4), 300, 600
    first = rng.integers(0, persons, pairs)
    tables = {
        "friends": pl.DataFrame(
            {"a": first, "b": (first + rng.integers(1, persons, pairs)) % persons}
        ).unique(maintain_order=True),
        "persons": pl.DataFrame({"id": np.arange(persons), "age": rng.integers(18, 90, persons)}),
    }
    friends = {
        "primary_key": ["a", "b"],
        "foreign_keys": [key(["a"], "persons"), key(["b"], "persons")],
        "checks": ["a <> b"],
    }
    model = fit(tables, {"friends": friends, "persons": {"primary_key": ["id"]}})
    for seed in range(20):
        drawn = model.draw(seed=seed).tables["friends"].to_pydict()
        assert not any(a == b for a, b in zip(drawn["a"], drawn["b"], strict=True))
