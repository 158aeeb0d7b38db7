"""What a rule remembers of the source: only what enough root rows hold."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import MINIMUM, view_of

from kinsynth.columns.base import count_part
from kinsynth.columns.categorical import build_categorical
from kinsynth.columns.fill import Fill, build_fill
from kinsynth.rules.combinations import Combination
from kinsynth.rules.functions import Function
from kinsynth.rules.missing import Missing
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROOTS = 300
REPEATS = 10


def make_table(holders: int) -> tuple[pa.Table, np.ndarray]:
    """Give rows of ``ROOTS`` roots, ten each; so many roots hold secrets, in all their rows."""
    chance = np.random.default_rng(0)
    root_R = np.repeat(np.arange(ROOTS), REPEATS)
    secret = root_R < holders
    city = chance.integers(0, 8, len(root_R))
    names = np.where(secret, "secret city", np.char.add("city ", city.astype(str)))
    states = np.where(secret, "secret state", np.char.add("state ", (city % 3).astype(str)))
    size = (city + chance.choice([0, 1, 3], len(root_R))) % 8
    sizes = np.where(secret, "secret size", np.char.add("size ", size.astype(str)))
    note = pa.array(states, mask=(city == 2) | secret)
    return pa.table({"city": names, "state": states, "size": sizes, "note": note}), root_R


@pytest.mark.parametrize(
    ("kind", "columns"),
    [(Function, ("state", "city")), (Combination, ("size", "city")), (Missing, ("note", "city"))],
)
def test_values_of_few_roots_are_not_remembered(kind: type, columns: tuple[str, str]) -> None:
    few, enough = (kind.fit(view_of(*make_table(holders)), columns) for holders in (MINIMUM - 1, MINIMUM))
    if kind is not Missing:  # for a rule about missing values five roots are no evidence
        assert "secret" in json.dumps(enough.to_json())
    assert few is not None
    assert "secret" not in json.dumps(few.to_json())


def test_a_rare_pair_of_frequent_values_makes_no_combination() -> None:
    table, root_R = make_table(0)
    sizes = table["size"].to_pylist()
    row = table["city"].to_pylist().index("city 0")
    sizes[row] = "size 5"
    broken = table.set_column(2, "size", pa.array(sizes))
    assert Combination.fit(view_of(table, root_R), ("size", "city")) is not None
    assert Combination.fit(view_of(broken, root_R), ("size", "city")) is None


def test_an_unknown_source_value_gets_a_remembered_target() -> None:
    numbers = np.repeat([10, 20, 40], 50)
    view = view_of(pa.table({"number": numbers, "word": np.char.add("w", numbers.astype(str))}))
    rule = Function.fit(view, ("word", "number"))
    assert rule is not None
    drawn = {"number": pa.array([9, 14, 31, 400])}
    assert rule.apply(drawn, np.zeros((4, 1)), {})["word"].to_pylist() == ["w10", "w10", "w40", "w40"]


def test_a_fill_draws_what_enough_roots_share() -> None:
    table, root_R = make_table(MINIMUM - 1)
    values = table["city"].combine_chunks()
    codec = build_categorical(count_part((values,), root_R), Column(), Protection())
    fill = build_fill(codec, values, root_R, minimum=MINIMUM)
    assert fill is not None
    again = Fill.from_json(json.loads(json.dumps(fill.to_json())))
    uniform_RD = np.random.default_rng(1).random((4_000, 2))
    drawn = codec.decode(again.draw(uniform_RD[:, :1]), uniform_RD[:, 1:])[0]
    assert drawn.null_count == 0
    assert set(drawn.to_pylist()) == {f"city {number}" for number in range(8)}


def test_without_values_that_enough_roots_share_there_is_no_fill() -> None:
    values = pa.array([f"v{number}" for number in range(40)])
    root_R = np.arange(40)
    codec = build_categorical(count_part((values,), root_R), Column(), Protection())
    assert build_fill(codec, values, root_R, minimum=MINIMUM) is None
