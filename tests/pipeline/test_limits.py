"""What could not be modelled as asked is told in the timeline, in a file and in the report; never a cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.engine.sampled import SampledBlock
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.limits import FEW_TARGETS, Losses, find_empty, find_few_held, find_widened
from kinsynth.pipeline.model import load_model
from kinsynth.pipeline.run import Execution, generate, run
from kinsynth.pipeline.timeline import StepMessage, read_events
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.split import split_rows
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings.document import parse

SECRET = "Q7Zebra"


def write_source(folder: Path) -> None:
    """Write customers, and orders that may have none; three customers refer each other in a circle."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    number = np.arange(1, 301)
    friend = [str(one) if one > 3 and rng.random() < 0.5 else "" for one in number]
    friend[:3] = ["2", "3", "1"]
    pl.DataFrame({"customer_id": number, "friend": friend, "kind": rng.choice(["a", "b"], 300)}).write_csv(
        folder / "customer.csv"
    )
    asked = [str(one) if rng.random() < 0.4 else "" for one in rng.integers(1, 301, 600)]
    pl.DataFrame(
        {
            "order_id": np.arange(1, 601),
            "customer_id": asked,
            "amount": rng.integers(1, 50, 600),
            "note": [SECRET if one == 7 else "plain" for one in range(600)],
        }
    ).write_csv(folder / "order.csv")


def document(source: Path) -> dict[str, Any]:
    keys = {"customer_id": "customer", "friend": "customer"}
    return {
        "name": "limits",
        "roots": "many",
        "source": {"paths": [str(source)]},
        "tables": {
            "customer": {
                "primary_key": ["customer_id"],
                "foreign_keys": [{"columns": ["friend"], "table": keys["friend"]}],
            },
            "order": {
                "primary_key": ["order_id"],
                "foreign_keys": [{"columns": ["customer_id"], "table": "customer"}],
                "checks": ["amount != 77"],
                "columns": {"note": {"type": "categorical"}},
            },
        },
        "training": {"max_epochs": 2, "threads": 1, "model_size": "small", "training_steps": 3},
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """A finished run."""
    folder = tmp_path_factory.mktemp("limits")
    write_source(folder / "source")
    return run(parse(document(folder / "source")), folder / "run", base=Path())


def told(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "limits.json").read_text(encoding="utf-8"))
    return found


def test_a_run_tells_its_limits_in_the_order_of_the_timeline(finished: Execution) -> None:
    codes = [limit["code"] for limit in told(finished.folder)]
    assert {
        "data.few_rows",
        "foreign_keys.no_sequence",
        "foreign_keys.circular_rows",
        "checks.not_by_construction",
    } <= {*codes}
    lines = [event.message for event in read_events(finished.timeline) if isinstance(event, StepMessage)]
    places = [next(n for n, line in enumerate(lines) if f"[{code}]" in line) for code in dict.fromkeys(codes)]
    assert places == sorted(places)


def test_no_cell_of_the_source_is_told(finished: Execution) -> None:
    assert SECRET not in json.dumps(told(finished.folder))


def test_a_stored_model_and_a_new_drawing_tell_them_again(finished: Execution, tmp_path: Path) -> None:
    limits = load_model(finished.folder / "model").limits
    again = generate(finished.folder, seed=5, output=tmp_path / "more")
    known = [limit.code for limit in limits]
    assert "foreign_keys.circular_rows" in known
    assert [limit["code"] for limit in told(again.folder)][: len(known)] == known


