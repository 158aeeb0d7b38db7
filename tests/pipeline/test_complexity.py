"""The assessment grows with the work, names its drivers, and its suggestions apply and help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.engine.sizing import TablePlan, TableShape
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.complexity import (
    SLOW_SECONDS,
    Assessment,
    Work,
    assess,
    assess_inspection,
    expected_epochs,
)
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.library import fit
from kinsynth.pipeline.plan import Machine
from kinsynth.pipeline.shapes import count_frequent, estimate_shapes, two_level
from kinsynth.pipeline.sketches import CELLS
from kinsynth.schema.graph import find_structure
from kinsynth.settings.document import override, parse
from kinsynth.settings.synthesis import Synthesis

MACHINE = Machine(cores=2, free_memory_bytes=8_000_000_000, cuda=False)
PLENTY = 10**12


def make_work(rows: int = 10_000, columns: int = 10, **changes: Any) -> Work:
    shape = TableShape(rows=rows, roots=rows, cardinalities=(50,) * columns)
    work = Work(
        shapes={"t": shape},
        table_of={"t": "t"},
        plans={"t": TablePlan()},
        source_cells=rows * columns,
        drawn_rows={"t": rows},
        columns={"t": columns},
    )
    return replace(work, **changes)


def make_tables(rows: int = 2_000) -> dict[str, pa.Table]:
    generator = np.random.default_rng(0)
    parents = np.sort(generator.integers(0, rows, 3 * rows))
    return {
        "parent": pa.table(
            {
                "id": pa.array(range(rows)),
                "kind": pa.array([f"kind {i}" for i in generator.integers(0, 9, rows)]),
                "note": pa.array([f"word {i}" for i in range(rows)]),
            }
        ),
        "child": pa.table({"parent_id": parents, "x": generator.normal(size=3 * rows)}),
    }


DOCUMENT = {
    "tables": {
        "parent": {"primary_key": ["id"], "foreign_keys": [], "columns": {"note": {"type": "categorical"}}},
        "child": {"primary_key": [], "foreign_keys": [{"columns": ["parent_id"], "table": "parent"}]},
    }
}


def assess_tables(document: Synthesis, tables: dict[str, pa.Table]) -> Assessment:
    inspection = inspect(tables, document)
    assert not [finding for finding in check(inspection, document) if finding.severity == "error"]
    return assess_inspection(inspection, document, machine=MACHINE)


@pytest.mark.parametrize(
    "larger",
    [
        make_work(rows=20_000),
        make_work(columns=20),
        make_work(drawn_rows={"t": 1_000_000}),
        make_work(plans={"t": TablePlan(column_width=200)}),
        make_work(plans={"t": TablePlan(layers=4)}),
    ],
)
def test_more_work_costs_more(larger: Work) -> None:
    small, large = (assess(work, Synthesis(), free_memory_bytes=PLENTY) for work in (make_work(), larger))
    assert large.seconds > small.seconds
    assert large.peak_memory_bytes >= small.peak_memory_bytes


def test_shares_of_the_drivers_are_ordered_and_at_most_one() -> None:
    drivers = assess(make_work(), Synthesis(), free_memory_bytes=PLENTY).drivers
    shares = [driver.share for driver in drivers]
    assert shares == sorted(shares, reverse=True)
    assert 0.9 < sum(shares) <= 1 + 1e-9


def test_a_faster_machine_needs_less_time() -> None:
    slow, fast = (assess(make_work(), Synthesis(), free_memory_bytes=PLENTY, speed=s) for s in (1.0, 2.0))
    assert fast.seconds == pytest.approx(slow.seconds / 2)


def test_passes_grow_with_sequences_and_shrink_with_the_early_stop_delta() -> None:
    shape, plan = make_work().shapes["t"], TablePlan(early_stop_delta=0.001)
    passes = expected_epochs(shape, plan)
    assert expected_epochs(replace(shape, mean_sequence=16.0), plan) > passes
    assert expected_epochs(shape, replace(plan, early_stop_delta=0.01)) < passes
    assert expected_epochs(shape, replace(plan, early_stop_delta=0.0)) > passes
    assert expected_epochs(replace(shape, rows=100), plan) > passes


def test_long_runs_and_little_memory_are_slow_and_few_rows_poor() -> None:
    good = assess(make_work(), Synthesis(), free_memory_bytes=PLENTY)
    assert (good.verdict, good.suggestions) == ("good", ())
    long = assess(make_work(), Synthesis(), free_memory_bytes=PLENTY, speed=good.seconds / SLOW_SECONDS / 1.1)
    assert long.verdict == "slow"
    assert assess(make_work(), Synthesis(), free_memory_bytes=10**6).verdict == "slow"
    assert assess(make_work(rows=100), Synthesis(), free_memory_bytes=PLENTY).verdict == "poor"


@pytest.mark.parametrize(
    ("work", "free_memory_bytes", "speed", "reason"),
    [
        (make_work(), PLENTY, 1.0, ""),
        (
            make_work(rows=100),
            PLENTY,
            1.0,
            "few root rows to train on: 100, below 500: the model learns little",
        ),
        (
            make_work(near_unique=tuple(("t", str(i)) for i in range(6))),
            PLENTY,
            1.0,
            "6 of 10 columns are near-unique",
        ),
        (make_work(), PLENTY, 1e-6, "longer than 30 minutes"),
        (make_work(), 10**6, 1.0, "more than 80% of the free memory"),
        (make_work(), 10**6, 1e-6, "longer than 30 minutes; more than 80% of the free memory"),
    ],
)
def test_the_verdict_says_its_reason(work: Work, free_memory_bytes: int, speed: float, reason: str) -> None:
    found = assess(work, Synthesis(), free_memory_bytes=free_memory_bytes, speed=speed)
    assert found.reason == reason


def test_a_real_document_is_assessed_by_its_tables() -> None:
    tables = make_tables()
    result = assess_tables(parse(DOCUMENT), tables)
    assert {driver.where for driver in result.drivers} >= {"tables.parent", "tables.child", "report"}
    more = assess_tables(override(parse(DOCUMENT), {"generation.rows.parent": "100000"}), tables)
    assert more.seconds > result.seconds
    assert more.peak_memory_bytes > result.peak_memory_bytes


def test_a_near_unique_category_is_named_and_the_suggestion_removes_it() -> None:
    document, tables = parse(DOCUMENT), make_tables()
    (suggestion,) = assess_tables(document, tables).suggestions
    assert suggestion.code == "complexity.near_unique_column"
    changed = override(document, suggestion.overrides)
    assert changed.tables["parent"].columns["note"].type == "identifier"
    assert assess_tables(changed, tables).suggestions == ()


SLOW = {
    "complexity.smaller_model": (make_work(), {}),
    "complexity.earlier_stop": (make_work(), {}),
    "complexity.fewer_rows": (make_work(drawn_rows={"t": 10**9}), {"generation.rows.t": str(10**9)}),
    "complexity.fewer_rows_in_memory": (
        make_work(drawn_rows={"t": 10**9}),
        {"generation.rows.t": str(10**9)},
    ),
    "complexity.auto_batching": (make_work(), {"training.auto_batching": "false"}),
    "complexity.near_unique_column": (make_work(near_unique=(("t", "a.b"),)), {}),
    "complexity.many_categories": (make_work(many_codes=(("t", "a.b"),)), {}),
}


@pytest.mark.parametrize("code", SLOW)
def test_every_suggestion_is_reached_and_applies(code: str) -> None:
    work, settings = SLOW[code]
    document = override(Synthesis(), settings)
    memory = 10**6 if code in ("complexity.auto_batching", "complexity.fewer_rows_in_memory") else PLENTY
    result = assess(work, document, free_memory_bytes=memory, speed=1e-4)
    found = {suggestion.code: suggestion for suggestion in result.suggestions}
    assert code in found
    changed = override(document, found[code].overrides)
    assert changed != document
    assert found[code].message.endswith(".")


def test_codes_beyond_a_thousand_are_split_in_two() -> None:
    assert two_level(1_000) == [1_000]
    for codes in (1_001, 5_000, 123_456):
        group, member = two_level(codes)
        assert codes <= group * member < codes + member


def test_frequent_values_are_counted() -> None:
    assert count_frequent(pa.chunked_array([["a"] * 5 + ["b"] * 4 + [None] * 9]), 5) == 1


def make_linked(rows: int = 400) -> dict[str, pa.Table]:
    """Staff have a boss; an order of a customer is taken by one of the staff."""
    generator = np.random.default_rng(0)
    boss = [None, *(int(generator.integers(0, number)) for number in range(1, rows))]
    return {
        "staff": pa.table(
            {"id": range(rows), "boss": pa.array(boss, pa.int64()), "x": generator.normal(size=rows)}
        ),
        "customer": pa.table({"id": range(rows), "y": generator.normal(size=rows)}),
        "order": pa.table(
            {
                "customer": np.sort(generator.integers(0, rows, 3 * rows)),
                "taker": generator.integers(0, rows, 3 * rows),
                "z": generator.normal(size=3 * rows),
            }
        ),
    }


LINKED = {
    "roots": "many",
    "training": {"max_epochs": 1},
    "tables": {
        "staff": {"primary_key": ["id"], "foreign_keys": [{"columns": ["boss"], "table": "staff"}]},
        "customer": {"primary_key": ["id"], "foreign_keys": []},
        "order": {
            "primary_key": [],
            "foreign_keys": [
                {"columns": ["customer"], "table": "customer", "owner": True},
                {"columns": ["taker"], "table": "staff"},
            ],
        },
    },
}


def test_tables_of_keys_and_what_rows_point_to_are_estimated():
    document, tables = parse(LINKED), make_linked()
    model = fit(tables, document)
    schema = inspect(tables, document).schema
    shapes, table_of = estimate_shapes(schema, find_structure(schema), tables, document)
    assert tuple(shapes) == tuple(model.networks)
    assert table_of["order (keys)"] == "order"
    assert table_of["staff (late keys)"] == "staff"
    for name, shape in shapes.items():
        layout = model.networks[name].layout
        assert len(shape.cardinalities) == len(layout.sub_columns), name
        assert len(shape.reached) == len(layout.reached_by_row), name
        assert len(shape.siblings) == len(layout.siblings), name
    assessment = assess_tables(document, tables)
    assert {driver.where for driver in assessment.drivers if "keys" in driver.name} <= {
        "tables.order",
        "tables.staff",
    }


@pytest.mark.parametrize(("rows", "sketches"), [(8, 0), (40, 1)])
def test_sketches_of_few_parents_with_many_rows_each_are_estimated(rows: int, sketches: int) -> None:
    generator = np.random.default_rng(0)
    tables = {
        "parent": pa.table({"id": range(600), "x": generator.normal(size=600)}),
        "child": pa.table(
            {"parent": np.repeat(np.arange(600), rows), "y": generator.normal(size=600 * rows)}
        ),
    }
    key = {"columns": ["parent"], "table": "parent"}
    document = parse(
        {
            "tables": {
                "parent": {"primary_key": ["id"], "foreign_keys": []},
                "child": {"primary_key": [], "foreign_keys": [key]},
            }
        }
    )
    schema = inspect(tables, document).schema
    shapes, _ = estimate_shapes(schema, find_structure(schema), tables, document)
    assert shapes["parent"].cardinalities.count(CELLS) == sketches


def test_an_empty_table_is_no_root_that_is_too_small() -> None:
    tables = {**make_tables(), "spare": pa.table({"id": pa.array([], pa.int64())})}
    keys = {"primary_key": [], "foreign_keys": []}
    document = Synthesis.model_validate({"roots": "many", "tables": {**DOCUMENT["tables"], "spare": keys}})
    assert "few root rows" not in assess_tables(document, tables).reason
