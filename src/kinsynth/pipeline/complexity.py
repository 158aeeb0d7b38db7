"""Complexity: what a run will cost in time and memory, why, and what would lower it. Arithmetic only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.engine.sizing import (
    TablePlan,
    TableShape,
    plan_table,
    sampling_seconds,
    steps_per_epoch,
    training_bytes,
    training_seconds,
)
from kinsynth.pipeline.inspect import Inspection
from kinsynth.pipeline.plan import Machine, look_at_machine
from kinsynth.pipeline.shapes import ONE_TOKEN, count_frequent, estimate_shapes
from kinsynth.schema.graph import find_structure
from kinsynth.settings.fields import join_path
from kinsynth.settings.synthesis import Synthesis

Verdict = Literal["good", "slow", "poor"]

SLOW_SECONDS = 1_800.0
MEMORY_SHARE = 0.8
NEAR_UNIQUE_SHARE = 0.5
FEW_ROOTS = 500
MANY_TIMES = 10
SHOWN_DRIVERS = 6


@dataclass(frozen=True)
class Rates:
    """What each part of a run costs: measured by ``benchmarks/complexity.py``, kept here only.

    Attributes:
        start_s: Time of a run over nothing: imports, folders, an empty report.
        read_cell_s: Time to read, type and check one cell of the source.
        codec_cell_s: Time to fit and encode one cell.
        decode_cell_s: Time to decode, write and certify one cell of the result.
        compare_cell_s: Time to compare one cell of original and synthetic in the report.
        report_s: Time of a report over nothing.
        report_column_s: Time to compare and draw one column in the report.
        neighbour_pair_s: Time for one pair of rows and one column in the scores that compare rows.
        epochs: Passes over independent rows until early stop, with an early stop delta of 0.001.
        sequence_epochs: Further share of these passes for each doubling of the rows under one parent.
        delta_power: How the passes fall with a larger early stop delta; assumed, not measured.
        fewest_steps: Optimiser steps that even the smallest table takes.
        training: Measured over estimated time of training.
        sampling: Measured over estimated time of drawing.
        base_bytes: Memory of a run over nothing.
        cell_bytes: Memory of one cell in its several forms.
        training_memory: Measured over estimated memory of training.
    """

    start_s: float = 3.0
    read_cell_s: float = 1.0e-6
    codec_cell_s: float = 1.0e-6
    decode_cell_s: float = 1.5e-6
    compare_cell_s: float = 1.0e-6
    report_s: float = 2.0
    report_column_s: float = 0.15
    neighbour_pair_s: float = 2.0e-10
    epochs: float = 12.0
    sequence_epochs: float = 0.34
    delta_power: float = 0.25
    fewest_steps: int = 150
    training: float = 1.0
    sampling: float = 1.0
    base_bytes: int = 600_000_000
    cell_bytes: float = 120.0
    training_memory: float = 1.0


RATES = Rates()


@dataclass(frozen=True)
class Driver:
    """A part of the cost.

    Attributes:
        name: What it is.
        share: Its share of the time, 0-1.
        where: Table or field it comes from.
    """

    name: str
    share: float
    where: str


@dataclass(frozen=True)
class Suggestion:
    """A change that makes the run cheaper or its result better.

    Attributes:
        code: Stable code.
        message: What it does.
        overrides: Fields to change, for ``settings.document.override``.
    """

    code: str
    message: str
    overrides: Mapping[str, str]


@dataclass(frozen=True)
class Assessment:
    """What a run will cost.

    Attributes:
        seconds: Estimated time of the run.
        peak_memory_bytes: Estimated largest memory in use.
        drivers: Where the time goes, largest first.
        verdict: ``good``, ``slow`` (long, or more memory than is free) or ``poor`` (the result may be).
        reason: Why the verdict is not ``good``; empty when it is.
        suggestions: What would help.
    """

    seconds: float
    peak_memory_bytes: int
    drivers: tuple[Driver, ...]
    verdict: Verdict
    reason: str
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True)
class Work:
    """What a run has to do, in numbers.

    Attributes:
        shapes: Shape of the training rows of each synthesised table and table of keys.
        table_of: For each of these the synthesised table it belongs to.
        plans: How each is trained.
        source_cells: Cells read.
        drawn_rows: Rows to draw, by synthesised table.
        columns: Columns by synthesised table.
        near_unique: Columns (table, column) most values of which are rare.
        many_codes: Columns (table, column) with very many kept categories.
    """

    shapes: Mapping[str, TableShape]
    table_of: Mapping[str, str]
    plans: Mapping[str, TablePlan]
    source_cells: int
    drawn_rows: Mapping[str, int]
    columns: Mapping[str, int]
    near_unique: tuple[tuple[str, str], ...] = ()
    many_codes: tuple[tuple[str, str], ...] = ()
    rates: Rates = field(default=RATES)

    @property
    def roots(self) -> int:
        """Rows of the smallest root table that has any."""
        filled = [one for name, one in self.shapes.items() if self.drawn_rows.get(self.table_of[name], 0)]
        return min((shape.roots for shape in filled), default=0)


def assess_inspection(
    inspection: Inspection, synthesis: Synthesis, *, machine: Machine | None = None, speed: float = 1.0
) -> Assessment:
    """Assess the run of a document that has passed the checks.

    Args:
        inspection: What was found in the source.
        synthesis: The document.
        machine: What the machine offers; looked at when missing.
        speed: Speed of this machine relative to the one the rates were measured on.
    """
    cuda = synthesis.training.device == "cuda"
    place = machine or look_at_machine(synthesis, cuda=cuda)
    work = measure_work(inspection, synthesis, machine=place)
    return assess(work, synthesis, free_memory_bytes=place.free_memory_bytes, speed=speed)


def measure_work(inspection: Inspection, synthesis: Synthesis, *, machine: Machine) -> Work:
    """Count what a run has to do."""
    schema, tables = inspection.schema, inspection.tables
    made = find_structure(schema)
    shapes, table_of = estimate_shapes(schema, made, tables, synthesis)
    growth = {
        root: synthesis.generation.rows.get(root, tables[root].num_rows) / max(1, tables[root].num_rows)
        for root in made.roots
    }
    plans = {
        name: plan_table(
            shape,
            synthesis.training,
            free_memory_bytes=machine.free_memory_bytes,
            threads=machine.cores,
            device="cuda" if machine.cuda else "cpu",
        )
        for name, shape in shapes.items()
    }
    categories = [
        (name, column.name)
        for name in made.order
        for column in schema.tables[name].columns
        if column.type == "categorical"
    ]
    minimum = synthesis.protection.rare_minimum
    return Work(
        shapes=shapes,
        table_of=table_of,
        plans=plans,
        source_cells=sum(table.num_rows * table.num_columns for table in tables.values()),
        drawn_rows={name: round(tables[name].num_rows * growth[made.root_of(name)]) for name in made.order},
        columns={name: len(schema.tables[name].columns) for name in made.order},
        near_unique=tuple(
            (name, column) for name, column in categories if _is_near_unique(tables[name].column(column))
        ),
        many_codes=tuple(
            (name, column)
            for name, column in categories
            if count_frequent(tables[name].column(column), minimum) > ONE_TOKEN
        ),
    )


def _is_near_unique(values: pa.ChunkedArray) -> bool:
    present = int(len(values) - values.null_count)
    distinct = int(pc.count_distinct(values).as_py())
    return distinct > NEAR_UNIQUE_SHARE * float(max(1, present))


def assess(work: Work, synthesis: Synthesis, *, free_memory_bytes: int, speed: float = 1.0) -> Assessment:
    """Estimate time and memory, name their drivers, and suggest changes.

    Guarantees:
        More rows, columns or epochs never make the estimate smaller. Every suggestion's overrides apply to
        the document.
    """
    parts = list(_estimate_parts(work, synthesis))
    total = sum(driver.share for driver in parts)
    drivers = sorted(
        (Driver(part.name, part.share / total, part.where) for part in parts), key=lambda part: -part.share
    )
    seconds = total / speed
    memory = estimate_memory(work)
    tight = memory > MEMORY_SHARE * free_memory_bytes
    verdict, reason = _judge(work, long=seconds > SLOW_SECONDS, tight=tight)
    suggestions = tuple(_suggest(work, synthesis, drivers, verdict, tight))
    return Assessment(seconds, memory, tuple(drivers[:SHOWN_DRIVERS]), verdict, reason, suggestions)


def expected_epochs(shape: TableShape, plan: TablePlan, rates: Rates = RATES) -> float:
    """Estimate the passes over the rows until early stop; the batch grows with the rows, so they do not."""
    sequence = 1 + rates.sequence_epochs * math.log2(max(1.0, shape.mean_sequence))
    patience = (1e-3 / max(plan.early_stop_delta, 1e-4)) ** rates.delta_power
    fewest = rates.fewest_steps / steps_per_epoch(shape, plan)
    return float(max(fewest, rates.epochs * sequence * patience))


def _estimate_parts(work: Work, synthesis: Synthesis) -> Iterator[Driver]:
    """Give the seconds of each part in place of its share."""
    rates = work.rates
    yield Driver("start", rates.start_s, "")
    reading = work.source_cells * (rates.read_cell_s + rates.codec_cell_s)
    yield Driver("reading and encoding", reading, "source")
    for name, shape in work.shapes.items():
        plan, table = work.plans[name], work.table_of[name]
        where = join_path(("tables", table))
        training = training_seconds(shape, plan, epochs=expected_epochs(shape, plan, rates))
        yield Driver(f"training of {name}", rates.training * training, where)
        rows = work.drawn_rows[table]
        cells = rows * work.columns[table] if name == table else 0
        drawing = rates.sampling * sampling_seconds(shape, plan, rows=rows)
        yield Driver(f"drawing of {name}", drawing + cells * rates.decode_cell_s, where)
    yield Driver("scores and report", _estimate_report(work, synthesis), "report")


def _estimate_report(work: Work, synthesis: Synthesis) -> float:
    rates, most = work.rates, synthesis.evaluation.max_rows
    columns = sum(work.columns.values())
    shown = sum(min(count, synthesis.report.univariate_columns) for count in work.columns.values())
    pairs = sum(
        min(rows, most) ** 2 * min(work.columns[name], synthesis.report.knn_columns)
        for name, rows in work.drawn_rows.items()
    )
    cells = work.source_cells * rates.compare_cell_s
    drawn = shown if synthesis.report.enabled else 0
    drawing = (columns + drawn) / 2 * rates.report_column_s
    return rates.report_s + cells + pairs * rates.neighbour_pair_s + drawing


def estimate_memory(work: Work) -> int:
    """Estimate the largest memory in use."""
    rates = work.rates
    drawn = sum(rows * work.columns[name] for name, rows in work.drawn_rows.items())
    training = max((training_bytes(work.shapes[name], work.plans[name]) for name in work.shapes), default=0)
    tables = rates.cell_bytes * (work.source_cells + drawn)
    return int(rates.base_bytes + tables + rates.training_memory * training)


def _judge(work: Work, *, long: bool, tight: bool) -> tuple[Verdict, str]:
    """Give the verdict and its reasons."""
    near, columns = len(work.near_unique), sum(work.columns.values())
    poor = {
        f"few root rows to train on: {work.roots:,}, below {FEW_ROOTS}: the model learns little": (
            work.roots < FEW_ROOTS
        ),
        f"{near} of {columns} columns are near-unique": near > NEAR_UNIQUE_SHARE * max(1, columns),
    }
    slow = {
        f"longer than {SLOW_SECONDS / 60:.0f} minutes": long,
        f"more than {MEMORY_SHARE:.0%} of the free memory": tight,
    }
    verdict: Verdict = "poor" if any(poor.values()) else "slow" if any(slow.values()) else "good"
    return verdict, "; ".join(reason for reason, holds in (poor | slow).items() if holds)


# Suggestions


def _suggest(
    work: Work, synthesis: Synthesis, drivers: list[Driver], verdict: Verdict, tight: bool
) -> Iterator[Suggestion]:
    for table, column in work.near_unique:
        yield Suggestion(
            "complexity.near_unique_column",
            f"{table}.{column} has nearly as many categories as rows: make new values of its format instead.",
            {join_path(("tables", table, "columns", column, "type")): "identifier"},
        )
    for table, column in work.many_codes:
        yield Suggestion(
            "complexity.many_categories",
            f"{table}.{column} has very many categories: keep those of at least one row in a thousand.",
            {join_path(("tables", table, "columns", column, "rare_share")): "0.001"},
        )
    if verdict == "slow":
        yield from _suggest_speed(work, synthesis, drivers)
    if tight:
        yield from _suggest_memory(work, synthesis)


def _suggest_speed(work: Work, synthesis: Synthesis, drivers: list[Driver]) -> Iterator[Suggestion]:
    training = sum(driver.share for driver in drivers if driver.name.startswith("training"))
    if training > 0.3 and synthesis.training.model_size != "small":
        smaller = {"large": "medium", "medium": "small"}[synthesis.training.model_size]
        yield Suggestion(
            "complexity.smaller_model",
            f"Training takes {training:.0%} of the time: use the next smaller model.",
            {"training.model_size": smaller},
        )
    if training > 0.3 and synthesis.training.early_stop_delta < 0.01:
        yield Suggestion(
            "complexity.earlier_stop",
            "Stop training at the first small improvement.",
            {"training.early_stop_delta": "0.01"},
        )
    yield from _suggest_rows(work, synthesis, drivers)


def _suggest_rows(work: Work, synthesis: Synthesis, drivers: list[Driver]) -> Iterator[Suggestion]:
    drawing = sum(driver.share for driver in drivers if driver.name.startswith("drawing"))
    for root, rows in synthesis.generation.rows.items():
        known = work.shapes[root].rows if root in work.shapes else rows
        if rows > MANY_TIMES * known and drawing > 0.3:
            yield Suggestion(
                "complexity.fewer_rows",
                f"Drawing takes {drawing:.0%} of the time: draw as many rows of {root} as the source has, "
                "and more from the stored model later.",
                {join_path(("generation", "rows", root)): str(known)},
            )


def _suggest_memory(work: Work, synthesis: Synthesis) -> Iterator[Suggestion]:
    if not synthesis.training.auto_batching:
        yield Suggestion(
            "complexity.auto_batching",
            "Choose the batch size from the memory that is free.",
            {"training.auto_batching": "true"},
        )
    for root, rows in synthesis.generation.rows.items():
        known = work.shapes[root].rows if root in work.shapes else rows
        if rows > known:
            yield Suggestion(
                "complexity.fewer_rows_in_memory",
                f"Draw as many rows of {root} as the source has, and more from the stored model later.",
                {join_path(("generation", "rows", root)): str(known)},
            )
