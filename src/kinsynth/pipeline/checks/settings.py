"""Settings: features that are built, combinations that have an effect, shares that leave enough rows."""

from __future__ import annotations

from collections.abc import Iterator

from kinsynth.errors import Finding
from kinsynth.pipeline.checks.data import FEW_ROWS, FEWEST_ROWS
from kinsynth.pipeline.checks.facts import Facts, Step, list_names, suggest
from kinsynth.settings.fields import explain_unavailable, find, join_path, split_path, unavailable

FEWEST_HOLDOUT_ROWS = 50
FEWEST_TRAINING_ROWS = 10
WORKBOOK_ROWS = 1_048_575
WORKBOOK_COLUMNS = 16_384
_STEP = Step("settings")
_SWITCHES = {
    "learning_rate": "adaptive_learning_rate",
    "batch_size": "auto_batching",
    "gradient_accumulation": "auto_batching",
}


def find_settings(facts: Facts) -> Iterator[Finding]:
    """Give the findings of the step."""
    for path in unavailable(facts.synthesis):
        yield _not_available(path)
    yield from _find_unused(facts)
    yield from _find_rows(facts)
    for root in facts.structure.roots:
        if facts.rows(root) >= FEWEST_ROWS:
            yield from _find_shares(facts, root)
            yield from _find_strength(facts, root)
    if facts.synthesis.destination.format in ("xlsx", "ods"):
        yield from _find_workbook_limits(facts)


def _not_available(path: str) -> Finding:
    return _STEP.error("settings.not_available", path, *explain_unavailable(find(split_path(path))))


def _find_unused(facts: Facts) -> Iterator[Finding]:
    training = facts.synthesis.training
    for name, switch in _SWITCHES.items():
        changed = getattr(training, name) != type(training).model_fields[name].default
        if changed and getattr(training, switch):
            yield _STEP.warning(
                "settings.unused",
                f"training.{name}",
                f"The value has no effect while training.{switch} is on.",
                f"Write training.{switch}: false, or remove the line.",
            )
    smallest = min((facts.rows(root) for root in facts.structure.roots), default=0)
    if not training.auto_batching and training.batch_size > max(smallest, 1):
        yield _STEP.warning(
            "settings.batch_too_large",
            "training.batch_size",
            f"A batch holds more rows than the smallest root table, {smallest:,}.",
            "Write training.auto_batching: true, or a smaller batch size.",
        )


def _find_rows(facts: Facts) -> Iterator[Finding]:
    roots = facts.structure.roots
    for table, rows in facts.synthesis.generation.rows.items():
        where = join_path(("generation", "rows", table))
        if table not in facts.schema.tables:
            message = "No such table takes part."
            yield _STEP.error("settings.rows_unknown_table", where, message, suggest(table, roots))
        elif table not in roots:
            yield _STEP.error(
                "settings.rows_not_root",
                where,
                "Only the number of rows of a root table can be chosen; the others follow from it.",
                f"Name a root table: {list_names(roots)}.",
            )
        elif rows < 1:
            message = "At least one row must be generated."
            yield _STEP.error("settings.rows_too_few", where, message, "Write 1 or more, or remove the line.")


def _find_shares(facts: Facts, root: str) -> Iterator[Finding]:
    rows, share = facts.rows(root), facts.synthesis.evaluation.holdout_share
    holdout = int(rows * share)
    training = int((rows - holdout) * (1 - facts.synthesis.training.validation_fraction))
    if training < FEWEST_TRAINING_ROWS:
        yield _STEP.error(
            "settings.training_too_small",
            "evaluation.holdout_share",
            f"Holdout and validation leave {training} of {rows:,} rows of {root} to train on; "
            f"at least {FEWEST_TRAINING_ROWS} are needed.",
            "Lower evaluation.holdout_share or training.validation_fraction.",
        )
    elif holdout < FEWEST_HOLDOUT_ROWS and (rows >= FEW_ROWS or share == 0):
        larger = min(0.5, -(-FEWEST_HOLDOUT_ROWS * 100 // max(rows, 1)) / 100)
        none = "There is no holdout, so scores lack their reference." if share == 0 else ""
        yield _STEP.warning(
            "settings.holdout_too_small",
            "evaluation.holdout_share",
            none or f"The holdout has {holdout} rows of {root}; scores against it are rough.",
            f"Write evaluation.holdout_share: {larger}.",
        )


def _find_strength(facts: Facts, root: str) -> Iterator[Finding]:
    rows, minimum = facts.rows(root), facts.synthesis.protection.rare_minimum
    if minimum * 2 > rows:
        yield _STEP.warning(
            "settings.protection_too_strong",
            "protection.rare_minimum",
            f"A value must be held by {minimum} of {rows:,} rows of {root}; hardly any is.",
            f"Write protection.rare_minimum: {max(1, rows // 20)}.",
        )


def _find_workbook_limits(facts: Facts) -> Iterator[Finding]:
    wanted = facts.synthesis.generation.rows
    for name, table in facts.schema.tables.items():
        rows, columns = wanted.get(name, facts.rows(name)), len(table.columns)
        if rows > WORKBOOK_ROWS or columns > WORKBOOK_COLUMNS:
            yield _STEP.error(
                "settings.workbook_too_small",
                "destination.format",
                f"{name} has {rows:,} rows and {columns:,} columns; "
                f"a sheet holds {WORKBOOK_ROWS:,} and {WORKBOOK_COLUMNS:,}.",
                "Write destination.format: csv or parquet.",
            )
