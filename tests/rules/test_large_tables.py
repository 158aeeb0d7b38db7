"""Tables with more rows than are searched: what only the other rows break is not proposed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import view_of

from kinsynth.rules import view as views
from kinsynth.rules.detect import detect_rules


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
