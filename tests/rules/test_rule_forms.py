"""The forms of one kind of rule: units, roundings, parts, three terms, missing values of their own."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import view_of

from kinsynth.rules.detect import detect_rules
from kinsynth.rules.registry import rule_from_json

ROWS = 1_000
HELD = np.arange(ROWS) % 5 == 0


def numbers(seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).gamma(2, 40, ROWS), 2)


def moments(second_R: np.ndarray) -> pa.Array:
    return pa.array((1_500_000_000 + second_R) * 1_000_000).cast(pa.timestamp("us"))


def dates(day_R: np.ndarray) -> pa.Array:
    return pa.array(day_R.astype(np.int32)).cast(pa.date32())


def find(columns: dict[str, object]) -> dict[tuple[str, ...], dict[str, object]]:
    """Detect rules; each is given by kind and columns, with its document."""
    table = pa.table(columns)
    train, held = (view_of(table.filter(pa.array(part))) for part in (~HELD, HELD))
    rules = [one.rule for one in detect_rules(train, held)]
    whole = view_of(table)
    for rule in rules:
        again = rule_from_json(json.loads(json.dumps(rule.to_json())))
        assert not again.broken(whole.columns).any()
        without = {name: values for name, values in whole.columns.items() if name != rule.derives}
        made = again.apply(without, np.full((ROWS, 1), 0.5), {}) if rule.derives else {}
        assert all(values.equals(whole.columns[name]) for name, values in made.items())
    return {(rule.kind, *rule.columns): rule.to_json() for rule in rules}


def test_a_sum_of_three() -> None:
    a, b, c = numbers(1), numbers(2), numbers(3)
    found = find({"a": a, "b": b, "c": c, "total": np.round(a + b + c, 2)})
    assert ("sum", "total", "a", "b", "c") in found


@pytest.mark.parametrize("unit", [1, 60, 3_600, 86_400])
def test_a_moment_is_another_one_plus_a_duration(unit: int) -> None:
    chance = np.random.default_rng(4)
    second, length = chance.integers(0, 10**7, ROWS), chance.integers(0, 300, ROWS)
    found = find({"start": moments(second), "end": moments(second + unit * length), "length": length})
    assert found["sum", "end", "start", "length"]["unit"] == unit * 1e6


def test_a_date_is_another_one_plus_days() -> None:
    chance = np.random.default_rng(5)
    day, length = chance.integers(10_000, 11_000, ROWS), chance.integers(0, 90, ROWS)
    assert ("sum", "end", "start", "days") in find(
        {"start": dates(day), "days": length, "end": dates(day + length)}
    )


@pytest.mark.parametrize(
    ("rounding", "round_one"),
    [("half_up", lambda x: np.floor(x + 0.5)), ("down", np.floor), ("up", np.ceil)],
)
def test_a_product_is_rounded_as_in_the_source(rounding: str, round_one: object) -> None:
    price, rate = np.random.default_rng(6).integers(1, 10_000, ROWS), numbers(7)
    found = find({"price": price, "rate": rate, "fee": round_one(np.round(price * rate, 4)).astype(int)})
    assert found["product", "fee", "price", "rate"]["rounding"] == rounding


def test_a_conversion_is_found_with_its_round_factor() -> None:
    miles = np.round(np.random.default_rng(8).uniform(1, 500, ROWS), 3)
    found = find({"miles": miles, "km": np.round(1.609 * miles, 1)})
    assert found["line", "km", "miles"]["factor"] == 1.609


@pytest.mark.parametrize("part", ["year", "month", "day", "weekday_from_1", "hour", "minute"])
def test_a_part_of_a_moment(part: str) -> None:
    moment = moments(np.random.default_rng(9).integers(0, 2 * 10**8, ROWS))
    stamps = moment.to_pandas()
    value = stamps.dt.day_of_week + 1 if part == "weekday_from_1" else getattr(stamps.dt, part)
    found = find({"moment": moment, "value": pa.array(value.to_numpy().astype(np.int64))})
    assert found["part", "value", "moment"]["part"] == part


def test_a_target_with_missing_values_of_its_own_is_drawn_and_then_computed() -> None:
    a, b = numbers(10), numbers(11)
    total = pa.array(np.round(a + b, 2), mask=np.random.default_rng(12).random(ROWS) < 0.3)
    found = find({"a": a, "b": b, "total": total})
    assert found["sum", "total", "a", "b"]["complete"] is False


def test_numbers_without_decimals_are_added_exactly() -> None:
    chance = np.random.default_rng(13)
    a, b = chance.normal(size=ROWS), chance.normal(size=ROWS)
    assert ("sum", "total", "a", "b") in find({"a": a, "b": b, "total": a + b})


def test_columns_that_are_missing_together() -> None:
    chance = np.random.default_rng(14)
    gone = chance.random(ROWS) < 0.2
    first, second = (pa.array(chance.normal(size=ROWS), mask=gone) for _ in range(2))
    found = find({"first": first, "second": second})
    document = found["missing", "second", "first"]
    assert (document["gone"]["texts"], document["rest_there"]) == ([None], True)


def test_a_number_that_stands_for_nothing_makes_the_other_missing() -> None:
    chance = np.random.default_rng(15)
    visits = chance.poisson(1.0, ROWS)
    last = pa.array(chance.normal(size=ROWS), mask=visits == 0)
    document = find({"visits": visits, "last": last})["missing", "last", "visits"]
    assert (document["gone"]["texts"], document["rest_there"]) == (["0"], True)
