"""Orders: drawn values that disagree change places, and stay within the bounds of their columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_toys import view_of

from kinsynth.columns.measure import FloatScale
from kinsynth.columns.scale import NumberScale
from kinsynth.rules.enforce import enforce
from kinsynth.rules.order import Order, put_between, put_in_order, sort_columns

WHOLE = NumberScale("int64")
numbers = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=6, max_size=6)
NAMES = ("a", "b", "c", "d")
GRAPHS = [
    (("a", "b"),),
    (("a", "b"), ("b", "c")),
    (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")),
    (("a", "c"), ("b", "c"), ("c", "d")),
]


def order(
    small: str, large: str, *, strict: bool = False, fixed: bool = False, capped: bool = False
) -> Order:
    return Order((small, large), strict, WHOLE, 1, ((0, 9), (0, 9)), fixed, False, capped)


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers, min_size=4, max_size=4), st.sampled_from(GRAPHS), st.data())
def test_no_row_is_broken_whatever_is_drawn(
    cells: list[list[int | None]], graph: tuple, data: st.DataObject
) -> None:
    columns = {name: pa.array(one, pa.int64()) for name, one in zip(NAMES, cells, strict=True)}
    # columns at one end may be fixed: the order of rows, and moments of other rows
    small, large = {one for one, _ in graph}, {one for _, one in graph}
    capped = data.draw(st.booleans())
    fixed = data.draw(st.sets(st.sampled_from(sorted(large - small if capped else small - large))))
    rules = [
        order(
            *pair,
            strict=data.draw(st.booleans()),
            fixed=not capped and pair[0] in fixed,
            capped=capped and pair[1] in fixed,
        )
        for pair in graph
    ]
    result = {**columns, **put_in_order(rules, columns)}
    for rule in rules:
        assert not rule.broken(result).any()
    for name in NAMES:
        assert result[name].is_null().equals(columns[name].is_null())
    for name in fixed:
        assert result[name].equals(columns[name])


def test_rows_that_keep_the_order_are_left_alone() -> None:
    columns = {"a": pa.array([1, 5, None, 3]), "b": pa.array([2, 5, 1, None])}
    assert put_in_order([order("a", "b")], columns) == columns


def test_values_change_places_so_that_together_they_stay_the_same() -> None:
    chance = np.random.default_rng(0)
    columns = {name: pa.array(chance.integers(0, 100, 500)) for name in "ab"}
    rule = Order(("a", "b"), False, WHOLE, 1, ((0, 99), (0, 99)), False, False)
    result = put_in_order([rule], columns)
    both = [np.sort(np.concatenate([one[name].to_numpy() for name in "ab"])) for one in (columns, result)]
    assert (both[0] == both[1]).all()


def test_a_value_does_not_leave_the_bounds_of_its_column() -> None:
    rule = Order(("a", "b"), True, WHOLE, 1, ((2, 9), (0, 6)), False, False)
    result = put_in_order([rule], {"a": pa.array([9, 2, 6]), "b": pa.array([0, 2, 6])})
    assert (result["a"].to_pylist(), result["b"].to_pylist()) == ([2, 2, 5], [6, 3, 6])


def test_what_goes_round_in_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        sort_columns([("a", "b"), ("b", "c"), ("c", "a")])


def test_steps_of_two_columns_must_be_the_same() -> None:
    chance = np.random.default_rng(1)
    low = chance.integers(0, 100, 300)
    wide = pa.table({"low": low, "high": low + chance.integers(0, 50, 300), "tens": (low // 10 + 20) * 10})
    assert Order.fit(view_of(wide), ("low", "high")) is not None
    assert Order.fit(view_of(wide), ("low", "tens")) is None


def test_measures_without_decimals_are_compared_exactly() -> None:
    values = pa.array([-1e300, -2.5, -0.0, 5e-324, 1 / 3, None])
    tick_R, valid_R = FloatScale().to_ticks(values)
    assert (np.diff(tick_R[:5]) > 0).all()
    assert FloatScale().to_values(tick_R, valid_R).to_pylist() == values.to_pylist()


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    chance = np.random.default_rng(2)
    columns = {name: pa.array(chance.integers(0, 10, 50)) for name in "ab"}
    rules = (order("a", "b", strict=True),)
    ids = np.arange(50)
    whole = enforce(rules, columns, {}, seed=1, stream="x", row_ids=ids)
    part = enforce(
        rules, {n: one.slice(20, 5) for n, one in columns.items()}, {}, seed=1, stream="x", row_ids=ids[20:25]
    )
    assert all(whole[name].slice(20, 5).equals(part[name]) for name in "ab")


@pytest.mark.parametrize("apart", [0, 1, 4, 5])
def test_the_step_is_that_of_all_but_a_few_persons(apart: int) -> None:
    """Odd digits of four persons, in many rows, change no step; those of five do."""
    chance = np.random.default_rng(4)
    roots = np.repeat(np.arange(200), 3)
    small = 5 * chance.integers(2, 60, 600) + 2
    large = small + 5 * chance.integers(1, 60, 600)
    small, large = small - (roots < apart), large + (roots < apart)
    rule = Order.fit(view_of(pa.table({"a": small, "b": large}), roots), ("a", "b"))
    assert rule is not None
    assert rule.strict
    assert rule.step == (5 if apart < 5 else 1)
    for low, high in rule.bounds:
        assert apart == 5 or (low % 5, high % 5) == (2, 2)
    drawn = {name: pa.array(5 * chance.integers(2, 90, 2_000) + 2) for name in "ab"}
    kept = drawn | put_in_order([rule], drawn)
    assert not rule.broken(kept).any()
    assert apart == 5 or all((kept[name].to_numpy() % 5 == 2).all() for name in "ab")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 9)), max_size=20),
    st.dictionaries(st.integers(0, 4), st.none() | st.integers(0, 9)),
    st.booleans(),
)
def test_a_sequence_is_raised_no_more_than_it_must_and_ascends_still(
    rows: list[tuple[int, int | None]], floors: dict[int, int | None], strict: bool
) -> None:
    rows = sorted(rows, key=lambda row: (row[0], -1 if row[1] is None else row[1]))
    parent_R = np.array([parent for parent, _ in rows], dtype=np.int64)
    drawn = pa.array([value for _, value in rows], pa.int64())
    floor = pa.array([floors.get(parent) for parent, _ in rows], pa.int64())
    raised = put_between(
        [order("floor", "day", strict=strict, fixed=True)], {"floor": floor, "day": drawn}, "day", parent_R
    )
    # One floor for all rows of a parent: the nearest value that is allowed is the larger of the two.
    expected = [
        value if value is None or low is None else max(value, low + strict)
        for value, low in zip(drawn.to_pylist(), floor.to_pylist(), strict=True)
    ]
    assert raised.to_pylist() == expected


@given(numbers, numbers, numbers)
def test_a_value_lies_between_two_fixed_ones_that_are_in_order(
    low: list[int | None], drawn: list[int | None], high: list[int | None]
) -> None:
    pairs = [(a, a if b is None or a is None else max(a, b)) for a, b in zip(low, high, strict=True)]
    columns = {
        "a": pa.array([a for a, _ in pairs], pa.int64()),
        "b": pa.array(drawn, pa.int64()),
        "c": pa.array([b for _, b in pairs], pa.int64()),
    }
    rules = [order("a", "b", fixed=True), order("b", "c", capped=True)]
    result = {**columns, **put_in_order(rules, columns)}
    assert not any(rule.broken(result).any() for rule in rules)
    assert all(result[name].equals(columns[name]) for name in "ac")
    parent_R = np.arange(len(drawn))
    assert not any(
        rule.broken({**columns, "b": put_between(rules, columns, "b", parent_R)}).any() for rule in rules
    )