def test_a_database_that_is_modelled_as_asked_has_no_limits(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    rng = np.random.default_rng(2)
    pl.DataFrame({"id": np.arange(800), "x": rng.integers(0, 9, 800)}).write_csv(
        tmp_path / "source" / "things.csv"
    )
    plain = {
        "name": "plain",
        "source": {"paths": [str(tmp_path / "source")]},
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
    }
    assert told(run(parse(plain), tmp_path / "run", base=Path()).folder) == []


class Block:
    """As much of a block as is counted."""

    def __init__(self, removed: int, emptied: Mapping[str, int], kept: int = 100) -> None:
        rows = {"removed": removed, "emptied": emptied, "lost": {"t(b) -> u(id)": removed - 1}}
        self.tables = {"t": type("Rows", (), {**rows, "root_R": np.zeros(kept)})()}


def test_losses_add_up_over_blocks() -> None:
    losses = Losses()
    blocks: list[Any] = [Block(2, {"t(a) -> u(id)": 1}), Block(3, {"t(a) -> u(id)": 4})]
    typed: list[SampledBlock] = blocks
    losses.add(typed)
    losses.repeated.update({"u": 7, "v": 0})
    losses.kept["u"] = 1_000
    found = list(losses.find({"t": 205, "u": 1_000}))
    assert [(one.code, one.where, one.count) for one in found] == [
        ("synthesis.rows_without_target", "t", 5),
        ("synthesis.keys_emptied", "t(a) -> u(id)", 5),
        ("synthesis.rows_repeated", "u", 7),
    ]
    assert "5 of 205 rows (2.4%)" in found[0].message
    assert "t(b) -> u(id) must not be missing and found no row in 3; others" in found[0].message
    assert "t 205, u 1,000" in found[0].remedy
    assert "they are few" in found[2].remedy


def test_a_table_without_rows_says_why(finished: Execution) -> None:
    model = load_model(finished.folder / "model")
    for asked, expected in (
        ({"customer": 0, "order": 600}, {"customer": "none of customer was asked for"}),
        ({"customer": 0, "order": 0}, dict.fromkeys(("customer", "order"), "was asked for")),
    ):
        found = {one.where: one.message for one in find_empty(model.draw(asked, seed=1), asked)}
        assert found.keys() == expected.keys()
        assert all(expected[name] in message for name, message in found.items())
    database = model.draw({"customer": 0, "order": 0}, seed=1)
    assert all("asked" not in one.message for one in find_empty(database, {"customer": 5, "order": 5}))


@pytest.mark.parametrize("holdout_share", [0, 0.5])
def test_numbers_of_child_rows_that_are_cut_are_told_without_the_largest(holdout_share: float) -> None:
    """One parent has most of the rows; whether the model may see it does not matter."""
    rng = np.random.default_rng(4)
    parents = np.where(np.arange(4_000) < 3_000, 1, rng.integers(1, 101, 4_000))
    tables = {
        "parent": pl.DataFrame({"id": np.arange(1, 101), "kind": rng.choice(["a", "b"], 100)}),
        "child": pl.DataFrame({"id": np.arange(4_000), "parent": parents}),
    }
    document = kinsynth.Synthesis.model_validate(
        {
            "tables": {
                "parent": {"primary_key": ["id"]},
                "child": {
                    "primary_key": ["id"],
                    "foreign_keys": [{"columns": ["parent"], "table": "parent"}],
                },
            },
            "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
            "evaluation": {"holdout_share": holdout_share},
        }
    )
    (cut,) = [one for one in kinsynth.fit(tables, document).limits if one.code == "foreign_keys.counts_cut"]
    assert cut.where == "parent"
    assert "more than half" in cut.message
    assert "3,0" not in cut.message


def test_keys_that_are_filled_in_part_are_told() -> None:
    """Of a key of two columns one may stand alone."""
    rng = np.random.default_rng(5)
    place = pl.DataFrame({"a": np.repeat(np.arange(20), 4), "b": np.tile(np.arange(4), 20)})
    seat = {"id": np.arange(200), "a": rng.integers(0, 20, 200), "b": rng.integers(0, 4, 200)}
    seats = pl.DataFrame(seat).with_columns(
        a=pl.when(pl.col("id") < 30).then(None).otherwise("a"),
        b=pl.when((pl.col("id") < 50) & (pl.col("id") > 9)).then(None).otherwise("b"),
    )
    keys = [{"columns": ["a", "b"], "table": "place"}]
    synthesis = kinsynth.Synthesis.model_validate(
        {
            "roots": "many",
            "tables": {
                "place": {"primary_key": ["a", "b"]},
                "seat": {"primary_key": ["id"], "foreign_keys": keys},
            },
        }
    )
    inspection = inspect(tables_from_memory({"place": place, "seat": seats}), synthesis)
    (partly,) = [one for one in check(inspection, synthesis) if one.code == "foreign_keys.partly_missing"]
    assert "In 30 of 200 rows" in partly.message


def test_columns_that_may_be_missing_are_told_by_table() -> None:
    found = [*find_widened(["a.x", "a.y", "b.c.z"])]
    assert [(one.where, one.count) for one in found] == [("a", 2), ("b.c", 1)]
    assert "x, y" in found[0].message


@pytest.mark.parametrize(("rows", "depends", "told_of"), [(200, False, 1), (200, True, 0), (30, False, 0)])
def test_a_key_chosen_by_in_degree_alone_is_told(rows: int, depends: bool, told_of: int) -> None:
    rng = np.random.default_rng(3)
    kind = rng.choice(["red", "blue"], 5 * rows)
    shade = np.where(np.arange(rows) % 2, "red", "blue")
    any_row = rng.integers(0, rows, 5 * rows)
    same = 2 * rng.integers(0, rows // 2, 5 * rows) + (kind == "red")
    tables = {
        "product": pl.DataFrame({"product_id": np.arange(rows), "shade": shade}),
        "order": pl.DataFrame(
            {
                "order_id": np.arange(5 * rows),
                "kind": kind,
                "product_id": pl.Series(same if depends else any_row).set(
                    pl.Series(rng.random(5 * rows) < 0.2), None
                ),
            }
        ),
    }
    document = kinsynth.Synthesis.model_validate(
        {
            "roots": "many",
            "tables": {
                "product": {"primary_key": ["product_id"]},
                "order": {
                    "primary_key": ["order_id"],
                    "foreign_keys": [{"columns": ["product_id"], "table": "product", "owner": False}],
                },
            },
            "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
        }
    )
    limits = kinsynth.fit(tables, document).limits
    assert sum(limit.code == "foreign_keys.in_degree_alone" for limit in limits) == told_of
    assert 30 < FEW_TARGETS < 200


@pytest.mark.parametrize(("chained", "told"), [(True, ["user"]), (False, [])])
def test_few_held_out_rows_are_told(chained: bool, told: list[str]) -> None:
    """Where each row points at the one before, the last one leads to all."""
    of = [row - 1 if row else None for row in range(200)] if chained else [None] * 200
    columns = (Column("id", "identifier", "int64"), Column("of", "identifier", "int64", nullable=True))
    schema = Schema({"user": Table("user", columns, ("id",))}, (Relation("user", ("of",), "user", ("id",)),))
    rows = pa.table({"id": range(200), "of": pa.array(of, pa.int64())})
    structure = find_structure(schema)
    parts = split_rows(Database(schema, {"user": rows}, "original"), structure, share=0.1, seed=1)
    found = list(find_few_held(*parts, structure.roots, share=0.1))
    assert [one.where for one in found] == told
    for one in found:
        assert "of 200 rows are held out, 20 were to be" in one.message
