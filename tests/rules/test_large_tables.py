"""Tables with more rows than are searched: what only the other rows break is not proposed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import view_of

from kinsynth.rules import view as views
from kinsynth.rules.detect import detect_rules
from kinsynth.rules.functions import Function


def test_a_rule_must_hold_in_the_rows_that_were_not_searched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_SEARCHED", 500)
    chance = np.random.default_rng(0)
    low = chance.integers(0, 100, 2_000)
    high = low + chance.integers(0, 100, 2_000)
    whole, held = pa.table({"low": low, "high": high}), pa.table({"low": low[:300], "high": high[:300]})
    assert [one.rule.columns for one in detect_rules(view_of(whole), view_of(held))] == [("low", "high")]
    searched = set(np.linspace(0, 1_999, 500).astype(int).tolist())
    other = next(row for row in range(400, 2_000) if row not in searched)
    high[other], low[other] = 0, 1
    broken = pa.table({"low": low, "high": high})
    assert detect_rules(view_of(broken), view_of(held)) == ()


def test_of_a_large_table_few_answers_are_kept_and_all_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)
    table = pa.table({f"c{one}": chance.integers(0, 50, 1_000) for one in range(20)})
    small, large = view_of(table), view_of(table)
    asked = [(question, name) for question in ("ticks", "number", "code", "ticks") for name in small.columns]
    answers = [getattr(small, question)(name)[0] for question, name in asked]
    monkeypatch.setattr(views, "MOST_SEARCHED", 500)
    for (question, name), answer in zip(asked, answers, strict=True):
        assert np.array_equal(getattr(large, question)(name)[0], answer)
        assert len(large._known) <= views.MOST_KEPT + len(table.column_names)  # measures are small
    assert len(small._known) > 60


@pytest.mark.parametrize("breaking", [0, 7])
def test_rows_that_break_a_function_are_counted(breaking: int) -> None:
    city = np.arange(3_000) % 90
    country = city % 9
    country[:breaking] = 8 - country[:breaking]
    table = pa.table(
        {"country": np.char.add("k", country.astype(str)), "city": np.char.add("c", city.astype(str))}
    )
    wrong = sum(one % 9 != 8 - one % 9 for one in range(breaking))
    assert Function.count_breaking(view_of(table), ("country", "city")) == wrong
