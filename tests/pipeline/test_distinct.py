"""Rows that repeat a key, or lack a part of one, are left out, and those that must point at them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.assembly import keep_distinct
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.constraints import state_circles
from kinsynth.pipeline.distinct import find_repeated, repeatable_keys
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.run import run
from kinsynth.schema.database import Database
from kinsynth.schema.table import Schema
from kinsynth.settings.document import parse

TEAMS = 40
SEASON, MATCH = ["team", "year"], ["team", "year", "number"]


def entry(key: list[str], columns: list[str], table: str) -> dict[str, Any]:
    return {
        "primary_key": key,
        "foreign_keys": [{"columns": columns, "table": table}],
        "order_by": "",
        "columns": {"year": {"type": "integer"}},
    }


@cache
def fitted() -> tuple[Schema, DatabaseCodec]:
    """A year tells the seasons of a team apart; numbered matches, a report and notes name them by it."""
    seasons = [{"team": team, "year": 1990 + 3 * n} for team in range(TEAMS) for n in range(1 + team % 6)]
    matches = [{**one, "number": number} for one in seasons for number in (1, 2)]
    tables = {
        "teams": pl.DataFrame({"id": range(TEAMS)}),
        "seasons": pl.DataFrame(seasons),
        "matches": pl.DataFrame(matches),
        "reports": pl.DataFrame(seasons[::2]),
        "notes": pl.DataFrame(matches).select(pl.int_range(pl.len()).alias("id"), "*"),
    }
    document = kinsynth.Synthesis.model_validate(
        {
            "tables": {
                "teams": {"primary_key": ["id"], "unique": [["id"]]},
                "seasons": entry(SEASON, ["team"], "teams"),
                "matches": entry(MATCH, SEASON, "seasons"),
                "reports": entry(SEASON, SEASON, "seasons"),
                "notes": entry(["id"], MATCH, "matches"),
            }
        }
    )
    database = inspect(tables_from_memory(tables), document).database()
    return database.schema, fit_codecs(database, document)


def left(
    schema: Schema, **rows: list[tuple[Any, ...]]
) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, int]]:
    """Draw these rows, and say which stay and how many go."""
    tables = {
        name: pa.table(
            {
                column.name: pa.array([row[place] for row in rows[name]], pa.int64())
                for place, column in enumerate(table.columns)
            }
        )
        for name, table in schema.tables.items()
    }
    found, gone = keep_distinct(Database(schema, tables, "synthetic"), fitted()[1])
    return {
        name: [*zip(*table.to_pydict().values(), strict=True)] for name, table in found.tables.items()
    }, dict(gone)


def test_keys_that_inherit_a_drawn_part_may_repeat_new_identifiers_may_not() -> None:
    assert repeatable_keys(*fitted()) == {
        "seasons": (tuple(SEASON),),
        "matches": (tuple(MATCH),),
        "reports": (tuple(SEASON),),
    }


def test_rows_that_inherit_a_repeated_key_stay_once() -> None:
    found, gone = left(
        fitted()[0],
        teams=[(1,)],
        seasons=[(1, 1990), (1, 1990), (1, 1993)],
        matches=[(1, 1990, 1), (1, 1990, 2), (1, 1990, 1), (1, 1993, 1)],
        reports=[(1, 1990), (1, 1990)],
        notes=[(1, 1, 1990, 1), (2, 1, 1990, 1)],
    )
    assert found["seasons"] == [(1, 1990), (1, 1993)]
    assert found["matches"] == [(1, 1990, 1), (1, 1990, 2), (1, 1993, 1)]
    assert found["reports"] == [(1, 1990)]
    assert found["notes"] == [(1, 1, 1990, 1), (2, 1, 1990, 1)]
    assert gone == {"seasons": 1, "matches": 1, "reports": 1}


def test_rows_without_a_part_of_their_key_go_with_what_must_name_them() -> None:
    schema, _ = fitted()
    rows = {
        "teams": [(1,)],
        "seasons": [(1, None), (1, 1990)],
        "matches": [(1, None, 1), (1, 1990, 1)],
        "reports": [(1, None)],
        "notes": [(1, 1, None, 1), (2, 1, 1990, 1)],
    }
    found, gone = left(schema, **rows)
    assert found["seasons"] == [(1, 1990)]
    assert found["matches"] == [(1, 1990, 1)]
    assert found["reports"] == []
    assert found["notes"] == [(2, 1, 1990, 1)]
    assert gone == {"seasons": 1, "matches": 1, "reports": 1, "notes": 1}
    may_lack = [replace(column, nullable=True) for column in schema.tables["notes"].columns[1:]]
    loose = replace(schema.tables["notes"], columns=(schema.tables["notes"].columns[0], *may_lack))
    found, _ = left(replace(schema, tables={**schema.tables, "notes": loose}), **rows)
    assert found["notes"] == rows["notes"]


def test_unique_keys_that_are_declared_stay_unique_where_they_are_complete() -> None:
    schema, _ = fitted()
    years = replace(
        schema.tables["seasons"],
        primary_key=(),
        unique_keys=(("year",),),
        columns=tuple(replace(one, nullable=True) for one in schema.tables["seasons"].columns),
    )
    found, gone = left(
        replace(schema, tables={**schema.tables, "seasons": years}),
        teams=[(1,), (2,)],
        seasons=[(1, 1990), (2, 1990), (2, None), (1, None)],
        matches=[],
        reports=[],
        notes=[],
    )
    assert found["seasons"] == [(1, 1990), (2, None), (1, None)]
    assert gone == {"seasons": 1}


def test_no_circle_is_closed_by_rows_that_named_one_that_goes() -> None:
    """Of two rows named 1 the one that stays is named by a row that it names. Row 3 names its own twin."""
    shape, codec = tree()
    rows = pl.DataFrame({"of": [1, 2, 1, 3, 3], "above": [2, 1, None, None, 3]}).to_arrow()
    of_seven = Database(shape, {"top": pl.DataFrame({"id": range(7)}).to_arrow(), "tree": rows}, "synthetic")
    kept = find_repeated(of_seven, codec)["tree"]
    left = rows.filter(pa.array(kept)).to_pylist()
    assert left == [{"of": 3, "above": None}]


def tree() -> tuple[Schema, DatabaseCodec]:
    """Rows of a tree are named by the row of a lookup that each has alone."""
    above = [None, *(number // 2 for number in range(1, 40))]
    tables = {
        "top": pl.DataFrame({"id": range(40)}),
        "tree": pl.DataFrame({"of": range(40), "above": above}),
    }
    keys = [{"columns": ["of"], "table": "top"}, {"columns": ["above"], "table": "tree"}]
    document = kinsynth.Synthesis.model_validate(
        {
            "tables": {
                "top": {"primary_key": ["id"], "original": True},
                "tree": {"primary_key": ["of"], "foreign_keys": keys},
            }
        }
    )
    database = state_circles(inspect(tables_from_memory(tables), document).database())
    return database.schema, fit_codecs(database, document)


@pytest.mark.usefixtures("parse_here")
def test_rows_that_would_come_before_the_one_that_stays_are_left_out(tmp_path: Path) -> None:
    """Matches are played once their season has begun; drawn years of one team repeat."""
    (source := tmp_path / "source").mkdir()
    chance, seasons, matches = Random(0), list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    for team in range(100):
        for year in chance.sample(range(8), chance.randint(2, 5)):
            begins = dt.date(2010, 1, 1) + dt.timedelta(days=chance.randrange(1200))
            seasons.append((team, 1990 + year, begins))
            for _ in range(chance.randint(0, 3)):
                played = begins + dt.timedelta(days=int(chance.expovariate(1 / 30)))
                matches.append((len(matches), team, 1990 + year, played))
    pl.DataFrame({"id": range(100)}).write_csv(source / "teams.csv")
    heads = {"seasons": [*SEASON, "begins"], "matches": ["id", *SEASON, "played"]}
    for name, rows in {"seasons": seasons, "matches": matches}.items():
        pl.DataFrame(rows, heads[name], orient="row").write_csv(source / f"{name}.csv")
    document = {
        "source": {"paths": [str(source)]},
        "tables": {
            "teams": {"primary_key": ["id"]},
            "seasons": entry(SEASON, ["team"], "teams"),
            "matches": entry(["id"], SEASON, "seasons"),
        },
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
        "report": {"enabled": False},
    }
    folder = run(parse(document), tmp_path / "run", base=Path()).folder
    proof = json.loads((folder / "certificate.json").read_text())["guarantees"]
    assert "matches: team, year -> seasons.begins <= played" in {one["where"] for one in proof}
    told = {one["where"]: one["count"] for one in json.loads((folder / "limits.json").read_text())}
    assert told["seasons"] > 10
    assert told["matches"] > 3
