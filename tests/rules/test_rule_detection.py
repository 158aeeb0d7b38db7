"""What is proposed: planted rules, nothing between independent columns, nothing a held-out row breaks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import independent_table, planted_table, view_of

from kinsynth.rules.detect import Proposal, detect_rules
from kinsynth.rules.registry import rule_from_json

PLANTED = {
    ("sum", "gross", "net", "tax"),
    ("product", "amount", "quantity", "price"),
    ("order", "start", "end"),
    ("part", "start_month", "start"),
    ("function", "country", "city"),
    ("copy", "city_again", "city"),
    ("missing", "carrier", "status"),
    ("combination", "model", "colour"),
    ("line", "fahrenheit", "celsius"),
    ("order", "tax", "net"),
}


def detect(table: pa.Table, *, share: float = 0.2) -> tuple[Proposal, ...]:
    held = np.arange(table.num_rows) < share * table.num_rows
    parts = [table.filter(pa.array(held == one)) for one in (False, True)]
    return detect_rules(*map(view_of, parts))


def names(proposals: tuple[Proposal, ...]) -> set[tuple[str, ...]]:
    return {(one.rule.kind, *one.rule.columns) for one in proposals}


def test_every_planted_rule_is_found_and_no_other() -> None:
    assert names(detect(planted_table(0))) == PLANTED


@pytest.mark.parametrize("seed", range(4))
def test_independent_columns_have_no_rule(seed: int) -> None:
    assert names(detect(independent_table(seed))) == set()


@pytest.mark.parametrize("rule", sorted(PLANTED), ids=lambda rule: rule[0])
def test_a_rule_that_one_held_out_row_breaks_is_not_proposed(rule: tuple[str, ...]) -> None:
    table = planted_table(1)
    assert rule in names(detect(table))
    broken = break_one(table, *BREAKS[rule])
    assert rule not in names(detect(broken))


def break_one(table: pa.Table, column: str, when: str, value: Any) -> pa.Table:
    """Put a value into the first row that has another column's value."""
    cells = table[column].to_pylist()
    if value == "never":  # the model that is never seen with the first row's colour
        pairs = set(zip(cells, table[when].to_pylist(), strict=True))
        value = next(one for one in sorted(set(cells)) if (one, table[when][0].as_py()) not in pairs)
    row = next(n for n, cell in enumerate(table[when].to_pylist()) if cell not in (None, "lost", "shipped"))
    assert row < 0.2 * table.num_rows
    cells[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(cells, table[column].type))


BREAKS = {
    ("sum", "gross", "net", "tax"): ("gross", "gross", 0.5),
    ("product", "amount", "quantity", "price"): ("amount", "price", 0.01),
    ("order", "start", "end"): ("start", "end", dt.date(2030, 1, 1)),
    ("part", "start_month", "start"): ("start_month", "start", 13),
    ("function", "country", "city"): ("country", "city", "country 0 "),
    ("copy", "city_again", "city"): ("city_again", "city", "elsewhere"),
    ("missing", "carrier", "status"): ("carrier", "status", "x"),
    ("combination", "model", "colour"): ("model", "colour", "never"),
    ("line", "fahrenheit", "celsius"): ("fahrenheit", "celsius", 1e3),
    ("order", "tax", "net"): ("tax", "net", 1e6),
}


def test_rules_come_back_from_json() -> None:
    view = view_of(planted_table(2))
    for one in detect(planted_table(2)):
        document = json.loads(json.dumps(one.rule.to_json()))
        assert rule_from_json(document).to_json() == document
        assert not rule_from_json(document).broken(view.columns).any()
